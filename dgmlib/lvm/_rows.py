"""Work by chunks of rows: what a whole array would make in temporaries grows faster than the work itself."""

from collections.abc import Callable, Iterator
from itertools import chain

import torch
from torch import Tensor

from dgmlib._valid import require_no_nan

# Numbers at a time: those that fill a GPU, or, on a CPU, stay in its cache and in memory that malloc gives again: at
# 1 MB and more glibc returns each temporary to the kernel, and every page of the next one faults (4 times slower).
NUMBERS = {"cpu": 2**16, "cuda": 2**26}


def chunks(*arrays: Tensor, width: int) -> Iterator[tuple[Tensor, ...]]:
    """The arrays, (n, ...) each, by chunks of the same rows, where each row costs `width` numbers of temporaries.

    Under torch.compile and torch.export, which fuse and where n may be a symbol, they are whole.
    """
    if torch.compiler.is_compiling():
        return iter([arrays])
    rows = max(NUMBERS.get(arrays[0].device.type, 2**26) // width, 16)
    return zip(*(array.split(rows) for array in arrays), strict=True)


def by_rows(f: Callable[..., tuple[Tensor, ...]], *arrays: Tensor, width: int) -> tuple[Tensor, ...]:
    """f(*arrays) by chunks; f maps arrays (n, ...) to a tuple of (n, ...), row by row."""
    n = arrays[0].shape[0]  # len() would make a number of a symbol
    pieces = (f(*parts) for parts in chunks(*arrays, width=width))
    first = next(pieces)
    if first[0].shape[0] == n:
        return first
    if any(part.requires_grad for part in first):
        return tuple(torch.cat(parts) for parts in zip(first, *pieces, strict=True))
    results, done = tuple(part.new_empty(n, *part.shape[1:]) for part in first), 0
    for piece in chain([first], pieces):  # one result and one chunk live; torch.cat would hold the result twice
        for result, part in zip(results, piece, strict=True):
            result[done : done + len(part)] = part
        done += len(piece[0])
    return results


def each_row(f: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor, width: int) -> tuple[Tensor, ...]:
    """`by_rows` over all batch axes of x (..., m), and back in them; nan in a result comes from x."""
    results = by_rows(f, x.reshape(-1, x.shape[-1]), width=width)
    for result in results:
        require_no_nan("x", result)
    return tuple(result.reshape((*x.shape[:-1], *result.shape[1:])) for result in results)


def mean(x: Tensor) -> Tensor:
    """Mean of the rows, (m,), in float64 without a float64 copy of x."""
    sums = (rows.sum(0, dtype=torch.float64) for (rows,) in chunks(x, width=x.shape[1]))
    return sum(sums, start=x.new_zeros(())) / len(x)
