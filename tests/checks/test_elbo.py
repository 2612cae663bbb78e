"""The references of 03_elbo against quadrature and torch.distributions, and what its fit tolerates."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from dgmlib.checks import evaluate
from dgmlib.checks.assignments import find
from dgmlib.checks.exercises.elbo import _gaussian_fit as fitting
from dgmlib.checks.exercises.elbo import fit_posterior
from dgmlib.checks.exercises.elbo._ppca import log_prob
from dgmlib.checks.exercises.elbo.elbo_from_joint import from_joint
from dgmlib.checks.exercises.elbo.importance_weighted_bound import importance_weighted
from dgmlib.checks.exercises.elbo.kl_to_standard_normal import reference as kl_to_standard_normal
from dgmlib.checks.exercises.elbo.ppca_elbo import elbo
from dgmlib.checks.exercises.elbo.variational_gap import gap
from dgmlib.checks.run.fixtures.densities import LogJoint
from tests.banks.elbo_ppca import posterior

SEEDS = range(5)


def given(exercise, case, seed):
    return find(exercise).cases(np.random.default_rng(seed))[case]


def expectation(f, q_mean, q_cov):
    """E_q f(z) by Gauss-Hermite quadrature, exact for f quadratic in z; f takes z (G, n, d)."""
    nodes, weights = (torch.as_tensor(a) for a in np.polynomial.hermite_e.hermegauss(4))
    d = q_mean.shape[-1]
    z = torch.cartesian_prod(*[nodes] * d).reshape(-1, 1, d) @ torch.linalg.cholesky(q_cov).T
    mass = torch.cartesian_prod(*[weights / weights.sum()] * d).reshape(-1, d).prod(-1)
    return mass @ f(q_mean + z)


def joint(x, W, mu, sigma):
    return lambda z: Normal(z @ W.T + mu, sigma).log_prob(x).sum(-1) + Normal(0.0, 1.0).log_prob(z).sum(-1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", ["value", "wide q", "one row", "one latent", "one feature"])
def test_ppca_elbo_is_the_expectation_of_its_definition(case, seed):
    *theta, q_mean, q_cov = given("ppca_elbo", case, seed).values()
    log_joint, q = joint(*theta), MultivariateNormal(q_mean, q_cov)
    want = expectation(lambda z: log_joint(z) - q.log_prob(z), q_mean, q_cov)
    assert_close(elbo(*theta, q_mean, q_cov), want)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", ["value", "wide q", "one row", "one latent", "one feature", "extreme"])
def test_gap_is_the_divergence_from_the_posterior_and_completes_the_elbo(case, seed):
    x, W, mu, sigma, q_mean, q_cov = arguments = [*given("variational_gap", case, seed).values()]
    mean, cov = posterior(x, W, mu, sigma)
    q, p = MultivariateNormal(q_mean, q_cov), MultivariateNormal(mean, (cov + cov.T) / 2)
    assert_close(gap(*arguments), kl_divergence(q, p))
    marginal = MultivariateNormal(mu, W @ W.T + sigma**2 * torch.eye(len(mu), dtype=torch.float64))
    assert_close(log_prob(*arguments), marginal.log_prob(x))
    assert_close(elbo(*arguments) + gap(*arguments), marginal.log_prob(x))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_extreme_case_leaves_the_range_of_floats(seed):
    *_, q_cov = given("ppca_elbo", "extreme", seed).values()
    assert torch.linalg.det(q_cov) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_kl_to_standard_normal_is_that_of_torch_distributions(seed):
    mean, log_var = given("kl_to_standard_normal", "value", seed).values()
    want = kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(-1)
    assert_close(kl_to_standard_normal(mean, log_var), want)


@pytest.mark.parametrize("seed", SEEDS)
def test_sample_averages_by_their_definition(seed):
    log_joint, log_q = given("elbo_from_joint", "value", seed).values()
    weights = log_joint.exp() / log_q.exp()
    assert_close(from_joint(log_joint, log_q), weights.log().mean(0))
    assert_close(importance_weighted(log_joint, log_q), weights.mean(0).log())
    assert (importance_weighted(log_joint, log_q) > from_joint(log_joint, log_q)).all()


def log_joint_of(given):
    return LogJoint(**{name: value for name, value in given.items() if name in PARTS})


PARTS = ("location", "precision", "constant", "A", "b", "counts")


@pytest.mark.parametrize("seed", range(10))
def test_the_best_fit_of_a_gaussian_posterior_is_that_posterior(seed):
    of = given("fit_posterior", "gaussian", seed)
    mean, cov = fitting.best_gaussian(log_joint_of(of), of["q_mean"], of["q_cov"])
    assert_close(mean, of["location"])
    assert_close(cov, torch.linalg.inv(of["precision"]))
    log_evidence = of["constant"] + math.log(2 * math.pi) - torch.linalg.slogdet(of["precision"]).logabsdet / 2
    assert_close(fitting.elbo(log_joint_of(of), mean, cov), log_evidence)


@pytest.mark.parametrize("seed", range(10))
def test_approximations_miss_the_skewed_and_the_correlated_posterior(seed):
    """By far more than is forgiven, under every secret."""
    of = given("fit_posterior", "skewed", seed)
    f = log_joint_of(of)
    best = fitting.elbo(f, *fitting.best_gaussian(f, of["q_mean"], of["q_cov"]))
    assert best - fitting.elbo(f, *fitting.laplace(f, of["q_mean"])) >= 3 * fit_posterior.MOST_SHORT
    of = given("fit_posterior", "gaussian", seed)
    diagonal = of["precision"].diagonal().reciprocal().diag()
    exact, mean_field = (fitting.elbo(log_joint_of(of), of["location"], cov) for cov in (inverse(of), diagonal))
    assert exact - mean_field >= 4 * fit_posterior.MOST_SHORT


def inverse(of):
    return torch.linalg.inv(of["precision"])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", ["gaussian", "skewed"])
def test_the_closed_form_of_its_elbo_is_the_expectation(case, seed):
    of = given("fit_posterior", case, seed)
    f, q = log_joint_of(of), MultivariateNormal(of["q_mean"], of["q_cov"])
    nodes, weights = (torch.as_tensor(a) for a in np.polynomial.hermite_e.hermegauss(60))
    z = q.mean + torch.cartesian_prod(nodes, nodes) @ torch.linalg.cholesky(q.covariance_matrix).T
    mass = torch.cartesian_prod(weights, weights).prod(-1) / weights.sum() ** 2
    assert_close(fitting.elbo(f, of["q_mean"], of["q_cov"]), mass @ f(z) + q.entropy())


@pytest.mark.parametrize(("scale", "passes"), [(1.1, True), (2.5, False), (0.4, False)])
def test_the_fit_is_judged_by_its_elbo_alone(scale, passes):
    def answer(log_joint, q_mean, q_cov, num_steps):
        mean, cov = fitting.best_gaussian(log_joint, q_mean, q_cov)
        return mean, scale * cov

    laws = {law.law: law for law in evaluate(find("fit_posterior"), answer, 3)}
    assert laws["gaussian posterior"].passed == laws["skewed posterior"].passed == passes


@pytest.mark.parametrize("hostile", [torch.nan, torch.inf, 1e300])
def test_the_fit_survives_hostile_numbers(hostile):
    def answer(log_joint, q_mean, q_cov, num_steps):
        return hostile * torch.ones_like(q_mean), hostile * torch.ones_like(q_cov)

    assert not any(law.passed for law in evaluate(find("fit_posterior"), answer, 3))
