"""Probabilistic PCA against dense Gaussians, quadrature, scikit-learn and autograd."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal, Normal
from torch.testing import assert_close

from dgmlib.lvm._ppca_fast import covariance as covariance_of
from dgmlib.lvm._ppca_fast import gram
from tests.lvm import library as lib
from tests.lvm.cases import covariance, generator, normal, ppca

SIZES = [(1, 1), (2, 1), (5, 3), (3, 3), (2, 4)]


def dense(W, sigma):
    return W @ W.mT + sigma.square() * torch.eye(len(W), dtype=W.dtype, device=W.device)


@pytest.mark.parametrize(("m", "d"), SIZES)
@pytest.mark.parametrize("batch", [(), (6,), (2, 3)])
def test_log_prob_is_that_of_the_dense_gaussian(m, d, batch, device):
    W, mu, sigma = ppca(m, d, device)
    x = 3 * normal(*batch, m, device=device)
    expected = MultivariateNormal(mu, dense(W, sigma)).log_prob(x)
    assert_close(lib.PPCA(W, mu, sigma).log_prob(x), expected)
    low_rank = LowRankMultivariateNormal(mu, W, sigma.square().expand(m))
    assert_close(lib.PPCA(W, mu, sigma).log_prob(x), low_rank.log_prob(x))


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_the_fast_difference_is_the_sum_of_squares(m, d, device):
    model, x = lib.PPCA(*ppca(m, d, device)), 3 * normal(6, m, device=device)
    assert model._digits_to_spare
    fast = model._infer(x)
    model._digits_to_spare = False
    assert_close(model._infer(x), fast)


def test_a_thin_noise_is_left_to_the_sum_of_squares(device):
    """W/sigma = 1e6: the difference would keep 4 of float64's 16 digits."""
    W, mu, _ = ppca(5, 2, device)
    model = lib.PPCA(W, mu, 1e-6)
    assert not model._digits_to_spare
    x, _ = model.sample(20)
    gaussian = MultivariateNormal(mu / 1e-6, W @ W.mT / 1e-12 + torch.eye(5, dtype=W.dtype, device=device))
    assert_close(model.log_prob(x), gaussian.log_prob(x / 1e-6) - 5 * math.log(1e-6), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("requires_grad", [False, True])
def test_gram_by_numpy_or_not_is_the_product(requires_grad, device):
    A, centre = normal(50, 4, device=device).requires_grad_(requires_grad), normal(4, device=device, seed=1)
    assert_close(gram(A, centre), (A - centre).mT @ (A - centre))


def test_the_covariance_of_several_chunks_is_that_of_the_whole(device):
    """In several chunks, the last a short one; a batch of data sets by vmap."""
    x = 3 + normal(40_000, 40, device=device)
    for rows in (x, x.float(), x.clone().requires_grad_()):
        mean, cov = covariance_of(rows)
        assert_close(mean, rows.double().mean(0))
        assert_close(cov, rows.double().mT.cov(correction=0))
    batch = torch.vmap(covariance_of)(torch.stack([x[:50], x[50:100]]))
    assert_close(batch[1][1], covariance_of(x[50:100])[1])


def test_gradients_are_those_of_the_dense_gaussian(device):
    inputs = [p.requires_grad_() for p in (*ppca(4, 2, device), normal(6, 4, device=device))]
    W, mu, sigma, x = inputs
    ours = torch.autograd.grad(lib.PPCA(W, mu, sigma).log_prob(x).sum(), inputs)
    theirs = MultivariateNormal(mu, dense(W, sigma)).log_prob(x).sum()
    assert_close(ours, torch.autograd.grad(theirs, inputs))


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_posterior_is_gaussian_conditioning(m, d, device):
    """mean = Wᵀ C⁻¹ (x - mu), covariance = I - Wᵀ C⁻¹ W, with the m-by-m matrix C."""
    W, mu, sigma = ppca(m, d, device)
    x = normal(2, 3, m, device=device)
    gain = torch.linalg.solve(dense(W, sigma), W).mT
    mean, cov = lib.PPCA(W, mu, sigma).posterior(x)
    assert_close(mean, (x - mu) @ gain.mT)
    assert_close(cov, torch.eye(d, dtype=W.dtype, device=device) - gain @ W)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e9])
def test_a_posterior_mean_far_from_the_origin_errs_by_a_rounding_of_x(offset):
    """Against 80-bit numbers: as if each x had been rounded once more."""
    W, mu, sigma = ppca(5, 2, "cpu")
    x = normal(40, 5) + offset
    # Column j of M⁻¹Wᵀ is the mean at e_j.
    gain = lib.PPCA(W, torch.zeros_like(mu), sigma).posterior(torch.eye(5, dtype=W.dtype))[0]
    centred = x.numpy().astype(np.longdouble) - (mu + offset).numpy()
    error = lib.PPCA(W, mu + offset, sigma).posterior(x)[0].numpy() - centred @ gain.numpy()
    roundings = torch.finfo(x.dtype).eps * (x.abs() + (mu + offset).abs()) @ gain.abs()
    assert (abs(error) <= 2 * roundings.numpy()).all()


