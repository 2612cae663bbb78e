"""Figures of latent variable models: ancestral sampling, a latent line in the plane, images, the naive estimate."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from torch import Tensor

from dgmlib._valid import require_points, require_some
from dgmlib.plotting.plane import density, ellipse, points
from dgmlib.plotting.style import COMPONENTS, MODEL, NOISE, OTHER, WIDTH, array, panels, plane

MARKS = "os^Dv*"
GREYS = plt.get_cmap("Greys").with_extremes(bad="#CFE3F3")


def ancestral(x: Tensor, k: Tensor, means: Tensor, target: Tensor, *, extent: float = 4.0) -> None:
    """Data beside the two steps of sampling: choose k (a disc on each mean, its area the count), then x given k."""
    require_points("x", x)
    require_points("means", means)
    titles = (f"data, n = {len(target)}", "step 1: k", "step 2: x given k")
    data_ax, choose, draw = plane(*titles, extent=extent)
    points(data_ax, target, size=4)
    for c, mean in enumerate(array(means)):
        colour, chosen = COMPONENTS[c % len(COMPONENTS)], k == c
        count = int(chosen.sum())
        choose.scatter(*mean, s=1200 * count / len(k), color=colour, alpha=0.8, linewidths=0)
        choose.annotate(f"k = {c}: {count}", mean, (0, -24), textcoords="offset points", ha="center", fontsize=8.5)
        draw.scatter(*array(x[chosen]).T, s=7, marker=MARKS[c % len(MARKS)], color=colour, alpha=0.7, linewidths=0)


@torch.no_grad()
def latent_line(
    log_prob: Callable[[Tensor], Tensor],
    decode: Callable[[Tensor], Tensor],
    x: Tensor,
    z: Tensor,
    feet: Tensor,
    *,
    extent: float = 3.0,
    whose: str = "",
) -> None:
    """One latent variable in the plane. Left: where `decode` puts z = -2, ..., 2 on its line, over the model's density.
    Right: each x `(n, 2)`, the point of the line that its z `(n, 1)` stands for, and its foot, the nearest `(n, 2)`.
    """
    require_points("x", x)
    left, right = plane("model: z is a place on the line", f"E[z given x] on the line{whose}", extent=extent)
    density(left, log_prob, extent=extent)
    line = array(decode(torch.linspace(-4, 4, 81, dtype=x.dtype)[:, None]))
    for ax in (left, right):
        ax.plot(*line.T, color=NOISE, linewidth=1.5, zorder=1)
    for value in range(-2, 3):
        at = array(decode(torch.full((1, 1), float(value), dtype=x.dtype)))[0]
        left.plot(*at, "o", color=NOISE, markeredgecolor="white", markersize=7)
        left.annotate(f"z = {value}", at, (7, -9), textcoords="offset points", fontsize=8.5)
    found = array(decode(z))
    right.plot(*np.stack([array(x), found]).transpose(2, 0, 1), color=OTHER, linewidth=0.8, zorder=0)
    points(right, x, size=22)
    right.plot(*array(feet).T, "x", color=MODEL, markersize=6, markeredgewidth=1.6, label="nearest place on the line")
    right.plot(*found.T, "o", color=NOISE, markersize=5, label="E[z given x]")
    right.legend(loc="upper left", fontsize=8.5)


def image_rows(rows: Mapping[str, Tensor], *, titles: Sequence[str] = (), side: int = 8) -> None:
    """A row of square grey images for each entry `(n, side²)`, one grey scale, white 0 and black 1, in all rows.

    A pixel that is nan is unknown, and light blue. `titles` stand above the first row's images.
    """
    require_some("rows", rows)
    count = max(len(images) for images in rows.values())
    height = WIDTH / (count + 2) * (len(rows) + 0.3 * bool(titles))
    tight = ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.04, wspace=0.02, hspace=0.02)
    _, axes = plt.subplots(len(rows), count, figsize=(WIDTH, height), squeeze=False, layout=tight)
    for line, (title, images) in zip(axes, rows.items(), strict=True):
        if images.ndim != 2 or images.shape[1] != side**2:
            raise ValueError(f"rows[{title!r}]: expected (n, {side**2}), got {tuple(images.shape)}; set side")
        for ax in line:
            ax.set_axis_off()
        for ax, image in zip(line, array(images), strict=False):
            ax.imshow(image.reshape(side, side), cmap=GREYS, vmin=0, vmax=1)
        line[0].text(-0.15, 0.5, title, ha="right", va="center", transform=line[0].transAxes)
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title, fontsize=9)


def latent_plane(
    z: Tensor, labels: Tensor, covariance: Tensor, decode: Callable[[Tensor], Tensor], *, side: int = 8, whose: str = ""
) -> None:
    """Latent points `(n, 2)`, each drawn as its label; below them the 2 std ellipse of their `covariance` `(2, 2)`.
    Right, over the same plane, the images `(·, side²)` that `decode` makes of its places `(·, 2)`.
    """
    require_points("z", z)
    ax, decoded = panels(f"E[z given x]{whose}", "W z + mu", labels=("$z_1$", "$z_2$"), height=4.0)
    palette = plt.get_cmap("tab10")
    for (z1, z2), label in zip(array(z), labels.tolist(), strict=True):
        ax.text(z1, z2, str(label), color=palette(label % 10), ha="center", va="center", fontsize=9, weight="bold")
    reach = 2 * covariance.diagonal().sqrt()  # of the ellipse along either axis
    label = "2 std of p(z given x),\nthe same for every x"
    ellipse(ax, z.amin(0) + reach - 0.4, covariance, 2, color=NOISE, label=label)
    low, high = z.amin(0) - 0.6, z.amax(0) + 0.3
    ax.set(xlim=(low[0].item(), high[0].item()), ylim=(low[1].item(), high[1].item()), aspect="equal")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.06), fontsize=8.5)
    _decoded(decoded, decode, low, high, side)


@torch.no_grad()
def _decoded(
    ax: Axes, decode: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, side: int, count: int = 9
) -> None:
    """The images of a grid of places, each where its z is, side by side as one picture."""
    size = (high - low).max() / count  # of an image
    rows, columns = (round((span / size).item()) for span in (high - low).flip(0))
    across = low[0] + (high - low)[0] * (torch.arange(columns) + 0.5) / columns
    up = low[1] + (high - low)[1] * (torch.arange(rows) + 0.5) / rows
    images = decode(torch.cartesian_prod(up.flip(0), across).flip(1).to(low)).reshape(-1, side, side)
    framed = torch.nn.functional.pad(images, (1, 1, 1, 1)).reshape(rows, columns, side + 2, side + 2)
    tiles = framed.permute(0, 2, 1, 3).reshape(rows * (side + 2), columns * (side + 2))
    limits = (low[0].item(), high[0].item(), low[1].item(), high[1].item())
    ax.imshow(array(tiles), cmap=GREYS, vmin=0, vmax=1, extent=limits, aspect="equal")


def estimates(counts: Sequence[int], panels_of: Mapping[str, tuple[Tensor, float]]) -> None:
    """Repeated estimates `(R, len(counts))` minus the exact value against the number of samples, in panels
    `{title: (estimates, exact)}`, each with its own scale of nats. A dot is one estimate, the line their mean.
    """
    require_some("panels_of", panels_of)
    axes = panels(
        *panels_of, labels=("number of samples $K$", "estimate − exact log p(x), nats"), height=3.0, sharey=False
    )
    for ax, (title, (values, exact)) in zip(axes, panels_of.items(), strict=True):
        if values.ndim != 2 or values.shape[1] != len(counts):
            raise ValueError(f"{title!r}: expected (repeats, {len(counts)}) estimates, got {tuple(values.shape)}")
        for number, column in zip(counts, array(values - exact).T, strict=True):
            ax.plot([number] * len(column), column, "o", color=NOISE, markersize=3, alpha=0.35, markeredgewidth=0)
        ax.plot(counts, array(values.mean(0) - exact), "s-", color=MODEL, markersize=4, label="mean of the estimates")
        ax.axhline(0, linestyle="--", color=OTHER, label="exact")
        ax.set(xscale="log")
    axes[0].legend(loc="lower right")


def dying_estimate(dims: Sequence[int], errors: Mapping[str, Tensor]) -> None:
    """Estimate minus exact against the latent dimension: median, and the middle 80%, of `(R, len(dims))` errors."""
    (ax,) = panels("", labels=("latent dimension $d$", "estimate − exact, nats"), height=3.3)
    for number, (label, values) in enumerate(errors.items()):
        if values.ndim != 2 or values.shape[1] != len(dims):
            raise ValueError(f"errors[{label!r}]: expected (repeats, {len(dims)}), got {tuple(values.shape)}")
        low, middle, high = array(values.quantile(torch.tensor([0.1, 0.5, 0.9], dtype=values.dtype), 0))
        colour = COMPONENTS[number % len(COMPONENTS)]
        ax.fill_between(dims, low, high, color=colour, alpha=0.2, linewidth=0)
        ax.plot(dims, middle, marker=MARKS[number % len(MARKS)], color=colour, markersize=5, label=label)
    ax.axhline(0, linestyle="--", color=OTHER, label="exact")
    ax.set_xticks(list(dims))
    ax.legend(loc="lower left")
