"""Affine coupling, and RealNVP: a stack in which the two halves take turns."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dgmlib._module_list import ModuleList
from dgmlib._valid import require_affine, require_count, require_event
from dgmlib.flows.autoregressive import Conditioner
from dgmlib.flows.base import Bijection, Compose, Inverse, Permutation, no_log_det
from dgmlib.nn import AffineConditioner


class AffineCoupling(Bijection):
    """z_1 = x_1, z_2 = (x_2 - μ(x_1)) / σ(x_1); log|det J| = -Σ_j log σ_j(x_1).

    x_1 is the first `split` columns, x_2 the rest. `conditioner(x1) -> (mu, log_sigma)`, both of x_2's
    shape; a module or a plain function. Density and sampling take one pass each.
    Raises ValueError where a part would be empty, or (mu, log_sigma) do not fit x_2.

    Source: Lecture 3, "Recap of Previous Lecture" (Coupling Layer); Dinh et al. 2017, RealNVP, eqs. 7-8.

    >>> f = AffineCoupling(lambda x1: (x1, torch.zeros_like(x1)), split=1)
    >>> f.forward(torch.tensor([[1.0, 5.0]]))
    (tensor([[1., 4.]]), tensor([-0.]))
    """

    def __init__(self, conditioner: Conditioner, split: int):
        super().__init__()
        require_count("split", split, remedy="m // 2 is the usual choice")
        self.conditioner = conditioner
        self.split = split

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x1, x2 = self.halves("x", x)
        mu, log_sigma = require_affine(self.conditioner(x1), x2)
        z2 = (x2 - mu) / torch.exp(log_sigma)
        return torch.cat([x1, z2], -1), -log_sigma.sum(-1)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        z1, z2 = self.halves("z", z)
        mu, log_sigma = require_affine(self.conditioner(z1), z2)
        x2 = z2 * torch.exp(log_sigma) + mu
        return torch.cat([z1, x2], -1), log_sigma.sum(-1)

    def halves(self, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
        """The first `split` columns of x, and the rest."""
        require_event(name, x)
        if x.shape[-1] <= self.split:
            raise ValueError(
                f"{name}: expected more than {self.split} columns, got {tuple(x.shape)}; this split leaves "
                "x_2 empty, so lower it, or for one column use LULinear or MaskedAutoregressive."
            )
        return x[..., : self.split], x[..., self.split :]


class RealNVP(Bijection):
    """`num_layers` affine couplings of `features` columns, in which the two halves take turns.

    x, z `(..., features)`. Layers 1, 3, … move the second half given the first, layers 2, 4, … the first
    given the second. Starts at the identity. The halves travel as two tensors and are joined once, at the
    end. Raises ValueError for features < 2, and for x of another width or dtype than the networks'.

    Source: Dinh et al. 2017, RealNVP, section 3.5.
    """

    def __init__(self, features: int, num_layers: int = 8, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        require_count("num_layers", num_layers)
        require_count("features", features, least=2, remedy="for one column use MaskedAutoregressive")
        a, b = self.sizes = features // 2, features - features // 2
        turns = [(a, b), (b, a)]
        self.layers = ModuleList(
            AffineCoupling(AffineConditioner(*turns[k % 2], hidden), split=turns[k % 2][0]) for k in range(num_layers)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        parts, total = self.parts("x", x), no_log_det(x)
        for k, layer in enumerate(self.layers):
            given, moved = k % 2, 1 - k % 2
            shift, log_sigma = layer.conditioner.shift_and_log_sigma(parts[given])
            parts[moved] = parts[moved] / torch.exp(log_sigma) - shift  # (x - μ)/σ
            total = total - log_sigma.sum(-1)
        return torch.cat(parts, -1), total

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        parts, total = self.parts("z", z), no_log_det(z)
        for k, layer in reversed(list(enumerate(self.layers))):
            given, moved = k % 2, 1 - k % 2
            shift, log_sigma = layer.conditioner.shift_and_log_sigma(parts[given])
            parts[moved] = (parts[moved] + shift) * torch.exp(log_sigma)  # σ z + μ
            total = total + log_sigma.sum(-1)
        return torch.cat(parts, -1), total

    def parts(self, name: str, x: Tensor) -> list[Tensor]:
        """The first half of x's columns and the second, as a new list."""
        require_event(name, x, sum(self.sizes), like=self.layers[0].conditioner.last.weight)
        return list(x.split(self.sizes, -1))

    def as_compose(self) -> Compose:
        """The same layers as a plain stack: the reference that `forward` and `inverse` are tested against."""
        swap = Permutation(torch.arange(sum(self.sizes)).roll(-self.sizes[0]))
        return Compose(
            *(layer if k % 2 == 0 else Compose(swap, layer, Inverse(swap)) for k, layer in enumerate(self.layers))
        )
