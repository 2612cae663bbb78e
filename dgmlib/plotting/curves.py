"""Curves: densities on a line, costs against size."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from torch import Tensor

from dgmlib.plotting.style import COLORS, DASHES, DATA, MODEL, OTHER, array, panels

CANDIDATES = (MODEL, OTHER, *COLORS[3:])  # the model first, then what it is compared with


def curve(ax: Axes, x: Tensor, y: Tensor, label: str, *, number: int = 0) -> None:
    """Draw y against x; the number picks a colour and a dash, told apart in grey print too."""
    ax.plot(array(x), array(y), DASHES[number % len(DASHES)], color=CANDIDATES[number % len(CANDIDATES)], label=label)


def histogram_and_curves(samples: Tensor, grid: Tensor, curves: Mapping[str, Tensor], *, name: str = "x") -> None:
    """Samples `(n,)` as a histogram of area 1, and candidate densities on the grid, `(G,)` each."""
    (ax,) = panels("", labels=(f"${name}$", "density"), height=3.0)
    low, high = grid.min().item(), grid.max().item()
    ax.hist(array(samples), bins=80, range=(low, high), density=True, color=DATA, alpha=0.3, label="samples")
    for number, (label, values) in enumerate(curves.items()):
        curve(ax, grid, values, label, number=number)
    ax.set(xlim=(low, high), ylim=(0, None))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def cost_curves(
    sizes: Sequence[int], costs: Mapping[str, Sequence[float]], *, size: str = "$m$", cost: str = "time, ms"
) -> None:
    """Cost against size, both on log scales, so that a power law is a line and its exponent the slope."""
    (ax,) = panels("", labels=(size, cost), height=3.2)
    for number, (label, values) in enumerate(costs.items()):
        if len(values) != len(sizes):
            raise ValueError(f"costs[{label!r}]: expected {len(sizes)} values, got {len(values)}; one for each size")
        style: dict[str, Any] = {"color": COLORS[number % len(COLORS)], "marker": "os^Dv"[number % 5]}
        ax.plot(sizes, values, DASHES[number % len(DASHES)], **style)
        ax.annotate(
            f" {label}",
            (sizes[-1], values[-1]),
            va="center",
            color=style["color"],
            xytext=(6, 0),
            textcoords="offset points",
            annotation_clip=False,
        )
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(list(sizes), [str(s) for s in sizes])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.grid(color=OTHER, alpha=0.25)
