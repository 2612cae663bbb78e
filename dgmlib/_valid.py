"""The one home of boundary checks: each `require_*` raises a ValueError with name, expected, got and remedy.

Types, dtypes, devices and ranks are known without reading the data, so every public function checks them.
Values are read, one number for each check, where a model is made, where data are fitted, and on the small result
of a decomposition; never inside a loop over samples. What costs a pass over a result (`require_no_nan`) is read on
a CPU alone: on a GPU it would wait for the device. Where values cannot be read, under torch.compile, torch.export,
vmap or on the meta device, checks of values pass.
"""

from collections.abc import Sized
from numbers import Integral, Real
from types import EllipsisType
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

Size = int | str | EllipsisType  # a size, a name for any size, or any leading axes

FLOATS = (torch.float32, torch.float64)


def require_tensor(name: str, value: Any, shape: tuple[Size, ...], like: Tensor | None = None) -> None:
    """A float32 or float64 tensor of that shape, of the dtype and on the device of `like` where one is given."""
    require_floats(name, value, like)
    require_shape(name, value, shape)
    require_no_autocast(name, value)


def require_no_autocast(name: str, value: Tensor) -> None:
    """No autocast around products of float32, which it would round to 8 bits; it leaves float64 alone."""
    device = value.device.type
    if value.dtype == torch.float32 and not value.is_meta and torch.is_autocast_enabled(device):
        raise ValueError(
            f"{name}: expected torch.float32 outside of autocast, got autocast to {torch.get_autocast_dtype(device)}; "
            f'wrap the call in torch.autocast("{device}", enabled=False), or pass float64.'
        )


def require_floats(name: str, value: Any, like: Tensor | None = None) -> None:
    """A float32 or float64 tensor, of the dtype and on the device of `like` where one is given."""
    if not isinstance(value, Tensor):
        raise ValueError(f"{name}: expected a torch.Tensor, got {type(value).__name__}; torch.tensor(...) makes one.")
    if value.dtype not in FLOATS:
        remedy = "take its real part or its absolute value" if value.is_complex() else "convert with .float()"
        raise ValueError(f"{name}: expected torch.float32 or torch.float64, got {value.dtype}; {remedy}.")
    if like is not None and (value.dtype, value.device) != (like.dtype, like.device):
        wanted, got = f"{like.dtype} on {like.device}", f"{value.dtype} on {value.device}"
        raise ValueError(f"{name}: expected {wanted} like the other inputs, got {got}; convert with .to.")


def require_shape(name: str, tensor: Tensor, shape: tuple[Size, ...]) -> None:
    """The shape is `shape`: `(..., 2)` has any leading axes; a name stands for any size above 0, and "n" for 0 too."""
    if _matches(tensor.shape, shape):
        return
    got, wanted = tuple(tensor.shape), ", ".join("..." if size is ... else str(size) for size in shape)
    remedy = "the last axis holds one event; unsqueeze, transpose or slice until it fits"
    if len(got) == 1 and len(shape) == 2 and ... not in shape:
        remedy = f"{name}.unsqueeze(-1) makes a column of it, {name}.unsqueeze(0) a row"
    raise ValueError(f"{name}: expected shape ({wanted}{',' * (len(shape) == 1)}), got {got}; {remedy}.")


def _matches(got: tuple[int, ...], shape: tuple[Size, ...]) -> bool:
    if shape and shape[0] is ...:
        shape = shape[1:]
        got = got[max(len(got) - len(shape), 0) :]
    return len(got) == len(shape) and all(
        g == size if isinstance(size, int) else g > 0 or size == "n" for g, size in zip(got, shape, strict=True)
    )


def require_event(name: str, value: Any, features: int | None = None, like: Tensor | None = None) -> None:
    """`require_tensor` for the shape `(..., features)`, quick: every layer of a flow asks."""
    require_floats(name, value, like)
    if value.dim() == 0 or value.shape[-1] == 0 or features not in (None, value.shape[-1]):
        require_shape(name, value, (..., "m" if features is None else features))
    require_no_autocast(name, value)


