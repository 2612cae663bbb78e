"""`naive_log_likelihood`: the average of p(x|z) over samples of the prior, in log space."""

import math

import torch

from ...engine import (
    Exercise,
    Mistake,
    gradient,
    interface_laws,
    normal,
    shapes,
    single,
    stable,
    value,
)


def naive(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), 0) - math.log(len(z))


def decoded(rng, n, K, m, d, log_scale=-0.3, far=1.0):
    """A decoder of 4 hidden units; `far` stretches x, `log_scale` is about the noise's logarithm."""
    return {
        "x": normal(rng, n, m, scale=far),
        "z": normal(rng, K, d),
        "A": normal(rng, 4, d),
        "B": normal(rng, m, 4),
        "c": normal(rng, m, scale=0.5),
        "log_scale": normal(rng, m, scale=0.2, shift=log_scale),
    }


def cases(rng):
    value_case = decoded(rng, 5, 7, 4, 3)
    extreme = decoded(rng, 3, 6, 200, 2, far=10.0)
    extreme["B"] = 5 * extreme["B"]  # the samples' logarithms differ by thousands
    high = decoded(rng, 3, 6, 300, 2, log_scale=-6.0)
    high["B"], high["x"] = 1e-3 * high["B"], high["c"] + 1e-3 * normal(rng, 3, 300)
    return {
        "value": value_case,
        "more rows than samples": decoded(rng, 6, 3, 2, 2),
        "many samples": decoded(rng, 2, 2099, 2, 2),  # a prime: batches of any size leave a rest
        "float32": single(value_case),
        "one row": decoded(rng, 1, 5, 2, 3),
        "one sample": decoded(rng, 4, 1, 2, 3),
        "extreme": extreme,
        "extreme high": high,
    }


def wrong(combine):
    """A wrong estimate out of (log-likelihoods (K, n), K)."""
    return lambda x, z, log_likelihood: combine(log_likelihood(x, z), len(z))


def with_prior(x, z, log_likelihood):
    log_prior = -(z.square() + math.log(2 * math.pi)).sum(1) / 2
    return torch.logsumexp(log_likelihood(x, z) + log_prior[:, None], 0) - math.log(len(z))


