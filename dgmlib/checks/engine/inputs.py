"""Random inputs for checks, drawn with numpy so that a seed gives the same numbers on every machine."""

import numpy as np
import torch
from torch import Tensor

Rng = np.random.Generator


def normal(rng: Rng, *shape: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
    """N(shift, scale²) numbers, float64."""
    return torch.as_tensor(shift + scale * rng.standard_normal(shape), dtype=torch.float64)


def uniform(rng: Rng, low: float, high: float, *shape: int) -> Tensor:
    return torch.as_tensor(rng.uniform(low, high, shape), dtype=torch.float64)


def rotation(rng: Rng, m: int) -> Tensor:
    """An orthogonal matrix, of either determinant."""
    return torch.linalg.qr(normal(rng, m, m)).Q


def regular(rng: Rng, m: int, low: float = 0.5, high: float = 2.0) -> Tensor:
    """An invertible matrix with singular values between `low` and `high`."""
    return rotation(rng, m) @ torch.diag(uniform(rng, low, high, m)) @ rotation(rng, m)


def covariance(rng: Rng, m: int, low: float = 0.3, high: float = 2.0) -> Tensor:
    """A full symmetric positive definite matrix with eigenvalues between `low` and `high`."""
    Q = rotation(rng, m)
    matrix = Q @ torch.diag(uniform(rng, low, high, m)) @ Q.T
    return (matrix + matrix.T) / 2


def single(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same numbers in float32; integers stay."""
    return {name: value.float() if value.is_floating_point() else value for name, value in arrays.items()}
