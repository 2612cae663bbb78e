"""Small plots as inline SVG, in the page's own colours."""

import math
from html import escape

from .page import number

FONT = 'font-size="12" fill="var(--soft)"'


def histogram(values: list[float], most: float, about: str) -> str:
    """Counts of `values` from 0 to `most`, in some ten columns with round edges."""
    width = rounded(most / 10)
    counts = [0] * max(1, math.ceil(most / width - 1e-9))
    for value in values:
        counts[min(max(int(value / width + 1e-9), 0), len(counts) - 1)] += 1
    return columns(counts, [number(i * width) for i in range(len(counts) + 1)], about)


def rounded(step: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if step <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= step * (1 - 1e-9))


def columns(counts: list[int], edges: list[str], about: str) -> str:
    """A column for each count, with its number; edges below."""
    step, height, top = 400 / len(counts), 90, max([*counts, 1])
    parts = []
    for i, count in enumerate(counts):
        tall = height * count / top
        x, y = 12 + i * step, 18 + height - tall
        parts.append(f'<rect x="{x + 1.5:.1f}" y="{y:.1f}" width="{step - 3:.1f}" height="{tall:.1f}" rx="2"/>')
        if count:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{y - 4:.1f}" text-anchor="middle" {FONT}>{count}</text>')
    for i, edge in enumerate(edges):
        x = 12 + i * step
        parts.append(f'<text x="{x:.1f}" y="{height + 34}" text-anchor="middle" {FONT}>{escape(edge)}</text>')
    line = f'<line x1="12" x2="412" y1="{height + 18}" y2="{height + 18}" stroke="var(--line)"/>'
    return figure(424, height + 40, about, line + "".join(parts))


def figure(width: int, height: int, about: str, inner: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(about)}" fill="var(--accent)" '
        f'style="width:100%;max-width:30rem;display:block">{inner}</svg>'
    )


def share(part: float, whole: float) -> str:
    """A thin bar and its percentage."""
    fraction = part / whole if whole else 0.0
    return (
        f'<span class="share"><i style="width:{100 * min(max(fraction, 0), 1):.0f}%"></i></span>'
        f'<span class="percent">{100 * fraction:.0f}%</span>'
    )
