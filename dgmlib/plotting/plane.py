"""Points and densities in the plane."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.typing import ColorType
from torch import Tensor

from dgmlib._valid import require_points, require_some
from dgmlib.plotting.style import DATA, DENSITY, array, grid_points, plane

LogProb = Callable[[Tensor], Tensor]


def points(ax: Axes, x: Tensor, *, color: ColorType | np.ndarray = DATA, size: float = 5.0) -> None:
    """Draw a batch of points `(n, 2)`; `color` is one colour, or `(n, 3)` colours."""
    require_points("x", x)
    ax.scatter(*array(x).T, s=size, c=color, alpha=0.6, linewidths=0, rasterized=True)


def density(ax: Axes, log_prob: LogProb, *, extent: float, vmax: float | None = None) -> QuadMesh:
    """Draw exp(log_prob) over [-extent, extent]²; `log_prob` maps `(n, 2)` to `(n,)`."""
    axis, values = density_on_grid(log_prob, extent)
    shades = {"cmap": DENSITY, "vmin": 0, "vmax": vmax, "rasterized": True}
    return ax.pcolormesh(array(axis), array(axis), array(values), shading="nearest", **shades)


def densities(x: Tensor, models: Mapping[str, LogProb], *, extent: float = 3.0, vmax: float | None = None) -> None:
    """The target's samples x beside each model's density: same axes, same colour limits, one scale.

    `vmax` is the darkest shade's density; by default the highest density of all the models shown.
    """
    require_points("x", x)
    require_some("models", models)
    target, *others = axes = plane("target: samples", *models, extent=extent)
    points(target, x)
    image = scaled_densities(others, models, extent=extent, vmax=vmax)
    plt.colorbar(image, ax=axes, label="density", shrink=0.75, aspect=15)


def scaled_densities(
    axes: Sequence[Axes], models: Mapping[str, LogProb], *, extent: float, vmax: float | None
) -> QuadMesh:
    """Each model's density on its own axes, all in the same shades; `vmax` is the darkest one's density."""
    vmax = vmax or max(density_on_grid(model, extent)[1].max().item() for model in models.values())
    return [density(ax, model, extent=extent, vmax=vmax) for ax, model in zip(axes, models.values(), strict=True)][-1]


def ellipse(ax: Axes, mean: Tensor, covariance: Tensor, radius: float, **style: Any) -> None:
    """Draw the points `radius` standard deviations from the mean `(2,)` of a Gaussian with `covariance` `(2, 2)`."""
    angle = torch.linspace(0, 2 * torch.pi, 80, dtype=covariance.dtype, device=covariance.device)
    circle = torch.stack([angle.cos(), angle.sin()])
    ax.plot(*array(mean[:, None] + radius * torch.linalg.cholesky(covariance) @ circle), **style)


@torch.no_grad()
def density_on_grid(log_prob: LogProb, extent: float, resolution: int = 120) -> tuple[Tensor, Tensor]:
    """The grid's axis `(r,)` and exp(log_prob) there, `(r, r)`, indexed [x2, x1] as matplotlib wants it."""
    axis, grid = grid_points(extent, resolution)
    values = log_prob(grid)
    if values.shape != grid.shape[:1]:
        raise ValueError(
            f"log_prob: expected one value a point ({len(grid)},), got {tuple(values.shape)}; sum over coordinates"
        )
    return axis, values.exp().reshape(resolution, resolution)
