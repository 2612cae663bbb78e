"""Bayes on a grid and in closed form, against scipy, scikit-learn and autograd."""

import pytest
import scipy.special
import scipy.stats
import torch
from sklearn.linear_model import Ridge
from torch.distributions import Normal
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import normal

TIGHT = {"rtol": 1e-9, "atol": 1e-12}


def test_grid_posterior_of_a_coin_is_beta(device):
    """7 heads in 10 under a uniform prior: Beta(8, 4), and the evidence is a beta function."""
    step = 1e-4
    theta = torch.arange(step / 2, 1, step, dtype=torch.float64, device=device)
    density, log_evidence = lib.grid_posterior(torch.zeros_like(theta), 7 * theta.log() + 3 * torch.log1p(-theta), step)
    expected = torch.from_numpy(scipy.stats.beta(8, 4).pdf(theta.cpu().numpy()))
    assert_close(density.cpu(), expected, rtol=1e-6, atol=1e-6)
    assert float(log_evidence) == pytest.approx(scipy.special.betaln(8, 4), abs=1e-6)


def test_grid_posterior_is_sane_at_tiny_likelihoods(device):
    log_prior, log_likelihood = normal(2, 50, device=device), normal(2, 50, device=device, seed=1)
    density, log_evidence = lib.grid_posterior(log_prior, log_likelihood, 0.1)
    far, far_evidence = lib.grid_posterior(log_prior, log_likelihood - 1e4, 0.1)
    assert_close(far, density)
    assert_close(far_evidence, log_evidence - 1e4)
    assert_close(density.sum(-1) * 0.1, torch.ones_like(log_evidence))


def test_grid_posterior_takes_the_prior_as_given(device):
    log_prior, log_likelihood = normal(50, device=device), normal(50, device=device, seed=1)
    density, log_evidence = lib.grid_posterior(log_prior, log_likelihood, 0.1)
    same, doubled = lib.grid_posterior(log_prior + torch.tensor(2.0).log().to(device), log_likelihood, 0.1)
    assert_close(same, density)
    assert_close(doubled.exp(), 2 * log_evidence.exp())


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 7)])
def test_conjugate_posterior_is_the_grid_posterior(shape, device):
    x = 1 + normal(*shape, device=device)
    mean, std = lib.gaussian_mean_posterior(x, 0.8, -0.5, 1.5)
    theta = torch.linspace(-12, 12, 40_001, dtype=torch.float64, device=device)
    log_likelihood = Normal(theta, 0.8).log_prob(x.unsqueeze(-1)).sum(-2)
    step = float(theta[1] - theta[0])
    density, _ = lib.grid_posterior(Normal(-0.5, 1.5).log_prob(theta), log_likelihood, step)
    grid_mean = (density * theta).sum(-1) * step
    grid_var = (density * (theta - grid_mean.unsqueeze(-1)).square()).sum(-1) * step
    assert_close(mean, grid_mean)
    assert_close(std, grid_var.sqrt())


def test_posterior_of_one_batch_is_the_prior_of_the_next(device):
    x = normal(9, device=device)
    once = lib.gaussian_mean_posterior(x, 0.8, -0.5, 1.5)
    first = lib.gaussian_mean_posterior(x[:4], 0.8, -0.5, 1.5)
    assert_close(lib.gaussian_mean_posterior(x[4:], 0.8, *first), once)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (20, 3), (2, 5), (20, 1)])
def test_map_is_ridge_regression(n, d, device):
    features, targets = normal(n, d, device=device), normal(n, device=device, seed=1)
    ridge = Ridge(alpha=(0.5 / 2) ** 2, fit_intercept=False).fit(features.cpu().numpy(), targets.cpu().numpy())
    expected = torch.from_numpy(ridge.coef_).to(device)
    assert_close(lib.map_linear_regression(features, targets, 0.5, 2.0), expected, rtol=1e-8, atol=1e-10)


def test_linear_regression_posterior_is_mode_and_curvature(device):
    features, targets = normal(20, 3, device=device), normal(20, device=device, seed=1)

    def log_joint(w):
        return Normal(features @ w, 0.5).log_prob(targets).sum() + Normal(0.0, 2.0).log_prob(w).sum()

    mean, covariance = lib.linear_regression_posterior(features, targets, 0.5, 2.0)
    assert_close(torch.func.grad(log_joint)(mean), torch.zeros_like(mean), rtol=0, atol=1e-10)
    assert_close(
        covariance @ -torch.autograd.functional.hessian(log_joint, mean),
        torch.eye(3, dtype=torch.float64, device=device),
    )


def test_linear_regression_over_batch_axes(device):
    features, targets = normal(2, 4, 20, 3, device=device), normal(2, 4, 20, device=device, seed=1)
    mean, covariance = lib.linear_regression_posterior(features, targets, 0.5, 2.0)
    one_mean, one_covariance = lib.linear_regression_posterior(features[1, 2], targets[1, 2], 0.5, 2.0)
    assert_close(mean[1, 2], one_mean)
    assert_close(covariance[1, 2], one_covariance)


def test_no_data_gives_the_prior_back(device):
    empty = normal(0, device=device)
    assert_close(
        torch.stack(lib.gaussian_mean_posterior(empty, 0.8, -0.5, 1.5)), empty.new_tensor([-0.5, 1.5]), **TIGHT
    )
    mean, covariance = lib.linear_regression_posterior(normal(0, 2, device=device), empty, 0.5, 2.0)
    assert_close(mean, torch.zeros_like(mean))
    assert_close(covariance, 4 * torch.eye(2, dtype=torch.float64, device=device))
