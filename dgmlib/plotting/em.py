"""Figures of EM: the bound that climbs, responsibilities as colours, latent axes that turn."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from dgmlib._valid import require_points, require_some
from dgmlib.plotting.plane import ellipse, points
from dgmlib.plotting.style import (
    COLORS,
    COMPONENTS,
    DASHES,
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


class Mixture(Protocol):
    """Of K components in the plane: `means` (K, 2), `covariances` (K, 2, 2)."""

    means: Tensor
    covariances: Tensor

    def e_step(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """q `(n, K)`, and the bound."""
        ...


class Line(Protocol):
    """A PPCA with one latent variable in the plane: `W` (2, 1), `mu` (2,)."""

    W: Tensor
    mu: Tensor

    def posterior(self, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """Mean `(n, 1)` and covariance of p(z|x)."""
        ...


@torch.no_grad()
def bound_climbing(bound: Callable[[Tensor, Tensor], Tensor], theta: Tensor, path: Sequence[float]) -> None:
    """EM on one parameter, twice: bounds that touch log p and climb it, and the same steps over (q, θ).

    `bound(a, b)` is L(q, θ = b) for q = p(z|x, θ = a), and broadcasts; so log p(x|θ) = bound(θ, θ). `theta` `(G,)` is
    the line to draw, `path` the θ of each iteration.
    """
    require_some("path", path)
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), layout="constrained")
    at = torch.as_tensor(path, dtype=theta.dtype)
    left.plot(theta, array(bound(theta, theta)), color=MODEL, label=r"$\log p(x|\theta)$")
    for t, start in enumerate(at[:-1]):
        left.plot(
            theta,
            array(bound(start, theta)),
            DASHES[1],
            color=NOISE,
            linewidth=1.3,
            label="" if t else "bounds L(q, θ)",
        )
        left.plot(start, bound(start, start), "o", color=NOISE, label="" if t else "E-step: touches")
        left.plot(at[t + 1], bound(start, at[t + 1]), "^", color=MODEL, label="" if t else "M-step: its top")
    top, low = bound(theta, theta).max().item(), bound(at[0], at[0]).item()
    left.set(xlabel="θ", ylabel="nats per event", ylim=(low - 0.35 * (top - low), top + 0.5 * (top - low)))
    left.legend(loc="upper left", fontsize=8.5)
    _staircase(right, bound, theta, at)


def _staircase(ax: Axes, bound: Callable[[Tensor, Tensor], Tensor], theta: Tensor, at: Tensor) -> None:
    """L over θ (across) and q (up): the E-step goes up to the diagonal, the M-step goes across to a top."""
    values = bound(theta[:, None], theta)
    low = bound(at[0], at[0]).item()
    levels = torch.linspace(low - 1.0 * (values.max().item() - low), values.max().item(), 14)
    ax.contourf(theta, theta, array(values), levels=array(levels), cmap=DENSITY, extend="min")
    ax.plot(theta, theta, ":", color=OTHER, linewidth=1.2)
    place = {"rotation": 45, "rotation_mode": "anchor", "ha": "center", "va": "top", "textcoords": "offset points"}
    corner = theta[len(theta) // 8]
    ax.annotate("bound = log p", (corner, corner), xytext=(3, -3), fontsize=8.5, **place)
    across = torch.stack([at[:-1], at[1:]], 1).flatten()
    up = torch.stack([at[:-1], at[:-1]], 1).flatten()
    ax.plot(array(across), array(up), color=MODEL, linewidth=1.6)
    ax.plot(array(at[:-1]), array(at[:-1]), "o", color=NOISE)
    ax.plot(array(at[1:]), array(at[:-1]), "^", color=MODEL)
    ax.set(
        xlabel="θ (the M-step moves it)", ylabel="q, as the posterior at this θ\n(the E-step moves it)", aspect="equal"
    )


@torch.no_grad()
def responsibilities(x: Tensor, models: Mapping[str, Mixture], *, extent: float = 3.5) -> None:
    """x `(n, 2)` coloured by each model's q, a mix of the components' colours; ellipses hold 86 % of a component."""
    require_points("x", x)
    require_some("models", models)
    for ax, model in zip(plane(*models, extent=extent), models.values(), strict=True):
        _mixture(ax, x, model, model.e_step(x)[0])


def _mixture(ax: Axes, x: Tensor, model: Mixture, q: Tensor) -> None:
    palette = torch.stack([rgb(COMPONENTS[k % len(COMPONENTS)]) for k in range(len(model.means))])
    points(ax, x, color=array((q.double() @ palette).clamp(0, 1)), size=6)
    for k, (mean, covariance) in enumerate(zip(model.means, model.covariances, strict=True)):
        color = COMPONENTS[k % len(COMPONENTS)]
        ellipse(ax, mean, covariance, 2, color="black", linewidth=2.6)
        ellipse(ax, mean, covariance, 2, color=color, linewidth=1.4)
        ax.plot(*array(mean), "o", color=color, markeredgecolor="black", markersize=6)


def half_steps(bounds: Tensor, log_probs: Tensor) -> None:
    """L(q, θ) and log p(x|θ) after each half step E, M, E, M, ... `(2T,)` each; the gap between them is shaded."""
    (ax,) = panels("", labels=("half step", "nats per event"), height=3.0)
    _half_steps(ax, bounds, log_probs)


def _half_steps(ax: Axes, bounds: Tensor, log_probs: Tensor) -> None:
    if bounds.shape != log_probs.shape or bounds.ndim != 1:
        raise ValueError(
            f"log_probs: expected one number a half step {tuple(bounds.shape)}, got {tuple(log_probs.shape)}"
        )
    step = torch.arange(len(bounds))
    ax.plot(step, array(log_probs), "-s", color=MODEL, markersize=5, label=r"$\log p(x|\theta)$")
    ax.plot(step, array(bounds), "--o", color=NOISE, markersize=5, label="bound L(q, θ)")
    ax.fill_between(
        step, array(bounds), array(log_probs), color=NOISE, alpha=0.2, linewidth=0, label="gap, KL(q‖p(z|x))"
    )
    ax.set_xticks(step, ["E" if t % 2 == 0 else "M" for t in step.tolist()])
    ax.legend(loc="lower right")


@torch.no_grad()
def half_step(
    x: Tensor, path: Sequence[tuple[Mixture, Tensor]], bounds: Tensor, log_probs: Tensor, t: int, *, extent: float = 3.5
) -> None:
    """Half step t of an EM in the plane. Left x `(n, 2)` in the colours of its q, ellipses of its θ; right all of
    `half_steps`, this one ringed. `path` holds (model, q) after each half step.
    """
    require_points("x", x)
    size = {"figsize": (WIDTH, 3.4), "width_ratios": [1, 1.5], "layout": "constrained"}
    _, (left, right) = plt.subplots(1, 2, **size)
    model, q = path[t]
    left.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    left.set_title("E-step: new colours, q" if t % 2 == 0 else "M-step: new ellipses, θ")
    _mixture(left, x, model, q)
    _half_steps(right, bounds, log_probs)
    right.set(xlabel="half step", ylabel="nats per event")
    ring = {"markersize": 13, "markerfacecolor": "none", "markeredgecolor": "black", "markeredgewidth": 1.6}
    right.plot([t, t], [bounds[t].item(), log_probs[t].item()], "o", linestyle="none", **ring)


def histories(
    values: Mapping[str, Tensor], *, label: str = "bound, nats per event", first: int = 0, log: bool = False
) -> None:
    """One curve `(T,)` each against the iteration, which starts at `first`; told apart by dash and colour."""
    require_some("values", values)
    (ax,) = panels("", labels=("iteration", label), height=3.0)
    for k, (name, history) in enumerate(values.items()):
        ax.plot(
            first + torch.arange(len(history)),
            array(history),
            DASHES[k % 4],
            color=(NOISE, MODEL, *COLORS[3:], OTHER)[k % 7],
            label=name,
        )
    ax.locator_params("x", integer=True)
    ax.set_yscale("log" if log else "linear")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def latent_axes(x: Tensor, fits: Mapping[str, Line], *, extent: float = 3.0) -> None:
    """x `(n, 2)` and each PPCA's latent axis, from mu - 2W to mu + 2W; threads tie points to W E[z] + mu."""
    require_points("x", x)
    require_some("fits", fits)
    for ax, fit in zip(plane(*fits, extent=extent), fits.values(), strict=True):
        points(ax, x)
        onto = fit.posterior(x)[0] @ fit.W.mT + fit.mu
        ax.plot(*array(torch.stack([x, onto])[:, :40].permute(2, 0, 1)), color=OTHER, linewidth=0.6, alpha=0.7)
        ends = fit.mu[:, None] + fit.W * torch.tensor([-2.0, 2.0]).to(fit.W)
        ax.plot(*array(ends), color=MODEL, linewidth=2.5)
