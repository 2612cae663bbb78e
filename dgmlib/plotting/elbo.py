"""Figures of the lower bound: log p = ELBO + gap, q against the posterior, the bound as a surface over q."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from torch import Tensor

from dgmlib._valid import require_some
from dgmlib.plotting.plane import density, ellipse
from dgmlib.plotting.style import COLORS, DENSITY, MODEL, NOISE, OTHER, SIGNED, WIDTH, array, panels, plane

GAP = COLORS[4]


def elbo_and_gap(bounds: Mapping[str, float], log_prob: float, *, lowest: float | None = None) -> None:
    """A bar for each q: its ELBO, and on top the gap KL(q‖p(z|x)) that completes it to log p(x), the dashed line.

    The bars start at `lowest`, a little below the lowest bound by default.
    """
    require_some("bounds", bounds)
    _, ax = plt.subplots(figsize=(WIDTH, 3.2), layout="constrained")
    _stack(ax, bounds, log_prob, lowest)
    ax.set_ylabel("nats")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def _stack(ax: Axes, bounds: Mapping[str, float], log_prob: float, lowest: float | None) -> None:
    """The bars of `elbo_and_gap`; the numbers stand inside them."""
    low = min(bounds.values()) - 0.35 * (log_prob - min(bounds.values())) - 0.3 if lowest is None else lowest
    for place, (name, bound) in enumerate(bounds.items()):
        if bound > log_prob + 1e-3 * (1 + abs(log_prob)):
            raise ValueError(f"bounds[{name!r}]: expected at most log p(x) = {log_prob:.4g}, got {bound:.4g}")
        shown = max(bound, low)
        ax.bar(place, shown - low, bottom=low, width=0.8, color=NOISE, alpha=0.75, label="" if place else "ELBO")
        style: dict[str, Any] = {"color": GAP, "alpha": 0.75, "hatch": "//", "edgecolor": "white", "linewidth": 0}
        ax.bar(place, log_prob - shown, bottom=shown, width=0.8, label="" if place else "gap, KL(q‖p(z|x))", **style)
        numbers = f"ELBO {bound:.2f}\ngap {max(log_prob - bound, 0):.2f}".replace("-", "−")
        around = {"textcoords": "offset points", "ha": "center", "va": "bottom", "fontsize": 8}
        ax.annotate(numbers, (place, low), (0, 4), **around)
    ax.axhline(log_prob, linestyle="--", color=MODEL, label="log p(x)")
    ax.set_xticks(range(len(bounds)), list(bounds))
    ax.set(xlim=(-0.6, len(bounds) - 0.4), ylim=(low, log_prob + 0.12 * (log_prob - low)))


def q_against_posterior(
    z: Tensor, prior: Tensor, posterior: Tensor, q: Tensor, bound: float, log_prob: float, *, lowest: float
) -> None:
    """Left the three densities over z `(G,)`; right the bar of this q. Limits stay when q moves: for sliders."""
    for name, values in {"prior": prior, "posterior": posterior, "q": q}.items():
        if values.shape != z.shape:
            raise ValueError(f"{name}: expected a density at each z {tuple(z.shape)}, got {tuple(values.shape)}")
    size = {"figsize": (WIDTH, 3.2), "width_ratios": [2.2, 1], "layout": "constrained"}
    _, (left, right) = plt.subplots(1, 2, **size)
    left.plot(array(z), array(prior), ":", color=OTHER, label="prior p(z)")
    left.plot(array(z), array(posterior), "--", color=MODEL, label="posterior p(z|x)")
    left.plot(array(z), array(q), color=NOISE, label="q(z)")
    left.fill_between(array(z), array(q), color=NOISE, alpha=0.2, linewidth=0)
    top = 1.6 * max(posterior.max().item(), prior.max().item())
    left.set(xlabel="$z$", ylabel="density", xlim=(z.min().item(), z.max().item()), ylim=(0, top))
    left.legend(loc="upper left", fontsize=8.5)
    _stack(right, {"q": bound}, log_prob, lowest)
    right.set(ylabel="nats", xticks=[])
    right.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8.5)


def elbo_surface(
    means: Tensor, stds: Tensor, bounds: Tensor, log_prob: float, marks: Mapping[str, tuple[float, float]]
) -> None:
    """The ELBO `(S, M)` over q's std `(S,)` and mean `(M,)`, with lines where the gap is 0.05, 0.2, ... nats.

    `marks` names points (mean, std); a star stands where the bound is highest.
    """
    if bounds.shape != (len(stds), len(means)):
        raise ValueError(f"bounds: expected {(len(stds), len(means))}, one row for each std, got {tuple(bounds.shape)}")
    (ax,) = panels("", labels=("mean of $q$", "standard deviation of $q$"), height=3.6)
    grid, gaps = (array(means), array(stds)), (0.05, 0.2, 0.5, 1, 2, 4)
    shades = {"cmap": DENSITY, "vmin": log_prob - 5, "vmax": log_prob, "shading": "nearest", "rasterized": True}
    image = ax.pcolormesh(*grid, array(bounds), **shades)
    lines = ax.contour(*grid, array(log_prob - bounds), levels=gaps, colors=OTHER, linewidths=0.8)
    ax.clabel(lines, fmt="gap %g", fontsize=7.5)
    row, column = divmod(int(bounds.argmax()), len(means))
    ax.plot(means[column], stds[row], "*", color=MODEL, markersize=16, markeredgecolor="white")
    _named(ax, marks)
    plt.colorbar(image, ax=ax, label="ELBO, nats", extend="min", aspect=16)


def _named(ax: Axes, marks: Mapping[str, tuple[float, float]]) -> None:
    """A dot with its name at each (mean, std)."""
    for name, (mean, std) in marks.items():
        ax.plot(mean, std, "o", color=NOISE, markeredgecolor="white", markersize=8)
        text = ax.annotate(name, (mean, std), (8, 5), textcoords="offset points", fontsize=9, weight="bold")
        text.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def noise_map(
    means: Tensor, stds: Tensor, joint: Tensor, split: Tensor, marks: Mapping[str, tuple[float, float]]
) -> None:
    """Which estimate of the ELBO is noisier, over q's std `(S,)` and mean `(M,)`: the standard deviations of the joint
    form and of the KL form, `(S, M)` each. Orange where the joint form is noisier, purple where the KL form is.
    """
    for name, values in {"joint": joint, "split": split}.items():
        if values.shape != (len(stds), len(means)):
            raise ValueError(
                f"{name}: expected {(len(stds), len(means))}, a row for each std, got {tuple(values.shape)}"
            )
    (ax,) = panels("", labels=("mean of $q$", "standard deviation of $q$"), height=3.6)
    ratio = array(torch.log2(joint / split).clamp(-3, 3))
    shades = {"cmap": SIGNED, "vmin": -3, "vmax": 3, "shading": "nearest", "rasterized": True}
    image = ax.pcolormesh(array(means), array(stds), ratio, **shades)
    ax.contour(array(means), array(stds), ratio, levels=[0], colors=OTHER, linewidths=1.2)
    _named(ax, marks)
    bar = plt.colorbar(image, ax=ax, label="noise of the joint form / of the KL form", extend="both", aspect=16)
    bar.set_ticks([-3, -1, 0, 1, 3], labels=["1/8", "1/2", "1", "2", "8"])


def gaussians_over(
    log_prob: Callable[[Tensor], Tensor], gaussians: Mapping[str, tuple[Tensor, Tensor]], *, extent: float = 3.0
) -> None:
    """One density over the z-plane in every panel, and on it the 1 and 2 std ellipses of a Gaussian (mean, cov)."""
    require_some("gaussians", gaussians)
    for ax, (mean, cov) in zip(plane(*gaussians, extent=extent, letter="z"), gaussians.values(), strict=True):
        density(ax, log_prob, extent=extent)
        for radius in (1, 2):
            ellipse(ax, mean, cov, radius, color=NOISE, linewidth=1.8)
        ax.plot(*array(mean), "o", color=NOISE, markeredgecolor="white", markersize=6)


def samples_needed(counts: Sequence[int], estimates: Mapping[str, Tensor], log_prob: float, *, lowest: float) -> None:
    """Repeated estimates `(R, len(counts))` of each kind against the number of samples K: their mean, and the band
    that holds the middle 80 %. The axis ends at `lowest`; what is below has left the picture.
    """
    require_some("estimates", estimates)
    (ax,) = panels("", labels=("number of samples $K$", "nats"), height=3.3)
    for number, (name, values) in enumerate(estimates.items()):
        if values.ndim != 2 or values.shape[1] != len(counts):
            raise ValueError(f"estimates[{name!r}]: expected (repeats, {len(counts)}), got {tuple(values.shape)}")
        color, marker = (OTHER, NOISE, COLORS[3])[number % 3], "so^"[number % 3]
        low, high = values.quantile(torch.tensor([0.1, 0.9], dtype=values.dtype), 0)
        ax.fill_between(counts, array(low), array(high), color=color, alpha=0.2, linewidth=0)
        ax.plot(counts, array(values.mean(0)), marker=marker, color=color, markersize=5, label=name)
    ax.axhline(log_prob, linestyle="--", color=MODEL, label="log p(x)")
    ax.set(xscale="log", ylim=(lowest, log_prob + 0.25 * (log_prob - lowest)))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def bound_and_evidence(bounds: Tensor, log_probs: Tensor, *, best: float | None = None) -> None:
    """Left ELBO and log p `(T,)` along an ascent, and `best`, the most that log p can reach; right the gap."""
    if bounds.shape != log_probs.shape or bounds.ndim != 1:
        raise ValueError(f"log_probs: expected one for each bound {tuple(bounds.shape)}, got {tuple(log_probs.shape)}")
    _, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2), sharex=True, layout="constrained")
    step = range(len(bounds))
    left.fill_between(step, array(bounds), array(log_probs), color=GAP, alpha=0.4, linewidth=0)
    left.plot(step, array(log_probs), color=MODEL, label="log p(x)")
    left.plot(step, array(bounds), "--", color=NOISE, label="ELBO")
    if best is not None:
        left.axhline(best, linestyle=":", color=OTHER, label="maximum likelihood")
    left.set(xlabel="step", ylabel="nats per event")
    left.legend(loc="lower right")
    right.plot(step, array((log_probs - bounds).clamp_min(1e-6)), color=GAP)
    right.set(xlabel="step", ylabel="gap, nats per event", yscale="log")
