"""A flow as a density: a base p(z) and a bijection."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Distribution

from dgmlib._valid import require_base, require_bijection, require_count, require_event, require_no_nan, require_shape
from dgmlib.flows.base import Bijection


class StandardNormal(nn.Module):
    """p(z) = N(z; 0, I) over `features` columns; `.to` moves its samples' device and dtype."""

    origin: Tensor

    def __init__(self, features: int):
        super().__init__()
        require_count("features", features)
        self.register_buffer("origin", torch.zeros(features), persistent=False)

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) = -|z|²/2 - (m/2) log 2π; z `(..., m)`, result `(...)`."""
        require_event("z", z, len(self.origin))
        return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2 * math.pi))

    def sample(self, shape: Sequence[int] = (), generator: Generator | None = None) -> Tensor:
        """z ~ N(0, I) of shape `(*shape, m)`, drawn from the generator, or from torch's global state."""
        options = {"dtype": self.origin.dtype, "device": self.origin.device}
        return torch.randn(*shape, len(self.origin), generator=generator, **options)


class Flow(nn.Module):
    """p(x) by a base p(z) and a bijection f: x -> z.

    `base` has `log_prob(z) -> (...)` and `sample(shape)`: `StandardNormal(m)`, or a distribution of
    `torch.distributions` whose event is a vector, made where the flow lives: `.to` does not move it. x `(..., m)`.
    Raises ValueError for a base of numbers or of a batch of vectors; for x that is not finite where it can be seen
    for free, on a CPU.

    Source: Lecture 3, "Recap of Previous Lecture" (Flow Log-Likelihood).

    >>> from dgmlib.flows import RealNVP
    >>> flow = Flow(StandardNormal(2), RealNVP(2))
    >>> flow.log_prob(torch.zeros(3, 2)).shape, flow.sample(5).shape
    (torch.Size([3]), torch.Size([5, 2]))
    """

    def __init__(self, base: Any, bijection: Bijection):
        super().__init__()
        require_base(base)
        require_bijection("bijection", bijection)
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
        z, log_det = self.forward(x)
        log_base = self.base.log_prob(z)
        require_shape("base.log_prob(z)", log_base, tuple(log_det.shape))
        log_prob = log_base + log_det
        require_no_nan("x and the flow's parameters", log_prob)
        return log_prob

    def rsample(self, num_samples: int, generator: Generator | None = None) -> Tensor:
        """x = g(z), z ~ p(z): `(num_samples, m)`, differentiable with respect to the parameters of g.

        Those of a base of `torch.distributions` too, where it has `rsample`.
        """
        require_count("num_samples", num_samples, least=0)
        options = {} if generator is None else {"generator": generator}
        if options and isinstance(self.base, Distribution):
            raise ValueError(
                "generator: expected None, got one, but torch.distributions draw from torch's global state alone; "
                "use StandardNormal(m) as the base, or torch.manual_seed."
            )
        draw = self.base.rsample if getattr(self.base, "has_rsample", False) else self.base.sample
        return self.inverse(draw((num_samples,), **options))[0]

    @torch.no_grad()
    def sample(self, num_samples: int, generator: Generator | None = None) -> Tensor:
        """x = g(z), z ~ p(z): `(num_samples, m)`, without a graph."""
        return self.rsample(num_samples, generator)
