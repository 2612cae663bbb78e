"""Figures of Bayes' theorem: prior to posterior, a posterior that narrows, curves that a prior tames."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from dgmlib._valid import require_some
from dgmlib.plotting.style import COLORS, DATA, MODEL, OTHER, array, panels

TRUTH = {"color": COLORS[6], "linewidth": 1, "linestyle": (0, (1, 2))}


def bayes_updates(
    theta: Tensor, prior: Tensor, updates: Mapping[str, tuple[Tensor, Tensor]], *, truth: float | None = None
) -> None:
    """A panel for each data set: the prior, the likelihood scaled to area 1, the posterior; all over theta `(G,)`.

    `updates` maps a title to (log-likelihood, posterior density), `(G,)` each, on the uniform grid theta. Each panel
    has its own scale of densities: a posterior of 300 flips is ten times as high as one of three.
    """
    axes = panels(*updates, labels=(r"$\theta$", "density"), height=2.9, sharey=False)
    step = (theta[1] - theta[0]).item()
    for ax, (title, pair) in zip(axes, updates.items(), strict=True):
        for values in pair:
            if values.shape != theta.shape:
                raise ValueError(f"updates[{title!r}]: expected {tuple(theta.shape)} values, got {tuple(values.shape)}")
        likelihood, posterior = torch.softmax(pair[0], 0) / step, pair[1]
        ax.plot(array(theta), array(prior), "--", color=OTHER, label="prior")
        ax.plot(array(theta), array(posterior), color=MODEL, label="posterior")
        ax.fill_between(array(theta), array(posterior), color=MODEL, alpha=0.2, linewidth=0)
        ax.plot(array(theta), array(likelihood), "-.", color=DATA, linewidth=1.5, label="likelihood,\nscaled to area 1")
        if truth is not None:
            ax.axvline(truth, **TRUTH, label="truth")
        ax.set_ylim(0, None)
    axes[0].legend(loc="upper left", fontsize=8.5)


def narrowing_posterior(
    means: Tensor, stds: Tensor, averages: Tensor, *, truth: float, even: int, label: str = r"$\theta$"
) -> None:
    """The posterior after 0, 1, 2, ... observations: its mean and mean ± 2 std, against n; n = 0 is the prior.

    `averages` are those of the first 1, 2, ... observations; at n = `even` prior and data weigh the same.
    """
    if means.shape != stds.shape or means.ndim != 1:
        raise ValueError(
            f"stds: expected one for each mean {tuple(means.shape)}, got {tuple(stds.shape)}; one row for each n"
        )
    if len(averages) != len(means) - 1:
        raise ValueError(f"averages: expected one for each n from 1 on, {len(means) - 1}, got {len(averages)}")
    (ax,) = panels("", labels=("$n$, number of observations", label), height=3.2)
    n, mean, std = range(len(means)), array(means), array(stds)
    ax.fill_between(n, mean - 2 * std, mean + 2 * std, color=MODEL, alpha=0.2, linewidth=0, label="mean ± 2 std")
    ax.plot(n, mean, color=MODEL, label="posterior mean")
    ax.plot(n[1:], array(averages), "--", color=DATA, linewidth=1.2, label="average of the data")
    ax.plot([even] * 3, [mean[0], mean[even], array(averages)[even - 1]], "o:", color=OTHER, markersize=5)
    ax.annotate(
        f"n = {even}: half-way", (even, mean[0]), (0, -14), textcoords="offset points", ha="center", fontsize=8.5
    )
    ax.axhline(truth, **TRUTH, label="truth")
    ax.set_xscale("symlog", linthresh=1)
    ticks = [0, *(10**power for power in range(6) if 10**power < len(means))]
    ax.set(xlim=(0, len(means) - 1), xticks=ticks, xticklabels=[str(tick) for tick in ticks])
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def fitted_curves(x: Tensor, y: Tensor, grid: Tensor, fits: Mapping[str, Tensor], *, truth: Tensor) -> None:
    """The data `(n,)` and the truth `(G,)` in every panel, and a fit: one curve `(G,)`, or several, `(S, G)`."""
    require_some("fits", fits)
    axes = panels(*fits, labels=("$x$", "$y$"), height=2.7)
    for ax, (title, curves) in zip(axes, fits.items(), strict=True):
        if curves.shape[-1:] != grid.shape:
            raise ValueError(f"fits[{title!r}]: expected curves over {len(grid)} points, got {tuple(curves.shape)}")
        alone = curves.ndim == 1
        style: dict[str, Any] = {"linewidth": 2, "alpha": 1} if alone else {"linewidth": 0.8, "alpha": 0.5}
        lines = ax.plot(array(grid), array(curves.reshape(-1, len(grid))).T, color=MODEL, **style)
        lines[0].set_label("fit" if alone else "draws of the posterior")
        ax.plot(array(grid), array(truth), "--", color=OTHER, linewidth=1.5, label="truth")
        ax.plot(array(x), array(y), "o", color=DATA, markersize=4, label="data")
        ax.legend(loc="upper left", fontsize=8)
    spread = 1.6 * y.abs().max().item()
    axes[0].set_ylim(-spread, 1.3 * spread)
