"""`importance_weighted_bound`: the log of the mean weight of K samples of q."""

import math

import torch

from ...engine import (
    Exercise,
    Mistake,
    gradient,
    interface_laws,
    shapes,
    stable,
    value,
)
from ._samples import AXIS, CUT, ROWS, log_mean, weight_cases
from .elbo_from_joint import from_joint


def importance_weighted(log_joint, log_q):
    return torch.logsumexp(log_joint - log_q, 0) - math.log(len(log_joint))


MISTAKES = (
    Mistake("The largest log-weight is taken over the rows of x; subtract, and add again, each row's own over the samples.", lambda j, q: ((j - q - (j - q).amax(1, keepdim=True)).exp().mean(0)).log() + (j - q).amax(1).mean()),
    Mistake("This is the mean of the logs, the ELBO; the bound is the log of the mean weight.", from_joint),
    Mistake("log K is missing: this is the log of the sum, not of the mean.", lambda j, q: torch.logsumexp(j - q, 0)),
    Mistake("log K is added; the log of a mean is the log of the sum minus log K.", lambda j, q: torch.logsumexp(j - q, 0) + math.log(len(j))),
    Mistake("K itself is subtracted; the log of a mean subtracts log K.", lambda j, q: torch.logsumexp(j - q, 0) - len(j)),
    Mistake("The log of the sum is divided by K; 1/K stands inside the logarithm.", lambda j, q: torch.logsumexp(j - q, 0) / len(j)),
    Mistake("log n is subtracted; the average runs over the K samples.", lambda j, q: torch.logsumexp(j - q, 0) - math.log(j.shape[1])),
    Mistake("log q is missing: samples of q must be weighted by 1/q. This is the naive estimate with the wrong samples.", lambda j, q: log_mean(j)),
    Mistake("log q is added; the weight is p(x, z)/q(z).", lambda j, q: log_mean(j + q)),
    Mistake("The weight is upside down: it is p(x, z)/q(z).", lambda j, q: log_mean(q - j)),
    Mistake("The sign is flipped: this is a loss.", lambda j, q: -importance_weighted(j, q)),
    Mistake("This is a ratio of two means; the bound is the log of the mean of the ratios.", lambda j, q: log_mean(j) - log_mean(q)),
    Mistake("This is the mean weight; its logarithm is missing.", lambda j, q: (j - q).exp().mean(0)),
    Mistake("These are the normalised weights times the logs; the bound is the log of the mean weight.", lambda j, q: (torch.softmax(j - q, 0) * (j - q)).sum(0)),
    Mistake("This is the largest weight alone: average all K.", lambda j, q: (j - q).amax(0)),
    Mistake("This is the largest weight alone: average all K.", lambda j, q: (j - q).amax(0) - math.log(len(j))),
    Mistake(AXIS, lambda j, q: torch.logsumexp(j - q, 1) - math.log(j.shape[1])),
    Mistake(AXIS, lambda j, q: torch.logsumexp(j - q, 1) - math.log(len(j))),
    Mistake(ROWS, lambda j, q: torch.logsumexp((j - q).reshape(-1), 0) - math.log(j.numel())),
    Mistake(ROWS, lambda j, q: importance_weighted(j, q).mean()),
    Mistake(CUT, lambda j, q: importance_weighted(j, q.detach())),
    Mistake("The gradient is that of the ELBO: every sample counts by its own normalised weight here.", lambda j, q: from_joint(j, q) + (importance_weighted(j, q) - from_joint(j, q)).detach()),
    Mistake("log(K - 1) is subtracted; a mean of K samples divides by K.", lambda j, q: torch.logsumexp(j - q, 0) - math.log(max(len(j) - 1, 1))),
    Mistake("The largest log-weight is subtracted before exp and not added again after log.", lambda j, q: log_mean(j - q - (j - q).amax(0))),
    Mistake("The logarithm of K has base 10; logarithms are natural here.", lambda j, q: torch.logsumexp(j - q, 0) - math.log10(len(j))),
    Mistake("The logarithm of K has base 2; logarithms are natural here.", lambda j, q: torch.logsumexp(j - q, 0) - math.log2(len(j))),
    Mistake("Something is added inside the logarithm: logsumexp needs nothing.", lambda j, q: ((j - q).exp().mean(0) + 1e-3).log()),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="ELBO Derivation I",
    call="log_joint, log_q",
    returns="bound",
    cases=weight_cases,
    reference=importance_weighted,
    laws=(
        value("value", "log of (1/K) sum_k p(x, z_k)/q(z_k), shape (n,).", cases=["value", "square", "many samples"]),
        gradient(0.25),
        stable(
            0.375,
            ["extreme", "scattered", "far apart"],
            "Weights or densities leave the range of floats: use logsumexp of the log-weights over the samples, or subtract each column's own maximum before exp.",
        ),
        shapes(0.125, ["one sample", "one row"], "With one sample the bound is the ELBO."),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
