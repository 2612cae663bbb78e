"""`grid_posterior`: Bayes' rule on a grid."""

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
    uniform,
    value,
)


def grid(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, 0) + math.log(step)
    return torch.exp(log_joint - log_evidence), log_evidence


def grid_arrays(rng, size, level=-20.0):
    """A prior that does not sum to 1, and a likelihood whose logarithms lie about `level`."""
    return {
        "log_prior": normal(rng, size, shift=-1.5),
        "log_likelihood": normal(rng, size, shift=level),
        "step": uniform(rng, 0.15, 0.4),
    }


def peaked(rng, size):
    """Logarithms about -10⁴ that differ by thousands, as those of many data do: only the largest may be subtracted."""
    arrays = grid_arrays(rng, size, -1e4)
    parabola = torch.linspace(-80, 80, size, dtype=torch.float64).square()
    return arrays | {"log_likelihood": arrays["log_likelihood"] - parabola}


def opposed(rng, size):
    """The likelihood peaks where the prior underflows, and the prior where the likelihood does: only their sum may be
    exponentiated. The sum is no larger than 1000 in size, and so flat that every point counts."""
    slope = torch.linspace(-1000, 1000, size, dtype=torch.float64)
    arrays = grid_arrays(rng, size, 0.0)
    return arrays | {
        "log_prior": arrays["log_prior"] - slope - 1000,
        "log_likelihood": arrays["log_likelihood"] + slope,
    }


def cases(rng):
    value_case = grid_arrays(rng, 9)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one point": grid_arrays(rng, 1),
        "extreme": peaked(rng, 12),
        "extreme high": grid_arrays(rng, 12, 2e3),
        "opposed": opposed(rng, 12),
    }


def grid_with(posterior=None, evidence=None):
    """A wrong answer: posterior and log evidence as functions of (log_prior, log_likelihood, step)."""

    def answer(log_prior, log_likelihood, step):
        right = grid(log_prior, log_likelihood, step)
        wrong = [f and f(log_prior, log_likelihood, step) for f in (posterior, evidence)]
        return tuple(r if w is None else w for r, w in zip(right, wrong, strict=True))

    return answer


def total(p, l, step):
    """The sum of prior times likelihood, without the step."""
    return torch.logsumexp(p + l, 0)


def renormalised(p, l, step):
    return grid(p - torch.logsumexp(p, 0) - math.log(step), l, step)


def no_prior(p, l, step):
    return grid(torch.zeros_like(p), l, step)


def trapezoid(p, l, step):
    weights = torch.ones_like(p)
    weights[0] = weights[-1] = 0.5
    log_evidence = torch.logsumexp(p + l + weights.log(), 0) + math.log(step)
    return torch.exp(p + l - log_evidence), log_evidence


def detached_evidence(p, l, step):
    return torch.exp(p + l - grid(p, l, step)[1].detach()), grid(p, l, step)[1]


def clamped(joint, step, least):
    return grid(joint.clamp(min=least), torch.zeros_like(joint), step)


