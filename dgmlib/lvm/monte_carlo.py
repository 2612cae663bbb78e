"""The naive estimate of log p(x): average p(x|z) over samples of the prior."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dgmlib._valid import require_positive, require_samples, require_shape


def naive_log_likelihood(
    x: Tensor, z: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor], chunk: int = 256
) -> Tensor:
    """log (1/K) Σ_k p(x|z_k), z_k ~ p(z): unbiased before the log, biased low after it (Jensen).

    Shapes: x (n, m), z (K, d), `log_likelihood(x, z)` (K, n) for any number of rows of z; result (n,).
    Memory: what one chunk of rows of z needs. Raises ValueError where z has no row.
    Source: Lecture 3, "MLE for LVM" (naive approach).
    """
    require_samples("z", z)
    sums = [torch.logsumexp(log_likelihood(x, rows), dim=0) for rows in z.split(chunk)]
    return torch.logsumexp(torch.stack(sums), dim=0) - math.log(len(z))


def naive_gaussian_log_likelihood(x: Tensor, means: Tensor, sigma: float | Tensor, chunk: int = 1024) -> Tensor:
    """log (1/K) Σ_k N(x; means_k, sigma² I), by one matrix product a chunk of means (means_k = decoder(z_k)).

    ‖x - m‖² = ‖x‖² + ‖m‖² - 2 xᵀm, with x and m centred on the mean of x first, since the error of this form
    is a rounding of ‖x‖² + ‖m‖². Reference: `naive_log_likelihood`.

    Shapes: x (n, m), means (K, m), sigma (); result (n,). Cost: O(n K m); memory: O(n chunk).
    Raises ValueError where there is no mean, or x's dtype is too coarse for so small a sigma.
    Source: Lecture 3, "MLE for LVM" (naive approach).
    """
    require_samples("means", means)
    require_shape("means", means, (x.shape[-1],))
    require_positive("sigma", sigma)
    sigma = torch.as_tensor(sigma).to(x)
    centre = x.mean(0, dtype=torch.float64) if len(x) else means.mean(0, dtype=torch.float64)
    x, means = (((rows - centre) / sigma).to(x.dtype) for rows in (x, means))
    x_norm, mean_norm = x.square().sum(-1), means.square().sum(-1)
    sums = [
        torch.logsumexp(torch.addmm(-norm.unsqueeze(-1) / 2, rows, x.mT), dim=0)
        for rows, norm in zip(means.split(chunk), mean_norm.split(chunk), strict=True)
    ]
    log_sum = torch.logsumexp(torch.stack(sums), dim=0) - x_norm / 2
    _require_precision(log_sum, x_norm + mean_norm.max())
    return log_sum - math.log(len(means)) - x.shape[-1] * (sigma.log() + math.log(2 * math.pi) / 2)


def _require_precision(log_sum: Tensor, magnitude: Tensor) -> None:
    """A rounding of ‖x‖² + ‖m‖² is below 1% of the answer, or of 1 nat."""
    error = torch.finfo(log_sum.dtype).eps * magnitude
    if not bool((error <= 0.01 * (1 + log_sum.abs())).logical_and(log_sum.isfinite()).all()):
        raise ValueError(
            f"sigma: expected a scale that {log_sum.dtype} resolves, got an error of up to "
            f"{float(error.max()):.2g} nats; pass float64, or use naive_log_likelihood."
        )
