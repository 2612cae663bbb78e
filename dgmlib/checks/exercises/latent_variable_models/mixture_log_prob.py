"""`mixture_log_prob`: the density of a mixture of Gaussians."""

import math

import torch

from ...engine import (
    Exercise,
    Mistake,
    covariance,
    gradient,
    interface_laws,
    normal,
    shapes,
    single,
    stable,
    value,
)
from ._mixture import SLIDE, weights_of


def component_log_probs(x, means, covariances):
    """log N(x_i; means_k, covariances_k), (n, K), and its parts: squared distances (n, K), log-determinants (K,)."""
    scale = torch.linalg.cholesky(covariances)
    centred = (x[None] - means[:, None]).mT
    squares = torch.linalg.solve_triangular(scale, centred, upper=False).square().sum(1).T
    log_det = 2 * scale.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return -(squares + log_det + x.shape[1] * math.log(2 * math.pi)) / 2, squares, log_det


def log_prob(x, weights, means, covariances):
    return torch.logsumexp(weights.log() + component_log_probs(x, means, covariances)[0], 1)


def mixture(rng, n, m, K, scale=1.0, distance=1.0):
    """Means a few standard deviations apart, full covariances; x near the means, `distance` times as far."""
    means = normal(rng, K, m, scale=1.5 * scale)
    x = means[torch.as_tensor(rng.integers(0, K, n))] + normal(rng, n, m, scale=scale * distance)
    covariances = torch.stack([scale**2 * covariance(rng, m, 0.4, 2.5) for _ in range(K)])
    return {"x": x, "weights": weights_of(rng, K), "means": means, "covariances": covariances}


def uneven(rng):
    """Logarithms that differ by thousands within a row and between rows: one row lies at a mean, the others are far, and
    one component is wider."""
    arrays = mixture(rng, 3, 100, 2, scale=0.02, distance=12.0)
    arrays["covariances"][1] *= 4
    arrays["x"][0] = arrays["means"][0]
    return arrays


def light(rng):
    """A component of weight 1e-5 with a row at its mean, out of the others' reach."""
    arrays = mixture(rng, 4, 2, 3)
    arrays["weights"] = torch.tensor([1e-5, 0.4, 0.6 - 1e-5], dtype=arrays["weights"].dtype)
    arrays["means"][0] += 12
    arrays["x"][0] = arrays["means"][0]
    return arrays


def cases(rng):
    value_case = mixture(rng, 6, 3, 4)
    return {
        "value": value_case,
        "light": light(rng),
        "float32": single(value_case),
        "one row": mixture(rng, 1, 3, 2),
        "one feature": mixture(rng, 5, 1, 3),
        "one component": mixture(rng, 4, 2, 1),
        "extreme": mixture(rng, 3, 100, 2, scale=0.02, distance=12.0),
        "extreme uneven": uneven(rng),
    }


def wrong(combine):
    """A wrong density out of (log weights, log N (n, K), squared distances, log-determinants, m)."""

    def answer(x, weights, means, covariances):
        return combine(weights.log(), *component_log_probs(x, means, covariances), x.shape[1])

    return answer


def with_covariances(change):
    """The right density of other covariances."""
    return lambda x, weights, means, covariances: log_prob(x, weights, means, change(covariances))


def with_weights(change):
    return lambda x, weights, means, covariances: log_prob(x, change(weights), means, covariances)


def diagonal(covariances):
    return torch.diag_embed(covariances.diagonal(dim1=-2, dim2=-1))


def one_gaussian(x, weights, means, covariances):
    """The Gaussian of the averaged parameters."""
    mean, cov = weights @ means, torch.einsum("k,kab->ab", weights, covariances)
    return component_log_probs(x, mean[None], cov[None])[0][:, 0]


def matched_gaussian(x, weights, means, covariances):
    """The Gaussian with the mixture's first two moments."""
    mean = weights @ means
    spread = (means - mean)[:, :, None] * (means - mean)[:, None]
    cov = torch.einsum("k,kab->ab", weights, covariances + spread)
    return component_log_probs(x, mean[None], cov[None])[0][:, 0]


def multiplied(x, weights, means, covariances):
    """The distances with the covariance where its inverse belongs."""
    log_probs, squares, _ = component_log_probs(x, means, covariances)
    centred = x[:, None] - means
    wrong_squares = torch.einsum("nka,kab,nkb->nk", centred, covariances, centred)
    return torch.logsumexp(weights.log() + log_probs + (squares - wrong_squares) / 2, 1)


def cholesky_distance(whiten):
    """The distances of whiten(L, x - means_k), (n, K, m)."""

    def answer(x, weights, means, covariances):
        log_probs, squares, _ = component_log_probs(x, means, covariances)
        other = whiten(torch.linalg.cholesky(covariances), x[:, None] - means).square().sum(-1)
        return torch.logsumexp(weights.log() + log_probs + (squares - other) / 2, 1)

    return answer


