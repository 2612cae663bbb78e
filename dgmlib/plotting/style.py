"""What all figures share: colours that a colour-blind reader tells apart, sizes, the axes themselves."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from torch import Tensor

from dgmlib._valid import require_some

# Okabe and Ito's palette. A colour means the same thing in all notebooks.
DATA, MODEL, NOISE = "#0072B2", "#D55E00", "#009E73"
OTHER = "#777777"
COLORS = (DATA, MODEL, NOISE, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COMPONENTS = (COLORS[5], COLORS[4], COLORS[3], *COLORS[:3], COLORS[6])  # of a mixture: component k has the k-th
DASHES = ("-", "--", "-.", ":")  # what colour tells apart, dashes do too, in grey print

DENSITY = "Blues"  # what is never negative
SIGNED = "PuOr_r"  # what has a sign: limits symmetric about zero

WIDTH = 8.0  # inches: the most that Colab shows unscaled at this dpi
STYLE = {
    "figure.dpi": 110,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 2,
}


def use_style() -> None:
    """Set matplotlib's defaults for the session; the set-up cell calls it once."""
    plt.style.use(STYLE)


def panels(
    *titles: str, labels: tuple[str, str], height: float | None = None, sharex: bool = True, sharey: bool = True
) -> list[Axes]:
    """A row of axes of one size that share both axes, one per title; `labels` name x and y.

    Numbers that differ by a power of ten in one panel and the next want `sharey=False`: each its own ticks.

    >>> left, right = panels("target", "model", labels=("$x_1$", "$x_2$"))
    """
    require_some("titles", titles)
    width = min(WIDTH, 6.5 if len(titles) == 1 else 4.0 * len(titles))
    height = height or min(3.6, width / len(titles) + 0.3)
    shape = {"figsize": (width, height), "squeeze": False, "sharex": sharex, "sharey": sharey}
    _, axes = plt.subplots(1, len(titles), layout="constrained", **shape)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set(title=title, xlabel=labels[0])
    axes[0, 0].set_ylabel(labels[1])
    return list(axes[0])


def plane(*titles: str, extent: float, letter: str = "x") -> list[Axes]:
    """`panels` for points of the plane: one scale both ways, [-extent, extent]², the letter's coordinates."""
    axes = panels(*titles, labels=(f"${letter}_1$", f"${letter}_2$"))
    for ax in axes:
        ax.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal")
        ax.locator_params(nbins=5, integer=True)
    return axes


def rgb(color: str) -> Tensor:
    """Red, green and blue, `(3,)`, between 0 and 1."""
    return torch.tensor(to_rgb(color), dtype=torch.float64)


def array(values: Tensor | np.ndarray) -> np.ndarray:
    """Numbers for matplotlib, from a tensor of any device, with or without a graph. ValueError for complex ones."""
    numbers = values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if numbers.dtype.kind not in "biuf":
        raise ValueError(f"values to draw: expected real numbers, got {numbers.dtype}; take the real or absolute part.")
    return numbers


def grid_points(extent: float, resolution: int, dtype: torch.dtype | None = None) -> tuple[Tensor, Tensor]:
    """The coordinates of a square grid, `(r,)`, and its points, `(r * r, 2)`, rows of equal x2 together."""
    axis = torch.linspace(-extent, extent, resolution, dtype=dtype)
    x2, x1 = torch.meshgrid(axis, axis, indexing="ij")
    return axis, torch.stack([x1.flatten(), x2.flatten()], dim=1)
