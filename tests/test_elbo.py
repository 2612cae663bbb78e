"""The lower bound: its three forms, its gap, and what it is bounded by."""

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import covariance, normal, ppca

SIZES = [(1, 1), (3, 1), (5, 2), (2, 2)]


def case(m: int, d: int, device, n: int = 4):
    """x, the parameters, and a q that is not the posterior."""
    q = normal(n, d, device=device, seed=8), covariance(m=d, device=device, seed=9)
    return 2 * normal(n, m, device=device, seed=7), ppca(m, d, device), q


def expectation(f, q_mean, q_cov):
    """E_q f(z) by Gauss-Hermite quadrature, exact for f quadratic in z; f(z (G, n, d)) -> (G, n)."""
    nodes, weights = (torch.from_numpy(a).to(q_mean) for a in np.polynomial.hermite_e.hermegauss(6))
    d = q_mean.shape[-1]
    z = torch.cartesian_prod(*[nodes] * d).reshape(-1, 1, d) @ torch.linalg.cholesky(q_cov).mT
    mass = torch.cartesian_prod(*[weights / weights.sum()] * d).reshape(-1, d).prod(-1)
    return mass @ f(q_mean + z)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 1)])
def test_kl_to_standard_normal_is_that_of_torch_distributions(shape, device):
    mean, log_var = normal(*shape, device=device), normal(*shape, device=device, seed=1)
    expected = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(torch.zeros_like(mean), 1.0)).sum(-1)
    assert_close(lib.kl_to_standard_normal(mean, log_var), expected)


def test_kl_to_standard_normal_is_a_gaussian_kl(device):
    mean, log_var = normal(5, 3, device=device), normal(5, 3, device=device, seed=1)
    prior = torch.zeros_like(mean), torch.eye(3, dtype=torch.float64, device=device)
    assert_close(lib.kl_to_standard_normal(mean, log_var), lib.gaussian_kl(mean, log_var.exp().diag_embed(), *prior))


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_ppca_elbo_is_the_expectation_over_q(m, d, device):
    x, theta, q = case(m, d, device)
    law, model = MultivariateNormal(*q), lib.PPCA(*theta)
    assert_close(lib.ppca_elbo(x, *theta, *q), expectation(lambda z: model.log_joint(x, z) - law.log_prob(z), *q))


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_elbo_and_gap_add_up_to_log_prob_for_any_q(m, d, device):
    x, theta, q = case(m, d, device)
    elbo, gap = lib.ppca_elbo(x, *theta, *q), lib.variational_gap(x, *theta, *q)
    assert_close(elbo + gap, MultivariateNormal(theta[1], dense(*theta)).log_prob(x))
    assert (gap > 1e-3).all()


def dense(W, mu, sigma):
    return W @ W.mT + sigma.square() * torch.eye(len(mu), dtype=W.dtype, device=W.device)


def test_elbo_touches_log_prob_at_the_posterior(device):
    x, theta, _ = case(5, 2, device)
    model = lib.PPCA(*theta)
    posterior = model.posterior(x)
    assert_close(lib.ppca_elbo(x, *theta, *posterior), model.log_prob(x))
    assert_close(lib.variational_gap(x, *theta, *posterior), torch.zeros(4, dtype=torch.float64, device=device))


def test_one_covariance_a_sample_is_the_same_law(device):
    x, theta, (q_mean, q_cov) = case(5, 2, device)
    each = q_cov.expand(4, 2, 2)
    assert_close(lib.ppca_elbo(x, *theta, q_mean, each), lib.ppca_elbo(x, *theta, q_mean, q_cov))
    assert_close(lib.variational_gap(x, *theta, q_mean, each), lib.variational_gap(x, *theta, q_mean, q_cov))


def test_joint_form_is_exact_in_every_sample_of_the_posterior(device):
    """log p(x, z) - log p(z|x) = log p(x) at any z: the estimator has no variance there."""
    x, theta, _ = case(5, 2, device)
    model = lib.PPCA(*theta)
    law = MultivariateNormal(*model.posterior(x))
    z = law.sample((3,))
    assert_close(lib.elbo_from_joint(model.log_joint(x, z), law.log_prob(z)), model.log_prob(x))


def test_both_monte_carlo_forms_agree_with_the_closed_form(device):
    """On antithetic samples of q that have its mean and covariance, where quadratics average exactly."""
    x, theta, (q_mean, q_cov) = case(5, 2, device)
    model, law = lib.PPCA(*theta), MultivariateNormal(q_mean, q_cov)
    root = torch.linalg.cholesky(q_cov).mT * 2**0.5
    z = torch.cat([q_mean + root.unsqueeze(1), q_mean - root.unsqueeze(1)])
    exact = lib.ppca_elbo(x, *theta, q_mean, q_cov)
    assert_close(lib.elbo_from_joint(model.log_joint(x, z), law.log_prob(z)), exact)
    prior = torch.zeros_like(q_mean), torch.eye(2, dtype=torch.float64, device=device)
    kl = lib.gaussian_kl(q_mean, q_cov, *prior)
    assert_close(lib.elbo_from_kl(model.log_likelihood(x, z), kl), exact)


def test_importance_weighted_bound_is_above_the_elbo_in_every_sample(device):
    log_joint, log_q = 3 * normal(6, 50, device=device), normal(6, 50, device=device, seed=1)
    bound, elbo = lib.importance_weighted_bound(log_joint, log_q), lib.elbo_from_joint(log_joint, log_q)
    assert (bound >= elbo).all()
    assert_close(bound.exp(), (log_joint - log_q).exp().mean(0))
    assert_close(lib.importance_weighted_bound(log_joint[:1], log_q[:1]), (log_joint - log_q)[0])


def test_importance_weighted_bound_does_not_overflow(device):
    log_joint, log_q = normal(6, 5, device=device), normal(6, 5, device=device, seed=1)
    near = lib.importance_weighted_bound(log_joint, log_q)
    assert_close(lib.importance_weighted_bound(log_joint - 1e5, log_q), near - 1e5)


def test_bounds_tighten_with_the_number_of_samples(device):
    """ELBO = IW_1 <= IW_5 <= IW_50 <= log p(x) on average, with q = a widened posterior."""
    x, theta, _ = case(3, 1, device, n=1)
    model = lib.PPCA(*theta)
    mean, cov = model.posterior(x)
    law = MultivariateNormal(mean, 4 * cov)
    z = law.sample((50, 4000))
    log_joint, log_q = model.log_joint(x, z), law.log_prob(z)
    averages = [lib.importance_weighted_bound(log_joint[:k], log_q[:k]).mean() for k in (1, 5, 50)]
    elbo = lib.ppca_elbo(x, *theta, mean, 4 * cov)
    assert_close(averages[0], elbo[0], rtol=0, atol=0.06)
    assert averages[0] < averages[1] < averages[2] < model.log_prob(x)[0] + 0.01
    assert_close(averages[2], model.log_prob(x)[0], rtol=0, atol=0.03)
