"""p(z) = N(0, I), p(x|z) = N(W z + mu, sigma² I), q(z) = N(q_mean, q_cov): posterior, evidence, random inputs."""

import math

import torch
from torch import Tensor

from ...engine import (
    covariance,
    normal,
    rotation,
    single,
    uniform,
)

INPUTS = ["x", "W", "mu", "sigma", "q_mean", "q_cov"]
SMALL = ["one row", "one latent", "one feature"]
EXTREME = "A determinant or an m-th power leaves the range of floats here (d = 60, m = 130, sigma = 0.001, or 1 beside a large W): use slogdet or a Cholesky factor's log-diagonal, and m log sigma."


def posterior(x, W, mu, sigma) -> tuple[Tensor, Tensor]:
    M = W.T @ W + sigma.square() * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    return torch.linalg.solve(M, W.T @ (x - mu).T).T, sigma.square() * torch.linalg.inv(M)


def gaussian_kl(mean, cov, other_mean, other_cov) -> Tensor:
    """KL(N(mean, cov)‖N(other_mean, other_cov)), (n,)."""
    delta = other_mean - mean
    distance = (delta * torch.linalg.solve(other_cov, delta.T).T).sum(-1)
    ratio = torch.linalg.solve(other_cov, cov)
    return (ratio.trace() + distance - len(cov) - torch.linalg.slogdet(ratio).logabsdet) / 2


def log_prob(x, W, mu, sigma, *_) -> Tensor:
    """log N(x; mu, W Wᵀ + sigma² I), with the m-by-m matrix."""
    C = W @ W.T + sigma.square() * torch.eye(len(W), dtype=W.dtype, device=W.device)
    centred = x - mu
    distance = (centred * torch.linalg.solve(C, centred.T).T).sum(-1)
    return -(distance + torch.linalg.slogdet(C).logabsdet + len(W) * math.log(2 * math.pi)) / 2


def arrays(rng, n, m, d, q_cov=None):
    """A q about as wide as the prior, and far enough from the posterior for every term to count."""
    return {
        "x": normal(rng, n, m, scale=1.5, shift=0.5),
        "W": normal(rng, m, d, scale=0.8),
        "mu": normal(rng, m),
        "sigma": uniform(rng, 0.5, 0.8),
        "q_mean": normal(rng, n, d, shift=0.4),
        "q_cov": covariance(rng, d) if q_cov is None else q_cov,
    }


def sharp(rng, n, m, d):
    """sigma = 1e-3: the determinants of q_cov, of the posterior and of C leave the range of float64, and so does
    sigma^m."""
    sigma, W = torch.tensor(1e-3, dtype=torch.float64), rotation(rng, m)[:, :d] * uniform(rng, 0.7, 1.5, d)
    given = {"W": W, "mu": normal(rng, m), "sigma": sigma}
    x = normal(rng, n, d) @ W.T + given["mu"] + sigma * normal(rng, n, m)
    mean, cov = posterior(x, **given)
    root = torch.linalg.cholesky((cov + cov.T) / 2)
    q_cov = root @ covariance(rng, d, 0.5, 2.0) @ root.T
    return {"x": x, **given, "q_mean": mean + normal(rng, n, d) @ root.T, "q_cov": (q_cov + q_cov.T) / 2}


def in_other_units(given, scale):
    """The same latents, x in other units: at scale 1000, sigma = 1 and det M leaves the range of float64."""
    return {**given, **{name: scale * given[name] for name in ("x", "W", "mu", "sigma")}}


def cases(rng):
    value_case = arrays(rng, 4, 5, 3)
    return {
        "value": value_case,
        "wide q": arrays(rng, 3, 4, 2, q_cov=covariance(rng, 2, 2.0, 6.0)),
        "float32": single(value_case),
        "one row": arrays(rng, 1, 3, 2),
        "one latent": arrays(rng, 4, 3, 1),
        "one feature": arrays(rng, 3, 1, 2),
        "extreme": (extreme := sharp(rng, 2, 130, 60)),
        "other units": in_other_units(extreme, 1000.0),
    }


DIAGONAL = "Only the diagonal of q_cov enters; q is a full-covariance Gaussian."
SIGMA = "sigma is the standard deviation of the noise; its variance is sigma²."
BATCH = "The rows are averaged or summed; each has its own number, shape (n,)."
DETACHED = "A part is cut off the graph: no detach, no .data, no .item(), no no_grad."