def test_bayes_theorem_holds_at_every_latent(device):
    """log p(x, z) = log p(x) + log p(z|x), and log p(x|z) is a Gaussian."""
    W, mu, sigma = ppca(5, 3, device)
    model, x, z = lib.PPCA(W, mu, sigma), normal(4, 5, device=device), normal(6, 4, 3, device=device, seed=1)
    assert_close(model.log_joint(x, z), model.log_prob(x) + MultivariateNormal(*model.posterior(x)).log_prob(z))
    assert_close(model.log_likelihood(x, z), Normal(z @ W.mT + mu, sigma).log_prob(x).sum(-1))


def test_log_prob_is_the_integral_over_the_latent(device):
    model, x = lib.PPCA(*ppca(3, 1, device)), normal(4, 3, device=device)
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64, device=device)
    integral = torch.trapezoid(model.log_joint(x, z[:, None, None]).exp(), z, dim=0)
    assert_close(model.log_prob(x).exp(), integral)


def test_samples_follow_the_model(device):
    W, mu, sigma = ppca(3, 2, device)
    x, z = lib.PPCA(W, mu, sigma).sample(100_000)
    assert (x.shape, z.shape) == ((100_000, 3), (100_000, 2))
    assert_close(x.mean(0), mu, rtol=0, atol=0.03)
    assert_close(x.mT.cov(), dense(W, sigma), rtol=0, atol=0.08)
    assert_close((x - mu).mT @ z / 100_000, W, rtol=0, atol=0.04)


def test_sampling_obeys_a_generator():
    model = lib.PPCA(*ppca(3, 2))
    assert_close(model.sample(5, generator(1)), model.sample(5, generator(1)))


@pytest.mark.parametrize("d", [1, 2, 4])
def test_maximum_likelihood_is_scikit_learns_pca_with_one_over_n(d, device):
    """scikit-learn divides by n - 1; its covariance times (n - 1)/n is the maximum-likelihood one."""
    n = 60
    x = normal(n, 5, device=device) @ normal(5, 5, device=device, seed=1) + 4
    model, theirs = lib.PPCA.maximum_likelihood(x, d), PCA(d).fit(x.cpu().numpy())
    assert float(model.sigma.square()) == pytest.approx(theirs.noise_variance_ * (n - 1) / n, rel=1e-10)
    expected = multivariate_normal(theirs.mean_, theirs.get_covariance() * (n - 1) / n).logpdf(x.cpu().numpy())
    assert_close(model.log_prob(x).cpu(), torch.from_numpy(expected))


def test_maximum_likelihood_is_a_stationary_point(device):
    x = normal(60, 5, device=device) @ normal(5, 5, device=device, seed=1) + 4
    best = lib.PPCA.maximum_likelihood(x, 2)
    theta = [p.detach().requires_grad_() for p in (best.W, best.mu, best.sigma)]
    for gradient in torch.autograd.grad(lib.PPCA(*theta).log_prob(x).mean(), theta):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-9)


def test_no_neighbour_is_more_likely_than_the_fit(device):
    x = normal(60, 5, device=device) @ normal(5, 5, device=device, seed=1) + 4
    best = lib.PPCA.maximum_likelihood(x, 2)
    for seed in range(20):
        step = 0.05 * normal(5, 2, device=device, seed=seed)
        sigma = best.sigma * (1 + 0.05 * normal(1, device=device, seed=seed)[0])
        assert lib.PPCA(best.W + step, best.mu, sigma).log_prob(x).mean() < best.log_prob(x).mean()


def test_m_step_is_where_the_gradient_of_the_bound_vanishes(device):
    """For any Gaussian q, its means off centre too."""
    x, q = 4 + normal(40, 5, device=device), (1 + normal(40, 2, device=device, seed=1), covariance(m=2, device=device))
    best = lib.PPCA(*ppca(5, 2, device)).m_step(x, q)
    theta = [p.detach().requires_grad_() for p in (best.W, best.mu, best.sigma)]
    for gradient in torch.autograd.grad(lib.ppca_elbo(x, *theta, *q).mean(), theta):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-10)


def test_em_reaches_the_eigen_solution(device):
    """W up to a rotation: W Wᵀ, mu and sigma agree."""
    x = normal(80, 5, device=device) * torch.tensor([4, 3, 1, 0.9, 0.8], device=device) + 4
    fitted, _ = lib.em(lib.PPCA(*ppca(5, 2, device)), x, num_iters=2000)
    exact = lib.PPCA.maximum_likelihood(x, 2)
    assert_close(fitted.W @ fitted.W.mT, exact.W @ exact.W.mT, rtol=1e-6, atol=1e-6)
    assert_close([fitted.mu, fitted.sigma], [exact.mu, exact.sigma], rtol=1e-6, atol=1e-6)


def test_twenty_thousand_columns_need_no_square_matrix(device):
    """An m-by-m matrix would take 3.2 GB."""
    m = 20_000
    model = lib.PPCA(normal(m, 3, device=device) / 100, normal(m, device=device), 0.5)
    expected = LowRankMultivariateNormal(model.mu, model.W, model.sigma.square().expand(m))
    x = normal(4, m, device=device)
    assert_close(model.log_prob(x), expected.log_prob(x))
