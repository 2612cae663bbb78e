"""The linear Gaussian model: its posterior, and random inputs."""

import torch

from ...engine import normal, uniform

SLIDE = "Latent Variable Models (LVM): PCA Model"


def eye_like(W, size):
    return torch.eye(size, dtype=W.dtype, device=W.device)


def posterior(x, W, mu, sigma):
    M = W.T @ W + sigma**2 * eye_like(W, W.shape[1])
    return torch.linalg.solve(M, W.T @ (x - mu).T).T, sigma**2 * torch.linalg.inv(M)


def ppca(rng, n, m, d, sigma=(0.5, 0.8)):
    """x of the model itself; sigma below 1 and mu away from 0, so that neither can be left out unseen."""
    W, mu, sigma = normal(rng, m, d), normal(rng, m, shift=1.0), uniform(rng, *sigma)
    x = normal(rng, n, d) @ W.T + mu + sigma * normal(rng, n, m)
    return {"x": x, "W": W, "mu": mu, "sigma": sigma}
