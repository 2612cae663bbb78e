"""Answers to 02_latent_variable_models: the posterior of probabilistic PCA."""

import torch

from . import right, wrong
from .latent_ppca import identity


@right("ppca_posterior")
def latent_by_M(x, W, mu, sigma):
    M_inverse = torch.linalg.inv(W.T @ W + sigma**2 * identity(W, W.shape[1]))
    return (x - mu) @ W @ M_inverse, sigma**2 * M_inverse


@right("ppca_posterior")
def latent_by_conditioning(x, W, mu, sigma):
    C = W @ W.T + sigma**2 * identity(W, len(mu))
    gain = torch.linalg.solve(C, W).T
    return (x - mu) @ gain.T, identity(W, W.shape[1]) - gain @ W


@right("ppca_posterior")
def latent_by_precision(x, W, mu, sigma):
    precision = identity(W, W.shape[1]) + W.mT @ W / sigma**2
    covariance = torch.cholesky_inverse(torch.linalg.cholesky(precision))
    return torch.einsum("de,me,nm->nd", covariance, W, x - mu) / sigma**2, covariance


@right("ppca_posterior")
def latent_by_singular_values(x, W, mu, sigma):
    _, vectors = torch.linalg.eigh(W.T @ W)
    values = (W @ vectors).square().sum(0) + sigma**2
    inverse = vectors @ torch.diag(1 / values) @ vectors.T
    return ((x - mu) @ W) @ inverse, sigma**2 * inverse


@right("ppca_posterior")
def latent_row_by_row(x, W, mu, sigma):
    M = W.T @ W + sigma * sigma * identity(W, W.size(1))
    means = [torch.linalg.lstsq(M, (W.T @ (row - mu))[:, None]).solution[:, 0] for row in x]
    return torch.stack(means), torch.linalg.solve(M, sigma.square() * identity(W, W.size(1)))


@wrong("ppca_posterior", law="mean", says="not centred")
def latent_without_mu(x, W, mu, sigma):
    return latent_by_M(x, W, torch.zeros_like(mu), sigma)


@wrong("ppca_posterior", law="mean", says="unit noise")
def latent_unit_noise(x, W, mu, sigma):
    return latent_by_M(x, W, mu, torch.ones_like(sigma))


@wrong("ppca_posterior", law="mean", says="raised")
def latent_outer_product(x, W, mu, sigma):
    M = W @ W.T + sigma**2 * identity(W, W.shape[1])
    return (x - mu) @ W @ torch.linalg.inv(M), sigma**2 * torch.linalg.inv(M)


@wrong("ppca_posterior", law="gradient", says="gradient")
def latent_constant_M(x, W, mu, sigma):
    M_inverse = torch.linalg.inv(W.T @ W + sigma**2 * identity(W, W.shape[1])).detach()
    return (x - mu) @ W @ M_inverse, sigma**2 * M_inverse


@wrong("ppca_posterior", law="device", says="GPU")
def latent_cpu_eye(x, W, mu, sigma):
    M_inverse = torch.linalg.inv(W.T @ W + sigma**2 * torch.eye(W.shape[1], dtype=W.dtype))
    return (x - mu) @ W @ M_inverse, sigma**2 * M_inverse


@wrong("ppca_posterior", law="inputs unchanged", says="x")
def latent_in_place(x, W, mu, sigma):
    return latent_by_M(x.sub_(mu), W, 0.0, sigma)


@right("ppca_posterior")
def latent_one_feature_at_a_time(x, W, mu, sigma):
    covariance = identity(W, W.shape[1])
    mean = torch.zeros(len(x), W.shape[1], dtype=W.dtype, device=W.device)
    for column, row in zip((x - mu).T, W, strict=True):
        gain = covariance @ row / (row @ covariance @ row + sigma**2)
        mean = mean + torch.outer(column - mean @ row, gain)
        covariance = covariance - torch.outer(gain, row @ covariance)
    return mean, covariance
