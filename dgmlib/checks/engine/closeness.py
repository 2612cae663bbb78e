"""When two outputs count as equal, and how a number is written.

Numbers are compared with a tolerance of the expected dtype, relative to the size of the whole output: 1e-8 in float64,
1e-3 in float32, far above what another order of the same operations costs and far below any mistake. A value law may
give its outputs another one. All entries may be off by the same 1e-6: a constant such as torch.tensor(2 * torch.pi).log()
is one in float32, and a right one.
"""

import torch
from torch import Tensor

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-3}
CONSTANT = SINGLE = 1e-6
BELOW_DOUBLE = (torch.float32, torch.float16, torch.bfloat16)
NUMBERS = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.bool)


def close(want: Tensor, got: Tensor, tolerance: float = 0.0) -> bool:
    """Equal shapes, and equal numbers up to the tolerance of the expected dtype."""
    if want.shape != got.shape or got.dtype not in NUMBERS:
        return False
    coarse = SINGLE if got.dtype in BELOW_DOUBLE else 0.0  # the law of dtype says that, and takes its points alone
    want, got, most = want.double(), got.double(), bound(want, max(tolerance, coarse))
    return torch.allclose(got, want, rtol=0, atol=most, equal_nan=True) or shifted(want, got, most)


def shifted(want: Tensor, got: Tensor, most: float) -> bool:
    """Whether the entries are off by one number alone, as a constant in float32 is."""
    gap = got - want
    off = gap.mean()
    return bool((gap - off).abs().le(most).all()) and float(off.abs()) <= bound(want, CONSTANT)


def bound(want: Tensor, tolerance: float = 0.0) -> float:
    """The tolerance: relative to the largest expected number."""
    finite = want.double()[want.double().isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    return max(TOLERANCE.get(want.dtype, 0.0), tolerance) * max(size, 1e-3)


def first(tensor: Tensor, where: Tensor) -> str:
    """The first marked entry, with its place."""
    if tensor.ndim == 0:
        return brief(tensor)
    place = tuple(int(i) for i in where.nonzero()[0])
    return f"{brief(tensor[place])} at {list(place)}"


def brief(number: Tensor) -> str:
    return " ".join(f"{float(entry):.5g}" for entry in number.reshape(-1)[:12])
