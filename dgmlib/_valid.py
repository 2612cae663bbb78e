"""Input checks shared by the library: each raises a ValueError with name, expected, got and remedy.

The checks of values (not of shapes) read one number back from the device, so they stand at the boundary of a
function or in a constructor, never inside a loop over samples.
"""

import torch
from torch import Tensor


def require_samples(name: str, samples: Tensor) -> None:
    """At least one row: a mean over none is undefined."""
    if samples.dim() == 0 or samples.shape[:-1].numel() == 0 or len(samples) == 0:
        raise ValueError(f"{name}: expected at least one sample, got {tuple(samples.shape)}; pass or draw some.")


def require_shape(name: str, tensor: Tensor, expected: tuple[int | None, ...]) -> None:
    """The last axes of `tensor` are `expected`, where None stands for any size."""
    got = tuple(tensor.shape)
    tail = got[-len(expected) :] if expected else ()
    matches = len(tail) == len(expected) and all(e in (None, t) for e, t in zip(expected, tail, strict=True))
    if not matches:
        wanted = ", ".join("any" if e is None else str(e) for e in expected)
        raise ValueError(f"{name}: expected shape (..., {wanted}), got {got}; the last axes hold one event.")


def require_finite(name: str, values: Tensor) -> None:
    """No nan and no infinity in `values`, or in what was computed from `name`."""
    if not bool(values.isfinite().all()):
        raise ValueError(f"{name}: expected finite numbers, got nan or infinity; drop or fill those rows.")


def require_positive(name: str, value: float | Tensor) -> None:
    """Every entry of `value` is a finite number above 0."""
    value = torch.as_tensor(value)
    if not bool(((value > 0) & value.isfinite()).all()):
        raise ValueError(f"{name}: expected finite numbers above 0, got {value.tolist()}; a zero scale has no density.")


def cholesky(name: str, matrix: Tensor) -> Tensor:
    """L with L Lᵀ = `matrix`, (..., m, m); a singular or indefinite matrix is an error, not a nan.

    A pivot L_ii² is the variance of coordinate i given those before it. Below a few roundings of `matrix_ii`
    it is rounding alone, and the matrix is singular to its own precision. L is float64: the matrix is small,
    and its condition number multiplies every rounding.
    """
    require_shape(name, matrix, (matrix.shape[-1], matrix.shape[-1]))
    scale_tril, info = torch.linalg.cholesky_ex(matrix.double())
    pivots = scale_tril.diagonal(dim1=-2, dim2=-1).square()
    rounding = 4 * matrix.shape[-1] * torch.finfo(matrix.dtype).eps * matrix.diagonal(dim1=-2, dim2=-1)
    bad = (info != 0) | ~(pivots > rounding).all(-1)
    if bool(bad.any()):
        where = "" if matrix.dim() == 2 else f" at index {bad.nonzero()[0].tolist()}"
        raise ValueError(
            f"{name}: expected positive definite matrices, got a singular or indefinite one{where}; drop "
            "linearly dependent features, or add a small multiple of the identity."
        )
    return scale_tril
