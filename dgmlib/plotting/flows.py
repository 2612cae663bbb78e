"""Figures of flows: how a map bends the plane, what each layer does, what its matrices look like."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from dgmlib._valid import require_points, require_some
from dgmlib.plotting.plane import points
from dgmlib.plotting.style import SIGNED, WIDTH, array, grid_points, plane


@torch.no_grad()
def warped_grid(f: Callable[[Tensor], Tensor], *, extent: float = 2.0, cells: int = 16) -> None:
    """Squares of the x-plane and what f makes of them in the z-plane, coloured by how their area changes.

    `f` maps `(n, 2)` to `(n, 2)`; the colour is log(area after / area before).
    A cell keeps its colour; both panels share axes and colour limits.
    """
    _, grid = grid_points(extent, cells + 1)
    warped = f(grid)
    require_points("f(x)", warped)
    before, after = (array(p.reshape(cells + 1, cells + 1, 2)) for p in (grid, warped))
    growth = np.log(np.abs(_areas(after)) / np.abs(_areas(before)))
    limit = max(np.abs(growth).max(), 1e-3)
    axes = plane("x: before", "z = f(x): after", extent=1.05 * max(np.abs(before).max(), np.abs(after).max()))
    for ax, corners in zip(axes, (before, after), strict=True):
        shades = {"cmap": SIGNED, "vmin": -limit, "vmax": limit, "edgecolors": "#555555", "linewidth": 0.25}
        image = ax.pcolormesh(corners[..., 0], corners[..., 1], growth, **shades)
    axes[1].set(xlabel="$z_1$", ylabel="$z_2$")
    plt.colorbar(image, ax=axes, label="log(area after / area before)", shrink=0.85, aspect=18)


def _areas(corners: np.ndarray) -> np.ndarray:
    """Signed areas of the cells between corners `(r, r, 2)`: half the cross product of the diagonals."""
    first, second = corners[1:, 1:] - corners[:-1, :-1], corners[1:, :-1] - corners[:-1, 1:]
    return 0.5 * (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])


class Layer(Protocol):
    """What `through_layers` asks of a layer."""

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x = g(z) (..., m) and log|det J_g| (...)."""
        ...


@torch.no_grad()
def through_layers(layers: Sequence[Layer], z: Tensor, *, extent: float = 3.0, most: int = 4) -> None:
    """Noise z `(n, 2)` on its way to data: the layers' `inverse`, last first, at most `most` steps shown.

    A point keeps the colour of the z_1 at which it started, so that you can follow it.
    """
    require_points("z", z)
    states = [z]
    for layer in reversed(layers):
        states.append(layer.inverse(states[-1])[0])
    shown = sorted({round(step) for step in np.linspace(0, len(layers), min(most, len(layers)) + 1)})
    titles = ["noise z", *(f"after {step} of {len(layers)}" for step in shown[1:])]
    for ax, step in zip(plane(*titles, extent=extent), shown, strict=True):
        points(ax, states[step], color=_starts(z), size=3)


def _starts(z: Tensor) -> np.ndarray:
    """A colour `(n, 3)` for each z_1, dark to light, never so light that it is lost on white."""
    return plt.get_cmap("viridis")(0.45 * (1 + np.tanh(0.8 * array(z[:, 0]))))[:, :3]


def matrices(named: Mapping[str, Tensor]) -> None:
    """Matrices side by side under one colour scale about zero: where the zeros are is the message."""
    require_some("matrices", named)
    limit = max(values.abs().max().item() for values in named.values())
    size = {"figsize": (min(WIDTH, 2.2 * len(named) + 0.8), 2.4), "squeeze": False}
    figure, axes = plt.subplots(1, len(named), layout="constrained", **size)
    for ax, (name, values) in zip(axes[0], named.items(), strict=True):
        image = ax.imshow(array(values), cmap=SIGNED, vmin=-limit, vmax=limit)
        ax.set(title=name, xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
    figure.colorbar(image, ax=axes[0], label="entry", shrink=0.8, aspect=12)
