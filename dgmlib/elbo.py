"""The variational lower bound, its three forms, its gap, and the importance-weighted bound.

K samples of q stand on the first axis: `log_joint`, `log_q` and `log_likelihood` are (K, ...).
"""

import math

import torch
from torch import Tensor

from dgmlib._valid import require_samples
from dgmlib.kl import gaussian_kl
from dgmlib.lvm.ppca import PPCA


def elbo_from_joint(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """L = E_q log p(x, z)/q(z), averaged over the K samples of q.

    Shapes: log p(x, z_k) and log q(z_k), (K, ...); result (...).
    Raises ValueError where there is no sample. Source: Lecture 3, "ELBO Derivation I".

    >>> elbo_from_joint(torch.tensor([[-1.0], [-3.0]]), torch.zeros(2, 1))
    tensor([-2.])
    """
    require_samples("log_joint", log_joint)
    return (log_joint - log_q).mean(0)


def elbo_from_kl(log_likelihood: Tensor, kl: Tensor) -> Tensor:
    """L = E_q log p(x|z) - KL(q‖p(z)), the expectation averaged over the K samples of q.

    Shapes: log p(x|z_k) (K, ...), KL(q‖p(z)) (...); result (...).
    Raises ValueError where there is no sample. Source: Lecture 3, "Variational Evidence Lower Bound (ELBO)".
    """
    require_samples("log_likelihood", log_likelihood)
    return log_likelihood.mean(0) - kl


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, diag exp log_var)‖N(0, I)) = ½ Σ_j (exp log_var_j - 1 - log_var_j + mean_j²).

    Shapes: (..., d) each; result (...). Cost: O(d). Source: Kingma and Welling 2014, appendix B.

    >>> kl_to_standard_normal(torch.ones(1, 2), torch.zeros(1, 2))
    tensor([1.])
    """
    return (torch.expm1(log_var) - log_var + mean.square()).sum(-1) / 2


def ppca_elbo(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor, q_mean: Tensor, q_cov: Tensor) -> Tensor:
    """L(q, θ) in closed form for PPCA and q(z) = N(q_mean, q_cov): E_q log p(x|z) - KL(q‖N(0, I)).

    E_q log p(x|z) = log N(x; W q_mean + mu, sigma² I) - tr(W q_cov Wᵀ) / (2 sigma²)

    Shapes: x (..., m), W (m, d), mu (m,), sigma (), q_mean (..., d), q_cov (d, d) or (..., d, d).
    Result (...). Cost: O(n m d + d³). Raises ValueError where q_cov is not positive definite.
    Source: Lecture 3, "Variational Evidence Lower Bound (ELBO)"; Tipping and Bishop 1999.
    """
    model = PPCA(W, mu, sigma)
    spread = (W.mT @ W * q_cov).sum((-2, -1))  # tr(W q_cov Wᵀ)
    expected = model.log_likelihood(x, q_mean) - spread / (2 * model.sigma.square())
    origin, identity = torch.zeros_like(q_mean), torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    return expected - gaussian_kl(q_mean, q_cov, origin, identity)


def variational_gap(x: Tensor, W: Tensor, mu: Tensor, sigma: Tensor, q_mean: Tensor, q_cov: Tensor) -> Tensor:
    """KL(q‖p(z|x)) for PPCA and q(z) = N(q_mean, q_cov): what `ppca_elbo` lacks to log p(x).

    Shapes and errors: as `ppca_elbo`; result (...). Cost: O(n m d + d³).
    Source: Lecture 3, "ELBO Derivation II".
    """
    return gaussian_kl(q_mean, q_cov, *PPCA(W, mu, sigma).posterior(x))


def importance_weighted_bound(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """log (1/K) Σ_k p(x, z_k)/q(z_k): at least the ELBO of the same samples, and log p(x) as K grows.

    Shapes: (K, ...) each; result (...). Raises ValueError where there is no sample.
    Source: Burda, Grosse and Salakhutdinov 2016, eq. 8.
    """
    require_samples("log_joint", log_joint)
    return torch.logsumexp(log_joint - log_q, dim=0) - math.log(log_joint.shape[0])
