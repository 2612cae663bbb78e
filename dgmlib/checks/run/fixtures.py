"""What a check hands to an answer: functions, conditioners, layers, targets. Rebuilt from arrays on both sides, plain
objects, and written apart from `dgmlib.flows`, so that an error there can't hide here."""

import math

import torch
from torch import Tensor, nn


def normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I), shape (n,)."""
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)


class ScaledLogistic:
    """A base density that is no Gaussian: independent logistic variables with location and log-scale, (m,)."""

    def __init__(self, location: Tensor, log_scale: Tensor):
        self.location, self.log_scale = location, log_scale

    def log_prob(self, z: Tensor) -> Tensor:
        u = (z - self.location) * torch.exp(-self.log_scale)
        return (-u - 2 * nn.functional.softplus(-u) - self.log_scale).sum(-1)


class RowMap:
    """f(x) = B tanh(A x) + c x², row by row; takes (n, m) and (m,)."""

    def __init__(self, A: Tensor, B: Tensor, c: Tensor):
        self.A, self.B, self.c = A, B, c

    def __call__(self, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.A.T) @ self.B.T + self.c * x.square()


class LinearMap:
    """f(x) = W x, row by row; takes (n, m) and (m,)."""

    def __init__(self, W: Tensor):
        self.W = W

    def __call__(self, x: Tensor) -> Tensor:
        return x @ self.W.T


class AutoregressiveConditioner:
    """(mu, log_sigma) of columns before j alone; counts its calls and remembers a call of another shape."""

    def __init__(self, shape, A: Tensor, B: Tensor, shift: Tensor):
        self.shape, self.calls, self.wrong_shape = tuple(shape), 0, ""
        self.A, self.B, self.shift = A.tril(-1), B.tril(-1), shift

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.calls += 1
        if tuple(x.shape) != self.shape:
            self.wrong_shape = f"the conditioner takes (n, m) = {self.shape}, and was given {tuple(x.shape)}"
            raise ValueError(self.wrong_shape)
        hidden = torch.sin(x)  # keeps x for its gradient: an answer that writes into x can't be differentiated
        return hidden @ self.A.T + 0.3, hidden @ self.B.T + self.shift


class CouplingConditioner:
    """(mu, log_sigma), both (n, m - split), of the first columns; counts its calls."""

    def __init__(self, A: Tensor, B: Tensor, shift: Tensor):
        self.A, self.B, self.shift, self.calls = A, B, shift, 0

    def __call__(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        self.calls += 1
        hidden = torch.tanh(x1)
        return hidden @ self.A.T + 0.3, hidden @ self.B.T + self.shift


class CouplingModule(nn.Module):
    """The same as a module with parameters."""

    def __init__(self, A: Tensor, B: Tensor, shift: Tensor):
        super().__init__()
        self.A, self.B, self.shift = (nn.Parameter(value.detach().clone()) for value in (A, B, shift))

    def forward(self, x1: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.tanh(x1)
        return hidden @ self.A.T + 0.3, hidden @ self.B.T + self.shift


class BentLinear:
    """A flow layer that does not commute with its like: z = W (x + a tanh x). Only `forward`; it keeps what it gave."""

    def __init__(self, W: Tensor, a: Tensor):
        self.W, self.a = W, a
        self.given: list[tuple[Tensor, int]] = []

    def __call__(self, x: Tensor):
        raise TypeError("call layer.forward(x): a layer may be a plain object")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        t = torch.tanh(x)
        slope = torch.log1p(self.a * (1 - t.square())).sum(-1)
        z, log_det = (x + self.a * t) @ self.W.T, slope + torch.linalg.slogdet(self.W).logabsdet
        self.given += [(tensor, tensor._version) for tensor in (z, log_det) if not tensor.is_inference()]
        return z, log_det

    def changed(self) -> bool:
        """Was written into what the layer gave? It might have been the layer's own."""
        return any(tensor._version != version for tensor, version in self.given)
