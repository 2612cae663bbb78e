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
        check_sizes(hidden, in_features=in_features, out_features=out_features)
        sizes = (in_features, *hidden)
        self.hidden_layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.last = zeroed(nn.Linear(sizes[-1], 2 * out_features))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for layer in self.hidden_layers:
            x = layer(x).relu_()
        return split_affine(self.last(x))


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
        check_sizes(hidden, features=features)
        inputs = torch.arange(1, features + 1)
        degrees = [inputs, *(hidden_degrees(features, h) for h in hidden)]
        # counts[l][j]: how many units of layer l have degree <= j; they come first.
        self.counts = [[int((degree <= j).sum()) for j in range(features + 1)] for degree in degrees]
        masks = [high[:, None] >= low for low, high in pairwise(degrees)]
        self.hidden_layers = nn.ModuleList(MaskedLinear(mask) for mask in masks)
        self.last = zeroed(MaskedLinear((inputs[:, None] > degrees[-1]).repeat(2, 1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for layer in self.hidden_layers:
            x = layer(x).relu_()
        return split_affine(self.last(x))

    @torch.no_grad()
    def sweep(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x with x_j = σ_j(x_{1:j-1}) z_j + μ_j(x_{1:j-1}), and log σ: `(n, m)` each, without a graph.

        As soon as x_j is known, so are the hidden units of degree j, and those of lower degree are a block
        of rows above them. So each unit is computed once, and the sweep costs one pass instead of m.
        """
        n, m = z.shape
        units = [z.new_empty(m, n), *(z.new_empty(layer.out_features, n) for layer in self.hidden_layers)]
        x, log_sigma = units[0], z.new_empty(m, n)
        W, b = self.last.weight.detach().view(2, m, -1), self.last.bias.detach().view(2, m, 1)
        hidden = [(layer.weight.detach(), layer.bias.detach()[:, None]) for layer in self.hidden_layers]
        for j, z_j in enumerate(z.mT.contiguous()):
            seen = self.counts[-1][j]
            mu, free = torch.addmm(b[:, j], W[:, j, :seen], units[-1][:seen])
            torch.clamp(free, -MAX_LOG_SIGMA, MAX_LOG_SIGMA, out=log_sigma[j])
            torch.addcmul(mu, log_sigma[j].exp(), z_j, out=x[j])
            for l, (weight, bias) in enumerate(hidden):
                seen, new = self.counts[l][j + 1], slice(self.counts[l + 1][j], self.counts[l + 1][j + 1])
                torch.addmm(bias[new], weight[new, :seen], units[l][:seen], out=units[l + 1][new]).relu_()
        return x.mT, log_sigma.mT


def split_affine(out: Tensor) -> tuple[Tensor, Tensor]:
    """(μ, log σ) from a network's output `(..., 2 m)`: the first half and the second, the latter clamped."""
    mu, log_sigma = out.chunk(2, -1)
    return mu, log_sigma.clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA)


def hidden_degrees(features: int, width: int) -> Tensor:
    """`(width,)`: degrees 1, …, m - 1, ascending, each as often as any other (±1)."""
    return 1 + torch.arange(width) * max(features - 1, 1) // width


def zeroed(layer: nn.Linear) -> nn.Linear:
    """The layer with its weight and bias set to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def check_sizes(hidden: Sequence[int], **features: int) -> None:
    """ValueError unless there are columns and every hidden layer has a unit."""
    for name, number in features.items():
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}; pass the number of columns")
    if any(width < 1 for width in hidden):
        raise ValueError(f"hidden: expected positive widths, got {tuple(hidden)}; hidden=(128, 128), say")
