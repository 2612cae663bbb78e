"""The references of 04_em_algorithm against scikit-learn, scipy, autograd, brute force and monotonicity."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from dgmlib.checks.engine import normal, regular
from dgmlib.checks.exercises.em_algorithm import _mixture as mixture
from dgmlib.checks.exercises.em_algorithm import em_mixture, ppca_em_step, ppca_mle
from dgmlib.checks.exercises.em_algorithm.mixture_elbo import mixture_elbo
from dgmlib.elbo import ppca_elbo


@pytest.fixture
def given():
    return mixture.mixture(np.random.default_rng(5), 12, 3, 2)


@pytest.fixture
def q():
    return torch.softmax(normal(np.random.default_rng(6), 12, 3), 1)


@pytest.fixture
def data():
    rng = np.random.default_rng(7)
    return normal(rng, 40, 5) @ regular(rng, 5, 0.3, 3.0) + normal(rng, 5)


def sklearn_mixture(weights, means, covariances):
    model = GaussianMixture(len(weights))
    model.weights_, model.means_, model.covariances_ = weights.numpy(), means.numpy(), covariances.numpy()
    model.precisions_cholesky_ = np.linalg.inv(np.linalg.cholesky(covariances.numpy())).transpose(0, 2, 1)
    return model


def test_e_step_is_scikit_learns(given):
    x = given.pop("x")
    want = sklearn_mixture(**given).predict_proba(x.numpy())
    assert_close(mixture.e_step(x, **given), torch.from_numpy(want))


def test_log_joint_is_scipys(given):
    x, *theta = (given[name].numpy() for name in ("x", "weights", "means", "covariances"))
    columns = [np.log(w) + multivariate_normal(mu, S).logpdf(x) for w, mu, S in zip(*theta, strict=True)]
    assert_close(mixture.log_joint(**given), torch.from_numpy(np.stack(columns, 1)))


def test_m_step_leaves_the_bound_without_gradient(given, q):
    """The maximum of L(q, θ) over θ, the weights through their logits."""
    x = given["x"]
    weights, means, covariances = mixture.m_step(x, q)
    leaves = [t.requires_grad_() for t in (weights.log(), means, torch.linalg.cholesky(covariances))]
    bound = mixture_elbo(x, q, leaves[0].softmax(0), leaves[1], leaves[2].tril() @ leaves[2].tril().mT)
    for gradient in torch.autograd.grad(bound, leaves):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


def test_bound_is_below_log_p_and_touches_it_at_the_posterior(given, q):
    x = given.pop("x")
    log_p = torch.logsumexp(mixture.log_joint(x, **given), 1).mean()
    assert mixture_elbo(x, q, **given) < log_p
    assert_close(mixture_elbo(x, mixture.e_step(x, **given), **given), log_p)


def test_em_is_scikit_learns(seeds):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        given = em_mixture.alive(lambda rng=rng: em_mixture.start(rng, 60, 3, 2, 5))
        *theta, history = em_mixture.em_mixture(*(given[k] for k in ("x", "weights", "means", "covariances")), 5)
        assert (history.diff() > 0).all()
        fitted = sklearn_loop(given, 5)
        for got, want in zip(theta, fitted, strict=True):
            assert_close(got, torch.from_numpy(want))


def sklearn_loop(given, num_iters):
    """scikit-learn's own steps, without its start by k-means, its stopping and its ridge."""
    x = given["x"].numpy()
    own = sklearn_mixture(given["weights"], given["means"], given["covariances"])
    own.reg_covar = 0.0
    for _ in range(num_iters):
        _, log_resp = own._e_step(x)
        own._m_step(x, log_resp)
    return own.weights_, own.means_, own.covariances_


def test_hard_q_is_the_best_point_mass(given):
    x, masses = given.pop("x")[:5], torch.eye(3, dtype=torch.float64)
    bounds = {k: mixture_elbo(x, masses[list(k)], **given) for k in product(range(3), repeat=5)}
    best = max(bounds, key=bounds.get)
    assert_close(mixture.hard_e_step(x, **given), masses[list(best)])


def dense_log_prob(x, W, mu, sigma):
    return MultivariateNormal(mu, W @ W.T + sigma**2 * torch.eye(len(W)).double()).log_prob(x).mean()


def test_ppca_step_leaves_the_bound_without_gradient(data):
    """At the posterior of the old parameters; the bound is the library's."""
    rng = np.random.default_rng(8)
    start = normal(rng, 5, 2), data.mean(0), torch.tensor(0.8).double()
    z, S = ppca_em_step.moments(data, *start)
    theta = [t.requires_grad_() for t in ppca_em_step.ppca_em_step(data, *start)]
    for gradient in torch.autograd.grad(ppca_elbo(data, *theta, z, S).mean(), theta):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-10)


def test_ppca_by_em_climbs_to_the_closed_form(data):
    theta, before = (torch.eye(5, 2).double(), data.mean(0), torch.tensor(1.0).double()), -torch.inf
    for _ in range(800):
        theta = ppca_em_step.ppca_em_step(data, *theta)
        now = dense_log_prob(data, *theta)
        assert now >= before - 1e-12
        before = now
    W, mu, sigma = ppca_mle.ppca_mle(data, 2)
    assert_close(theta[0] @ theta[0].T, W @ W.T, rtol=0, atol=1e-6)
    assert_close(theta[1:], (mu, sigma), rtol=0, atol=1e-6)


def test_ppca_closed_form_is_scikit_learns(data):
    """Whose covariance divides by n - 1."""
    model = PCA(2).fit(data.numpy())
    W, _, sigma = ppca_mle.ppca_mle(data, 2)
    unbias = len(data) / (len(data) - 1)
    assert_close(unbias * sigma**2, torch.tensor(model.noise_variance_))
    covariance = unbias * (W @ W.T + sigma**2 * torch.eye(5).double())
    assert_close(covariance, torch.from_numpy(model.get_covariance()))


def test_ppca_closed_form_leaves_the_likelihood_without_gradient(data):
    theta = [t.requires_grad_() for t in ppca_mle.ppca_mle(data, 2)]
    for gradient in torch.autograd.grad(dense_log_prob(data, *theta), theta):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-10)
