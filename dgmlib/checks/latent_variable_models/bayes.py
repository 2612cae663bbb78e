"""`grid_posterior`, `gaussian_mean_posterior`, `map_linear_regression`."""

import math

import torch

from ..exercise import Exercise, Mistake
from ..inputs import normal, single, uniform
from ..laws import form, gradient, shapes, stable, value

SLIDE = "Bayesian Framework"
MAP_SLIDE = "Maximum a Posteriori (MAP) Estimation"

# ---------------------------------------------------------------- grid_posterior


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


def grid_cases(rng):
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


GRID_MISTAKES = (
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
)  # fmt: skip

# ---------------------------------------------------------------- gaussian_mean_posterior


def conjugate(x, noise_std, prior_mean, prior_std):
    precision = prior_std**-2 + len(x) * noise_std**-2
    return (prior_mean * prior_std**-2 + x.sum() * noise_std**-2) / precision, precision**-0.5


def measurements(rng, n, noise, prior):
    """n values about 3, a prior about -1.5; `noise` and `prior` bound the two scales."""
    return {
        "x": normal(rng, n, shift=3.0),
        "noise_std": uniform(rng, *noise),
        "prior_mean": normal(rng, scale=0.2, shift=-1.5),
        "prior_std": uniform(rng, *prior),
    }


def conjugate_cases(rng):
    value_case = measurements(rng, 7, (1.4, 1.8), (0.5, 0.7))
    return {
        "value": value_case,
        "wide prior": measurements(rng, 4, (0.5, 0.7), (2.5, 3.5)),
        "float32": single(value_case),
        "one value": measurements(rng, 1, (1.4, 1.8), (0.5, 0.7)),
    }


def precision_with(prior_precision, data_precision):
    """A wrong answer: other precisions of the prior, and of all data, as functions of (n, s, t)."""

    def answer(x, s, m, t):
        a, b = prior_precision(len(x), s, t), data_precision(len(x), s, t)
        return (a * m + b * x.mean()) / (a + b), (a + b) ** -0.5

    return answer


def conjugate_with(mean=None, std=None):
    """A wrong answer: mean and std as functions of (x, noise_std, prior_mean, prior_std)."""

    def answer(x, s, m, t):
        right = conjugate(x, s, m, t)
        wrong = [f and f(x, s, m, t) for f in (mean, std)]
        return tuple(r if w is None else w for r, w in zip(right, wrong, strict=True))

    return answer


def std_of(x, s, m, t):
    return conjugate(x, s, m, t)[1]


CONJUGATE_MISTAKES = (
    Mistake("This is the variance; its square root is wanted.", conjugate_with(None, lambda *a: std_of(*a) ** 2)),
    Mistake("This is the precision; std is 1 / sqrt(precision).", conjugate_with(None, lambda *a: std_of(*a) ** -2)),
    Mistake("This is the square root of the precision; std is 1 over that.", conjugate_with(None, lambda *a: 1 / std_of(*a))),
    Mistake("The weighted sum is not divided by the precision.", conjugate_with(lambda x, s, m, t: m / t**2 + x.sum() / s**2)),
    Mistake("The prior's mean is not weighted by its precision.", conjugate_with(lambda x, s, m, t: std_of(x, s, m, t) ** 2 * (m + x.sum() / s**2))),
    Mistake("The prior's mean is left out: right for a prior about 0 alone.", conjugate_with(lambda x, s, m, t: conjugate(x, s, 0 * m, t)[0])),
    Mistake("n is forgotten: every observation adds 1/noise_std² of precision.", precision_with(lambda n, s, t: t**-2, lambda n, s, t: s**-2)),
    Mistake("n is forgotten in the precision: every observation adds 1/noise_std².", lambda x, s, m, t: ((m / t**2 + x.sum() / s**2) / (t**-2 + s**-2), (t**-2 + s**-2) ** -0.5)),
    Mistake("The mean of x stands where the sum belongs (or n is forgotten beside it).", conjugate_with(lambda x, s, m, t: (m / t**2 + x.mean() / s**2) / (t**-2 + len(x) * s**-2))),
    Mistake("noise_std and prior_std are not squared: a precision is 1/std².", precision_with(lambda n, s, t: 1 / t, lambda n, s, t: n / s)),
    Mistake("noise_std and prior_std are not squared: a precision is 1/std².", conjugate_with(None, lambda x, s, m, t: (1 / t + len(x) / s) ** -1)),
    Mistake("prior_std is not squared: a precision is 1/std².", precision_with(lambda n, s, t: 1 / t, lambda n, s, t: n / s**2)),
    Mistake("noise_std is not squared: a precision is 1/std².", precision_with(lambda n, s, t: t**-2, lambda n, s, t: n / s)),
    Mistake("n is squared.", precision_with(lambda n, s, t: t**-2, lambda n, s, t: n**2 / s**2)),
    Mistake("The prior is missing: this is the maximum-likelihood answer.", lambda x, s, m, t: (x.mean(), s / len(x) ** 0.5)),
    Mistake("The prior counts as one observation; it weighs noise_std²/prior_std² of them.", precision_with(lambda n, s, t: s**-2, lambda n, s, t: n / s**2)),
    Mistake("The weights of prior and data are swapped: the narrower one weighs more.", precision_with(lambda n, s, t: t**2, lambda n, s, t: s**2 / n)),
    Mistake("The weights of prior and data are swapped: the narrower one weighs more.", conjugate_with(lambda x, s, m, t: (m / (s**2 / len(x)) + x.mean() / t**2) / (t**-2 + len(x) / s**2))),
    Mistake("noise_std and prior_std are swapped.", lambda x, s, m, t: conjugate(x, t, m, s)),
    Mistake("This is the spread of the next observation; the posterior of θ itself is narrower.", conjugate_with(None, lambda x, s, m, t: (std_of(x, s, m, t) ** 2 + s**2) ** 0.5)),
    Mistake("Variances are added; precisions add.", conjugate_with(None, lambda x, s, m, t: (t**2 + s**2 / len(x)) ** 0.5)),
    Mistake("The spread of x stands where noise_std belongs.", lambda x, s, m, t: conjugate(x, x.std() if len(x) > 1 else s, m, t)),
    Mistake("This is the prior itself: x is not used.", lambda x, s, m, t: (m + 0 * x.sum(), t + 0 * s)),
    Mistake("The std is cut off the graph: keep noise_std and prior_std tensors.", conjugate_with(None, lambda *a: std_of(*a).detach())),
)  # fmt: skip