MISTAKES = (
    Mistake("The density is clamped at 1; it may be larger, its integral is 1.", grid_with(lambda p, l, s: grid(p, l, s)[0].clamp(max=1))),
    *(Mistake("The logarithms are clamped from below: no clamp, subtract the largest one (logsumexp).", lambda p, ll, step, least=least: clamped(p + ll, step, least)) for least in (-10, -20, -30, -50, -80, -100, -200, -500, -700, -745, -1000)),
    Mistake("The last grid point is left out of the sum; every point counts.", lambda p, ll, step: (lambda e: (torch.exp(p + ll - e), e))(grid(p[:-1], ll[:-1], step)[1])),
    Mistake("The first grid point is left out of the sum; every point counts.", lambda p, ll, step: (lambda e: (torch.exp(p + ll - e), e))(grid(p[1:], ll[1:], step)[1])),
    Mistake("The likelihood is subtracted: add log-likelihood and log-prior.", lambda p, ll, step: grid(p, -ll, step)),
    Mistake("The prior is renormalised; take it as given, its scale is part of the evidence.", renormalised),
    Mistake("The step is missing: an integral on a grid is a sum times the step.", grid_with(lambda p, l, s: torch.softmax(p + l, 0), total)),
    Mistake("These are probabilities that sum to 1; of a density, the sum times the step is 1.", grid_with(lambda p, l, s: torch.softmax(p + l, 0))),
    Mistake("The step is missing in the evidence: log p(X) has + log step.", grid_with(None, total)),
    Mistake("log step is subtracted; the sum is multiplied by the step.", grid_with(lambda p, l, s: torch.exp(p + l - total(p, l, s) + math.log(s)), lambda p, l, s: total(p, l, s) - math.log(s))),
    Mistake("log step is subtracted; the sum is multiplied by the step.", grid_with(None, lambda p, l, s: total(p, l, s) - math.log(s))),
    Mistake("step itself is added to a logarithm; add log step.", grid_with(lambda p, l, s: torch.exp(p + l - total(p, l, s) - s), lambda p, l, s: total(p, l, s) + s)),
    Mistake("The prior is renormalised; take it as given, its scale is part of the evidence.", lambda p, l, s: grid(torch.log_softmax(p, 0), l, s)),
    Mistake("The largest logarithm is subtracted and not added back to the evidence.", grid_with(None, lambda p, l, s: grid(p, l, s)[1] - (p + l).max())),
    Mistake("The largest logarithm is subtracted and not added back to the evidence.", grid_with(None, lambda p, l, s: grid(p, l, s)[1] - l.max())),
    Mistake("The prior is missing: this is the likelihood alone, normalised.", no_prior),
    Mistake("The likelihood is missing: this is the prior, normalised.", lambda p, l, s: grid(p, torch.zeros_like(l), s)),
    Mistake("The end points count half (the trapezoidal rule); a Riemann sum is wanted: every point counts alike.", trapezoid),
    Mistake("The evidence comes back itself; its logarithm is wanted.", grid_with(None, lambda p, l, s: grid(p, l, s)[1].exp())),
    Mistake("The logarithm of the posterior comes back; the density is wanted.", grid_with(lambda p, l, s: grid(p, l, s)[0].log())),
    Mistake("The posterior is not divided by the evidence.", grid_with(lambda p, l, s: torch.exp(p + l))),
    Mistake("The posterior is the joint divided by its largest value; divide by the evidence.", grid_with(lambda p, l, s: torch.exp(p + l - (p + l).max()))),
    Mistake("The evidence is the mean over the grid; it is the sum times the step.", grid_with(None, lambda p, l, s: total(p, l, s) - math.log(len(p)))),
    Mistake("The mean over the grid stands where the sum times the step belongs.", grid_with(lambda p, l, s: torch.softmax(p + l, 0) * len(p), lambda p, l, s: total(p, l, s) - math.log(len(p)))),
    Mistake("The evidence takes the largest value of the joint; it sums over the grid.", grid_with(None, lambda p, l, s: (p + l).max() + math.log(s))),
    Mistake("Logarithms are summed; the evidence is the log of a sum of exponentials.", grid_with(None, lambda p, l, s: (p + l).sum() + math.log(s))),
    Mistake("The evidence is cut off the graph: no detach, no no_grad.", detached_evidence),
    Mistake("log_evidence is cut off the graph: no detach, no .item().", grid_with(None, lambda *a: grid(*a)[1].detach())),
    Mistake("log_evidence is cut off the graph: no detach, no .item().", lambda p, l, s: tuple(v.detach() if v.ndim == 0 else detached_evidence(p, l, s)[0] for v in grid(p, l, s))),
    Mistake("The prior is divided by, not multiplied: p(X|θ) p(θ) is log_likelihood + log_prior.", lambda p, l, step: grid(-p, l, step)),
    Mistake("The likelihood is renormalised; take it as given, its scale is part of the evidence.", lambda p, l, step: grid(p, l - torch.logsumexp(l, 0) - math.log(step), step)),
    Mistake("The evidence leaves out the prior; it is the sum of prior times likelihood.", lambda p, l, step: (torch.exp(p + l - no_prior(p, l, step)[1]), no_prior(p, l, step)[1])),
    Mistake("The logarithms are multiplied; the logarithm of a product is their sum.", lambda p, l, step: grid(p * l, torch.zeros_like(l), step)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Bayesian Framework",
    call="log_prior, log_likelihood, step:float",
    returns="posterior_density, log_evidence",
    cases=cases,
    reference=grid,
    laws=(
        value("posterior", "p(θ|X) = p(X|θ) p(θ) / p(X), at every grid point.", outputs=["posterior_density"]),
        value("evidence", "log p(X) = log(Σ_g p(X|θ_g) p(θ_g) step).", outputs=["log_evidence"]),
        gradient(0.5),
        stable(
            0.5,
            ["extreme", "extreme high", "opposed"],
            "exp leaves the range of floats here: stay in log space (logsumexp), exponentiate last, and never the prior or the likelihood alone.",
        ),
        shapes(0.125, ["one point"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
