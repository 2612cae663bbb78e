"""Bad input in one table: a ValueError that names the argument, what is wrong, and what to do; never a silent nan."""

import pytest
import torch

from dgmlib.bayes import gaussian_mean_posterior, grid_posterior, linear_regression_posterior, map_linear_regression
from dgmlib.elbo import elbo_from_joint, elbo_from_kl, importance_weighted_bound, ppca_elbo
from dgmlib.em import HardMixture, em
from dgmlib.kl import forward_kl_loss, gaussian_kl, latent_reverse_kl, reverse_kl_loss
from dgmlib.lvm import PPCA, GaussianMixture, naive_gaussian_log_likelihood, naive_log_likelihood

ONE, TWO = torch.ones(1), torch.ones(2)
EYE = torch.eye(2)
NAN = torch.full((2,), torch.nan)
SINGULAR = torch.ones(2, 2)
ROWS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 2.0], [3.0, -1.0]])


def pair(weights=TWO / 2, means=None, covariances=None, kind=GaussianMixture):
    """Two components in the plane."""
    means = torch.tensor([[0.0, 0.0], [1.0, 1.0]]) if means is None else means
    return kind(weights, means, EYE.expand(2, 2, 2) if covariances is None else covariances)


def plane(W=None, mu=None, sigma=1.0):
    return PPCA(torch.ones(3, 1) if W is None else W, torch.zeros(3) if mu is None else mu, sigma)


ON_A_LINE = torch.arange(6.0)[:, None] * torch.tensor([1.0, 2.0, -1.0])
GRID = torch.zeros(5)