# ---------------------------------------------------------------- map_linear_regression


def ridge(features, targets, r):
    """(XᵀX + r I)⁻¹ Xᵀ y."""
    eye = torch.eye(features.shape[1], dtype=features.dtype, device=features.device)
    return torch.linalg.solve(features.T @ features + r * eye, features.T @ targets)


def map_weights(features, targets, noise_std, prior_std):
    return ridge(features, targets, (noise_std / prior_std) ** 2)


def regression(rng, n, d, noise, prior):
    features, w = normal(rng, n, d), normal(rng, d, shift=1.0)
    return {
        "features": features,
        "targets": features @ w + normal(rng, n),
        "noise_std": uniform(rng, *noise),
        "prior_std": uniform(rng, *prior),
    }


def map_cases(rng):
    value_case = regression(rng, 9, 4, (1.3, 1.8), (0.5, 0.8))
    return {
        "value": value_case,
        "weak prior": regression(rng, 8, 3, (0.5, 0.7), (1.4, 1.9)),
        "more weights than rows": regression(rng, 3, 5, (0.5, 0.7), (1.4, 1.9)),
        "float32": single(value_case),
        "one row": regression(rng, 1, 2, (1.3, 1.8), (0.5, 0.8)),
        "one feature": regression(rng, 6, 1, (1.3, 1.8), (0.5, 0.8)),
    }


def ridge_with(r):
    """A wrong answer: another ridge, a function of (noise_std, prior_std, n, d)."""
    return lambda X, y, s, t: ridge(X, y, r(s, t, *X.shape))


def unshrunk_first(X, y, s, t):
    penalty = torch.diag((torch.arange(X.shape[1]) > 0).to(X)) * (s / t) ** 2
    return torch.linalg.pinv(X.T @ X + penalty) @ X.T @ y


def standardised(X, y, s, t):
    return map_weights(X - X.mean(0), y - y.mean(), s, t)


