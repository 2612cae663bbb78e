"""`variational_gap`: the KL from q to the posterior, which is all that the ELBO lacks to log p(x)."""

import math

import torch
from torch import Tensor

from ...engine import (
    CaseResults,
    Exercise,
    Failure,
    Mistake,
    bound,
    custom,
    first,
    gradient,
    interface_laws,
    shapes,
    stable,
    value,
)
from ._ppca import BATCH, DETACHED, DIAGONAL, EXTREME, INPUTS, SIGMA, SMALL, cases, gaussian_kl, log_prob, posterior
from .ppca_elbo import MISTAKES as ELBO_MISTAKES
from .ppca_elbo import NO_TRACE, bound_of, elbo, entropy, expected_log_likelihood, log_noise, with_arguments, wrong


def gap(x, W, mu, sigma, q_mean, q_cov) -> Tensor:
    return gaussian_kl(q_mean, q_cov, *posterior(x, W, mu, sigma))


def adds_up(seen: CaseResults) -> Failure | str | None:
    """ELBO + gap = log p(x): the ELBO and log p(x) from here, the gap from the answer."""
    for case in ("value", "wide q"):
        given, got = [seen.inputs[case][name] for name in INPUTS], seen.outputs.get(case, {}).get("gap")
        lower, want = elbo(*given), log_prob(*given)
        if got is None or got.shape != want.shape or not got.dtype.is_floating_point:
            return seen.raised(case) or "one gap for each row is expected, shape (n,)"
        off = ~torch.isclose(lower + got.double(), want, rtol=0, atol=bound(want))
        if off.any():
            return f"ELBO + your gap is {first(lower + got.double(), off)}; log p(x) is {first(want, off)}."
    return None


def against(change, answer=gaussian_kl):
    """KL(q‖N(mean, cov)) of a changed posterior: change(x, W, mu, sigma, mean, cov) -> (mean, cov)."""
    return lambda x, W, mu, sigma, m, S: answer(m, S, *change(x, W, mu, sigma, *posterior(x, W, mu, sigma)))


def kl_terms(combine):
    """A wrong combination of tr, distance, d and the two log-determinants."""

    def answer(x, W, mu, sigma, q_mean, q_cov):
        mean, cov = posterior(x, W, mu, sigma)
        delta = mean - q_mean
        distance = (delta * torch.linalg.solve(cov, delta.T).T).sum(-1)
        log_dets = torch.linalg.slogdet(q_cov).logabsdet, torch.linalg.slogdet(cov).logabsdet
        return combine(torch.linalg.solve(cov, q_cov).trace(), distance, len(cov), *log_dets)

    return answer


def reverse_gap(x, W, mu, sigma, q_mean, q_cov):
    mean, cov = posterior(x, W, mu, sigma)
    return gaussian_kl(mean, cov, q_mean, q_cov)


def other_ridge(ridge, scale=lambda sigma: sigma.square()):
    """The posterior of M = WᵀW + ridge(sigma) I, its covariance scale(sigma) M⁻¹."""

    def change(x, W, mu, sigma, mean, cov):
        M = W.T @ W + ridge(sigma) * torch.eye(len(cov), dtype=cov.dtype, device=cov.device)
        return torch.linalg.solve(M, W.T @ (x - mu).T).T, scale(sigma) * torch.linalg.inv(M)

    return against(change)


def by_terms(combine):
    """A wrong gap in the terms of its formula: combine(delta, cov, q_cov, log det q_cov, log det cov, x's columns)."""

    def answer(x, W, mu, sigma, q_mean, q_cov):
        mean, cov = posterior(x, W, mu, sigma)
        log_dets = torch.linalg.slogdet(q_cov).logabsdet, torch.linalg.slogdet(cov).logabsdet
        return combine(q_mean - mean, cov, q_cov, *log_dets, len(W))

    return answer


def distance(delta, cov):
    return (delta * torch.linalg.solve(cov, delta.T).T).sum(-1)


