"""Badly scaled data, far points and the smallest sizes: each row of the table has a right answer.

A case returns (ours, expected); ours is often float32, expected is float64 by another way, on the same numbers.
"""

import math

import pytest
import torch
from torch.distributions import (
    Categorical,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)
from torch.testing import assert_close

from dgmlib.bayes import gaussian_mean_posterior, grid_posterior, map_linear_regression
from dgmlib.elbo import importance_weighted_bound, kl_to_standard_normal, ppca_elbo, variational_gap
from dgmlib.em import HardMixture, em
from dgmlib.kl import gaussian_kl
from dgmlib.lvm import PPCA, GaussianMixture, naive_gaussian_log_likelihood, naive_log_likelihood
from tests.lvm.cases import covariance, mixture, normal, ppca

OFFSET, FAR = 1000, 10_000  # in standard deviations


def shifted_mixture(offset: float, K: int = 3, m: int = 2):
    """Float32 parameters and data around `offset`, and the exact float64 law of those very numbers."""
    weights, means, covariances = (p.float() for p in mixture(K, m))
    theta = weights, means + offset, covariances
    exact = [p.double() for p in theta]
    law = MixtureSameFamily(Categorical(probs=exact[0], validate_args=False), MultivariateNormal(exact[1], exact[2]))
    x = (torch.cat([normal(30, m), 2 + normal(30, m, seed=1)]) + offset).float()
    return GaussianMixture(*theta), law, x


def shifted_ppca(offset: float, m: int = 5, d: int = 2):
    W, mu, sigma = (p.float() for p in ppca(m, d))
    model = PPCA(W, mu + offset, sigma)
    law = LowRankMultivariateNormal(model.mu.double(), W.double(), sigma.double().square().expand(m))
    return model, law, (normal(40, m) + offset).float()


def exact_posterior(law: MixtureSameFamily, x):
    log_joint = law.mixture_distribution.logits + law.component_distribution.log_prob(x.double().unsqueeze(-2))
    return torch.softmax(log_joint, -1)


def far_points(m: int) -> torch.Tensor:
    return FAR * torch.cat([torch.eye(m), -torch.ones(1, m)])


def mixture_log_prob_at_an_offset():
    model, law, x = shifted_mixture(OFFSET)
    return model.log_prob(x), law.log_prob(x.double())


def mixture_posterior_at_an_offset():
    model, law, x = shifted_mixture(OFFSET)
    return model.posterior(x), exact_posterior(law, x)


def mixture_em_at_an_offset():
    model, _, x = shifted_mixture(OFFSET)
    wide = GaussianMixture(
        model.weights.double() / model.weights.double().sum(), model.means.double(), model.covariances.double()
    )
    return em(model, x, 10)[1], em(wide, x.double(), 10)[1]


def mixture_log_prob_of_far_points():
    model, law, _ = shifted_mixture(0)
    return model.log_prob(far_points(2)), law.log_prob(far_points(2).double())


def mixture_posterior_of_far_points():
    """Equal covariances and close means: the log-odds are of order one, the log-joints of order 1e8."""
    means = torch.tensor([[0.0, 0.0], [1e-4, 0.0], [0.0, -1e-4]])
    model = GaussianMixture(torch.tensor([0.25, 0.5, 0.25]), means, torch.eye(2).expand(3, 2, 2))
    x = far_points(2)
    log_odds = x.double() @ means.double().mT - means.double().square().sum(-1) / 2
    return model.posterior(x), torch.softmax(log_odds + model.weights.double().log(), -1)


def mixture_with_a_component_of_weight_zero():
    weights, means, covariances = mixture(3, 2)
    weights = torch.tensor([0.25, 0.0, 0.75], dtype=torch.float64)
    kept = [0, 2]
    pair = GaussianMixture(weights[kept], means[kept], covariances[kept])
    return GaussianMixture(weights, means, covariances).log_prob(normal(5, 2)), pair.log_prob(normal(5, 2))


def mixture_whose_standard_deviations_differ_by_a_million():
    scales = torch.tensor([1e-3, 1e3])
    model = GaussianMixture(torch.ones(1), torch.zeros(1, 2), scales.square().diag()[None])
    x = normal(5, 2).float() * scales
    return model.log_prob(x), Normal(torch.zeros(2).double(), scales.double()).log_prob(x.double()).sum(-1)


def mixture_em_of_one_component():
    x = normal(30, 3) @ normal(3, 3, seed=1)
    model, _ = em(GaussianMixture(*mixture(1, 3)), x, 1)
    return torch.cat([model.means, model.covariances[0]]), torch.cat([x.mean(0)[None], x.mT.cov(correction=0)])


