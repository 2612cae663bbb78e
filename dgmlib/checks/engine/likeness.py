"""What a wrong output has in common with the right one, in words, whatever the exercise."""

import math

import torch
from torch import Tensor

from .closeness import SINGLE, bound, brief, close

FACTORS = {
    "The sign is flipped: every entry is minus the right one.": -1.0,
    "Every entry is twice the right one.": 2.0,
    "Every entry is half the right one.": 0.5,
    "The logarithm has base 10; logarithms are natural here.": 1 / math.log(10),
    "The logarithm has base 2; logarithms are natural here.": 1 / math.log(2),
}


FUNCTIONS = {
    "This is the exponential of the right one.": torch.exp,
    "This is the logarithm of the right one.": torch.log,
    "This is the square of the right one.": torch.square,
    "This is the square root of the right one.": torch.sqrt,
    "This is one over the right one.": torch.reciprocal,
    "This is the absolute value of the right one.": torch.abs,
}
ROWS = {
    "Every row holds the mean over the rows; each has its own.": lambda want: want.mean(0).expand_as(want),
    "Every row holds the sum over the rows; each has its own.": lambda want: want.sum(0).expand_as(want),
    "Every row holds the first row's; each has its own.": lambda want: want[:1].expand_as(want),
    "The rows stand in the reversed order.": lambda want: want.flip(0),
    "This is a running sum over the rows.": lambda want: want.cumsum(0),
    "The rows stand one place further on.": lambda want: want.roll(1, 0),
    "The rows stand one place too early.": lambda want: want.roll(-1, 0),
}
MATRICES = {
    "The two last axes are swapped: the matrix stands transposed.": lambda want: want.mT,
    "Only the diagonal is there; off it stand zeros.": lambda want: torch.diag_embed(want.diagonal(dim1=-2, dim2=-1)),
    "This is the inverse of the right one.": torch.linalg.pinv,
    "This is a Cholesky factor of the right one.": lambda want: torch.linalg.cholesky_ex(want).L,
}


def alike(want: Tensor, got: Tensor, tolerance: float = 0.0) -> str:
    """What every exercise's wrong outputs may have in common with the right one, in words; else an empty string."""
    if got.shape != want.shape:
        return other_shape(tuple(want.shape), tuple(got.shape))
    if want.isfinite().all() and got.isnan().any():
        return "nan is the log of a negative number, 0/0 or inf - inf."
    if not (want.is_floating_point() and got.is_floating_point() and got.isfinite().all() and want.any()):
        return ""
    want, got = want.double(), got.double()
    for words, factor in FACTORS.items():
        if close(factor * want, got, max(tolerance, SINGLE)):
            return words
    gap = got - want
    if want.numel() > 2 and close(gap.mean().expand_as(gap), gap) and not close(want.mean().expand_as(want), want, 0.1):
        return f"Every entry is off by the same {brief(gap.mean())}: look at what is the same in all of them."
    if said := added_identity(gap):
        return said
    if close(want, got, 1e-3 if want.numel() > 2 else 1e-4):
        return "Nearly right: look for something small that is added, a clamp, a rounding, or float32 on the way."
    kinds = clamped, transformed, displaced, partly, scaled
    return next(filter(None, (kind(want, got) for kind in kinds)), "")


def transformed(want: Tensor, got: Tensor) -> str:
    """Which function of the right numbers came."""
    for words, function in FUNCTIONS.items():
        made = function(want)
        if (
            made.isfinite().all()
            and close(made, got)
            and not close(made, want, 1e-3)
            and float(made.abs().max()) > 1e-3
        ):
            return words
    if want.ndim < 2 or want.shape[-1] != want.shape[-2] or want.shape[-1] == 1:
        return ""
    for words, function in MATRICES.items():
        if close(function(want), got, SINGLE):
            return words
    return ""


def displaced(want: Tensor, got: Tensor) -> str:
    """Whether rows were mixed, or the right numbers stand in other places."""
    if want.ndim == 0 or len(want) < 3:
        return ""
    for words, rows in ROWS.items():
        if close(rows(want), got) and not close(want, got):
            return words
    ours, theirs = want.reshape(-1).sort().values, got.reshape(-1).sort().values
    apart = want.ndim > 1 and float(ours.diff().min()) > bound(want, 1e-4)  # no two alike, as in a mask
    words = "The right numbers stand in other places."
    return words if apart and close(ours, theirs) else ""


