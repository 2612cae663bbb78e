"""The naive estimate of log p(x): average p(x|z) over samples of the prior."""

import math
from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor

from dgmlib._valid import (
    is_false,
    require_count,
    require_data,
    require_floats,
    require_no_nan,
    require_positive,
    require_scalar,
    require_shape,
    require_tensor,
)
from dgmlib.lvm._rows import mean


def naive_log_likelihood(
    x: Tensor, z: Tensor, log_likelihood: Callable[[Tensor, Tensor], Tensor], chunk: int = 256
) -> Tensor:
    """log (1/K) Σ_k p(x|z_k), z_k ~ p(z): unbiased before the log, biased low after it (Jensen).

    Shapes: x (n, m), z (K, d), `log_likelihood(x, z)` (K, n) for any number of rows of z; result (n,).
    Memory: what one chunk of rows of z needs. Raises ValueError where z has no row.
    Source: Lecture 3, "MLE for LVM" (naive approach).
    """
    require_tensor("x", x, ("n", "m"))
    require_data("z", z)
    require_count("chunk", chunk)
    sums = (torch.logsumexp(_of_pairs(log_likelihood(x, rows), x, rows), dim=0) for rows in z.split(chunk))
    estimate = reduce(torch.logaddexp, sums) - math.log(len(z))
    require_no_nan("log_likelihood(x, z)", estimate)
    return estimate


def _of_pairs(values: Tensor, x: Tensor, z: Tensor) -> Tensor:
    require_floats("log_likelihood(x, z)", values)
    require_shape("log_likelihood(x, z)", values, (len(z), len(x)))
    return values


def naive_gaussian_log_likelihood(x: Tensor, means: Tensor, sigma: float | Tensor, chunk: int = 1024) -> Tensor:
    """log (1/K) Σ_k N(x; means_k, sigma² I), by one matrix product a chunk of means (means_k = decoder(z_k)).

    ‖x - m‖² = ‖x‖² + ‖m‖² - 2 xᵀm, with x and m centred on the mean of x first, since the error of this form
    is a rounding of ‖x‖² + ‖m‖². Reference: `naive_log_likelihood`.

    Shapes: x (n, m), means (K, m), sigma (); result (n,). Cost: O(n K m). Memory: a copy of x, and one chunk,
    (n + m) chunk numbers, whatever K is.
    Raises ValueError where there is no mean, or x's dtype is too coarse for so small a sigma.
    Source: Lecture 3, "MLE for LVM" (naive approach).
    """
    require_tensor("x", x, ("n", "m"))
    require_data("means", means, x)
    require_count("chunk", chunk)
    sigma = require_scalar("sigma", sigma, x)
    require_positive("sigma", sigma)
    centre = mean(x if len(x) else means)
    x = (x - centre).div(sigma).to(sigma.dtype)
    log_sum, largest = x.new_full((len(x),), -torch.inf), x.new_zeros(())
    for rows in means.split(chunk):
        rows = (rows - centre).div(sigma).to(sigma.dtype)
        norm = rows.square().sum(-1, keepdim=True)
        log_sum = torch.logaddexp(log_sum, _log_sum_exp(torch.addmm(-norm / 2, rows, x.mT)))
        largest = torch.maximum(largest, norm.max())
    x_norm = x.square().sum(-1)
    log_sum = log_sum - x_norm / 2
    _require_precision(log_sum, x_norm + largest)
    return log_sum - math.log(len(means)) - x.shape[-1] * (sigma.log() + math.log(2 * math.pi) / 2)


def _log_sum_exp(exponents: Tensor) -> Tensor:
    """`logsumexp` over the first axis; e^-80 is below every rounding, and torch.exp 12 times slower below e^-87."""
    top = exponents.detach().amax(0)
    return top + (exponents - top).clamp_min(-80).exp().sum(0).log()


def _require_precision(log_sum: Tensor, magnitude: Tensor) -> None:
    """A rounding of ‖x‖² + ‖m‖² is below 1% of the answer, or of 1 nat."""
    error = torch.finfo(log_sum.dtype).eps * magnitude
    if is_false((error <= 0.01 * (1 + log_sum.abs())).logical_and(log_sum.isfinite()).all()):
        raise ValueError(
            f"sigma: expected a scale that {log_sum.dtype} resolves, got an error of up to "
            f"{float(error.max()):.2g} nats; pass float64, or use naive_log_likelihood."
        )
