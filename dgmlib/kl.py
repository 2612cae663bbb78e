"""Forward and reverse KL for normalizing flows, and the KL between two Gaussians."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from dgmlib._valid import (
    require_broadcast,
    require_event,
    require_no_nan,
    require_positive_definite,
    require_samples,
    require_tensor,
)

LogProb = Callable[[Tensor], Tensor]


class Flow(Protocol):
    """What these functions ask of a flow; `dgmlib.flows.Flow` is one."""

    base: Any  # base.log_prob(z), (...)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = f(x) (..., m) and log|det J_f| (...)."""
        ...

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x = g(z) (..., m) and log|det J_g| (...)."""
        ...


def gaussian_kl(mean_p: Tensor, cov_p: Tensor, mean_q: Tensor, cov_q: Tensor) -> Tensor:
    """KL(p‖q) between p = N(mean_p, cov_p) and q = N(mean_q, cov_q), in nats.

    KL = ½ [ tr(Σ_q⁻¹ Σ_p) + (μ_q - μ_p)ᵀ Σ_q⁻¹ (μ_q - μ_p) - m + log det Σ_q - log det Σ_p ]

    Shapes: means (..., m), covariances (..., m, m), broadcast; result (...). Cost: O(m³) a pair, in float64:
    for p near q the terms cancel.
    Raises ValueError where a covariance is not positive definite.
    Source: Bishop, Pattern Recognition and Machine Learning, exercise 2.13.

    >>> float(gaussian_kl(torch.zeros(1), torch.eye(1), torch.ones(1), torch.eye(1)))
    0.5
    """
    require_event("mean_p", mean_p)
    m = mean_p.shape[-1]
    require_tensor("mean_q", mean_q, (..., m), mean_p)
    require_tensor("cov_p", cov_p, (..., m, m), mean_p)
    require_tensor("cov_q", cov_q, (..., m, m), mean_p)
    require_broadcast(mean_p=mean_p, mean_q=mean_q, cov_p=cov_p[..., 0], cov_q=cov_q[..., 0])
    scale_p, scale_q = require_positive_definite("cov_p", cov_p), require_positive_definite("cov_q", cov_q)
    ratio = torch.linalg.solve_triangular(scale_q, scale_p, upper=False)  # tr(Σ_q⁻¹ Σ_p) = ‖L_q⁻¹ L_p‖²
    distance = _squared_distance(scale_q, mean_q.double() - mean_p.double())
    log_det_ratio = 2 * ratio.diagonal(dim1=-2, dim2=-1).log().sum(-1)  # log det Σ_p - log det Σ_q
    kl = ratio.square().sum((-2, -1)) + distance - m - log_det_ratio
    require_no_nan("mean_p, mean_q", kl)
    return (kl / 2).to(mean_p.dtype)


def _squared_distance(scale: Tensor, delta: Tensor) -> Tensor:
    """‖L⁻¹ delta‖², (...). One L takes all deltas as columns of one solve: broadcasting would copy it for each."""
    if scale.dim() == 2:
        white = torch.linalg.solve_triangular(scale, delta.reshape(-1, len(scale)).mT, upper=False)
        return white.square().sum(0).reshape(delta.shape[:-1])
    return torch.linalg.solve_triangular(scale, delta.unsqueeze(-1), upper=False).square().sum((-2, -1))


def forward_kl_loss(flow: Flow, x: Tensor) -> Tensor:
    """Mean negative log-likelihood: KL(π‖p) up to the entropy of the data, a constant of θ.

    -E_π(x) [ log p(f(x)) + log|det J_f| ],  x (..., m) drawn from the data law; result ().
    Cost: one forward pass. Source: Lecture 3, "Forward KL vs. Reverse KL".
    """
    _require_samples("x", x)
    z, log_det = flow.forward(x)
    return _mean(-(_log_prob(flow.base.log_prob, z) + log_det))


def reverse_kl_loss(flow: Flow, z: Tensor, target_log_prob: LogProb) -> Tensor:
    """Monte-Carlo KL(p‖π) by the LOTUS trick: only g and its Jacobian are needed.

    E_p(z) [ log p(z) - log|det J_g| - log π(g(z)) ],  z (..., m) drawn from the base; result ().
    A target known up to its normaliser Z shifts the value by log Z and leaves the gradient alone.
    Cost: one inverse pass. Source: Lecture 3, "Forward KL vs. Reverse KL".
    """
    _require_samples("z", z)
    x, log_det = flow.inverse(z)
    return _mean(_log_prob(flow.base.log_prob, z) - log_det - _log_prob(target_log_prob, x))


def latent_log_prob(flow: Flow, z: Tensor, target_log_prob: LogProb) -> Tensor:
    """log p(z|θ) = log π(g(z)) + log|det J_g|: the law of z = f(x) when x follows the target.

    Shapes: z (..., m), result (...). Cost: one inverse pass.
    Source: Lecture 3, "Normalizing Flows KL Duality".
    """
    require_event("z", z)
    x, log_det = flow.inverse(z)
    latent = _log_prob(target_log_prob, x) + log_det
    require_no_nan("log_prob", latent)
    return latent


def latent_reverse_kl(flow: Flow, x: Tensor, target_log_prob: LogProb) -> Tensor:
    """Monte-Carlo KL(p(z|θ)‖p(z)), written in x: the other side of the duality theorem.

    E_π(x) [ log π(x) - log|det J_f| - log p(f(x)) ],  x (..., m) drawn from the target; result ().
    Sample by sample this is `forward_kl_loss` plus log π(x), with the same gradient in θ.
    Cost: one forward pass. Source: Lecture 3, "Normalizing Flows KL Duality".
    """
    _require_samples("x", x)
    z, log_det = flow.forward(x)
    return _mean(_log_prob(target_log_prob, x) - log_det - _log_prob(flow.base.log_prob, z))


def _require_samples(name: str, samples: Tensor) -> None:
    require_event(name, samples)
    require_samples(name, samples)


def _mean(terms: Tensor) -> Tensor:
    require_no_nan("log_prob, log_det", terms)
    return terms.mean()


def _log_prob(law: LogProb, x: Tensor) -> Tensor:
    """law(x), one number for each event: where an event is a number, not a vector, it would broadcast to (n, n)."""
    values = law(x)
    if values.shape != x.shape[:-1]:
        raise ValueError(
            f"log_prob: expected one number for each event, {tuple(x.shape[:-1])}, got {tuple(values.shape)}; "
            "give base and target vectors as events: MultivariateNormal(...), or Independent(Normal(...), 1)."
        )
    return values