def halves(x, z, log_likelihood):
    """Two batches of samples, the logarithm of each one's mean."""
    middle = max(len(z) // 2, 1)
    parts = [part for part in (z[:middle], z[middle:]) if len(part)]
    return sum(naive(x, part, log_likelihood) for part in parts) / len(parts)


def halved_each_time(l, K):
    total = l[0]
    for row in l[1:]:
        total = torch.logaddexp(total, row) - math.log(2)
    return total


def in_batches(size, pooled):
    """The logarithm of each batch's mean, and the mean of these, or of the means; batches count alike."""

    def answer(x, z, log_likelihood):
        parts = torch.stack([naive(x, part, log_likelihood) for part in z.split(max(size(len(z)), 1))])
        return torch.logsumexp(parts, 0) - math.log(len(parts)) if pooled else parts.mean(0)

    return answer


BATCHES = [
    lambda K: K // 2,
    lambda K: K // 3,
    lambda K: 100 if K > 100 else K // 2,
    *(lambda K, size=size: size for size in (2, 3, 4, 5, 10, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000)),
]
MISTAKES = (
    Mistake("log p(x|z) is summed over the rows of x first; each row has its own estimate.", wrong(lambda l, K: (torch.logsumexp(l.sum(1), 0) - math.log(K)).expand(l.shape[1]))),
    Mistake("log p(x|z) is summed over the rows of x first; each row has its own estimate.", wrong(lambda l, K: torch.logsumexp(l.sum(1), 0) - math.log(K))),
    Mistake("A running mean that is halved at every step gives the first samples next to no weight: add all, divide by K once.", wrong(halved_each_time)),
    Mistake("The last sample is left out of the sum: does a loop stop one short?", wrong(lambda l, K: torch.logsumexp(l[:-1] if K > 1 else l, 0) - math.log(K))),
    Mistake("The first sample is left out of the sum.", wrong(lambda l, K: torch.logsumexp(l[1:] if K > 1 else l, 0) - math.log(K))),
    *(Mistake("The samples are taken in batches and their logarithms averaged; the log of the mean over all of them is wanted.", in_batches(size, False)) for size in BATCHES),
    *(Mistake("The samples are taken in batches that count alike, though the last one is smaller: add all, divide by K once.", in_batches(size, True)) for size in BATCHES),
    *(Mistake("The logarithms are clamped from below: no clamp, logsumexp subtracts the largest one.", wrong(lambda l, K, least=least: torch.logsumexp(l.clamp(min=least), 0) - math.log(K))) for least in (-10, -20, -30, -50, -80, -100, -200, -500, -700, -745, -1000)),
    Mistake("This divides by K - 1; a mean divides by K.", lambda x, z, log_likelihood: naive(x, z, log_likelihood) + math.log(len(z) / max(len(z) - 1, 1))),
    Mistake("This divides by d, the columns of z; a mean over the samples divides by K.", lambda x, z, log_likelihood: naive(x, z, log_likelihood) + math.log(len(z) / z.shape[1])),
    Mistake("log₂ K is subtracted; logarithms are natural here.", lambda x, z, log_likelihood: naive(x, z, log_likelihood) + math.log(len(z)) - math.log2(len(z))),
    Mistake("The samples z are averaged first; average the likelihoods.", lambda x, z, log_likelihood: log_likelihood(x, z.mean(0, keepdim=True))[0]),
    Mistake("The logarithms are averaged with softmax weights; the log of the plain mean is wanted.", lambda x, z, log_likelihood: (torch.softmax(log_likelihood(x, z), 0) * log_likelihood(x, z)).sum(0)),
    Mistake("The mean of the logarithms is taken; the logarithm of the mean is wanted.", wrong(lambda l, K: l.mean(0))),
    Mistake("log K is forgotten: a mean divides by the number of samples.", wrong(lambda l, K: torch.logsumexp(l, 0))),
    Mistake("log K is added; dividing by K subtracts it.", wrong(lambda l, K: torch.logsumexp(l, 0) + math.log(K))),
    Mistake("The logarithm is divided by K; the mean is inside the logarithm: subtract log K.", wrong(lambda l, K: torch.logsumexp(l, 0) / K)),
    Mistake("K itself is subtracted; subtract log K.", wrong(lambda l, K: torch.logsumexp(l, 0) - K)),
    Mistake("log n is subtracted (n rows of x); the mean is over the K samples of z.", wrong(lambda l, K: torch.logsumexp(l, 0) - math.log(l.shape[1]))),
    Mistake("The mean is over the rows of x; it is over the samples z, axis 0.", wrong(lambda l, K: torch.logsumexp(l, 1) - math.log(l.shape[1]))),
    Mistake("The mean is over the rows of x; it is over the samples z, axis 0.", wrong(lambda l, K: torch.logsumexp(l, 1) - math.log(K))),
    Mistake("Samples and rows are averaged together; each row of x has its own estimate.", wrong(lambda l, K: torch.logsumexp(l, (0, 1)).expand(l.shape[1]) - math.log(l.numel()))),
    Mistake("The rows' estimates are averaged or summed; each row has its own.", wrong(lambda l, K: (torch.logsumexp(l, 0) - math.log(K)).mean().expand(l.shape[1]))),
    Mistake("The rows' estimates are averaged or summed; each row has its own.", wrong(lambda l, K: (torch.logsumexp(l, 0) - math.log(K)).sum().expand(l.shape[1]))),
    Mistake("Logarithms are summed over the samples; the mean is of likelihoods.", wrong(lambda l, K: l.sum(0))),
    Mistake("Only the best sample counts here; all K enter the mean.", wrong(lambda l, K: l.max(0).values)),
    Mistake("Only the best sample counts here; all K enter the mean.", wrong(lambda l, K: l.max(0).values - math.log(K))),
    Mistake("Only the first sample counts here; all K enter the mean.", wrong(lambda l, K: l[0])),
    Mistake("log p(z) is added; z is drawn from p(z), so the prior is in the samples already.", with_prior),
    Mistake("This is p(x), not log p(x).", wrong(lambda l, K: torch.exp(l).mean(0))),
    Mistake("This is minus log p(x).", wrong(lambda l, K: math.log(K) - torch.logsumexp(l, 0))),
    Mistake("log p(z) is added; z is drawn from p(z), so the prior is in the samples already.", lambda x, z, log_likelihood: torch.logsumexp(log_likelihood(x, z) - z.square().sum(1, keepdim=True) / 2, 0) - math.log(len(z))),
    Mistake("The last sample is left out; all K enter the mean.", lambda x, z, log_likelihood: naive(x, z[: max(len(z) - 1, 1)], log_likelihood)),
    Mistake("Samples and rows are averaged together; each row of x has its own estimate.", wrong(lambda l, K: torch.logsumexp(l, (0, 1)) - math.log(l.numel()))),
    Mistake("The logarithm of K has base 10; logarithms are natural here.", wrong(lambda l, K: torch.logsumexp(l, 0) - math.log10(K))),
    Mistake("The largest logarithm is subtracted before exp and not added again after log.", wrong(lambda l, K: torch.logsumexp(l, 0) - math.log(K) - l.amax(0))),
    Mistake("The samples are weighted by p(z); they are drawn from it, so each counts alike.", lambda x, z, log_likelihood: torch.logsumexp(log_likelihood(x, z) + torch.log_softmax(-z.square().sum(1) / 2, 0)[:, None], 0)),
    Mistake("The samples are taken in two halves, whose logarithms are averaged; the mean is of all likelihoods.", halves),
    Mistake("This is the median over the samples; the mean of the likelihoods is wanted.", wrong(lambda l, K: l.median(0).values)),
    Mistake("Row i meets sample i alone; every row meets all K samples.", wrong(lambda l, K: l[torch.arange(l.shape[1]) % K, torch.arange(l.shape[1])])),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="MLE for LVM: Naive Approach",
    call="x, z, log_likelihood()",
    returns="log_prob",
    cases=cases,
    reference=naive,
    laws=(
        value(
            "value",
            "log (1/K) Σ_k p(x|z_k) = logsumexp over k of log p(x|z_k), minus log K.",
            cases=["value", "more rows than samples", "many samples"],
        ),
        gradient(0.25),
        stable(
            0.375,
            ["extreme", "extreme high"],
            "p(x|z) leaves the range of floats here: never leave log space (logsumexp).",
        ),
        shapes(0.25, ["one row", "one sample"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
