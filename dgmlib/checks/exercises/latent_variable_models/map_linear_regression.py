"""`map_linear_regression`: the mode of the posterior in closed form."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, shapes, single, uniform, value


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


def cases(rng):
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


MISTAKES = (
    Mistake("XᵀX is divided by noise_std² and Xᵀy is not: one scale for both.", lambda X, y, s, t: map_weights(X, y, s, t) * s**2),
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
    Mistake("These are the predictions X w; the weights w are wanted.", lambda X, y, s, t: X @ map_weights(X, y, s, t)),
    Mistake("Xᵀy is divided by noise_std² and XᵀX is not: one scale for both.", lambda X, y, s, t: ridge(X, y / s**2, 1 / t**2)),
    Mistake("Least squares is shrunk afterwards, by one number for all weights; the ridge stands inside the inverse.", lambda X, y, s, t: torch.linalg.pinv(X) @ y / (1 + (s / t) ** 2)),
    Mistake("The ridge multiplies the diagonal of XᵀX; it is added to it: a multiple of the identity.", lambda X, y, s, t: torch.linalg.solve(X.T @ X + (s / t) ** 2 * torch.diag((X.T @ X).diagonal()), X.T @ y)),
    Mistake("Each weight is shrunk towards 0 and cut off there, as for a Laplace prior; the prior is Gaussian.", lambda X, y, s, t: (lambda w: w.sign() * (w.abs() - (s / t) ** 2).clamp_min(0))(torch.linalg.pinv(X) @ y)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Maximum a Posteriori (MAP) Estimation",
    call="features, targets, noise_std, prior_std",
    returns="w",
    cases=cases,
    reference=map_weights,
    laws=(
        value("value", "w = (XᵀX + noise_std²/prior_std² I)⁻¹ Xᵀy.", cases=["value", "weak prior"]),
        value(
            "more weights than rows",
            "XᵀX alone is singular here; with the prior there is one answer.",
            cases=["more weights than rows"],
            weight=0.5,
        ),
        gradient(0.625, cases=["value", "more weights than rows"]),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