CASES = {
    # Mixtures
    "weights of sum 2": (lambda: pair(weights=TWO), "weights: expected numbers >= 0 with sum 1.*divide"),
    "a negative weight": (lambda: pair(weights=torch.tensor([-0.5, 1.5])), "weights: expected numbers >= 0"),
    "nan weights": (lambda: pair(weights=NAN), "weights: expected numbers >= 0"),
    "one weight too many": (lambda: pair(weights=torch.ones(3) / 3), r"weights: expected shape \(2,\)"),
    "nan means": (lambda: pair(means=NAN.expand(2, 2)), "means: expected finite"),
    "a singular covariance": (
        lambda: pair(covariances=torch.stack([EYE, SINGULAR])),
        r"covariances: .* singular .* index \[1\]; drop",
    ),
    "an indefinite covariance": (lambda: pair(covariances=-EYE.expand(2, 2, 2)), "covariances: .* indefinite"),
    "a nan covariance": (lambda: pair(covariances=NAN.expand(2, 2, 2)), "covariances: expected positive definite"),
    "covariances of another size": (lambda: pair(covariances=torch.eye(3).expand(2, 3, 3)), "covariances: expected"),
    "x of one column for two": (lambda: pair().log_prob(torch.zeros(4, 1)), r"x: expected shape \(\.\.\., 2\)"),
    "an M-step of no rows": (lambda: pair().m_step(ROWS[:0], torch.zeros(0, 2)), "x: expected at least one sample"),
    "an M-step of one row": (lambda: pair().m_step(ROWS[:1], torch.ones(1, 2) / 2), "component 0: .* another start"),
    "an M-step of equal rows": (lambda: pair().m_step(ROWS[1:2].expand(9, 2) / 3, torch.ones(9, 2) / 2), "component 0"),
    "an M-step of rows on a line": (
        lambda: pair().m_step(ON_A_LINE[:, :2], torch.ones(6, 2) / 2),
        "covariances: .* singular",
    ),
    "an empty component": (
        lambda: pair().m_step(ROWS, torch.tensor([1.0, 0.0]).expand(5, 2)),
        "component 1: expected mass .* got mass 0",
    ),
    "EM that empties a component": (
        lambda: em(pair(means=torch.tensor([[0.0, 0.0], [1e4, 1e4]])), ROWS),
        "component 1",
    ),
    "hard EM that empties a component": (
        lambda: em(pair(means=torch.tensor([[0.0, 0.0], [99.0, 99.0]]), kind=HardMixture), ROWS),
        "component 1: .* fewer components",
    ),
    "EM on nan": (lambda: em(pair(), ROWS * torch.nan), "x: expected finite numbers"),
    "EM on no rows": (lambda: em(pair(), ROWS[:0]), "x: expected at least one sample"),
    "EM of no iterations": (lambda: em(pair(), ROWS, num_iters=0), "num_iters: expected at least 1"),
    # PPCA
    "sigma of zero": (lambda: plane(sigma=0.0), "sigma: expected finite numbers above 0"),
    "sigma of nan": (lambda: plane(sigma=torch.nan), "sigma: expected finite numbers above 0"),
    "W that is a vector": (lambda: plane(W=torch.ones(3)), "W: expected shape"),
    "nan in W": (lambda: plane(W=torch.full((3, 1), torch.nan)), "WᵀW .* expected positive definite"),
    "mu of another size": (lambda: plane(mu=torch.zeros(2)), r"mu: expected shape \(3,\)"),
    "nan in mu": (lambda: plane(mu=torch.full((3,), torch.nan)), "mu: expected finite"),
    "W so large that sigma is lost": (lambda: plane(W=1e9 * torch.ones(3, 2)), "WᵀW .* singular"),
    "x of one column for three": (lambda: plane().log_prob(torch.zeros(4, 1)), r"x: expected shape \(\.\.\., 3\)"),
    "no latent": (lambda: PPCA.maximum_likelihood(ROWS, 0), "d: expected at least 1 and at most 1"),
    "as many latents as columns": (lambda: PPCA.maximum_likelihood(ROWS, 2), "d: expected at least 1 and at most 1"),
    "a fit to one row": (lambda: PPCA.maximum_likelihood(ROWS[:1], 1), "x: .* fill more .* lower d"),
    "a fit to no rows": (lambda: PPCA.maximum_likelihood(ROWS[:0], 1), "x: expected at least one sample"),
    "a fit to a line": (lambda: PPCA.maximum_likelihood(ON_A_LINE, 1), "x: .* fill more than d = 1"),
    "a fit to nan": (lambda: PPCA.maximum_likelihood(ROWS * torch.nan, 1), "x: expected finite"),
    "PPCA EM on one row": (lambda: em(plane(), torch.ones(1, 3)), "sigma: expected finite numbers above 0"),
    # Monte Carlo and the bound
    "no samples of z": (lambda: naive_log_likelihood(ROWS, EYE[:0], torch.cdist), "z: expected at least one"),
    "no means": (lambda: naive_gaussian_log_likelihood(ROWS, EYE[:0], 1.0), "means: expected at least one"),
    "means of another size": (lambda: naive_gaussian_log_likelihood(ROWS, torch.eye(3), 1.0), "means: expected shape"),
    "a naive sigma of zero": (lambda: naive_gaussian_log_likelihood(ROWS, EYE, 0.0), "sigma: expected"),
    "a sigma below float32": (
        lambda: naive_gaussian_log_likelihood(ROWS, ROWS, 1e-5),
        "sigma: .*float32 resolves.*pass float64",
    ),
    "a sigma that overflows": (lambda: naive_gaussian_log_likelihood(ROWS, EYE, 1e-30), "sigma: .* pass float64"),
    "no samples of q": (lambda: elbo_from_joint(EYE[:0], EYE[:0]), "log_joint: expected at least one"),
    "no samples in the KL form": (lambda: elbo_from_kl(EYE[:0], TWO), "log_likelihood: expected at least one"),
    "no importance weights": (lambda: importance_weighted_bound(EYE[:0], EYE[:0]), "log_joint: expected at least one"),
    "a singular q": (
        lambda: ppca_elbo(ROWS, EYE, torch.zeros(2), ONE[0], ROWS, SINGULAR),
        "cov_p: expected positive definite",
    ),
    # KL
    "a singular Gaussian": (lambda: gaussian_kl(TWO, SINGULAR, TWO, EYE), "cov_p: .* singular"),
    "means of two sizes": (lambda: gaussian_kl(TWO, EYE, ONE, EYE), "mean_q: expected shape"),
    "forward KL of no data": (lambda: forward_kl_loss(None, ROWS[:0]), "x: expected at least one sample"),
    "reverse KL of no noise": (lambda: reverse_kl_loss(None, ROWS[:0], None), "z: expected at least one sample"),
    "latent KL of no data": (lambda: latent_reverse_kl(None, ROWS[:0], None), "x: expected at least one sample"),
    # Bayes
    "a step of zero": (lambda: grid_posterior(GRID, GRID, 0.0), "step: expected finite numbers above 0"),
    "grids of two sizes": (lambda: grid_posterior(GRID, GRID[:4], 0.1), "log_likelihood: expected shape"),
    "no overlap": (lambda: grid_posterior(GRID, GRID - torch.inf, 0.1), "finite evidence.*widen the grid"),
    "a nan likelihood": (lambda: grid_posterior(GRID, GRID * torch.nan, 0.1), "look for nan"),
    "noise of zero": (lambda: gaussian_mean_posterior(TWO, 0.0, 0.0, 1.0), "noise_std: expected finite"),
    "a prior of zero": (lambda: gaussian_mean_posterior(TWO, 1.0, 0.0, 0.0), "prior_std: expected finite"),
    "targets of another size": (lambda: map_linear_regression(ROWS, TWO, 1.0, 1.0), "targets: expected shape"),
    "equal columns under a flat prior": (
        lambda: map_linear_regression(torch.ones(5, 2), torch.ones(5), 1e-9, 1.0),
        "features: .* independent .* drop repeated",
    ),
    "nan features": (lambda: linear_regression_posterior(ROWS * torch.nan, torch.ones(5), 1.0, 1.0), "features: "),
}


@pytest.mark.parametrize(("call", "message"), CASES.values(), ids=CASES)
def test_bad_input_is_a_value_error_with_a_remedy(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert ";" in str(caught.value), "after the semicolon stands what to do"
