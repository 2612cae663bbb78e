"""A ribbon of probability on its way from z to x: its width and height change, its area does not."""

from collections.abc import Callable

import torch
from matplotlib.axes import Axes
from torch import Tensor

from dgmlib.plotting.style import DATA, NOISE, array, panels


def pushed_ribbon(g: Callable[[Tensor], Tensor], place: float, *, width: float = 0.3, extent: float = 3.0) -> None:
    """Left p(z) = N(0, 1) over z, right the density of x = g(z), each with the ribbon that starts around `place`.

    `g` is increasing and maps `(n,)` to `(n,)`. Limits stay when the ribbon moves: for sliders.
    """
    z = torch.linspace(-extent, extent, 601)
    x, stretch = pushed(g, z)
    if (stretch <= 0).any():
        raise ValueError("g: expected an increasing function, got one that falls or stays; turn it round")
    normal = torch.distributions.Normal(0.0, 1.0)
    ribbon = torch.linspace(place - width / 2, place + width / 2, 61)
    pushed_x, pushed_stretch = pushed(g, ribbon)
    left, right = panels("", "", labels=("$z$", "density"), sharex=False, height=3.0)
    draw(left, z, normal.log_prob(z).exp(), ribbon, normal.log_prob(ribbon).exp(), NOISE)
    draw(right, x, normal.log_prob(z).exp() / stretch, pushed_x, normal.log_prob(ribbon).exp() / pushed_stretch, DATA)
    right.set(xlabel="$x = g(z)$", title=f"{right.get_title()}, |f'| {1 / pushed_stretch[30]:.2f}")


def pushed(g: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    """g(z) and g'(z), `(n,)` each."""
    z = z.clone().requires_grad_()
    with torch.enable_grad():
        x = g(z)
        (stretch,) = torch.autograd.grad(x.sum(), z)
    return x.detach(), stretch


def draw(ax: Axes, at: Tensor, density: Tensor, ribbon: Tensor, heights: Tensor, color: str) -> None:
    """One density and its ribbon; the title says how wide, how high and how large that is."""
    ax.plot(array(at), array(density), color=color)
    ax.fill_between(array(ribbon), array(heights), color=color, alpha=0.5, linewidth=0)
    width, area = (ribbon[-1] - ribbon[0]).item(), torch.trapezoid(heights, ribbon).item()
    ax.set(title=f"width {width:.2f}, height {area / width:.2f}, area {area:.3f}", xlim=(at[0].item(), at[-1].item()))
    ax.set_ylim(0, None)
