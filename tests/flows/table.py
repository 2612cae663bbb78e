"""The table of implementations: a new bijection gets every law by one new line here.

Each entry builds the layer for m columns from `lib`, which is `dgmlib.flows` or a copy of it with a planted
bug. `make` moves it off its starting point, so that no law holds only because the layer is the identity.
"""

from collections.abc import Callable
from types import ModuleType

import torch
from torch import Tensor, nn

import dgmlib.flows

HIDDEN = (9, 7)


def weight(m: int) -> Tensor:
    """An invertible matrix with det < 0 whose large entries LU must bring up by a cycle of rows, not a swap."""
    dominant = 2 * torch.eye(m, dtype=torch.float64) + 0.6 * torch.rand(m, m, dtype=torch.float64) / m
    W = dominant.roll(1, 0) * torch.linspace(0.5, 1.5, m, dtype=torch.float64)
    first = torch.arange(m) == 0
    return torch.where(first & (torch.linalg.det(W) > 0), -W, W)


class Coupled(nn.Module):
    """A smooth conditioner of `given` columns for `moved` columns, unlike the library's own."""

    def __init__(self, given: int, moved: int):
        super().__init__()
        self.mu, self.log_sigma = nn.Linear(given, moved), nn.Linear(given, moved)

    def forward(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        return self.mu(x1).sin(), self.log_sigma(x1).tanh()


class Triangular(nn.Module):
    """A smooth autoregressive conditioner: strictly lower weights let column j see those before it."""

    def __init__(self, m: int):
        super().__init__()
        self.mu, self.log_sigma = nn.Parameter(torch.zeros(m, m)), nn.Parameter(torch.zeros(m, m))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x @ self.mu.tril(-1).mT).sin(), (x @ self.log_sigma.tril(-1).mT).tanh() / 2


Build = Callable[[ModuleType, int], nn.Module]

TABLE: dict[str, Build] = {
    "LULinear": lambda lib, m: lib.LULinear(weight(m)),
    "QRLinear": lambda lib, m: lib.QRLinear(weight(m)),
    "Autoregressive": lambda lib, m: lib.Autoregressive(Triangular(m)),
    "MaskedAutoregressive": lambda lib, m: lib.MaskedAutoregressive(m, HIDDEN),
    "MaskedAutoregressive narrow": lambda lib, m: lib.MaskedAutoregressive(m, (2,)),
    "MaskedAutoregressive linear": lambda lib, m: lib.MaskedAutoregressive(m, ()),
    "InverseAutoregressive": lambda lib, m: lib.InverseAutoregressive(m, HIDDEN),
    "MAF": lambda lib, m: lib.MAF(m, 3, HIDDEN),
    "AffineCoupling": lambda lib, m: lib.AffineCoupling(Coupled(m - 1, 1), m - 1),
    "RealNVP even": lambda lib, m: lib.RealNVP(m, 4, HIDDEN),
    "RealNVP odd": lambda lib, m: lib.RealNVP(m, 3, HIDDEN),
    "Permutation": lambda lib, m: lib.Permutation(torch.randperm(m)),
    "Flip": lambda lib, m: lib.Flip(),
    "Inverse": lambda lib, m: lib.Inverse(lib.QRLinear(weight(m))),
    "Compose": lambda lib, m: lib.Compose(lib.LULinear(weight(m)), lib.MAF(m, 2, HIDDEN), lib.Flip()),
    "Compose of nothing": lambda lib, m: lib.Compose(),
}
COUPLED = {"AffineCoupling", "RealNVP even", "RealNVP odd"}  # these need two columns
IDENTITY_AT_START = {
    name for name in TABLE if name.startswith(("Masked", "InverseAuto", "RealNVP", "Compose of nothing"))
}


def make(name: str, m: int, lib: ModuleType = dgmlib.flows, seed: int = 0, device: str = "cpu") -> nn.Module:
    """The layer in float64, every parameter moved at random."""
    torch.manual_seed(seed)
    f = TABLE[name](lib, m).double()
    with torch.no_grad():
        for parameter in f.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return f.to(device)


def events(*shape: int, device: str = "cpu", seed: int = 1) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).to(device)
