"""The variational lower bound, its three forms, its gap, and the importance-weighted bound.

K samples of q stand on the first axis: `log_joint`, `log_q` and `log_likelihood` are (K, ...).
"""

import math

import torch
from torch import Tensor

from dgmlib._valid import (
    require_broadcast,
    require_event,
    require_floats,
    require_no_nan,
    require_samples,
    require_tensor,
)
from dgmlib.lvm.ppca import PPCA


def elbo_from_joint(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """L = E_q log p(x, z)/q(z), averaged over the K samples of q.

    Shapes: log p(x, z_k) and log q(z_k), (K, ...); result (...).
    Raises ValueError where there is no sample, or a nan. Source: Lecture 3, "ELBO Derivation I".

    >>> elbo_from_joint(torch.tensor([[-1.0], [-3.0]]), torch.zeros(2, 1))
    tensor([-2.])
    """
    log_ratio = _log_ratio(log_joint, log_q)
    return log_ratio.mean(0)


def elbo_from_kl(log_likelihood: Tensor, kl: Tensor) -> Tensor:
    """L = E_q log p(x|z) - KL(q‖p(z)), the expectation averaged over the K samples of q.

    Shapes: log p(x|z_k) (K, ...), KL(q‖p(z)) (...); result (...).
    Raises ValueError where there is no sample. Source: Lecture 3, "Variational Evidence Lower Bound (ELBO)".
    """
    require_floats("log_likelihood", log_likelihood)
    require_samples("log_likelihood", log_likelihood)
    require_floats("kl", kl, log_likelihood)
    require_broadcast(log_likelihood=log_likelihood[0].unsqueeze(-1), kl=kl.unsqueeze(-1))
    elbo = log_likelihood.mean(0) - kl
    require_no_nan("log_likelihood - kl", elbo)
    return elbo


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, diag exp log_var)‖N(0, I)) = ½ Σ_j (exp log_var_j - 1 - log_var_j + mean_j²).

    Shapes: (..., d) each; result (...). Cost: O(d). Source: Kingma and Welling 2014, appendix B.

    >>> kl_to_standard_normal(torch.ones(1, 2), torch.zeros(1, 2))
    tensor([1.])
    """
    require_event("mean", mean)
    require_event("log_var", log_var, mean.shape[-1], mean)
    require_broadcast(mean=mean, log_var=log_var)
    kl = (torch.expm1(log_var) - log_var + mean.square()).sum(-1) / 2
    require_no_nan("mean, log_var", kl)
    return kl


def ppca_elbo(x: Tensor, W: Tensor, mu: Tensor, sigma: float | Tensor, q_mean: Tensor, q_cov: Tensor) -> Tensor:
    """L(q, θ) in closed form for PPCA and q(z) = N(q_mean, q_cov): the formula stands in `PPCA.elbo`.

    Shapes: x (..., m), W (m, d), mu (m,), sigma (), q_mean (..., d), q_cov (d, d) or (..., d, d).
    Result (...). Cost: O(n m d + d³). Raises ValueError where q_cov is not positive definite.
    Source: Lecture 3, "Variational Evidence Lower Bound (ELBO)"; Tipping and Bishop 1999.
    """
    return PPCA(W, mu, sigma).elbo(x, (q_mean, q_cov))


def variational_gap(x: Tensor, W: Tensor, mu: Tensor, sigma: float | Tensor, q_mean: Tensor, q_cov: Tensor) -> Tensor:
    """KL(q‖p(z|x)) for PPCA and q(z) = N(q_mean, q_cov): what `ppca_elbo` lacks to log p(x).

    Shapes and errors: as `ppca_elbo`; result (...). Cost: O(n m d + d³).
    Source: Lecture 3, "ELBO Derivation II".
    """
    return PPCA(W, mu, sigma).gap(x, (q_mean, q_cov))


def importance_weighted_bound(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """log (1/K) Σ_k p(x, z_k)/q(z_k): at least the ELBO of the same samples, and log p(x) as K grows.

    Shapes: (K, ...) each; result (...). Raises ValueError where there is no sample.
    Source: Burda, Grosse and Salakhutdinov 2016, eq. 8.
    """
    log_ratio = _log_ratio(log_joint, log_q)
    return torch.logsumexp(log_ratio, dim=0) - math.log(len(log_ratio))


def _log_ratio(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """log p(x, z_k)/q(z_k), (K, ...), of at least one sample."""
    require_floats("log_joint", log_joint)
    require_samples("log_joint", log_joint)
    require_tensor("log_q", log_q, tuple(log_joint.shape), log_joint)
    log_ratio = log_joint - log_q
    require_no_nan("log_joint - log_q", log_ratio)
    return log_ratio
