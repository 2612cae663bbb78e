"""`elbo_from_joint`, `elbo_from_kl`, `importance_weighted_bound`: averages over K samples of q."""

import math

import torch

from ..exercise import Exercise, Mistake
from ..inputs import normal, single
from ..laws import form, gradient, shapes, stable, value


def from_joint(log_joint, log_q):
    return (log_joint - log_q).mean(0)


def from_kl(log_likelihood, kl):
    return log_likelihood.mean(0) - kl


def importance_weighted(log_joint, log_q):
    return torch.logsumexp(log_joint - log_q, 0) - math.log(len(log_joint))


def weights(rng, K, n, shift=0.0, spread=2.0):
    """log p(x, z_k) and log q(z_k); `shift` moves the logarithms of the weights, one number a row of x."""
    log_q = normal(rng, K, n, shift=-2.0)
    return {"log_joint": log_q + normal(rng, K, n, scale=spread, shift=-1.5) + shift, "log_q": log_q}


def scattered(rng):
    """Densities out of float32's range with weights that are not, and weights 250 nats apart within a row: no shift
    but a row's own maximum is safe. The smallest weights come first, the largest in the middle."""
    logs = torch.tensor([-200.0, -150.0, 50.0, 0.0, -100.0], dtype=torch.float64)[:, None] + normal(rng, 5, 4)
    log_q = normal(rng, 5, 4) + torch.tensor([-300.0, 250.0, 0.0, 120.0], dtype=torch.float64)
    return {"log_joint": log_q + logs, "log_q": log_q}


def weight_cases(rng):
    value_case = weights(rng, 7, 4)
    far = torch.tensor([-4000.0, 3000.0, 0.0, -300.0], dtype=torch.float64)
    return {
        "value": value_case,
        "square": weights(rng, 5, 5),
        "float32": single(value_case),
        "one sample": weights(rng, 1, 3),
        "one row": weights(rng, 6, 1),
        "extreme": single(weights(rng, 5, 4, shift=far, spread=20.0)),
        "scattered": single(scattered(rng)),
    }


def likelihoods(rng, K, n, shift=-3.0):
    return {"log_likelihood": normal(rng, K, n, scale=2.0, shift=shift), "kl": normal(rng, n).square() + 0.5}


def kl_cases(rng):
    value_case = likelihoods(rng, 7, 4)
    return {
        "value": value_case,
        "square": likelihoods(rng, 5, 5),
        "float32": single(value_case),
        "one sample": likelihoods(rng, 1, 3),
        "one row": likelihoods(rng, 6, 1),
        "extreme": single(likelihoods(rng, 5, 4, shift=-4000.0)),
    }


def log_mean(log_weights):
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))


AXIS = "The average runs over the rows of x; it runs over the samples of q, the first axis."
ROWS = "The rows of x are averaged or summed as well; each has its own number, shape (n,)."
LOG_Q = "log q is missing: without it this is E_q log p(x, z), the entropy of q left out."
CUT = "A part is cut off the graph: no detach, no .data, no no_grad."
SUM = "This is the sum over the samples; the Monte-Carlo estimate is their average."

JOINT_MISTAKES = (
    Mistake("This is the log of the mean weight, the importance-weighted bound; the ELBO is the mean of the logs.", importance_weighted),
    Mistake(LOG_Q, lambda j, q: j.mean(0)),
    Mistake("log q is added; it is subtracted: log p(x, z)/q(z).", lambda j, q: (j + q).mean(0)),
    Mistake("The sign is flipped: log q - log p(x, z) is a loss, the ELBO is its negative.", lambda j, q: (q - j).mean(0)),
    Mistake("The samples already come from q; weighting them by q again counts it twice.", lambda j, q: (q.exp() * (j - q)).sum(0)),
    Mistake("The samples already come from q; weighting them by q again counts it twice.", lambda j, q: (q.exp() * (j - q)).mean(0)),
    Mistake("The samples already come from q; weighting them by q again counts it twice.", lambda j, q: (torch.softmax(q, 0) * (j - q)).sum(0)),
    Mistake("The samples already come from q; weights of their own have no place in the average.", lambda j, q: (torch.softmax(j - q, 0) * (j - q)).sum(0)),
    Mistake(SUM, lambda j, q: (j - q).sum(0)),
    Mistake("This is the ratio of logarithms; the logarithm of a ratio is a difference.", lambda j, q: (j / q).mean(0)),
    Mistake("This is the mean of the weights; the ELBO is the mean of their logarithms.", lambda j, q: (j - q).exp().mean(0)),
    Mistake("This is a difference of two log-means; the ELBO is the mean of the difference of the logs.", lambda j, q: log_mean(j) - log_mean(q)),
    Mistake(AXIS, lambda j, q: (j - q).mean(1)),
    Mistake(ROWS, lambda j, q: (j - q).mean()),
    Mistake(ROWS, lambda j, q: (j - q).mean(0).sum()),
    Mistake("Only the first sample is used.", lambda j, q: j[0] - q[0]),
    Mistake(CUT, lambda j, q: (j - q.detach()).mean(0)),
)  # fmt: skip

