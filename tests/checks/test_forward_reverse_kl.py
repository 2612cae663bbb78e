"""The references and fixtures of 01_forward_reverse_kl against routes that share nothing with them."""

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from dgmlib.checks.assignments import find
from dgmlib.checks.exercises.forward_reverse_kl import latent_reverse_kl, reverse_kl_loss
from dgmlib.checks.exercises.forward_reverse_kl._shared import flow as arrays
from dgmlib.checks.exercises.forward_reverse_kl.forward_kl_loss import log_likelihood
from dgmlib.checks.exercises.forward_reverse_kl.latent_log_prob import log_prob
from dgmlib.checks.run.fixtures import argument


@pytest.fixture
def line():
    """A one-dimensional flow with its target, and a grid of z."""
    given = arrays(np.random.default_rng(5), "z", 1, 1)
    return (
        argument("flow()", given),
        argument("target_log_prob()", given),
        torch.linspace(-12, 12, 40_001, dtype=torch.float64)[:, None],
    )


def integral(values, z):
    return float(torch.trapezoid(values, z[:, 0]))


def test_the_fixture_is_a_flow():
    given = arrays(np.random.default_rng(3), "x", 5, 3)
    flow = argument("flow()", given)
    z, log_det = flow.forward(given["x"])
    x, inverse_log_det = flow.inverse(z)
    J = torch.func.vmap(torch.func.jacrev(lambda row: flow.forward(row)[0]))(given["x"])
    torch.testing.assert_close(x, given["x"])
    torch.testing.assert_close(log_det, torch.linalg.slogdet(J).logabsdet)
    torch.testing.assert_close(log_det, -inverse_log_det)


def test_the_latent_density_has_the_mass_of_the_target(line):
    flow, target, z = line
    x = flow.inverse(z)[0]
    mass = integral(log_prob(flow, z, target).exp(), z)
    steps = x[1:, 0] - x[:-1, 0]
    density = target(x).exp()
    assert mass == pytest.approx(abs(float(((density[1:] + density[:-1]) / 2 * steps).sum())), rel=1e-4)


def test_both_sides_of_the_theorem_by_quadrature(line):
    """KL in z, integrated over z, is the loss in x, integrated over x: up to log of the target's mass."""
    flow, target, z = line
    x = flow.inverse(z)[0]
    induced = log_prob(flow, z, target).exp()
    in_z = integral(induced * (log_prob(flow, z, target) - flow.base.log_prob(z)), z)
    in_x = latent_reverse_kl.log_ratio(flow, x, target)
    assert in_z == pytest.approx(integral(induced * in_x, z), rel=1e-6)


def test_reverse_kl_by_quadrature_is_that_of_the_densities(line):
    flow, target, z = line
    x = flow.inverse(z)[0]
    by_lotus = integral(flow.base.log_prob(z).exp() * reverse_kl_loss.log_ratio(flow, z, target), z)
    log_p = log_likelihood(flow, x)
    steps = (x[1:, 0] - x[:-1, 0]).abs()
    integrand = log_p.exp() * (log_p - target(x))
    assert by_lotus == pytest.approx(float(((integrand[1:] + integrand[:-1]) / 2 * steps).sum()), rel=1e-4)


def test_gaussian_kl_is_zero_at_home_and_the_mean_log_ratio_elsewhere():
    reference = find("gaussian_kl").reference
    given = find("gaussian_kl").cases(np.random.default_rng(1))["value"]
    mean_p, cov_p, mean_q, cov_q = given.values()
    assert float(reference(mean_p, cov_p, mean_p, cov_p)) == pytest.approx(0, abs=1e-10)
    p, q = MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q)
    log_ratio = p.log_prob(x := p.sample((200_000,))) - q.log_prob(x)
    error = float(log_ratio.std()) / 200_000**0.5
    assert float(reference(*given.values())) == pytest.approx(float(log_ratio.mean()), abs=6 * error)


@pytest.mark.parametrize("name", ["reverse_kl_loss", "latent_reverse_kl"])
@pytest.mark.parametrize("seed", range(20))
def test_a_loss_has_either_sign(name, seed):
    """Else an answer that clamps the loss, or takes its absolute value, would pass."""
    exercise = find(name)
    expected = exercise.expected(exercise.inputs(np.random.default_rng(seed)))
    assert expected["value/loss"] > 0 > expected["unnormalised/loss"]
