"""The references of 02_latent_variable_models against torch.distributions, quadrature and scikit-learn."""

import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from torch import distributions as D

from dgmlib.checks.exercises.latent_variable_models import _ppca, ppca_log_prob, sample_mixture
from dgmlib.checks.exercises.latent_variable_models.gaussian_mean_posterior import conjugate, measurements
from dgmlib.checks.exercises.latent_variable_models.grid_posterior import grid
from dgmlib.checks.exercises.latent_variable_models.map_linear_regression import map_weights, regression
from dgmlib.checks.exercises.latent_variable_models.mixture_log_prob import log_prob as mixture_log_prob
from dgmlib.checks.exercises.latent_variable_models.mixture_log_prob import mixture
from dgmlib.checks.exercises.latent_variable_models.naive_log_likelihood import decoded, naive
from dgmlib.checks.run.fixtures.densities import Decoder
from dgmlib.checks.run.watch import Largest


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_grid_posterior_approaches_the_conjugate_one(rng):
    given = measurements(rng, 5, (1.4, 1.8), (0.5, 0.7))
    theta = torch.linspace(-6, 6, 4001, dtype=torch.float64)
    log_prior = D.Normal(given["prior_mean"], given["prior_std"]).log_prob(theta)
    log_likelihood = D.Normal(theta[:, None], given["noise_std"]).log_prob(given["x"]).sum(1)
    density, log_evidence = grid(log_prior, log_likelihood, 12 / 4000)
    mean, std = conjugate(**given)
    torch.testing.assert_close(density, D.Normal(mean, std).log_prob(theta).exp(), rtol=1e-6, atol=1e-8)
    covariance = given["noise_std"] ** 2 * torch.eye(5, dtype=torch.float64) + given["prior_std"] ** 2
    marginal = D.MultivariateNormal(given["prior_mean"].expand(5), covariance)
    torch.testing.assert_close(log_evidence, marginal.log_prob(given["x"]))


@pytest.mark.parametrize("n", [3, 30])
def test_map_is_ridge_and_the_mode(rng, n):
    given = regression(rng, n, 5, (1.3, 1.8), (0.5, 0.8))
    w = map_weights(**given)
    alpha = float(given["noise_std"] / given["prior_std"]) ** 2
    ridge = Ridge(alpha=alpha, fit_intercept=False).fit(given["features"], given["targets"])
    np.testing.assert_allclose(w, ridge.coef_, rtol=1e-6)
    at = w.clone().requires_grad_()
    log_likelihood = D.Normal(given["features"] @ at, given["noise_std"]).log_prob(given["targets"]).sum()
    (log_likelihood + D.Normal(0.0, given["prior_std"]).log_prob(at).sum()).backward()
    torch.testing.assert_close(at.grad, torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-9)


def test_mixture_density_is_that_of_torch_and_integrates_to_one(rng):
    given = mixture(rng, 6, 2, 3)
    components = D.MultivariateNormal(given["means"], given["covariances"])
    torch_density = D.MixtureSameFamily(D.Categorical(given["weights"]), components)
    torch.testing.assert_close(mixture_log_prob(**given), torch_density.log_prob(given["x"]))
    axis = torch.linspace(-14, 14, 281, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    total = mixture_log_prob(**(given | {"x": grid})).exp().sum() * 0.1**2
    assert float(total) == pytest.approx(1, abs=1e-6)


def test_ppca_density_is_the_integral_over_z(rng):
    given = _ppca.ppca(rng, 4, 5, 1)
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)[:, None]
    log_joint = D.Normal(0.0, 1.0).log_prob(z) + torch.stack(
        [ppca_log_prob.conditional(x, z, given["W"], given["mu"], given["sigma"]) for x in given["x"]], 1
    )
    log_prob = torch.logsumexp(log_joint, 0) + math.log(18 / 4000)
    torch.testing.assert_close(ppca_log_prob.log_prob(**given), log_prob)
    definition = ppca_log_prob.gaussian(
        given["x"], given["mu"], given["W"] @ given["W"].T + given["sigma"] ** 2 * torch.eye(5, dtype=torch.float64)
    )
    torch.testing.assert_close(definition, log_prob)
    mean, covariance = _ppca.posterior(**given)
    weights = torch.softmax(log_joint, 0)
    torch.testing.assert_close(mean, weights.T @ z)
    second = (weights * (z - mean.T) ** 2).sum(0)
    torch.testing.assert_close(second, covariance[0].expand(4))


