"""Figures of forward and reverse KL: what each direction punishes, where each has its minimum, the latent dual."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from torch import Tensor

from dgmlib._valid import require_points, require_some
from dgmlib.plotting.plane import points, scaled_densities
from dgmlib.plotting.style import (
    COLORS,
    DATA,
    DENSITY,
    MODEL,
    NOISE,
    OTHER,
    WIDTH,
    array,
    panels,
    plane,
    rgb,
)

if TYPE_CHECKING:
    from dgmlib.kl import Flow

LogProb = Callable[[Tensor], Tensor]
LEGEND = {"loc": "upper left", "fontsize": 8.5, "handlelength": 1.6}


@torch.no_grad()
def kl_integrands(target: LogProb, models: Mapping[str, LogProb], *, extent: float = 5.0) -> None:
    """For each model on a line: both densities above, below what each KL integrates; their areas are the KLs.

    `target` and the models map `(n,)` to log densities `(n,)`. The areas reach to four times the extent shown.
    """
    require_some("models", models)
    x = torch.linspace(-4 * extent, 4 * extent, 2001, dtype=torch.float64)
    shape = {"sharex": True, "sharey": "row", "squeeze": False, "height_ratios": [1, 1.1]}
    width = min(WIDTH, 6.0 if len(models) == 1 else 4.0 * len(models))
    _, axes = plt.subplots(2, len(models), figsize=(width, 4.4), layout="constrained", **shape)
    log_target = target(x)
    for (above, below), (name, model) in zip(axes.T, models.items(), strict=True):
        forward, reverse = _integrands(log_target, model(x))
        above.set_title(name)
        above.plot(array(x), array(log_target.exp()), color=DATA, label="target π")
        above.plot(array(x), array(model(x).exp()), "--", color=MODEL, label="model p")
        _area(below, x, forward, "-", DATA, "π log(π/p)")
        _area(below, x, reverse, "--", MODEL, "p log(p/π)")
        areas = [torch.trapezoid(integrand, x).item() for integrand in (forward, reverse)]
        below.set(xlabel="$x$", title="areas: KL(π‖p) = {:.2f}, KL(p‖π) = {:.2f}".format(*areas))
    for ax in axes[:, 0]:
        ax.legend(**LEGEND)
    top = 1.8 * log_target.exp().max().item()  # the same for every model, so that dragging one keeps the axes
    axes[0, 0].set(ylabel="density", ylim=(-0.02 * top, top))
    axes[1, 0].set(ylabel="integrand, nats", xlim=(-extent, extent), ylim=(-0.6, 2.6))


def _integrands(log_target: Tensor, log_model: Tensor) -> tuple[Tensor, Tensor]:
    """π log(π/p) and p log(p/π) on the grid."""
    ratio = log_target - log_model
    return log_target.exp() * ratio, -log_model.exp() * ratio


def _area(ax: Axes, x: Tensor, integrand: Tensor, dash: str, color: str, label: str) -> None:
    ax.plot(array(x), array(integrand), dash, color=color, label=label)
    ax.fill_between(array(x), array(integrand), color=color, alpha=0.2, linewidth=0)


@torch.no_grad()
def kl_landscape(
    target: LogProb,
    *,
    start: tuple[float, float] | None = None,
    means: float = 3.5,
    stds: tuple[float, float] = (0.25, 3.5),
) -> None:
    """Both KLs between a target on a line and N(mean, std²), over all means and stds; a star at each minimum.

    Same axes, same colours, up to 4 nats. From `start`, a (mean, std), gradient descent draws its path in each.
    """
    x = torch.linspace(-16, 16, 801, dtype=torch.float64)
    mean, std = torch.linspace(-means, means, 61, dtype=x.dtype), torch.linspace(*stds, 53, dtype=x.dtype)
    log_model = torch.distributions.Normal(mean[:, None], std[:, None, None]).log_prob(x)  # (std, mean, x)
    grid = array(mean), array(std)
    axes = panels("forward, KL(π‖p)", "reverse, KL(p‖π)", labels=("mean of the model", "std of the model"), height=3.4)
    for ax, integrand in zip(axes, _integrands(target(x), log_model), strict=True):
        kl = torch.trapezoid(integrand, x)
        image = ax.pcolormesh(*grid, array(kl), cmap=DENSITY, vmin=0, vmax=4, shading="nearest", rasterized=True)
        ax.contour(*grid, array(kl), levels=[0.75, 1, 1.5, 2, 3, 4], colors=OTHER, linewidths=0.7)
        for row, column in _minima(kl):
            ax.plot(mean[column], std[row], "*", color=MODEL, markersize=13, markeredgecolor="white")
            ax.annotate(f"{kl[row, column]:.2f}", (mean[column], std[row]), xytext=(0, 9), textcoords="offset points",
                        ha="center", color=MODEL, weight="bold")  # fmt: skip
    if start:
        for direction, ax in enumerate(axes):
            path = array(_descent(target, x, start, direction))
            ax.plot(*path.T, color=COLORS[4], linewidth=2)
            ax.plot(*path[0], "o", color=COLORS[4], markeredgecolor="white", markersize=8)
            ax.plot(*path[-1], "s", color=COLORS[4], markeredgecolor="white", markersize=8)
    plt.colorbar(image, ax=axes, label="KL, nats", extend="max", shrink=0.9, aspect=16)


def _descent(target: LogProb, x: Tensor, start: tuple[float, float], direction: int) -> Tensor:
    """Mean and std `(steps, 2)` on the way downhill from `start`, by the forward (0) or the reverse KL (1)."""
    place = torch.tensor([start[0], math.log(start[1])], dtype=x.dtype, requires_grad=True)  # mean, log std
    path = []
    for _ in range(250):
        path.append(torch.stack([place[0], place[1].exp()]).detach())
        with torch.enable_grad():
            model = torch.distributions.Normal(place[0], place[1].exp())
            kl = torch.trapezoid(_integrands(target(x), model.log_prob(x))[direction], x)
            (slope,) = torch.autograd.grad(kl, place)
        place -= 0.05 * slope / slope.norm().clamp_min(1)  # steep or not, no step is longer than 0.05
    return torch.stack(path)


def _minima(values: Tensor) -> list[list[int]]:
    """Places inside the table that are below all their eight neighbours."""
    around = torch.nn.functional.pad(values[None], (1, 1, 1, 1), value=-torch.inf)[0].unfold(0, 3, 1).unfold(1, 3, 1)
    return (values <= around.amin((2, 3))).nonzero().tolist()


@torch.no_grad()
def latent_dual(flows: Mapping[str, "Flow"], x: Tensor, *, extent: float = 3.5) -> None:
    """Data x `(n, 2)` pushed through each flow's `forward`, beside the base: rings hold 39 %, 86 % and 99 % of it.

    Points with x_1 < 0 are dark, the others light, so that you see where each half of the data goes.
    """
    require_points("x", x)
    require_some("flows", flows)
    noise = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(0))
    *pushed, base = plane(*(f"f(x), {name}" for name in flows), "base p(z)", extent=extent, letter="z")
    shades = torch.where(x[:, :1] < 0, rgb(DATA), rgb(COLORS[5])).numpy()
    for ax, flow in zip(pushed, flows.values(), strict=True):
        points(ax, flow.forward(x)[0], color=shades)
    points(base, noise, color=NOISE)
    for ax in (*pushed, base):
        for radius in (1, 2, 3):
            ax.add_patch(Circle((0, 0), radius, fill=False, color=OTHER, linewidth=0.8))


def latent_densities(models: Mapping[str, LogProb], *, extent: float = 3.5) -> None:
    """Densities over the z-plane, each `(n, 2)` to `(n,)` in logs: same axes, same colours, one scale."""
    require_some("models", models)
    axes = plane(*models, extent=extent, letter="z")
    image = scaled_densities(axes, models, extent=extent, vmax=None)
    plt.colorbar(image, ax=axes, label="density", shrink=0.75, aspect=15)


def sample_by_sample(data_space: Tensor, latent_space: Tensor) -> None:
    """The integrand of one KL against the integrand of the other, a dot a sample `(n,)`, and the diagonal."""
    if data_space.shape != latent_space.shape or data_space.ndim != 1:
        raise ValueError(
            f"latent_space: expected one number a sample {tuple(data_space.shape)}, got {tuple(latent_space.shape)}"
        )
    (ax,) = panels("", labels=(r"$\log\pi(x) - \log p(x|\theta)$", r"$\log p(z|\theta) - \log p(z)$"), height=3.4)
    low, high = min(data_space.min(), latent_space.min()).item(), max(data_space.max(), latent_space.max()).item()
    ax.plot([low, high], [low, high], color=OTHER, linewidth=1, label="equal")
    ax.scatter(array(data_space), array(latent_space), s=7, color=DATA, alpha=0.6, linewidths=0, label="one sample")
    mean = data_space.mean().item()
    ax.plot(mean, latent_space.mean().item(), "*", color=MODEL, markersize=14, label="their means: the two KLs")
    ax.set(aspect="equal")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