def mixture_of_one_component_at_one_point_in_one_dimension():
    model = GaussianMixture(torch.ones(1), torch.ones(1, 1), torch.full((1, 1, 1), 4.0))
    return model.log_prob(torch.tensor([[3.0]])), Normal(1.0, 2.0).log_prob(torch.tensor([3.0])).double()


def mixture_of_no_points():
    model, x = GaussianMixture(*mixture(3, 2)), torch.zeros(0, 2, dtype=torch.float64)
    return torch.cat([model.log_prob(x)[:, None], model.posterior(x), model.sample(0)[0]], -1), torch.zeros(0, 6)


def ppca_log_prob_at_an_offset():
    model, law, x = shifted_ppca(OFFSET)
    return model.log_prob(x), law.log_prob(x.double())


def ppca_posterior_at_an_offset():
    model, _, x = shifted_ppca(OFFSET)
    wide = PPCA(model.W.double(), model.mu.double(), model.sigma.double())
    return model.posterior(x)[0], wide.posterior(x.double())[0]


def ppca_log_prob_of_far_points():
    model, law, _ = shifted_ppca(0)
    return model.log_prob(far_points(5)), law.log_prob(far_points(5).double())


def ppca_log_prob_of_a_thin_noise():
    """W/sigma = 1e4: (‖x‖² - ‖...‖²)/sigma² would lose every digit of float32."""
    W = normal(6, 2).float()
    model = PPCA(W, torch.zeros(6), 1e-4)
    x, _ = model.sample(50)
    C = W.double() @ W.double().mT + model.sigma.double().square() * torch.eye(6, dtype=torch.float64)
    return model.log_prob(x), MultivariateNormal(torch.zeros(6).double(), C).log_prob(x.double())


def ppca_fit_at_an_offset():
    x = (shifted_ppca(0)[0].sample(500)[0] + OFFSET).float()
    model, exact = PPCA.maximum_likelihood(x, 2), PPCA.maximum_likelihood(x.double(), 2)
    return model.log_prob(x), exact.log_prob(x.double())


def ppca_em_at_an_offset():
    model, _, x = shifted_ppca(OFFSET)
    wide = PPCA(model.W.double(), model.mu.double(), model.sigma.double())
    return em(model, x, 10)[1], em(wide, x.double(), 10)[1]


def ppca_of_no_points():
    model, x = PPCA(*ppca(4, 2)), torch.zeros(0, 4, dtype=torch.float64)
    return torch.cat([model.log_prob(x)[:, None], model.posterior(x)[0], model.sample(0)[0]], -1), torch.zeros(0, 7)


def ppca_in_one_dimension():
    model = PPCA(torch.tensor([[3.0]]), torch.ones(1), 4.0)
    return model.log_prob(torch.tensor([[2.0]])), Normal(1.0, 5.0).log_prob(torch.tensor([2.0])).double()


def naive_estimate_at_an_offset():
    means, x = OFFSET + normal(50, 4).float(), OFFSET + normal(6, 4, seed=1).float()
    log_likelihood = Normal(means.double().unsqueeze(1), 1.0).log_prob(x.double()).sum(-1)
    return naive_gaussian_log_likelihood(x, means, 1.0), torch.logsumexp(log_likelihood, 0) - math.log(50)


def naive_estimate_of_far_points():
    means, x = normal(50, 4).float(), far_points(4)
    log_likelihood = Normal(means.double().unsqueeze(1), 1.0).log_prob(x.double()).sum(-1)
    return naive_gaussian_log_likelihood(x, means, 1.0), torch.logsumexp(log_likelihood, 0) - math.log(50)


def naive_estimate_of_no_points():
    x, z = torch.zeros(0, 4), torch.zeros(3, 4)
    estimates = naive_gaussian_log_likelihood(x, z, 1.0), naive_log_likelihood(x, z, lambda x, z: z[:, :1] + x[:, 0])
    return torch.cat(estimates), torch.zeros(0)


def elbo_and_gap_at_an_offset():
    model, law, x = shifted_ppca(OFFSET)
    q = normal(40, 2).float(), covariance(m=2).float()
    theta = model.W, model.mu, model.sigma
    return ppca_elbo(x, *theta, *q) + variational_gap(x, *theta, *q), law.log_prob(x.double())


def gaussian_kl_of_near_equal_laws_at_an_offset():
    mean, cov = (OFFSET + normal(3)).float(), covariance(m=3).float()
    other = (1 + 2e-3) * cov
    p, q = (MultivariateNormal(mean.double(), c.double()) for c in (cov, other))
    return gaussian_kl(mean, cov, mean, other), kl_divergence(p, q)


