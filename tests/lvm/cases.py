"""Random inputs in float64, the same for every device."""

import torch
from torch import Tensor


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, device="cpu", seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator(seed)).to(device)


def covariance(*batch: int, m: int, device="cpu", seed: int = 0) -> Tensor:
    root = normal(*batch, m, m, device=device, seed=seed)
    return root @ root.mT / m + 0.3 * torch.eye(m, dtype=root.dtype, device=device)


def mixture(K: int, m: int, device="cpu", seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """weights, means, covariances: components overlap, weights differ."""
    weights = torch.softmax(normal(K, device=device, seed=seed + 1), -1)
    means = 2 * normal(K, m, device=device, seed=seed + 2)
    return weights, means, covariance(K, m=m, device=device, seed=seed + 3)


def ppca(m: int, d: int, device="cpu", seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """W, mu, sigma: the posterior is correlated."""
    W, mu = normal(m, d, device=device, seed=seed + 1), 3 * normal(m, device=device, seed=seed + 2)
    return W, mu, torch.tensor(0.7, dtype=W.dtype, device=device)


def responsibilities(n: int, K: int, device="cpu", seed: int = 0) -> Tensor:
    return torch.softmax(normal(n, K, device=device, seed=seed), -1)
