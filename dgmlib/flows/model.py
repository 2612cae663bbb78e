"""A flow as a density: a base p(z) and a bijection."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from dgmlib.flows.base import check_bijection, check_event


class StandardNormal(nn.Module):
    """p(z) = N(z; 0, I) over `features` columns; `.to` moves its samples' device and dtype."""

    def __init__(self, features: int):
        super().__init__()
        if features < 1:
            raise ValueError(f"features: expected at least 1, got {features}; pass the number of columns")
        self.register_buffer("origin", torch.zeros(features), persistent=False)

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) = -|z|²/2 - (m/2) log 2π; z `(..., m)`, result `(...)`."""
        check_event("z", z, len(self.origin))
        return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2 * math.pi))

    def sample(self, shape: tuple[int, ...] = ()) -> Tensor:
        """z ~ N(0, I) of shape `(*shape, m)`."""
        return torch.randn(*shape, len(self.origin), dtype=self.origin.dtype, device=self.origin.device)


class Flow(nn.Module):
    """p(x) by a base p(z) and a bijection f: x -> z.

    `base` has `log_prob(z) -> (...)` and `sample(shape)`: `StandardNormal(m)`, or a distribution of
    `torch.distributions` whose event is a vector. x `(..., m)`.

    Source: Lecture 3, "Recap of Previous Lecture" (Flow Log-Likelihood).

    >>> from dgmlib.flows import RealNVP
    >>> flow = Flow(StandardNormal(2), RealNVP(2))
    >>> flow.log_prob(torch.zeros(3, 2)).shape, flow.sample(5).shape
    (torch.Size([3]), torch.Size([5, 2]))
    """

    def __init__(self, base: Any, bijection: nn.Module):
        super().__init__()
        check_bijection("bijection", bijection)
        self.base = base
        self.bijection = bijection

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = f(x) and log|det J_f|."""
        return self.bijection.forward(x)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x = g(z) and log|det J_g|."""
        return self.bijection.inverse(z)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log p(f(x)) + log|det J_f|; x `(..., m)`, result `(...)`."""
        z, log_det = self.bijection.forward(x)
        return self.base.log_prob(z) + log_det

    @torch.no_grad()
    def sample(self, num_samples: int) -> Tensor:
        """x = g(z), z ~ p(z): `(num_samples, m)`, without a graph; for gradients call `inverse` on z."""
        if num_samples < 0:
            raise ValueError(f"num_samples: expected 0 or more, got {num_samples}; pass the rows you want")
        x, _ = self.bijection.inverse(self.base.sample((num_samples,)))
        return x