MAP_MISTAKES = (
    Mistake("The prior is missing: this is the maximum-likelihood (least squares) answer.", lambda X, y, s, t: torch.linalg.pinv(X) @ y),
    Mistake("The ratio is inverted: the ridge is noise_std²/prior_std², so a wide prior shrinks little.", ridge_with(lambda s, t, n, d: t**2 / s**2)),
    Mistake("The ratio is not squared: the ridge is (noise_std/prior_std)².", ridge_with(lambda s, t, n, d: s / t)),
    Mistake("The ratio is not squared, and inverted: the ridge is (noise_std/prior_std)².", ridge_with(lambda s, t, n, d: t / s)),
    Mistake("noise_std is left out: right for unit noise alone.", ridge_with(lambda s, t, n, d: t**-2)),
    Mistake("noise_std is left out, and prior_std is not squared.", ridge_with(lambda s, t, n, d: 1 / t)),
    Mistake("prior_std is left out: right for a unit prior alone.", ridge_with(lambda s, t, n, d: s**2)),
    Mistake("prior_std stands where 1/prior_std belongs.", ridge_with(lambda s, t, n, d: s**2 * t**2)),
    Mistake("prior_std stands where 1/prior_std belongs.", ridge_with(lambda s, t, n, d: t**2)),
    Mistake("prior_std is not squared: the ridge is (noise_std/prior_std)².", ridge_with(lambda s, t, n, d: s**2 / t)),
    Mistake("noise_std is not squared: the ridge is (noise_std/prior_std)².", ridge_with(lambda s, t, n, d: s / t**2)),
    Mistake("The ratio is squared twice.", ridge_with(lambda s, t, n, d: (s / t) ** 4)),
    Mistake("The ridge carries a factor n: the log-likelihood is a sum over rows, not a mean.", ridge_with(lambda s, t, n, d: n * s**2 / t**2)),
    Mistake("The ridge is divided by n: the log-likelihood is a sum over rows, not a mean.", ridge_with(lambda s, t, n, d: s**2 / t**2 / n)),
    Mistake("The ridge is halved: both squares carry the same factor 1/2.", ridge_with(lambda s, t, n, d: s**2 / t**2 / 2)),
    Mistake("The ridge is doubled: both squares carry the same factor 1/2.", ridge_with(lambda s, t, n, d: 2 * s**2 / t**2)),
    Mistake("The ridge is 1: right where noise_std equals prior_std.", ridge_with(lambda s, t, n, d: 1.0)),
    Mistake("The ridge is added to every entry of XᵀX; it is a multiple of the identity.", lambda X, y, s, t: torch.linalg.solve(X.T @ X + (s / t) ** 2, X.T @ y)),
    Mistake("The first weight is not shrunk, as an intercept; there is none, and the prior holds for every weight.", unshrunk_first),
    Mistake("The ridge is subtracted.", ridge_with(lambda s, t, n, d: -(s**2) / t**2)),
    Mistake("The data are centred; the model has neither an intercept nor a mean to remove.", standardised),
    Mistake("The ridge is cut off the graph: keep noise_std and prior_std tensors.", ridge_with(lambda s, t, n, d: ((s / t) ** 2).detach())),
)  # fmt: skip

EXERCISES = (
    Exercise(
        "grid_posterior",
        3,
        SLIDE,
        cases=grid_cases,
        reference=grid,
        laws=(
            value("posterior", 0.75, ["posterior_density"], hint="p(θ|X) = p(X|θ) p(θ) / p(X), at every grid point."),
            value("evidence", 0.75, ["log_evidence"], hint="log p(X) = log(Σ_g p(X|θ_g) p(θ_g) step)."),
            gradient(0.5, ["log_prior", "log_likelihood"]),
            stable(0.5, ["posterior_density", "log_evidence"], ["extreme", "extreme high", "opposed"], "exp leaves the range of floats here: stay in log space (logsumexp), exponentiate last, and never the prior or the likelihood alone."),
            shapes(0.125, ["posterior_density", "log_evidence"], ["one point"]),
            *form(["posterior_density", "log_evidence"]),
        ),
        mistakes=GRID_MISTAKES,
    ),
    Exercise(
        "gaussian_mean_posterior",
        2,
        SLIDE,
        cases=conjugate_cases,
        reference=conjugate,
        laws=(
            value("mean", 0.625, ["mean"], ["value", "wide prior"], "mean = std² (prior_mean/prior_std² + Σ x_i/noise_std²)."),
            value("std", 0.5, ["std"], ["value", "wide prior"], "1/std² = 1/prior_std² + n/noise_std²."),
            gradient(0.375, ["x", "noise_std", "prior_mean", "prior_std"], ["value", "wide prior"]),
            shapes(0.125, ["mean", "std"], ["one value"]),
            *form(["mean", "std"]),
        ),
        mistakes=CONJUGATE_MISTAKES,
    ),
    Exercise(
        "map_linear_regression",
        3,
        MAP_SLIDE,
        cases=map_cases,
        reference=map_weights,
        laws=(
            value("value", 1.25, ["w"], ["value", "weak prior"], "w = (XᵀX + noise_std²/prior_std² I)⁻¹ Xᵀy."),
            value("more weights than rows", 0.5, ["w"], ["more weights than rows"], "XᵀX alone is singular here; with the prior there is one answer."),
            gradient(0.625, ["features", "targets", "noise_std", "prior_std"], ["value", "more weights than rows"]),
            shapes(0.25, ["w"], ["one row", "one feature"]),
            *form(["w"]),
        ),
        mistakes=MAP_MISTAKES,
    ),
)  # fmt: skip
