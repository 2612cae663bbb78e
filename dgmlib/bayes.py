"""Bayes' theorem three ways: on a grid, in closed form, and by its mode (MAP)."""

import torch
from torch import Tensor

from dgmlib._valid import (
    is_false,
    require_broadcast,
    require_event,
    require_finite,
    require_positive,
    require_scalar,
    require_tensor,
)


def grid_posterior(log_prior: Tensor, log_likelihood: Tensor, step: float | Tensor) -> tuple[Tensor, Tensor]:
    """p(θ|X) = p(X|θ) p(θ) / p(X) on a uniform grid, with p(X) ≈ Σ_g p(X|θ_g) p(θ_g) · step.

    Shapes: both inputs (..., G); results (..., G), a density, and (...), log p(X). Cost: O(G).
    The prior is taken as given, and all is done in log space: a log-likelihood of -10⁴ is no trouble.
    Raises ValueError where prior and likelihood share no point of the grid.
    Source: Lecture 3, "Bayesian Framework".

    >>> density, log_evidence = grid_posterior(torch.zeros(4), torch.full((4,), -1e4), 0.25)
    >>> density.tolist(), float(log_evidence)
    ([1.0, 1.0, 1.0, 1.0], -10000.0)
    """
    require_event("log_prior", log_prior)
    require_event("log_likelihood", log_likelihood, log_prior.shape[-1], log_prior)
    require_broadcast(log_prior=log_prior, log_likelihood=log_likelihood)
    step = require_scalar("step", step, log_prior)
    require_positive("step", step)
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, -1) + step.log()
    if is_false(log_evidence.isfinite().all()):
        raise ValueError(
            f"log_prior + log_likelihood: expected a finite evidence, got {log_evidence.tolist()}; widen the "
            "grid until prior and likelihood overlap on it, and look for nan or +inf in the inputs."
        )
    return (log_joint - log_evidence.unsqueeze(-1)).exp(), log_evidence


def gaussian_mean_posterior(
    x: Tensor, noise_std: float | Tensor, prior_mean: float | Tensor, prior_std: float | Tensor
) -> tuple[Tensor, Tensor]:
    """(mean, std) of p(θ|X) for x_i ~ N(θ, noise_std²), θ ~ N(prior_mean, prior_std²).

    mean = prior_mean + Σ (x_i - prior_mean)/(n + r),   std = noise_std/√(n + r),   r = (noise_std/prior_std)²,
    the number of observations that the prior is worth. It is Bishop's 1/std² = 1/prior_std² + n/noise_std²,
    mean = std² (prior_mean/prior_std² + Σ x_i/noise_std²), without the square of a scale alone, which may overflow.
    n = 0 gives the prior back.

    Shapes: x (..., n), the scales and prior_mean () or (...); results (...). Cost: O(n).
    Raises ValueError for a scale that is not above 0, and for x that is not finite.
    Source: Lecture 3, "Bayesian Framework"; Bishop, eq. 2.141-2.142.
    """
    require_tensor("x", x, (..., "n"))
    given = {"noise_std": noise_std, "prior_mean": prior_mean, "prior_std": prior_std}
    noise_std, prior_mean, prior_std = (_require_parameter(name, value, x) for name, value in given.items())
    require_positive("noise_std", noise_std)
    require_positive("prior_std", prior_std)
    count = x.shape[-1] + (noise_std / prior_std).square()
    mean = prior_mean + (x - prior_mean.unsqueeze(-1)).sum(-1) / count
    require_finite("x, prior_mean", mean)
    return mean, (noise_std / count.sqrt()).expand(x.shape[:-1])


def _require_parameter(name: str, value: float | Tensor, x: Tensor) -> Tensor:
    """A number, or one for each batch of x (..., n), in x's dtype."""
    if not isinstance(value, Tensor) or value.dim() == 0:
        return require_scalar(name, value, x)
    require_tensor(name, value, tuple(x.shape[:-1]), x)
    return value


def map_linear_regression(
    features: Tensor, targets: Tensor, noise_std: float | Tensor, prior_std: float | Tensor
) -> Tensor:
    """argmax_w log p(w|X, y) for y ~ N(X w, noise_std² I), w ~ N(0, prior_std² I): ridge regression.

    w = argmin ‖y - X w‖²/noise_std² + ‖w‖²/prior_std², by QR: the normal equations would
    square the condition number.

    Shapes: features (..., n, d), targets (..., n); result (..., d). Cost: O(n d²).
    Raises ValueError for a scale that is not above 0. Source: Lecture 3, "Bayesian Framework" (MAP).
    """
    return linear_regression_posterior(features, targets, noise_std, prior_std)[0]


def linear_regression_posterior(
    features: Tensor, targets: Tensor, noise_std: float | Tensor, prior_std: float | Tensor
) -> tuple[Tensor, Tensor]:
    """N(mean, covariance) = p(w|X, y) for y ~ N(X w, noise_std² I), w ~ N(0, prior_std² I).

    covariance = noise_std² (XᵀX + r I)⁻¹,  mean = (XᵀX + r I)⁻¹ Xᵀy,  r = (noise_std/prior_std)².
    With [X; √r I] = Q R, XᵀX + r I = RᵀR: the prior counts as d more observations of value 0.

    Shapes: features (..., n, d), targets (..., n); results (..., d), (..., d, d). Cost: O(n d²).
    Raises ValueError for a scale that is not above 0, and for columns of X that depend on each other under a
    prior too wide to tell. Source: Bishop, eq. 3.53-3.54.
    """
    require_tensor("features", features, (..., "n", "d"))
    *batch, n, d = features.shape
    require_tensor("targets", targets, (*batch, n), features)
    noise_std, prior_std = (
        require_scalar("noise_std", noise_std, features),
        require_scalar("prior_std", prior_std, features),
    )
    require_positive("noise_std", noise_std)
    require_positive("prior_std", prior_std)
    eye = torch.eye(d, dtype=features.dtype, device=features.device)
    prior_rows = (noise_std / prior_std * eye).expand(*batch, d, d)
    Q, R = torch.linalg.qr(torch.cat([features, prior_rows], dim=-2))
    _require_full_rank(R)
    root = torch.linalg.solve_triangular(R, eye.expand_as(R), upper=True)  # R⁻¹
    projected = Q[..., :n, :].mT @ targets.unsqueeze(-1)
    mean = torch.linalg.solve_triangular(R, projected, upper=True).squeeze(-1)
    require_finite("targets", mean)
    return mean, noise_std.square() * root @ root.mT


def _require_full_rank(R: Tensor) -> None:
    """Every pivot of R is above the rounding of the largest."""
    pivots = R.diagonal(dim1=-2, dim2=-1).abs()
    rounding = R.shape[-1] * torch.finfo(R.dtype).eps * pivots.amax(-1, keepdim=True)
    if is_false((pivots > rounding).all()):
        raise ValueError(
            f"features: expected finite columns that are independent in {R.dtype}, got pivots {pivots.tolist()}; "
            "drop repeated columns, pass float64, or lower prior_std / noise_std."
        )