def test_ppca_density_is_that_of_scikit_learn(rng):
    x = rng.standard_normal((40, 2)) @ rng.standard_normal((2, 6)) + 0.3 * rng.standard_normal((40, 6))
    pca = PCA(2).fit(x)
    scale = torch.as_tensor(np.sqrt(pca.explained_variance_ - pca.noise_variance_))
    W, mu = torch.as_tensor(pca.components_.T) * scale, torch.as_tensor(pca.mean_)
    ours = ppca_log_prob.log_prob(torch.as_tensor(x), W, mu, torch.tensor(pca.noise_variance_).sqrt())
    np.testing.assert_allclose(ours, pca.score_samples(x))


def test_naive_estimate_approaches_the_integral(rng):
    given = decoded(rng, 3, 1, 2, 1)
    decoder = Decoder(*(given[name] for name in ("A", "B", "c", "log_scale")))
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)[:, None]
    exact = torch.logsumexp(decoder(given["x"], z) + D.Normal(0.0, 1.0).log_prob(z), 0) + math.log(18 / 4000)
    draws = D.Normal(0.0, 1.0).icdf((torch.arange(4000, dtype=torch.float64)[:, None] + 0.5) / 4000)
    torch.testing.assert_close(naive(given["x"], draws, decoder), exact, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("name", "value"), [("x", torch.zeros(2)), ("z", torch.zeros(3))])
def test_decoder_says_which_shape_it_takes(name, value):
    decoder = Decoder(torch.zeros(4, 3), torch.zeros(2, 4), torch.zeros(2), torch.zeros(2))
    arguments = {"x": torch.zeros(5, 2), "z": torch.zeros(6, 3)}
    with pytest.raises(ValueError, match=f"takes {name} of shape"):
        decoder(**(arguments | {name: value}))


def test_memory_watch_sees_allocations_and_no_views():
    with Largest() as largest:
        torch.zeros(3, 50).sum() + torch.zeros(()).expand(50, 50).sum()
    assert (largest.numbers, largest.shape) == (150, (3, 50))
    with Largest() as largest:
        torch.eye(50)
    assert largest.numbers == 2500


def test_statistics_of_a_right_sample_stay_within_their_errors(rng):
    """Over many samples the standardised statistics are as large as normal ones, not larger."""
    given = sample_mixture.cases(rng)["value"]
    arguments = [given[name] for name in ("weights", "means", "covariances")]
    largest = []
    for _ in range(60):
        x, k = sample_mixture.sample(2000, *arguments)
        groups = [x[k == c] - given["means"][c] for c in range(3)]
        counts = k.bincount(minlength=3).double()
        white = sample_mixture.whitened(groups, given["covariances"])
        largest.append(max(sample_mixture.off(counts, given["weights"]), *(sample_mixture.worst(w) for w in white)))
    assert 1.5 < float(np.median(largest)) < 3
    assert max(largest) < 5


def test_how_often_neighbours_differ_by_all_sequences():
    """The mean and the variance over each of the 3⁶ sequences, by its probability."""
    weights = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    rows = torch.tensor([*itertools.product(range(3), repeat=6)])
    chance, count = weights[rows].prod(1), (rows[:, 1:] != rows[:, :-1]).sum(1).double()
    mean = float((chance * count).sum())
    assert sample_mixture.changes(weights, 6) == pytest.approx((mean, float((chance * (count - mean) ** 2).sum())))
