"""Bayes' theorem three ways: on a grid, in closed form, and by its mode (MAP)."""

import torch
from torch import Tensor

from dgmlib._valid import require_positive, require_shape


def grid_posterior(log_prior: Tensor, log_likelihood: Tensor, step: float) -> tuple[Tensor, Tensor]:
    """p(θ|X) = p(X|θ) p(θ) / p(X) on a uniform grid, with p(X) ≈ Σ_g p(X|θ_g) p(θ_g) · step.

    Shapes: both inputs (..., G); results (..., G), a density, and (...), log p(X). Cost: O(G).
    The prior is taken as given, and all is done in log space: a log-likelihood of -10⁴ is no trouble.
    Raises ValueError where prior and likelihood share no point of the grid.
    Source: Lecture 3, "Bayesian Framework".

    >>> density, log_evidence = grid_posterior(torch.zeros(4), torch.full((4,), -1e4), 0.25)
    >>> density.tolist(), float(log_evidence)
    ([1.0, 1.0, 1.0, 1.0], -10000.0)
    """
    require_positive("step", step)
    require_shape("log_likelihood", log_likelihood, (..., log_prior.shape[-1]))
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, -1) + torch.as_tensor(step).to(log_joint).log()
    if not bool(log_evidence.isfinite().all()):
        raise ValueError(
            f"log_prior + log_likelihood: expected a finite evidence, got {log_evidence.tolist()}; widen the "
            "grid until prior and likelihood overlap on it, and look for nan or +inf in the inputs."
        )
    return (log_joint - log_evidence.unsqueeze(-1)).exp(), log_evidence


def gaussian_mean_posterior(
    x: Tensor, noise_std: float | Tensor, prior_mean: float | Tensor, prior_std: float | Tensor
) -> tuple[Tensor, Tensor]:
    """(mean, std) of p(θ|X) for x_i ~ N(θ, noise_std²), θ ~ N(prior_mean, prior_std²).

    1/std² = 1/prior_std² + n/noise_std²,   mean = std² (prior_mean/prior_std² + Σ x_i/noise_std²),
    written with r = (noise_std/prior_std)², the number of observations that the prior is worth, so that no
    square of a large or small scale is formed alone. n = 0 gives the prior back.

    Shapes: x (..., n); results (...). Cost: O(n). Raises ValueError for a scale that is not above 0.
    Source: Lecture 3, "Bayesian Framework"; Bishop, eq. 2.141-2.142.
    """
    require_positive("noise_std", noise_std)
    require_positive("prior_std", prior_std)
    noise_std, prior_mean, prior_std = (torch.as_tensor(s).to(x) for s in (noise_std, prior_mean, prior_std))
    count = x.shape[-1] + (noise_std / prior_std).square()
    return prior_mean + (x - prior_mean.unsqueeze(-1)).sum(-1) / count, (noise_std / count.sqrt()).expand(x.shape[:-1])


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
    require_positive("noise_std", noise_std)
    require_positive("prior_std", prior_std)
    *batch, n, d = features.shape
    require_shape("targets", targets, (..., n))
    noise_std, prior_std = (torch.as_tensor(s).to(features) for s in (noise_std, prior_std))
    eye = torch.eye(d, dtype=features.dtype, device=features.device)
    prior_rows = (noise_std / prior_std * eye).expand(*batch, d, d)
    Q, R = torch.linalg.qr(torch.cat([features, prior_rows], dim=-2))
    _require_full_rank(R)
    root = torch.linalg.solve_triangular(R, eye.expand_as(R), upper=True)  # R⁻¹
    projected = Q[..., :n, :].mT @ targets.unsqueeze(-1)
    mean = torch.linalg.solve_triangular(R, projected, upper=True).squeeze(-1)
    return mean, noise_std.square() * root @ root.mT


def _require_full_rank(R: Tensor) -> None:
    """Every pivot of R is above the rounding of the largest."""
    pivots = R.diagonal(dim1=-2, dim2=-1).abs()
    rounding = R.shape[-1] * torch.finfo(R.dtype).eps * pivots.amax(-1, keepdim=True)
    if not bool((pivots > rounding).all()):
        raise ValueError(
            f"features: expected finite columns that are independent in {R.dtype}, got pivots {pivots.tolist()}; "
            "drop repeated columns, pass float64, or lower prior_std / noise_std."
        )