def with_distance(wrong_distance):
    return by_terms(
        lambda e, S, V, q, p, m: (torch.linalg.solve(S, V).trace() + wrong_distance(e, S, V) - len(S) + p - q) / 2
    )


def with_log_det(wrong_log_det):
    """log det Σ - log det q_cov replaced: wrong_log_det(Σ, q_cov, their log-determinants p and q)."""
    return by_terms(
        lambda e, S, V, q, p, m: (
            (torch.linalg.solve(S, V).trace() + distance(e, S) - len(S) + wrong_log_det(S, V, p, q)) / 2
        )
    )


def with_sigma_log_det(term):
    """log det Σ as term(d, sigma) - log det M."""

    def answer(x, W, mu, sigma, m, S):
        d = len(S)
        return gap(x, W, mu, sigma, m, S) + (term(d, sigma) - 2 * d * sigma.log()) / 2

    return answer


def by_precision(change):
    """Trace and distance by change(Σ⁻¹, sigma)."""

    def answer(x, W, mu, sigma, m, S):
        P = torch.linalg.inv(posterior(x, W, mu, sigma)[1])
        other, e = change(P, sigma) - P, m - posterior(x, W, mu, sigma)[0]
        return gap(x, W, mu, sigma, m, S) + ((other * S).sum() + ((e @ other) * e).sum(-1)) / 2

    return answer


def less(wrong_elbo):
    """log p(x) minus a wrong ELBO."""
    return lambda *arguments: log_prob(*arguments) - wrong_elbo(*arguments)


def other_precision(variance):
    """The posterior's covariance from WᵀW/variance(sigma) + I, its mean as it is."""

    def change(x, W, mu, sigma, mean, cov):
        return mean, torch.linalg.inv(
            W.T @ W / variance(sigma) + torch.eye(len(cov), dtype=cov.dtype, device=cov.device)
        )

    return against(change)


def without_prior(x, W, mu, sigma, q_mean, q_cov):
    """The terms of its formula, as the precision WᵀW/sigma² need have no inverse."""
    delta, precision = q_mean - posterior(x, W, mu, sigma)[0], W.T @ W / sigma.square()
    log_dets = torch.linalg.slogdet(precision).logabsdet + torch.linalg.slogdet(q_cov).logabsdet
    return ((precision * q_cov).sum() + (delta @ precision * delta).sum(1) - len(q_cov) - log_dets) / 2


def ridge_mean(x, W, mu, sigma):
    M = W.T @ W + sigma * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    return torch.linalg.solve(M, W.T @ (x - mu).T).T


def standard(x, W, mu, sigma, mean, cov):
    return torch.zeros_like(mean), torch.eye(len(cov), dtype=cov.dtype, device=cov.device)