MISTAKES = (
    Mistake("The logsumexp runs over the points; it runs over the components, axis 1 of (n, K).", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 0))),
    Mistake("log K is subtracted: the weights already sum to 1.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 1) - math.log(len(w)))),
    Mistake("The logarithms are averaged over the responsibilities; the log of the sum is wanted.", wrong(lambda w, c, s, d, m: (torch.softmax(w + c, 1) * (w + c)).sum(1))),
    Mistake("Something is added to a weight, or a weight is clamped; take its logarithm as it is.", wrong(lambda w, c, s, d, m: torch.logsumexp((w.exp() + 1e-8).log() + c, 1))),
    Mistake("Something is added to a weight, or a weight is clamped; take its logarithm as it is.", wrong(lambda w, c, s, d, m: torch.logsumexp(w.exp().clamp(min=1e-3).log() + c, 1))),
    Mistake("The weighted mean of the log-densities is taken; the log of the weighted mean is wanted.", wrong(lambda w, c, s, d, m: (w.exp() * c).sum(1))),
    Mistake("The weights are forgotten.", wrong(lambda w, c, s, d, m: torch.logsumexp(c, 1))),
    Mistake("All weights are equal here; component k has its own.", wrong(lambda w, c, s, d, m: torch.logsumexp(c, 1) - math.log(len(w)))),
    Mistake("weights are added to a logarithm; add their logarithm.", wrong(lambda w, c, s, d, m: torch.logsumexp(w.exp() + c, 1))),
    Mistake("weights pass through softmax; they are probabilities already.", with_weights(lambda w: torch.softmax(w, 0))),
    Mistake("The log-densities are multiplied by the weights inside the sum; log weights are added.", wrong(lambda w, c, s, d, m: torch.logsumexp(w.exp() * c, 1))),
    Mistake("Logarithms are summed over the components; a mixture sums densities.", wrong(lambda w, c, s, d, m: (w + c).sum(1))),
    Mistake("Only the likeliest component is kept; a mixture sums over all.", wrong(lambda w, c, s, d, m: (w + c).max(1).values)),
    Mistake("Only the diagonals of the covariances enter; they are full.", with_covariances(diagonal)),
    Mistake("covariances are used as the Cholesky factor (scale_tril).", with_covariances(lambda c: torch.tril(c) @ torch.tril(c).mT)),
    Mistake("covariances are used as scales: covariance² instead of covariance.", with_covariances(lambda c: c @ c.mT)),
    Mistake("covariances are used as precisions: invert them in the distance.", with_covariances(lambda c: torch.linalg.inv(c))),
    Mistake("The covariance of component 0 serves for all.", with_covariances(lambda c: c[:1].expand_as(c))),
    Mistake("The constant -m/2 log 2π is missing.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 1) + m / 2 * math.log(2 * math.pi))),
    Mistake("The constant is -1/2 log 2π; it wants a factor m.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 1) + (m - 1) / 2 * math.log(2 * math.pi))),
    Mistake("-1/2 log det of the covariance is missing.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c + d / 2, 1))),
    Mistake("log det counts half: the log-diagonal of a Cholesky factor sums to half of log det.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c + d / 4, 1))),
    Mistake("The 1/2 before log det is missing.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c - d / 2, 1))),
    Mistake("log det has the wrong sign: it is subtracted.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c + d, 1))),
    Mistake("The 1/2 is missing, before distance, log det and constant alike.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + 2 * c, 1))),
    Mistake("covariances are not inverted in the distance.", multiplied),
    Mistake("The distance is not squared.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c + (s - s.sqrt()) / 2, 1))),
    Mistake("The 1/2 before the squared distance is missing.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c - s / 2, 1))),
    Mistake("This is p(x), not log p(x).", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 1).exp())),
    Mistake("This is minus log p(x).", wrong(lambda w, c, s, d, m: -torch.logsumexp(w + c, 1))),
    Mistake("The parameters are averaged into one Gaussian; a mixture averages densities.", one_gaussian),
    Mistake("This is one Gaussian with the mixture's mean and covariance; a mixture sums densities.", matched_gaussian),
    Mistake("log p(x) is summed or averaged over the rows; each row has its own.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 1).sum().expand(len(c)))),
    Mistake("log p(x) is summed or averaged over the rows; each row has its own.", wrong(lambda w, c, s, d, m: torch.logsumexp(w + c, 1).mean().expand(len(c)))),
    Mistake("log p(x, k) of every component comes back, (n, K); sum k out.", wrong(lambda w, c, s, d, m: w + c)),
    Mistake("The 1/2 before log 2π is missing.", wrong(lambda w, logs, squares, log_dets, m: torch.logsumexp(w + logs, 1) - m / 2 * math.log(2 * math.pi))),
    Mistake("The constant is -1/2 log 2π; it wants a factor m.", wrong(lambda w, logs, squares, log_dets, m: torch.logsumexp(w + logs, 1) + (m - 1) / 2 * math.log(2 * math.pi))),
    Mistake("The weights are squared: their logarithm is added twice.", wrong(lambda w, logs, squares, log_dets, m: torch.logsumexp(2 * w + logs, 1))),
    Mistake("The logarithm of the weights has base 2; logarithms are natural here.", wrong(lambda w, logs, squares, log_dets, m: torch.logsumexp(w / math.log(2) + logs, 1))),
    Mistake("log weights_k is halved; the 1/2 belongs to the Gaussian's exponent.", wrong(lambda w, logs, squares, log_dets, m: torch.logsumexp(w / 2 + logs, 1))),
    Mistake("The squared distance multiplies by the Cholesky factor; it solves with it.", cholesky_distance(lambda L, centred: torch.einsum("kab,nkb->nka", L, centred))),
    Mistake("The squared distance solves with Lᵀ; it solves with L, where covariance = L Lᵀ.", cholesky_distance(lambda L, centred: torch.einsum("kab,nkb->nka", torch.linalg.inv(L).mT, centred))),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide=SLIDE,
    call="x, weights:simplex, means, covariances:symmetric",
    returns="log_prob",
    cases=cases,
    reference=log_prob,
    laws=(
        value(
            "value",
            "log p(x) = log Σ_k weights_k N(x; means_k, covariances_k).",
            cases=["value", "light"],
        ),
        gradient(0.625),
        stable(
            0.625,
            ["extreme", "extreme uneven"],
            "Densities and determinants leave the range of floats here: stay in log space (logsumexp, slogdet or Cholesky).",
        ),
        shapes(0.25, ["one row", "one feature", "one component"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
