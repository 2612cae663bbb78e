"""Gaussian autoregressive flows: the formula for any conditioner, and the masked network."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dgmlib._valid import require_affine, require_count, require_event
from dgmlib.flows._sweep import sweep
from dgmlib.flows.base import Bijection, Compose, Flip, Inverse
from dgmlib.nn import MADE

Conditioner = Callable[[Tensor], tuple[Tensor, Tensor]]


def autoregressive_forward(x: Tensor, conditioner: Conditioner) -> tuple[Tensor, Tensor]:
    """z_j = (x_j - μ_j(x_{1:j-1})) / σ_j(x_{1:j-1}), log|det J| = -Σ_j log σ_j.

    `conditioner(x) -> (mu, log_sigma)`, both of x's shape `(..., m)`, column j a function of the columns
    before it. Not sequential: one call of the conditioner.
    Raises ValueError for (mu, log_sigma) of another shape.

    Source: Lecture 3, "Recap of Previous Lecture" (Gaussian Autoregressive Normalizing Flow).
    """
    require_event("x", x)
    mu, log_sigma = require_affine(conditioner(x), x)
    return (x - mu) / torch.exp(log_sigma), -log_sigma.sum(-1)


def autoregressive_inverse(z: Tensor, conditioner: Conditioner) -> tuple[Tensor, Tensor]:
    """x_j = σ_j(x_{1:j-1}) z_j + μ_j(x_{1:j-1}), log|det J| = Σ_j log σ_j.

    Sequential: m calls of the conditioner, each on `(..., m)` with zeros where x is not known yet.
    Raises ValueError for (mu, log_sigma) of another shape than z.

    Source: Lecture 3, "Recap of Previous Lecture" (Gaussian Autoregressive Normalizing Flow).
    """
    require_event("z", z)
    x, log_det = torch.zeros_like(z), z.new_zeros(z.shape[:-1])
    for j in range(z.shape[-1]):
        mu, log_sigma = require_affine(conditioner(x), z)
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
    Raises ValueError for x of another width or dtype than the network's.

    Source: Papamakarios et al. 2017, Masked Autoregressive Flow, eqs. 3-6.
    """

    conditioner: MADE

    def __init__(self, features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__(MADE(features, hidden))
        self.features = features

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x, self.features, like=self.conditioner.last.weight)
        return autoregressive_forward(x, self.conditioner)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        require_event("z", z, self.features, like=self.conditioner.last.weight)
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            return autoregressive_inverse(z, self.conditioner)
        x, log_det = sweep(self.conditioner, z.reshape(-1, self.features))
        return x.reshape(z.shape), log_det.reshape(z.shape[:-1])


class InverseAutoregressive(Inverse):
    """IAF: the masked flow turned round. Sampling is one pass of the network, the density is sequential.

    Source: Kingma et al. 2016, Improving Variational Inference with Inverse Autoregressive Flow.
    """

    def __init__(self, features: int, hidden: Sequence[int] = (128, 128)):
        super().__init__(MaskedAutoregressive(features, hidden))


class MAF(Compose):
    """`num_layers` masked autoregressive layers, with the columns flipped between one and the next."""

    def __init__(self, features: int, num_layers: int = 5, hidden: Sequence[int] = (128, 128)):
        require_count("num_layers", num_layers)
        layers: list[Bijection] = [MaskedAutoregressive(features, hidden)]
        for _ in range(num_layers - 1):
            layers += [Flip(), MaskedAutoregressive(features, hidden)]
        super().__init__(*layers)