def scaled(want: Tensor, got: Tensor) -> str:
    """Whether every entry is the right one times one number."""
    factor = float((got * want).sum() / want.square().sum())
    if want.numel() < 3 or not factor or not close(factor * want, got) or close(want.mean().expand_as(want), want, 0.1):
        return ""
    return f"Every entry is {factor:.5g} times the right one."


def added_identity(gap: Tensor) -> str:
    """Whether a multiple of the identity was added to matrices."""
    if gap.ndim < 2 or gap.shape[-1] != gap.shape[-2] or gap.shape[-1] == 1:
        return ""
    size = float(gap.diagonal(dim1=-2, dim2=-1).mean())
    same = torch.allclose(
        gap, size * torch.eye(gap.shape[-1], dtype=gap.dtype).expand_as(gap), rtol=0, atol=1e-3 * abs(size)
    )
    return f"{size:.5g} times the identity is added." if size and same else ""


def clamped(want: Tensor, got: Tensor) -> str:
    """Whether the entries beyond one number were set to it, the others being right."""
    wrong = ~torch.isclose(got, want, rtol=0, atol=bound(want, 1e-6))
    if int((~wrong).sum()) < 3 or int(wrong.sum()) < 2:
        return ""
    limit = got[wrong].reshape(-1)[0]
    side = "below" if bool((want[wrong] < limit).all()) else "above" if bool((want[wrong] > limit).all()) else ""
    return (
        f"Entries {side} {brief(limit)} are set to it: no clamp." if side and bool((got[wrong] == limit).all()) else ""
    )


PLACES = {  # of the wrong entries along one axis of length n, all others being right
    "Only the last {} is wrong{}.": lambda n: [n - 1],
    "Only the first {} is wrong.": lambda n: [0],
    "Only the first {} is right.": lambda n: [*range(1, n)],
    "Only the last {} is right.": lambda n: [*range(n - 1)],
    "All but the first and the last {} are right.": lambda n: [0, n - 1],
}
AREAS = {  # of the wrong entries of a square matrix
    "The diagonal alone is wrong.": lambda n: torch.eye(n, dtype=torch.bool),
    "The diagonal alone is right.": lambda n: ~torch.eye(n, dtype=torch.bool),
    "The lower triangle alone is wrong.": lambda n: torch.ones(n, n, dtype=torch.bool).tril(-1),
    "The upper triangle alone is wrong.": lambda n: torch.ones(n, n, dtype=torch.bool).triu(1),
}


def partly(want: Tensor, got: Tensor) -> str:
    """Where the wrong entries stand, if they are one row, one column, a diagonal or a triangle."""
    wrong = ~torch.isclose(got, want, rtol=0, atol=bound(want, 1e-6))
    for axis, kind in [(0, "row" if want.ndim > 1 else "entry"), (want.ndim - 1, "column")][: want.ndim]:
        if want.shape[axis] > 3:
            at = wrong.movedim(axis, 0).flatten(1) if want.ndim > 1 else wrong[:, None]
            for words, places in PLACES.items():
                chosen = torch.zeros(len(at), dtype=torch.bool)
                chosen[places(len(at))] = True
                if torch.equal(at.any(1), chosen) and (at[chosen].float().mean() > 0.5):
                    return words.format(kind, "" if kind == "entry" else ": does a loop stop one short")
    if want.ndim > 1 and want.shape[-1] == want.shape[-2] > 2:
        for words, area in AREAS.items():
            if torch.equal(wrong, area(want.shape[-1]).expand_as(wrong)):
                return words
    return ""


def other_shape(want: tuple[int, ...], got: tuple[int, ...]) -> str:
    """How the shape that came may have come about."""
    if len(got) == len(want) + 1 and got.count(1) > want.count(1):
        return "An axis of length 1 is left over: look for keepdim, or for [:, None]."
    if len(want) == 1 and got == 2 * want:
        return "Every entry met every other one: (n, 1) and (n,) broadcast to (n, n)."
    if len(want) == 2 and got == want[::-1]:
        return "The two axes are swapped."
    if got == () and len(want) == 1:
        return "One sum or mean too many: each entry keeps its own number."
    if len(got) > len(want) and (want == () or got[: len(want)] == want or got[-len(want) :] == want):
        return "An axis is left over: one sum, mean or logsumexp is missing."
    return ""