COV = "The posterior's covariance is sigma² M⁻¹ with M = WᵀW + sigma² I; sigma² got lost or is in the wrong place."
MEAN = "The posterior's mean is M⁻¹ Wᵀ(x - mu) with M = WᵀW + sigma² I; here a part of it is missing."
ONE_SIGN = "One of the two log-determinants has the wrong sign: + log det Σ - log det q_cov, Σ the posterior's covariance; log det Σ⁻¹ = -log det Σ."
M_IS = "M = WᵀW + sigma² I: another number than sigma² stands before I."
LOG_DET_S = "log det Σ = d log sigma² - log det M: sigma² counts once for each of the d latents, and its logarithm is 2 log sigma."
PARTLY_DIAGONAL = "Somewhere only the diagonal of a covariance or of its inverse enters; the trace, the distance and both log-determinants see all of it."
BY_DIFFERENCE = "This is log p(x) minus an ELBO in which a term is wrong: check it at q = p(z|x), where the gap is 0."
MISTAKES = (
    Mistake("All entries of Σ⁻¹ q_cov are added up; the trace takes its diagonal.", by_terms(lambda e, S, V, q, p, m: (torch.linalg.solve(S, V).sum() + distance(e, S) - len(S) + p - q) / 2)),
    Mistake("M stands where the precision belongs, in trace and distance: the precision is M/sigma².", by_precision(lambda P, s: P * s**2)),
    Mistake("M/sigma stands where the precision belongs, in trace and distance: the precision is M/sigma².", by_precision(lambda P, s: P * s)),
    Mistake("The two arguments are swapped: this is KL(p(z|x)‖q), the gap is KL(q‖p(z|x)).", reverse_gap),
    Mistake("This is the KL to the prior; the gap is the KL to the posterior p(z|x).", against(standard)),
    Mistake("The factor 1/2 is missing.", lambda *a: 2 * gap(*a)),
    Mistake("The d of the Gaussian KL is missing, so that the gap is not 0 at q = p(z|x).", kl_terms(lambda tr, dist, d, q, p: (tr + dist + p - q) / 2)),
    Mistake("The trace tr(Σ⁻¹ q_cov) is missing.", kl_terms(lambda tr, dist, d, q, p: (dist - d + p - q) / 2)),
    Mistake("The distance between the means is missing.", kl_terms(lambda tr, dist, d, q, p: (tr + 0 * dist - d + p - q) / 2)),
    Mistake("The log-determinants have the wrong sign: log det Σ - log det q_cov, Σ the posterior's covariance.", kl_terms(lambda tr, dist, d, q, p: (tr + dist - d - p + q) / 2)),
    Mistake(ONE_SIGN, with_log_det(lambda S, V, p, q: -p - q)),
    Mistake(ONE_SIGN, with_log_det(lambda S, V, p, q: p + q)),
    Mistake(LOG_DET_S, with_sigma_log_det(lambda d, sigma: d * sigma.log())),
    Mistake(LOG_DET_S, with_sigma_log_det(lambda d, sigma: 2 * sigma.log())),
    Mistake(LOG_DET_S, with_sigma_log_det(lambda d, sigma: 0 * sigma)),
    Mistake(PARTLY_DIAGONAL, with_log_det(lambda S, V, p, q: p - V.diagonal().log().sum())),
    Mistake(PARTLY_DIAGONAL, with_log_det(lambda S, V, p, q: S.diagonal().log().sum() - q)),
    Mistake(PARTLY_DIAGONAL, with_log_det(lambda S, V, p, q: -torch.linalg.inv(S).diagonal().log().sum() - q)),
    Mistake(PARTLY_DIAGONAL, with_distance(lambda e, S, V: (e.square() * torch.linalg.inv(S).diagonal()).sum(-1))),
    Mistake(PARTLY_DIAGONAL, by_terms(lambda e, S, V, q, p, m: ((torch.linalg.inv(S).diagonal() * V.diagonal()).sum() + distance(e, S) - len(S) + p - q) / 2)),
    Mistake("The distance between the means is measured by Σ⁻¹, Σ the posterior's covariance; here Σ⁻¹ is left out.", with_distance(lambda e, S, V: e.square().sum(-1))),
    Mistake("The distance between the means is measured by Σ⁻¹, Σ the posterior's covariance; here it is q_cov⁻¹.", with_distance(lambda e, S, V: distance(e, V))),
    Mistake("The distance between the means is measured by Σ⁻¹; here Σ itself stands there.", with_distance(lambda e, S, V: ((e @ S) * e).sum(-1))),
    Mistake("Σ stands where Σ⁻¹ belongs, in the trace and in the distance.", by_terms(lambda e, S, V, q, p, m: ((S @ V).trace() + ((e @ S) * e).sum(-1) - len(S) + p - q) / 2)),
    Mistake("The distance between the means is averaged or added up over the rows; each row has its own.", with_distance(lambda e, S, V: distance(e, S).mean() + 0 * distance(e, S))),
    Mistake("The distance between the means is averaged or added up over the rows; each row has its own.", with_distance(lambda e, S, V: distance(e, S).sum() + 0 * distance(e, S))),
    Mistake("The distance between the means is not halved: the 1/2 stands before the whole bracket.", with_distance(lambda e, S, V: 2 * distance(e, S))),
    Mistake("The KL subtracts d, the number of latents; here it is m, the features.", by_terms(lambda e, S, V, q, p, m: (torch.linalg.solve(S, V).trace() + distance(e, S) - m + p - q) / 2)),
    Mistake("The trace of a product is no product of traces: tr(Σ⁻¹ q_cov).", by_terms(lambda e, S, V, q, p, m: (torch.linalg.inv(S).trace() * V.trace() + distance(e, S) - len(S) + p - q) / 2)),
    Mistake("The trace is tr(Σ⁻¹ q_cov), Σ the posterior's covariance; here Σ itself stands there.", by_terms(lambda e, S, V, q, p, m: ((S @ V).trace() + distance(e, S) - len(S) + p - q) / 2)),
    Mistake("The posterior's precision is WᵀW/sigma² + I; the I, which is the prior's, is missing.", without_prior),
    Mistake("The posterior's precision is WᵀW/sigma² + I: sigma is squared there.", other_precision(lambda sigma: sigma)),
    Mistake("The posterior's precision is WᵀW/sigma² + I: sigma² is missing there.", other_precision(torch.ones_like)),
    Mistake("The posterior's mean is M⁻¹ Wᵀ(x - mu); M⁻¹ is missing.", against(lambda x, W, mu, sigma, mean, cov: ((x - mu) @ W / sigma.square(), cov))),
    Mistake(M_IS, against(lambda x, W, mu, sigma, mean, cov: (ridge_mean(x, W, mu, sigma), cov))),
    Mistake(M_IS, other_ridge(lambda sigma: sigma)),
    Mistake(M_IS, other_ridge(torch.ones_like)),
    Mistake("The posterior's mean M⁻¹ Wᵀ(x - mu) is missing: q_mean is compared with 0.", against(lambda x, W, mu, sigma, mean, cov: (0 * mean, cov))),
    Mistake("The log-determinants are missing.", kl_terms(lambda tr, dist, d, q, p: (tr + dist - d) / 2)),
    Mistake("One of the two log-determinants is missing.", kl_terms(lambda tr, dist, d, q, p: (tr + dist - d - q) / 2)),
    Mistake("One of the two log-determinants is missing.", kl_terms(lambda tr, dist, d, q, p: (tr + dist - d + p) / 2)),
    Mistake("The log-determinants are halved twice (or log det of a Cholesky factor is not doubled).", kl_terms(lambda tr, dist, d, q, p: (tr + dist - d + (p - q) / 2) / 2)),
    Mistake("The log-determinants are not halved.", kl_terms(lambda tr, dist, d, q, p: (tr + dist - d) / 2 + p - q)),
    Mistake("The distance between the means is rooted; it is squared.", kl_terms(lambda tr, dist, d, q, p: (tr + dist.sqrt() - d + p - q) / 2)),
    Mistake(DIAGONAL, with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma, m, torch.diag_embed(S.diagonal())), gap)),
    Mistake("Only the diagonal of the posterior's covariance enters.", against(lambda x, W, mu, sigma, mean, cov: (mean, torch.diag_embed(cov.diagonal())))),
    Mistake("Only the diagonals of the two covariances enter.", lambda x, W, mu, sigma, m, S: against(lambda *a: (a[4], torch.diag_embed(a[5].diagonal())))(x, W, mu, sigma, m, torch.diag_embed(S.diagonal()))),
    Mistake(COV, against(lambda x, W, mu, sigma, mean, cov: (mean, cov / sigma.square()))),
    Mistake(COV, against(lambda x, W, mu, sigma, mean, cov: (mean, cov / sigma))),
    Mistake(COV, against(lambda x, W, mu, sigma, mean, cov: (mean / sigma.square(), cov))),
    Mistake("This takes the posterior's precision for its covariance.", against(lambda x, W, mu, sigma, mean, cov: (mean, torch.linalg.inv(cov)))),
    Mistake(MEAN, against(lambda x, W, mu, sigma, mean, cov: (posterior(x + mu, W, mu, sigma)[0], cov))),
    Mistake("mu is subtracted from x, not added, in the posterior's mean M⁻¹ Wᵀ(x - mu).", against(lambda x, W, mu, sigma, mean, cov: (posterior(x + 2 * mu, W, mu, sigma)[0], cov))),
    Mistake("The posterior's mean is M⁻¹ Wᵀ(x - mu), without a sigma².", against(lambda x, W, mu, sigma, mean, cov: (mean * sigma.square(), cov))),
    Mistake(MEAN, against(lambda x, W, mu, sigma, mean, cov: ((x - mu) @ W, cov))),
    Mistake(MEAN, against(lambda x, W, mu, sigma, mean, cov: (torch.linalg.solve(W.T @ W, W.T @ (x - mu).T).T, cov))),
    Mistake(SIGMA, with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma.sqrt(), m, S), gap)),
    Mistake("The sign is flipped: the gap is log p(x) - ELBO, never negative.", lambda *a: -gap(*a)),
    Mistake(BY_DIFFERENCE + " " + NO_TRACE, less(ELBO_MISTAKES[0].answer)),
    Mistake(BY_DIFFERENCE + " The KL(q‖p(z)) is missing.", less(wrong(expected_log_likelihood))),
    Mistake(BY_DIFFERENCE + " The entropy of q is left out.", less(wrong(lambda t: bound_of(t) - entropy(t)))),
    Mistake(BY_DIFFERENCE + " Constants of log p(x|z) are missing.", less(wrong(lambda t: bound_of(t) - log_noise(t)))),
    Mistake(BY_DIFFERENCE + " Constants of log p(x|z) are missing.", less(wrong(lambda t: bound_of(t) + t.m * math.log(2 * math.pi) / 2))),
    Mistake("The constant -m/2 log(2 pi) is missing from log p(x) alone.", lambda *a: gap(*a) + len(a[1]) * math.log(2 * math.pi) / 2),
    Mistake("The gap is 0 for q = p(z|x) alone; here q is any Gaussian.", lambda *a: 0 * gap(*a)),
    Mistake(BATCH, lambda *a: gap(*a).mean()),
    Mistake(BATCH, lambda *a: gap(*a).sum()),
    Mistake("The posterior is cut off the graph: its parameters W, mu, sigma and x need gradients too.", against(lambda x, W, mu, sigma, mean, cov: (mean.detach(), cov.detach()))),
    Mistake(DETACHED, with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma.detach(), m, S), gap)),
    Mistake("q_mean or q_cov is cut off the graph: no detach, no .data, no no_grad.", with_arguments(lambda x, W, mu, sigma, m, S: (x, W, mu, sigma, m.detach(), S.detach()), gap)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="ELBO Derivation II",
    call="x, W, mu, sigma, q_mean, q_cov:symmetric",
    returns="gap",
    cases=cases,
    reference=gap,
    laws=(
        value("value", "KL(q‖p(z|x)) between two Gaussians, shape (n,).", cases=["value", "wide q"]),
        custom("ELBO + gap = log p(x)", 0.25, adds_up, requires=""),
        gradient(0.25),
        stable(0.25, ["extreme", "other units"], EXTREME),
        shapes(0.125, SMALL),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake(
            "The trace tr(Σ⁻¹ q_cov)",
            by_terms(lambda e, S, V, q, p, m: torch.linalg.solve(S, V).trace() / 2 + 0 * e[:, 0]),
        ),
        Mistake("The distance between the means", by_terms(lambda e, S, V, q, p, m: distance(e, S) / 2)),
        Mistake("d", by_terms(lambda e, S, V, q, p, m: 0 * e[:, 0] - len(S) / 2)),
        Mistake("log det Σ", by_terms(lambda e, S, V, q, p, m: p / 2 + 0 * e[:, 0])),
        Mistake("log det q_cov", by_terms(lambda e, S, V, q, p, m: -q / 2 + 0 * e[:, 0])),
    ),
)