def require_affine(result: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """A conditioner's `result` is (mu, log_sigma), both of x's shape: a broadcast would make the log_det wrong."""
    mu, log_sigma = result if isinstance(result, tuple | list) and len(result) == 2 else (result, None)
    if not isinstance(mu, Tensor) or not isinstance(log_sigma, Tensor):
        raise ValueError(f"conditioner: expected two tensors, got {type(result).__name__}; return (mu, log_sigma).")
    if mu.shape != x.shape or log_sigma.shape != x.shape:
        raise ValueError(
            f"conditioner: expected mu and log_sigma of shape {tuple(x.shape)}, got {tuple(mu.shape)} and "
            f"{tuple(log_sigma.shape)}; give one mu and one log_sigma for each column that is transformed."
        )
    return mu, log_sigma


def require_bijection(name: str, f: Any) -> None:
    """A module with a `forward` and an `inverse`."""
    if not isinstance(f, nn.Module) or not callable(getattr(f, "inverse", None)):
        raise ValueError(
            f"{name}: expected a module with forward and inverse, got {type(f).__name__}; "
            "subclass dgmlib.flows.Bijection."
        )


def require_base(base: Any) -> None:
    """log_prob and sample; of a distribution of torch, one whose event is a vector."""
    if not callable(getattr(base, "log_prob", None)) or not callable(getattr(base, "sample", None)):
        raise ValueError(f"base: expected log_prob and sample, got {type(base).__name__}; StandardNormal(m) has both.")
    if isinstance(base, Distribution) and (len(base.event_shape) != 1 or base.batch_shape):
        got = f"event_shape {tuple(base.event_shape)}, batch_shape {tuple(base.batch_shape)}"
        raise ValueError(
            f"base: expected one distribution over vectors (m,), got {got}; torch.distributions.Independent(base, 1) "
            "makes a vector of a batch of numbers, StandardNormal(m) is N(0, I)."
        )


def require_broadcast(**tensors: Tensor) -> None:
    """The batch axes, all but the last, broadcast against each other."""
    shapes = {name: tuple(tensor.shape[:-1]) for name, tensor in tensors.items()}
    try:
        torch.broadcast_shapes(*shapes.values())
    except RuntimeError:
        got = " and ".join(f"{shape} of {name}" for name, shape in shapes.items())
        raise ValueError(
            f"{', '.join(shapes)}: expected leading axes that broadcast, got {got}; each is one axis per batch."
        ) from None


def require_samples(name: str, samples: Tensor) -> None:
    """At least one row: a mean over none is undefined."""
    if samples.dim() == 0 or samples.shape[:-1].numel() == 0 or len(samples) == 0:
        raise ValueError(f"{name}: expected at least one sample, got {tuple(samples.shape)}; pass or draw some.")


def require_data(name: str, x: Any, like: Tensor | None = None) -> None:
    """Rows `(n, m)`, at least one, of as many columns as `like`, (..., m), has."""
    require_tensor(name, x, ("n", "m" if like is None else like.shape[-1]), like)
    require_samples(name, x)


def require_count(
    name: str, number: Any, least: int = 1, most: int | None = None, remedy: str = "pass a whole number"
) -> None:
    """A whole number of at least `least`, and at most `most` where it is given; True and 2.0 are none."""
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    if not whole or number < least or (most is not None and not number <= most):
        limits = f"at least {least}" + ("" if most is None else f" and at most {most}")
        raise ValueError(f"{name}: expected {limits}, a whole number, got {number!r}; {remedy}.")


def require_scalar(name: str, value: Any, like: Tensor) -> Tensor:
    """A real number as a 0-dimensional tensor of the dtype and on the device of `like`."""
    if isinstance(value, bool) or not isinstance(value, Real | Tensor):
        raise ValueError(
            f"{name}: expected a number, got {type(value).__name__}; pass a float or a tensor of shape ()."
        )
    if isinstance(value, Tensor):
        require_floats(name, value)
        require_shape(name, value, ())
    return torch.as_tensor(value).to(like)


def require_finite(name: str, values: Tensor) -> None:
    """No nan and no infinity in `values`, or in what was computed from `name`."""
    if is_false(values.detach().isfinite().all()):
        raise ValueError(f"{name}: expected finite numbers, got nan or infinity; drop or fill those rows.")


def require_no_nan(name: str, result: Tensor) -> None:
    """No nan in the result of `name`; one pass over the result, so on a CPU alone. Its sum is nan if an entry is."""
    if result.device.type == "cpu" and is_false(~result.detach().sum().isnan()) and is_false(~result.isnan().any()):
        raise ValueError(f"{name}: expected finite numbers, got nan or infinity; drop or fill those rows.")


def require_spread(name: str, value: Any) -> None:
    """A finite number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, Real) or value < 0 or not value < float("inf"):
        raise ValueError(f"{name}: expected a finite number, 0 or more, got {value!r}; a width is never negative.")


def require_positive(name: str, value: float | Tensor) -> None:
    """Every entry of `value` is a finite number above 0."""
    value = torch.as_tensor(value).detach()
    if is_false(((value > 0) & value.isfinite()).all()):
        raise ValueError(f"{name}: expected finite numbers above 0, got {value.tolist()}; a zero scale has no density.")


def require_positive_definite(name: str, matrix: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """L with L Lᵀ = `matrix`, (..., m, m); a singular or indefinite matrix is an error, not a nan.

    A pivot L_ii² is the variance of coordinate i given those before it. Below a few roundings of `matrix_ii`,
    in `dtype` or that of the matrix, it is rounding alone, and the matrix is singular to that precision.
    L is float64: the matrix is small, and its condition number multiplies every rounding.
    """
    scale_tril, info = torch.linalg.cholesky_ex(matrix.double())
    pivots = scale_tril.detach().diagonal(dim1=-2, dim2=-1).square()
    rounding = (
        4 * matrix.shape[-1] * torch.finfo(dtype or matrix.dtype).eps * matrix.detach().diagonal(dim1=-2, dim2=-1)
    )
    good = (info == 0) & (pivots > rounding).all(-1)
    if is_false(good.all()):
        where = "" if matrix.dim() == 2 else f" at index {(~good).nonzero()[0].tolist()}"
        raise ValueError(
            f"{name}: expected positive definite matrices, got a singular or indefinite one{where}; drop "
            "linearly dependent features, or add a small multiple of the identity."
        )
    return scale_tril


def require_points(name: str, x: Any) -> None:
    """Finite points of the plane, `(n, 2)`: a figure leaves out what is not finite, without a word."""
    if not isinstance(x, Tensor):
        raise ValueError(f"{name}: expected a torch.Tensor, got {type(x).__name__}; torch.tensor(...) makes one.")
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"{name}: expected points of the plane (n, 2), got {tuple(x.shape)}; choose two columns.")
    require_finite(name, x)


def require_some(name: str, values: Sized) -> None:
    """At least one thing to draw."""
    if len(values) == 0:
        raise ValueError(f"{name}: expected at least one, got none; name what to draw.")


def is_false(condition: Tensor) -> bool:
    """Whether `condition` is known to be False: under torch.compile, torch.export, vmap or on meta nothing is."""
    if torch.compiler.is_compiling():
        return False
    try:
        return not bool(condition)
    except RuntimeError:  # vmap and meta have no public test
        return False
