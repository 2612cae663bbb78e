"""Networks that give a flow its (μ, log σ)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

# σ stays within [e⁻⁷, e⁷], about a factor of 1000 either way: an event far outside the data then gets a
# large finite z where exp of a network's free output would overflow. Inside, log σ is the network's output.
MAX_LOG_SIGMA = 7.0


class AffineConditioner(nn.Module):
    """(μ, log σ) from x by a ReLU network: x `(..., in_features)`, μ and log σ `(..., out_features)`.

    The last layer starts at zero, so that μ = 0, σ = 1, and the flow around it starts at the identity.
    """

    def __init__(self, in_features: int, out_features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        sizes = (in_features, *hidden)
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU(inplace=True))]
        self.net = nn.Sequential(*layers, zeroed(nn.Linear(sizes[-1], 2 * out_features)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, log_sigma = self.net(x).chunk(2, -1)
        return mu, log_sigma.clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA)


class MaskedLinear(nn.Linear):
    """y = (mask ⊙ W) x + b; mask `(out, in)`, True where output i may see input j."""

    def __init__(self, mask: Tensor):
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


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
        check_sizes(features=features, hidden=hidden)
        inputs = torch.arange(1, features + 1)
        degrees = [inputs, *(hidden_degrees(features, h) for h in hidden)]
        masks = [high[:, None] >= low for low, high in pairwise(degrees)]
        self.hidden_layers = nn.ModuleList(MaskedLinear(mask) for mask in masks)
        self.last = zeroed(MaskedLinear((inputs[:, None] > degrees[-1]).repeat(2, 1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for layer in self.hidden_layers:
            x = layer(x).relu_()
        mu, log_sigma = self.last(x).chunk(2, -1)
        return mu, log_sigma.clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA)


def hidden_degrees(features: int, width: int) -> Tensor:
    """`(width,)`: degrees 1, …, m - 1, ascending, each as often as any other (±1)."""
    return 1 + torch.arange(width) * max(features - 1, 1) // width


def zeroed(layer: nn.Linear) -> nn.Linear:
    """The layer with its weight and bias set to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def check_sizes(features: int, hidden: Sequence[int]) -> None:
    """ValueError unless there is a column and every hidden layer has a unit."""
    if features < 1:
        raise ValueError(f"features: expected at least 1, got {features}; pass the columns of x")
    if any(width < 1 for width in hidden):
        raise ValueError(f"hidden: expected positive widths, got {tuple(hidden)}; hidden=(128, 128), say")
