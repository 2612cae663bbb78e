"""`ppca_elbo`: E_q log p(x given z) - KL(q‖p(z)) in closed form."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine import (
    Exercise,
    Mistake,
    gradient,
    interface_laws,
    shapes,
    stable,
    value,
)
from ._ppca import BATCH, DETACHED, DIAGONAL, EXTREME, SIGMA, SMALL, cases, gaussian_kl, log_prob, posterior


@dataclass(frozen=True)
class Terms:
    """Everything that a right or a wrong ELBO is made of; numbers () or one for each row (n,)."""

    m: int
    d: int
    sigma: Tensor
    residual: Tensor  # ‖x - mu - W q_mean‖², (n,)
    spread: Tensor  # tr(W q_cov Wᵀ), ()
    norm: Tensor  # ‖q_mean‖², (n,)
    trace: Tensor  # tr q_cov, ()
    log_det: Tensor  # log det q_cov, ()
    W: Tensor
    q_cov: Tensor


def terms(x, W, mu, sigma, q_mean, q_cov) -> Terms:
    (m, d), residual = W.shape, (x - mu - q_mean @ W.T).square().sum(-1)
    spread = ((W @ q_cov) * W).sum()
    parts = residual, spread, q_mean.square().sum(-1), q_cov.trace(), torch.linalg.slogdet(q_cov).logabsdet
    return Terms(m, d, sigma, *parts, W, q_cov)


def log_noise(t: Terms) -> Tensor:
    """The constant of log p(x|z): -m/2 log(2 pi sigma²)."""
    return -t.m * (0.5 * math.log(2 * math.pi) + t.sigma.log())


def expected_log_likelihood(t: Terms) -> Tensor:
    """E_q log p(x|z)."""
    return log_noise(t) - (t.residual + t.spread) / (2 * t.sigma.square())


def kl_to_prior(t: Terms) -> Tensor:
    """KL(q‖N(0, I))."""
    return (t.trace + t.norm - t.d - t.log_det) / 2


def entropy(t: Terms) -> Tensor:
    return (t.d * (1 + math.log(2 * math.pi)) + t.log_det) / 2


def bound_of(t: Terms) -> Tensor:
    return expected_log_likelihood(t) - kl_to_prior(t)


def elbo(*arguments) -> Tensor:
    return bound_of(terms(*arguments))


def wrong(formula):
    """A wrong answer in the terms of the ELBO."""
    return lambda *arguments: formula(terms(*arguments))


def with_kl(kl):
    """E_q log p(x|z) minus another KL."""
    return wrong(lambda t: expected_log_likelihood(t) - kl(t))


def with_likelihood(likelihood):
    """Another E_q log p(x|z) minus the KL."""
    return wrong(lambda t: likelihood(t) - kl_to_prior(t))


def with_arguments(change, answer=elbo):
    """The right formula of changed arguments."""
    return lambda x, W, mu, sigma, q_mean, q_cov: answer(*change(x, W, mu, sigma, q_mean, q_cov))


def swapped_kl(t: Terms) -> Tensor:
    """KL(N(0, I)‖q) cannot be told from the terms alone: the mean enters through q_cov⁻¹; see `swapped`."""
    return (torch.linalg.inv(t.q_cov).trace() - t.d + t.log_det) / 2


def swapped(x, W, mu, sigma, q_mean, q_cov):
    t = terms(x, W, mu, sigma, q_mean, q_cov)
    distance = (q_mean * torch.linalg.solve(q_cov, q_mean.T).T).sum(-1)
    return expected_log_likelihood(t) - swapped_kl(t) - distance / 2


NO_TRACE = "tr(W q_cov Wᵀ)/(2 sigma²) is missing: log p(x|z) is averaged over q, not taken at q's mean."
COUNTS = "The constant is -m/2 log(2 pi sigma²), m the number of columns of x; another number stands for m (d, n or 1)."


def log_of_mean(x, W, mu, sigma, q_mean, q_cov):
    wide = W @ q_cov @ W.T + sigma**2 * torch.eye(len(W), dtype=W.dtype, device=W.device)
    log_p = torch.distributions.MultivariateNormal(mu + q_mean @ W.T, wide, validate_args=False).log_prob(x)
    return log_p - kl_to_prior(terms(x, W, mu, sigma, q_mean, q_cov))


MISTAKES = (
    Mistake("E_q log p(z) is there, and the KL to the prior as well: the prior counts twice.", wrong(lambda t: bound_of(t) - (t.d * math.log(2 * math.pi) + t.trace + t.norm) / 2)),
    Mistake("q_cov is a covariance; in the trace it is used as its root (a standard deviation or a Cholesky factor).", with_likelihood(lambda t: log_noise(t) - (t.residual + (t.W @ t.q_cov).square().sum()) / (2 * t.sigma.square()))),
    Mistake("This is log E_q p(x|z), the logarithm of a mean; the ELBO averages the logarithm.", log_of_mean),
    Mistake(NO_TRACE, with_likelihood(lambda t: log_noise(t) - t.residual / (2 * t.sigma.square()))),
    Mistake(DIAGONAL, with_likelihood(lambda t: log_noise(t) - (t.residual + (t.W.square() @ t.q_cov.diagonal()).sum()) / (2 * t.sigma.square()))),
    Mistake(DIAGONAL, with_kl(lambda t: (t.trace + t.norm - t.d - t.q_cov.diagonal().log().sum()) / 2)),
    Mistake(DIAGONAL, with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma, m, torch.diag_embed(S.diagonal())))),
    Mistake("The KL(q‖p(z)) is missing: this is the reconstruction term alone.", wrong(expected_log_likelihood)),
    Mistake("The KL(q‖p(z)) is added; it is subtracted.", with_kl(lambda t: -kl_to_prior(t))),
    Mistake("The two arguments of the KL are swapped: KL(q‖p(z)) is wanted.", swapped),
    Mistake("The factor 1/2 of the KL is missing.", with_kl(lambda t: 2 * kl_to_prior(t))),
    Mistake("The d of the KL is missing: tr q_cov + ‖q_mean‖² - d - log det q_cov.", with_kl(lambda t: kl_to_prior(t) + t.d / 2)),
    Mistake("The sign of log det q_cov is flipped: a narrow q has a large KL.", with_kl(lambda t: kl_to_prior(t) + t.log_det)),
    Mistake("log det q_cov is missing from the KL.", with_kl(lambda t: kl_to_prior(t) + t.log_det / 2)),
    Mistake("tr q_cov is missing from the KL.", with_kl(lambda t: kl_to_prior(t) - t.trace / 2)),
    Mistake("‖q_mean‖² is missing from the KL.", with_kl(lambda t: kl_to_prior(t) - t.norm / 2)),
    Mistake("det q_cov itself is subtracted; its logarithm belongs there.", with_kl(lambda t: kl_to_prior(t) + t.log_det / 2 - t.log_det.exp() / 2)),
    Mistake("The entropy of q is left out: this is E_q log p(x, z).", wrong(lambda t: bound_of(t) - entropy(t))),
    Mistake("The entropy of q is subtracted; -E_q log q is added.", wrong(lambda t: bound_of(t) - 2 * entropy(t))),
    Mistake("The prior is left out: E_q log p(z) belongs to the joint.", with_kl(lambda t: -entropy(t))),
    Mistake("A constant of the entropy or of the prior is missing: d/2 log(2 pi), or d/2.", with_kl(lambda t: kl_to_prior(t) + t.d * math.log(2 * math.pi) / 2)),
    Mistake("A constant of the entropy or of the prior is missing: d/2 log(2 pi), or d/2.", with_kl(lambda t: kl_to_prior(t) - t.d * math.log(2 * math.pi) / 2)),
    Mistake("The constant -m/2 log(2 pi) of log p(x|z) is missing.", wrong(lambda t: bound_of(t) + t.m * math.log(2 * math.pi) / 2)),
    Mistake("The term -m log sigma of log p(x|z) is missing.", wrong(lambda t: bound_of(t) + t.m * t.sigma.log())),
    Mistake("The whole constant -m/2 log(2 pi sigma²) of log p(x|z) is missing.", wrong(lambda t: bound_of(t) - log_noise(t))),
    Mistake("The noise's log term is counted wrongly: -m/2 log sigma² is -m log sigma, once for each of the m features.", wrong(lambda t: bound_of(t) + t.m * t.sigma.log() / 2)),
    Mistake("The noise's log term is counted wrongly: -m/2 log sigma² is -m log sigma, once for each of the m features.", wrong(lambda t: bound_of(t) + (t.m - 1) * t.sigma.log())),
    Mistake("The noise's log term is counted wrongly: -m/2 log sigma² is -m log sigma, once for each of the m features.", wrong(lambda t: bound_of(t) - t.m * t.sigma.log())),
    Mistake(COUNTS, wrong(lambda t: bound_of(t) + log_noise(t) * (t.d / t.m - 1))),
    Mistake(COUNTS, wrong(lambda t: bound_of(t) + log_noise(t) * (1 / t.m - 1))),
    Mistake(COUNTS, wrong(lambda t: bound_of(t) + log_noise(t) * (len(t.residual) / t.m - 1))),
    Mistake("The KL subtracts d, the number of latents; here it is m, the features.", with_kl(lambda t: kl_to_prior(t) + (t.d - t.m) / 2)),
    Mistake("This subtracts the gap, KL(q‖p(z|x)); inside the ELBO stands the KL to the prior, KL(q‖p(z)).", lambda x, W, mu, sigma, m, S: expected_log_likelihood(terms(x, W, mu, sigma, m, S)) - gaussian_kl(m, S, *posterior(x, W, mu, sigma))),
    Mistake("E_q log p(x|z) is missing: this is the KL term alone.", wrong(lambda t: -kl_to_prior(t))),
    Mistake("‖q_mean‖² is added up over the rows; each row has its own.", with_kl(lambda t: kl_to_prior(t) + (t.norm.sum() - t.norm) / 2)),
    Mistake("The squared residual is added up over the rows; each row has its own.", with_likelihood(lambda t: log_noise(t) - (t.residual.sum() + t.spread) / (2 * t.sigma.square()))),
    Mistake("The squared residual is averaged over the features; it is their sum.", with_likelihood(lambda t: log_noise(t) - (t.residual / t.m + t.spread) / (2 * t.sigma.square()))),
    Mistake("tr(W q_cov Wᵀ) counts once for each row, not n times.", with_likelihood(lambda t: log_noise(t) - (t.residual + len(t.residual) * t.spread) / (2 * t.sigma.square()))),
    Mistake("All entries of W q_cov Wᵀ are added up; the trace takes its diagonal.", with_likelihood(lambda t: log_noise(t) - (t.residual + (t.W @ t.q_cov @ t.W.T).sum()) / (2 * t.sigma.square()))),
    Mistake("q_cov is missing from the trace: this is tr(W Wᵀ).", with_likelihood(lambda t: log_noise(t) - (t.residual + t.W.square().sum()) / (2 * t.sigma.square()))),
    Mistake(SIGMA, with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma.sqrt(), m, S))),
    Mistake(SIGMA, wrong(lambda t: log_noise(t) - (t.residual + t.spread) / (2 * t.sigma) - kl_to_prior(t))),
    Mistake("sigma² is squared once more.", with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma.square(), m, S))),
    Mistake("The trace is not divided by 2 sigma².", with_likelihood(lambda t: log_noise(t) - t.residual / (2 * t.sigma.square()) - t.spread / 2)),
    Mistake("The trace is not halved: everything about q_cov stands under 2 sigma².", with_likelihood(lambda t: log_noise(t) - (t.residual / 2 + t.spread) / t.sigma.square())),
    Mistake("The trace is tr(q_cov); the decoder stretches it: tr(W q_cov Wᵀ).", with_likelihood(lambda t: log_noise(t) - (t.residual + t.trace) / (2 * t.sigma.square()))),
    Mistake("The trace of a product is no product of traces: tr(W q_cov Wᵀ).", with_likelihood(lambda t: log_noise(t) - (t.residual + t.W.square().sum() * t.trace) / (2 * t.sigma.square()))),
    Mistake("The constant -m/2 log(2 pi sigma²) is not halved.", wrong(lambda t: bound_of(t) + log_noise(t))),
    Mistake("The trace has the wrong sign: a wide q makes worse reconstructions on average.", with_likelihood(lambda t: log_noise(t) - (t.residual - t.spread) / (2 * t.sigma.square()))),
    Mistake("The factor 1/2 of the squared residual is missing.", with_likelihood(lambda t: log_noise(t) - (t.residual + t.spread) / t.sigma.square())),
    Mistake("log p(x|z) is averaged over the features; independent features add.", with_likelihood(lambda t: expected_log_likelihood(t) / t.m)),
    Mistake("The decoder's mean is W z + mu, and the residual x minus it; here W q_mean is added or left out.", with_arguments(lambda x, W, mu, sigma, m, S: (x + 2 * m @ W.T, W, mu, sigma, m, S))),
    Mistake("The decoder's mean is W z + mu, and the residual x minus it; here W q_mean is added or left out.", with_arguments(lambda x, W, mu, sigma, m, S: (x + m @ W.T, W, mu, sigma, m, S))),
    Mistake("The decoder's mean is W z + mu; mu has the wrong sign.", with_arguments(lambda x, W, mu, sigma, m, S: (x, W, -mu, sigma, m, S))),
    Mistake("mu is left out: the decoder's mean is W z + mu.", with_arguments(lambda x, W, mu, sigma, m, S: (x, W, 0 * mu, sigma, m, S))),
    Mistake("q_cov is a covariance; it is used as its root (a standard deviation or a Cholesky factor).", with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma, m, S @ S.T))),
    Mistake("This is log p(x): the ELBO equals it for q = p(z|x) alone, and here q is any Gaussian.", log_prob),
    Mistake("The sign is flipped: this is the negative ELBO, a loss.", lambda *a: -elbo(*a)),
    Mistake(BATCH, lambda *a: elbo(*a).mean()),
    Mistake(BATCH, lambda *a: elbo(*a).sum()),
    Mistake("q_mean or q_cov is cut off the graph: no detach, no .data, no no_grad.", with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma, m.detach(), S.detach()))),
    Mistake(DETACHED, with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma.detach(), m, S))),
    Mistake("The trace is not divided by 2 sigma².", wrong(lambda t: bound_of(t) + t.spread / (2 * t.sigma**2) - t.spread)),
    Mistake("The KL is averaged or added up over the rows; each row has its own.", wrong(lambda t: expected_log_likelihood(t) - kl_to_prior(t).mean())),
    Mistake("The KL is averaged or added up over the rows; each row has its own.", wrong(lambda t: expected_log_likelihood(t) - kl_to_prior(t).sum())),
    Mistake("log p(x|z) is averaged or added up over the rows; each row has its own.", wrong(lambda t: expected_log_likelihood(t).mean() - kl_to_prior(t))),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Variational Evidence Lower Bound (ELBO)",
    call="x, W, mu, sigma, q_mean, q_cov:symmetric",
    returns="elbo",
    cases=cases,
    reference=elbo,
    laws=(
        value("value", "E_q log p(x|z) - KL(q‖N(0, I)), shape (n,).", cases=["value", "wide q"]),
        gradient(0.5),
        stable(0.375, ["extreme", "other units"], EXTREME),
        shapes(0.375, SMALL),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("‖x - mu - W q_mean‖²", wrong(lambda t: -t.residual / (2 * t.sigma**2))),
        Mistake("The trace tr(W q_cov Wᵀ)", wrong(lambda t: -t.spread / (2 * t.sigma**2) + 0 * t.norm)),
        Mistake("m log sigma", wrong(lambda t: -t.m * t.sigma.log() + 0 * t.norm)),
        Mistake("The constant -m/2 log 2π", wrong(lambda t: -t.m / 2 * math.log(2 * math.pi) + 0 * t.norm)),
        Mistake("The trace of q_cov", wrong(lambda t: -t.trace / 2 + 0 * t.norm)),
        Mistake("‖q_mean‖²", wrong(lambda t: -t.norm / 2)),
        Mistake("The d of the KL", wrong(lambda t: t.d / 2 + 0 * t.norm)),
        Mistake("log det q_cov", wrong(lambda t: t.log_det / 2 + 0 * t.norm)),
    ),
)
