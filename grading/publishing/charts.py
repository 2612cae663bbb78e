"""What a plot shows; macros.html.j2 draws it."""

import math
from dataclasses import dataclass

from .page import number


@dataclass(frozen=True)
class Histogram:
    """`counts` of what lies between one of the `edges` and the next. `label`: for who cannot see it."""

    counts: list[int]
    edges: list[str]
    label: str


def histogram(values: list[float], most: float, label: str) -> Histogram:
    """Counts of `values` from 0 to `most`, in some ten columns with round edges."""
    width = rounded(most / 10)
    counts = [0] * max(1, math.ceil(most / width - 1e-9))
    for value in values:
        counts[min(max(int(value / width + 1e-9), 0), len(counts) - 1)] += 1
    return Histogram(counts, [number(i * width) for i in range(len(counts) + 1)], label)


def rounded(step: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))