KL_MISTAKES = (
    Mistake("The KL is added; it is subtracted: it is the price of leaving the prior.", lambda l, kl: l.mean(0) + kl),
    Mistake("This takes the log of the mean likelihood; the ELBO wants the mean of the logs.", lambda l, kl: log_mean(l) - kl),
    Mistake("The KL is missing.", lambda l, kl: l.mean(0)),
    Mistake("The likelihood is missing.", lambda l, kl: -kl),
    Mistake("The sign is flipped: this is the negative ELBO, a loss.", lambda l, kl: kl - l.mean(0)),
    Mistake("The KL is divided by the number of samples; it is exact, not an average.", lambda l, kl: l.mean(0) - kl / len(l)),
    Mistake("The KL is averaged over the rows; each row has its own.", lambda l, kl: l.mean(0) - kl.mean()),
    Mistake("The KL is summed over the rows; each row has its own.", lambda l, kl: l.mean(0) - kl.sum()),
    Mistake("The KL is subtracted from every sample and then they are summed.", lambda l, kl: (l - kl).sum(0)),
    Mistake("This is the sum over the samples; E_q is estimated by their average.", lambda l, kl: l.sum(0) - kl),
    Mistake("This is the mean of the likelihoods; E_q log p(x|z) is the mean of their logarithms.", lambda l, kl: l.exp().mean(0) - kl),
    Mistake("The KL is given as it is: no exp, no log.", lambda l, kl: l.mean(0) - kl.log()),
    Mistake("The KL is given as it is: no exp, no log.", lambda l, kl: l.mean(0) - kl.exp()),
    Mistake("The KL is subtracted once for every sample; it stands there once.", lambda l, kl: l.mean(0) - len(l) * kl),
    Mistake("The KL has one number for each row already, shape (n,): no new axis.", lambda l, kl: l.mean(0) - kl[:, None]),
    Mistake(AXIS, lambda l, kl: l.mean(1)),
    Mistake(AXIS, lambda l, kl: l.mean(1) - kl),
    Mistake("The samples stay apart: average them, shape (n,).", lambda l, kl: l - kl),
    Mistake(ROWS, lambda l, kl: l.mean() - kl),
    Mistake(ROWS, lambda l, kl: (l.mean(0) - kl).mean()),
    Mistake("Only the first sample is used.", lambda l, kl: l[0] - kl),
    Mistake(CUT, lambda l, kl: l.mean(0) - kl.detach()),
    Mistake(CUT, lambda l, kl: l.mean(0).detach() - kl),
)  # fmt: skip

IW_MISTAKES = (
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
)  # fmt: skip

EXERCISES = (
    Exercise(
        "elbo_from_joint",
        1,
        "ELBO Derivation I",
        cases=weight_cases,
        reference=from_joint,
        laws=(
            value("value", 0.375, ["elbo"], ["value", "square", "one sample", "one row"], "The average over k of log p(x, z_k) - log q(z_k), shape (n,)."),
            gradient(0.125, ["log_joint", "log_q"]),
            stable(0.125, ["elbo"], ["extreme", "scattered"], "Stay with the logarithms: exp leaves the range of floats here."),
            *form(["elbo"]),
        ),
        mistakes=JOINT_MISTAKES,
    ),
    Exercise(
        "elbo_from_kl",
        1,
        "Variational Evidence Lower Bound (ELBO)",
        cases=kl_cases,
        reference=from_kl,
        laws=(
            value("value", 0.375, ["elbo"], ["square", "value", "one sample", "one row"], "The average over k of log p(x|z_k), minus the KL, shape (n,)."),
            gradient(0.125, ["log_likelihood", "kl"]),
            stable(0.125, ["elbo"], ["extreme"], "Stay with the logarithms: exp leaves the range of floats here."),
            *form(["elbo"]),
        ),
        mistakes=KL_MISTAKES,
    ),
    Exercise(
        "importance_weighted_bound",
        2,
        "ELBO Derivation I",
        cases=weight_cases,
        reference=importance_weighted,
        laws=(
            value("value", 0.875, ["bound"], ["value", "square"], "log of (1/K) sum_k p(x, z_k)/q(z_k), shape (n,)."),
            gradient(0.25, ["log_joint", "log_q"]),
            stable(0.375, ["bound"], ["extreme", "scattered"], "Weights or densities leave the range of floats: use logsumexp of the log-weights over the samples, or subtract each column's own maximum before exp."),
            shapes(0.125, ["bound"], ["one sample", "one row"], "With one sample the bound is the ELBO."),
            *form(["bound"]),
        ),
        mistakes=IW_MISTAKES,
    ),
)  # fmt: skip
