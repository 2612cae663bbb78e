"""Networks that give a flow its (μ, log σ)."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from dgmlib._module_list import ModuleList
from dgmlib._valid import require_count, require_event

# σ stays within [e⁻⁷, e⁷], about a factor of 1000 either way: an event far outside the data then gets a
# large finite z where exp of a network's free output would overflow. Inside, log σ is the network's output.
MAX_LOG_SIGMA = 7.0


class AffineConditioner(nn.Module):
    """(μ, log σ) from x by a ReLU network: x `(..., in_features)`, μ and log σ `(..., out_features)`.

    The last layer starts at zero, so that μ = 0, σ = 1, and the flow around it starts at the identity.
    """

    def __init__(self, in_features: int, out_features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        require_count("in_features", in_features)
        require_count("out_features", out_features)
        self.in_features = in_features
        sizes = (in_features, *widths(hidden))
        self.hidden_layers = ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.last = zeroed(nn.Linear(sizes[-1], 2 * out_features))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x, self.in_features, like=self.last.weight)
        return affine(*self.shift_and_log_sigma(x))

    def shift_and_log_sigma(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(μ/σ, log σ) from x, unchecked: `RealNVP` has checked it, and a small batch feels the time."""
        for layer in self.hidden_layers:
            x = linear(x, layer.weight, layer.bias).relu_()
        return split(linear(x, self.last.weight, self.last.bias))


class MaskedLinear(nn.Linear):
    """y = (mask ⊙ W) x + b; mask `(out, in)`, True where output i may see input j."""

    mask: Tensor

    def __init__(self, mask: Tensor):
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool or mask.dim() != 2:
            got = f"{mask.dtype} {tuple(mask.shape)}" if isinstance(mask, Tensor) else type(mask).__name__
            raise ValueError(f"mask: expected booleans of shape (out, in), got {got}; mask.bool() makes them.")
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        require_event("x", x, self.in_features, like=self.weight)
        return linear(x, self.weight * self.mask, self.bias)


class MADE(nn.Module):
    """(μ, log σ) with column j a function of x_1, …, x_{j-1} alone: x, μ, log σ `(..., m)`.

    Every unit has a degree. Input j has degree j; a hidden unit of degree k sees inputs up to k; outputs
    μ_j and log σ_j see hidden units of degree below j. Units are sorted by degree, so each weight matrix
    is block lower triangular. The last layer starts at zero: μ = 0, σ = 1.

    Cost O(n (m h + h²)) for hidden width h. Raises ValueError unless features >= 1 and hidden widths >= 1.

    Source: Germain et al. 2015, MADE, eqs. 8-9; Lecture 3, "Recap of Previous Lecture" (Gaussian
    Autoregressive Normalizing Flow).
    """

    def __init__(self, features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        require_count("features", features)
        degrees = [list(range(1, features + 1)), *(hidden_degrees(features, width) for width in widths(hidden))]
        # counts[l][j]: how many units of layer l have degree <= j; they come first.
        self.counts = [[bisect_right(degree, j) for j in range(features + 1)] for degree in degrees]
        units = [torch.tensor(degree) for degree in degrees]
        masks = [high[:, None] >= low for low, high in pairwise(units)]
        self.hidden_layers = ModuleList(MaskedLinear(mask) for mask in masks)
        self.last = zeroed(MaskedLinear((units[0][:, None] > units[-1]).repeat(2, 1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for layer in self.hidden_layers:
            x = layer(x).relu_()
        return affine(*split(self.last(x)))


def split(out: Tensor) -> tuple[Tensor, Tensor]:
    """(μ/σ, log σ) from a network's output `(..., 2 m)`: its halves, the second clamped.

    z = x/σ - μ/σ, so that a step moves z by as much where σ is small as elsewhere. With μ itself as the output, z moves
    1/σ times as far, and a flow of two moons (σ near 0.1) ends 0.03 nats lower (benchmarks/training.py).
    """
    shift, free = out.chunk(2, -1)
    return shift, free.clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA)


def affine(shift: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
    """(μ, log σ) from (μ/σ, log σ)."""
    return torch.exp(log_sigma) * shift, log_sigma


def hidden_degrees(features: int, width: int) -> list[int]:
    """`width` degrees 1, …, m - 1, ascending, each as often as any other (±1)."""
    return [1 + unit * max(features - 1, 1) // width for unit in range(width)]


def zeroed(layer: nn.Linear) -> nn.Linear:
    """The layer with its weight and bias set to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def widths(hidden: Sequence[int]) -> tuple[int, ...]:
    """The hidden layers' numbers of units, none of them zero."""
    if not isinstance(hidden, Sequence) or isinstance(hidden, str):
        raise ValueError(f"hidden: expected a sequence of widths, got {hidden!r}; hidden=(128, 128), say.")
    for width in hidden:
        require_count("hidden", width, remedy="hidden=(128, 128), say")
    return tuple(hidden)