def kl_to_standard_normal_of_a_near_normal():
    mean, log_var = 1e-3 * normal(5, 2).float(), 1e-2 * normal(5, 2, seed=1).float()
    q = Normal(mean.double(), (log_var.double() / 2).exp())
    return kl_to_standard_normal(mean, log_var), kl_divergence(q, Normal(torch.zeros(5, 2).double(), 1.0)).sum(-1)


def importance_weights_that_underflow():
    log_joint = -1e5 + normal(8, 3).float()
    expected = torch.logsumexp(log_joint.double(), 0) - math.log(8)
    return importance_weighted_bound(log_joint, torch.zeros(8, 3)), expected


def conjugate_mean_at_an_offset():
    x = (OFFSET + normal(50)).float()
    mean, _ = gaussian_mean_posterior(x, 1.0, OFFSET, 1e6)
    return mean, x.double().mean()


def conjugate_mean_under_extreme_scales():
    mean, std = gaussian_mean_posterior(torch.ones(4), 1e-25, 0.0, 1e-25)
    return torch.stack([mean, std * 1e25]), torch.tensor([0.8, math.sqrt(0.2)]).double()


def grid_evidence_of_tiny_likelihoods():
    density, log_evidence = grid_posterior(torch.zeros(5), torch.full((5,), -1e4), 0.2)
    return torch.cat([density, log_evidence[None]]), torch.tensor([1.0] * 5 + [-1e4]).double()


def map_weights_of_features_at_an_offset():
    """Condition number 1e3: the normal equations in float32 would keep no digit of it."""
    features = (torch.cat([normal(200, 2), OFFSET + normal(200, 1, seed=1)], -1)).float()
    targets = features @ torch.tensor([1.0, -2.0, 0.003]) + normal(200, seed=2).float()
    rows = torch.cat([features.double(), 0.01 * torch.eye(3, dtype=torch.float64)])
    expected = torch.linalg.lstsq(rows, torch.cat([targets.double(), torch.zeros(3).double()])[:, None])
    return map_linear_regression(features, targets, 0.1, 10.0), expected.solution[:, 0]


CASES = {
    mixture_log_prob_at_an_offset: 1e-5,
    mixture_posterior_at_an_offset: 1e-5,
    mixture_em_at_an_offset: 1e-4,
    mixture_log_prob_of_far_points: 1e-6,
    mixture_posterior_of_far_points: 1e-5,
    mixture_with_a_component_of_weight_zero: 1e-12,
    mixture_whose_standard_deviations_differ_by_a_million: 1e-5,
    mixture_em_of_one_component: 1e-12,
    mixture_of_one_component_at_one_point_in_one_dimension: 1e-6,
    mixture_of_no_points: 0,
    ppca_log_prob_at_an_offset: 1e-5,
    ppca_posterior_at_an_offset: 1e-5,
    ppca_log_prob_of_far_points: 1e-5,
    ppca_log_prob_of_a_thin_noise: 1e-2,
    ppca_fit_at_an_offset: 1e-4,
    ppca_em_at_an_offset: 1e-4,
    ppca_of_no_points: 0,
    ppca_in_one_dimension: 1e-6,
    naive_estimate_at_an_offset: 1e-4,
    naive_estimate_of_far_points: 1e-5,
    naive_estimate_of_no_points: 0,
    elbo_and_gap_at_an_offset: 1e-4,
    gaussian_kl_of_near_equal_laws_at_an_offset: 1e-4,
    kl_to_standard_normal_of_a_near_normal: 1e-3,
    importance_weights_that_underflow: 1e-6,
    conjugate_mean_at_an_offset: 1e-7,
    conjugate_mean_under_extreme_scales: 1e-6,
    grid_evidence_of_tiny_likelihoods: 1e-6,
    map_weights_of_features_at_an_offset: 1e-4,
}  # fmt: skip


@pytest.mark.parametrize(("case", "tolerance"), CASES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_hard_numbers_have_a_right_answer(case, tolerance):
    ours, expected = case()
    assert_close(ours.double(), expected.double(), rtol=tolerance, atol=tolerance * 1e-2)


def test_hard_em_survives_an_offset():
    model, _, x = shifted_mixture(OFFSET)
    hard = HardMixture(model.weights, model.means, model.covariances)
    _, history = em(hard, x, 10)
    assert history.isfinite().all()
    assert (history.diff() > -1e-6).all()
