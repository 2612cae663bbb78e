"""Small plots as inline SVG, in the page's own colours."""

from html import escape

from .page import number

FONT = 'font-size="12" fill="var(--soft)"'


def histogram(values: list[float], most: float, about: str, bins: int = 10) -> str:
    """Counts of `values` from 0 to `most`."""
    width = most / bins if most > 0 else 1.0
    counts = [0] * bins
    for value in values:
        counts[min(max(int(value / width + 1e-9), 0), bins - 1)] += 1
    return columns(counts, [number(i * width) for i in range(bins + 1)], about)


def columns(counts: list[int], edges: list[str], about: str) -> str:
    """A column for each count, with its number; edges below."""
    step, height, top = 600 / len(counts), 130, max([*counts, 1])
    parts = []
    for i, count in enumerate(counts):
        tall = height * count / top
        x, y = 20 + i * step, 20 + height - tall
        parts.append(f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{tall:.1f}" rx="2"/>')
        if count:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle" {FONT}>{count}</text>')
    for i, edge in enumerate(edges):
        x = 20 + i * step
        parts.append(f'<text x="{x:.1f}" y="{height + 38}" text-anchor="middle" {FONT}>{escape(edge)}</text>')
    line = f'<line x1="20" x2="620" y1="{height + 20}" y2="{height + 20}" stroke="var(--line)"/>'
    return figure(640, height + 46, about, line + "".join(parts))


def figure(width: int, height: int, about: str, inner: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(about)}" fill="var(--accent)" '
        f'style="width:100%;max-width:{width}px;display:block">{inner}</svg>'
    )


def share(part: float, whole: float) -> str:
    """A thin bar and its percentage."""
    fraction = part / whole if whole else 0.0
    return (
        f'<span class="share"><i style="width:{100 * min(max(fraction, 0), 1):.0f}%"></i></span>'
        f'<span class="percent">{100 * fraction:.0f}%</span>'
    )
