"""Forward and reverse KL for normalizing flows, and the KL between two Gaussians.

A `flow` here has `forward(x) -> (z, log_det)`, `inverse(z) -> (x, log_det)` and `base.log_prob(z)`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dgmlib._valid import require_positive_definite, require_samples, require_shape

LogProb = Callable[[Tensor], Tensor]


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
    m = mean_p.shape[-1]
    require_shape("mean_q", mean_q, (..., m))
    require_shape("cov_p", cov_p, (..., m, m))
    require_shape("cov_q", cov_q, (..., m, m))
    scale_p, scale_q = require_positive_definite("cov_p", cov_p), require_positive_definite("cov_q", cov_q)
    ratio = torch.linalg.solve_triangular(scale_q, scale_p, upper=False)  # tr(Σ_q⁻¹ Σ_p) = ‖L_q⁻¹ L_p‖²
    delta = (mean_q.double() - mean_p.double()).unsqueeze(-1)
    distance = torch.linalg.solve_triangular(scale_q, delta, upper=False).square().sum((-2, -1))
    log_det_ratio = 2 * ratio.diagonal(dim1=-2, dim2=-1).log().sum(-1)  # log det Σ_p - log det Σ_q
    kl = ratio.square().sum((-2, -1)) + distance - m - log_det_ratio
    return (kl / 2).to(mean_p.dtype)


def forward_kl_loss(flow, x: Tensor) -> Tensor:
    """Mean negative log-likelihood: KL(π‖p) up to the entropy of the data, a constant of θ.

    -E_π(x) [ log p(f(x)) + log|det J_f| ],  x (..., m) drawn from the data law; result ().
    Cost: one forward pass. Source: Lecture 3, "Forward KL vs. Reverse KL".
    """
    require_samples("x", x)
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det).mean()


def reverse_kl_loss(flow, z: Tensor, target_log_prob: LogProb) -> Tensor:
    """Monte-Carlo KL(p‖π) by the LOTUS trick: only g and its Jacobian are needed.

    E_p(z) [ log p(z) - log|det J_g| - log π(g(z)) ],  z (..., m) drawn from the base; result ().
    A target known up to its normaliser Z shifts the value by log Z and leaves the gradient alone.
    Cost: one inverse pass. Source: Lecture 3, "Forward KL vs. Reverse KL".
    """
    require_samples("z", z)
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()


def latent_log_prob(flow, z: Tensor, target_log_prob: LogProb) -> Tensor:
    """log p(z|θ) = log π(g(z)) + log|det J_g|: the law of z = f(x) when x follows the target.

    Shapes: z (..., m), result (...). Cost: one inverse pass.
    Source: Lecture 3, "Normalizing Flows KL Duality".
    """
    x, log_det = flow.inverse(z)
    return target_log_prob(x) + log_det


def latent_reverse_kl(flow, x: Tensor, target_log_prob: LogProb) -> Tensor:
    """Monte-Carlo KL(p(z|θ)‖p(z)), written in x: the other side of the duality theorem.

    E_π(x) [ log π(x) - log|det J_f| - log p(f(x)) ],  x (..., m) drawn from the target; result ().
    Sample by sample this is `forward_kl_loss` plus log π(x), with the same gradient in θ.
    Cost: one forward pass. Source: Lecture 3, "Normalizing Flows KL Duality".
    """
    require_samples("x", x)
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z)).mean()
