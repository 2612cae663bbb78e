"""The flow and the target of 01_forward_reverse_kl: nothing here is Gaussian, standard or normalised, so that an answer
that assumes one of these shows."""

import math

import torch
from torch import Tensor, nn

from .fixtures import ScaledLogistic


def log_cosh(z: Tensor) -> Tensor:
    """log cosh z without overflow."""
    return z.abs() + nn.functional.softplus(-2 * z.abs()) - math.log(2)


class ArcsinhFlow:
    """z = asinh(W x + b) over a logistic base; its log_det depends on the point. Counts the calls of `forward`."""

    def __init__(self, W: Tensor, b: Tensor, base: ScaledLogistic):
        self.W, self.b, self.base, self.forward_calls = W, b, base, 0

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.forward_calls += 1
        u = x @ self.W.mT + self.b
        return torch.asinh(u), torch.linalg.slogdet(self.W).logabsdet - 0.5 * torch.log1p(u.square()).sum(-1)

    def __getattr__(self, name: str):
        """Reached only by what the flow lacks: a student hears what it has."""
        raise AttributeError(f"this flow has no '{name}', only forward, inverse and base.log_prob")

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        x = (torch.sinh(z) - self.b) @ torch.linalg.inv(self.W).mT
        return x, log_cosh(z).sum(-1) - torch.linalg.slogdet(self.W).logabsdet


class HeavyBumps:
    """log π(x) = log Σ_k exp(w_k) (1 + |x - c_k|²)⁻³ᐟ²: several modes, heavy tails, never normalised."""

    def __init__(self, centres: Tensor, log_weights: Tensor):
        self.centres, self.log_weights = centres, log_weights

    def log_prob(self, x: Tensor) -> Tensor:
        distance = (x.unsqueeze(-2) - self.centres).square().sum(-1)
        return torch.logsumexp(self.log_weights - 1.5 * torch.log1p(distance), -1)
