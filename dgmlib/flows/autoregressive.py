"""Gaussian autoregressive flows: the formula for any conditioner, and the masked network."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from dgmlib.flows.base import Bijection, Compose, Flip, Inverse, check_event
from dgmlib.nn import MADE

Conditioner = Callable[[Tensor], tuple[Tensor, Tensor]]


def autoregressive_forward(x: Tensor, conditioner: Conditioner) -> tuple[Tensor, Tensor]:
    """z_j = (x_j - μ_j(x_{1:j-1})) / σ_j(x_{1:j-1}), log|det J| = -Σ_j log σ_j.

    `conditioner(x) -> (mu, log_sigma)`, both of x's shape `(..., m)`, column j a function of the columns
    before it. Not sequential: one call of the conditioner.
    Raises ValueError for (mu, log_sigma) of another shape.

    Source: Lecture 3, "Recap of Previous Lecture" (Gaussian Autoregressive Normalizing Flow).
    """
    check_event("x", x)
    mu, log_sigma = conditioner(x)
    check_affine(x, mu, log_sigma)
    return (x - mu) / torch.exp(log_sigma), -log_sigma.sum(-1)


def autoregressive_inverse(z: Tensor, conditioner: Conditioner) -> tuple[Tensor, Tensor]:
    """x_j = σ_j(x_{1:j-1}) z_j + μ_j(x_{1:j-1}), log|det J| = Σ_j log σ_j.

    Sequential: m calls of the conditioner, each on `(..., m)` with zeros where x is not known yet.
    Raises ValueError for (mu, log_sigma) of another shape than z.

    Source: Lecture 3, "Recap of Previous Lecture" (Gaussian Autoregressive Normalizing Flow).
    """
    check_event("z", z)
    x, log_det = torch.zeros_like(z), z.new_zeros(z.shape[:-1])
    for j in range(z.shape[-1]):
        mu, log_sigma = conditioner(x)
        check_affine(z, mu, log_sigma)
        x_j = torch.exp(log_sigma[..., j]) * z[..., j] + mu[..., j]
        x = torch.cat([x[..., :j], x_j[..., None], x[..., j + 1 :]], -1)
        log_det = log_det + log_sigma[..., j]
    return x, log_det


class Autoregressive(Bijection):
    """The autoregressive flow of any conditioner: `autoregressive_forward` and `autoregressive_inverse`."""

    def __init__(self, conditioner: Conditioner):
        super().__init__()
        self.conditioner = conditioner

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return autoregressive_forward(x, self.conditioner)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return autoregressive_inverse(z, self.conditioner)


class MaskedAutoregressive(Autoregressive):
    """The autoregressive flow whose conditioner is a masked network, `dgmlib.nn.MADE`.

    x, z `(..., m)`. Starts at the identity. Density: one pass of the network. Sampling: the work of one pass
    in m small steps where no graph is wanted (`torch.no_grad`, `Flow.sample`), else m passes.
    `torch.func.vmap` cannot enter those small steps; batch axes make it needless.
    Raises ValueError for x of another width or dtype than the network's.

    Source: Papamakarios et al. 2017, Masked Autoregressive Flow, eqs. 3-6.
    """

    def __init__(self, features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__(MADE(features, hidden))
        self.features = features

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        check_event("x", x, self.features, self.conditioner.last.weight.dtype)
        return autoregressive_forward(x, self.conditioner)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        check_event("z", z, self.features, self.conditioner.last.weight.dtype)
        if torch.is_grad_enabled():
            return autoregressive_inverse(z, self.conditioner)
        x, log_sigma = self.conditioner.sweep(z.reshape(-1, self.features))
        return x.reshape(z.shape), log_sigma.sum(-1).reshape(z.shape[:-1])


class InverseAutoregressive(Inverse):
    """IAF: the masked flow turned round. Sampling is one pass of the network, the density is sequential.

    Source: Kingma et al. 2016, Improving Variational Inference with Inverse Autoregressive Flow.
    """

    def __init__(self, features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__(MaskedAutoregressive(features, hidden))


class MAF(Compose):
    """`num_layers` masked autoregressive layers, with the columns flipped between one and the next."""

    def __init__(self, features: int, num_layers: int = 5, hidden: Sequence[int] = (128, 128)):
        check_num_layers(num_layers)
        layers: list[nn.Module] = [MaskedAutoregressive(features, hidden)]
        for _ in range(num_layers - 1):
            layers += [Flip(), MaskedAutoregressive(features, hidden)]
        super().__init__(*layers)


def check_affine(x: Tensor, mu: Tensor, log_sigma: Tensor) -> None:
    """ValueError unless mu and log_sigma have x's shape: a broadcast would make the log_det wrong."""
    if mu.shape != x.shape or log_sigma.shape != x.shape:
        raise ValueError(
            f"conditioner: expected mu and log_sigma of shape {tuple(x.shape)}, got {tuple(mu.shape)} and "
            f"{tuple(log_sigma.shape)}; give one mu and one log_sigma for each column that is transformed"
        )


def check_num_layers(num_layers: int) -> None:
    """ValueError unless there is a layer."""
    if num_layers < 1:
        raise ValueError(f"num_layers: expected at least 1, got {num_layers}; pass num_layers=8, say")
