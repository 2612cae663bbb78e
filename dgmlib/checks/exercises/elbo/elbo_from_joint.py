"""`elbo_from_joint`: the Monte-Carlo average of log p(x, z)/q(z) over K samples of q."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, stable, value
from ._samples import AXIS, CUT, ROWS, SUM, log_mean, weight_cases


def from_joint(log_joint, log_q):
    return (log_joint - log_q).mean(0)


LOG_Q = "log q is missing: without it this is E_q log p(x, z), the entropy of q left out."
MISTAKES = (
    Mistake("The terms are clamped at 0; log p(x, z) - log q(z) may have either sign.", lambda j, q: (j - q).clamp(max=0).mean(0)),
    Mistake("The terms are clamped at 0; log p(x, z) - log q(z) may have either sign.", lambda j, q: (j - q).clamp(min=0).mean(0)),
    Mistake("The best sample alone is used; the ELBO is estimated by the average of all.", lambda j, q: (j - q).amax(0)),
    Mistake("This is the log of the mean weight, the importance-weighted bound; the ELBO is the mean of the logs.", lambda j, q: log_mean(j - q)),
    Mistake(LOG_Q, lambda j, q: j.mean(0)),
    Mistake("log q is added; it is subtracted: log p(x, z)/q(z).", lambda j, q: (j + q).mean(0)),
    Mistake("The sign is flipped: log q - log p(x, z) is a loss, the ELBO is its negative.", lambda j, q: (q - j).mean(0)),
    Mistake("The samples already come from q; weighting them by q again counts it twice.", lambda j, q: (q.exp() * (j - q)).sum(0)),
    Mistake("The samples already come from q; weighting them by q again counts it twice.", lambda j, q: (q.exp() * (j - q)).mean(0)),
    Mistake("The samples already come from q; weighting them by q again counts it twice.", lambda j, q: (torch.softmax(q, 0) * (j - q)).sum(0)),
    Mistake("The samples already come from q; weights of their own have no place in the average.", lambda j, q: (torch.softmax(j - q, 0) * (j - q)).sum(0)),
    Mistake("The samples already come from q; weights of their own have no place in the average.", lambda j, q: ((j - q).exp() * (j - q)).mean(0)),
    Mistake("log q is added up over the samples; it is averaged as log p(x, z) is.", lambda j, q: j.mean(0) - q.sum(0)),
    Mistake("log p(x, z) is added up over the samples; it is averaged as log q is.", lambda j, q: j.sum(0) - q.mean(0)),
    Mistake("This is the median over the samples; E_q is estimated by their mean.", lambda j, q: (j - q).median(0).values),
    Mistake("The sum is divided by K - 1; a mean of K samples by K.", lambda j, q: (j - q).sum(0) / (len(j) - 1)),
    Mistake(SUM, lambda j, q: (j - q).sum(0)),
    Mistake("This is the ratio of logarithms; the logarithm of a ratio is a difference.", lambda j, q: (j / q).mean(0)),
    Mistake("This is the mean of the weights; the ELBO is the mean of their logarithms.", lambda j, q: (j - q).exp().mean(0)),
    Mistake("This is a difference of two log-means; the ELBO is the mean of the difference of the logs.", lambda j, q: log_mean(j) - log_mean(q)),
    Mistake(AXIS, lambda j, q: (j - q).mean(1)),
    Mistake(ROWS, lambda j, q: (j - q).mean()),
    Mistake(ROWS, lambda j, q: (j - q).mean(0).sum()),
    Mistake("Only the first sample is used.", lambda j, q: j[0] - q[0]),
    Mistake(CUT, lambda j, q: (j - q.detach()).mean(0)),
    Mistake("q itself is subtracted; log_q is a logarithm already: subtract it as it is.", lambda j, q: (j - q.exp()).mean(0)),
    Mistake("log q is subtracted twice.", lambda j, q: (j - 2 * q).mean(0)),
    Mistake("log p is divided by log q; of logarithms the quotient is a difference.", lambda j, q: j.mean(0) / q.mean(0)),
    Mistake("log q is averaged over the rows as well; each row has its own.", lambda j, q: j.mean(0) - q.mean()),
    Mistake("log p(x, z) is averaged over the rows as well; each row has its own.", lambda j, q: j.mean() - q.mean(0)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=1,
    slide="ELBO Derivation I",
    call="log_joint, log_q",
    returns="elbo",
    cases=weight_cases,
    reference=from_joint,
    laws=(
        value(
            "value",
            "The average over k of log p(x, z_k) - log q(z_k), shape (n,).",
            cases=["value", "square", "one sample", "one row", "many samples"],
        ),
        gradient(0.125),
        stable(
            0.125,
            ["extreme", "scattered", "far apart"],
            "Stay with the logarithms: exp leaves the range of floats here.",
        ),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("log p(x, z)", lambda j, q: j.mean(0)),
        Mistake("log q(z)", lambda j, q: -q.mean(0)),
    ),
)
