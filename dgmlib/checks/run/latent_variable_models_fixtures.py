"""What the checks of 02_latent_variable_models hand to an answer, and the watcher of its memory."""

import math

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Decoder:
    """log p(x|z) = log N(x; tanh(z Aᵀ) Bᵀ + c, diag(exp log_scale)²), x (n, m) and z (K, d) to (K, n)."""

    def __init__(self, A: Tensor, B: Tensor, c: Tensor, log_scale: Tensor):
        self.A, self.B, self.c, self.log_scale = A, B, c, log_scale

    def __call__(self, x: Tensor, z: Tensor) -> Tensor:
        for name, value, width in (("x", x, len(self.c)), ("z", z, self.A.shape[1])):
            if value.ndim != 2 or value.shape[1] != width:
                raise ValueError(
                    f"log_likelihood(x, z) takes {name} of shape (rows, {width}), got {tuple(value.shape)}"
                )
        means = torch.tanh(z @ self.A.T) @ self.B.T + self.c
        u = (x[None] - means[:, None]) * torch.exp(-self.log_scale)
        return -(u.square() / 2 + self.log_scale + math.log(2 * math.pi) / 2).sum(-1)


def mixture(given: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """weights, means, covariances as they are given. While differentiated, weights are divided by their sum and
    covariances symmetrised: how an answer continues beyond distributions and symmetric matrices is its own affair."""
    weights, means, covariances = given["weights"], given["means"], given["covariances"]
    if weights.requires_grad:
        weights, covariances = weights / weights.sum(), (covariances + covariances.mT) / 2
    return weights, means, covariances


class Largest(TorchDispatchMode):
    """The most numbers that one tensor made by an operation holds, and its shape."""

    def __init__(self):
        super().__init__()
        self.numbers, self.shape = 0, ()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                numbers = leaf.untyped_storage().nbytes() // leaf.element_size()
                if numbers > self.numbers:
                    self.numbers, self.shape = numbers, tuple(leaf.shape)
        return out
