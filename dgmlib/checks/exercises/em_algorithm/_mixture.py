"""The mixture of Gaussians: references of both steps, and random inputs."""

import math

import torch
from torch.nn.functional import one_hot

from ...engine import (
    covariance,
    normal,
    uniform,
)

SLIDE = "EM-Algorithm"
THETA = ["weights", "means", "covariances"]
FAR = "Far from every mode all densities are 0.0: stay in logarithms (logsumexp, softmax)."


def log_joint(x, weights, means, covariances):
    """log weights_k + log N(x; means_k, covariances_k), (n, K)."""
    centred = x[:, None] - means
    solved = torch.linalg.solve(covariances, centred[..., None])[..., 0]
    log_det = torch.linalg.slogdet(covariances).logabsdet + x.shape[1] * math.log(2 * math.pi)
    return weights.log() - ((centred * solved).sum(-1) + log_det) / 2


def e_step(x, weights, means, covariances):
    return torch.softmax(log_joint(x, weights, means, covariances), dim=1)


def m_step(x, responsibilities):
    mass = responsibilities.sum(0)
    means = responsibilities.T @ x / mass[:, None]
    centred = x[:, None] - means
    covariances = torch.einsum("nk,nka,nkb->kab", responsibilities, centred, centred) / mass[:, None, None]
    return mass / len(x), means, covariances


def hard_e_step(x, weights, means, covariances):
    return one_hot(log_joint(x, weights, means, covariances).argmax(1), len(weights)).to(x.dtype)


def parameters(rng, K, m, spread=1.5, skew=1.0):
    """Unequal weights, full covariances of unequal size. `skew` is how unequal, in nats."""
    weights = torch.softmax(skew * torch.arange(K, dtype=torch.float64) + uniform(rng, -0.2, 0.2, K), 0)
    sizes = torch.exp(0.5 * (torch.arange(K) - (K - 1) / 2))
    covariances = torch.stack([size * covariance(rng, m) for size in sizes])
    return {"weights": weights, "means": normal(rng, K, m, scale=spread), "covariances": covariances}


def mixture(rng, n, K, m, **options):
    return {"x": normal(rng, n, m, scale=2.0, shift=0.5)} | parameters(rng, K, m, **options)


def far(rng):
    """Points so far away that every density is 0.0 in float64; half of them where two components still share."""
    K, m = 2, 3
    given = parameters(rng, K, m)
    shared = given["covariances"][:1].expand(K, m, m).clone()
    across = torch.linalg.solve(shared[0], given["means"][1] - given["means"][0])
    away = normal(rng, 4, m)
    away = away - (away @ across)[:, None] * across / across.square().sum()
    away = 300.0 * away / away.norm(dim=1, keepdim=True)
    return given | {"covariances": shared, "x": torch.cat([away, normal(rng, 4, m, scale=300.0)])}
