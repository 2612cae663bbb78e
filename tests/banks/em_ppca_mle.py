"""Answers to 04_em_algorithm: PPCA in closed form."""

import torch

from . import right, wrong
from .em_ppca import step


@right("ppca_mle")
def by_eigh(x, d):
    mu = x.mean(0)
    S = (x - mu).T @ (x - mu) / len(x)
    values, vectors = torch.linalg.eigh(S)
    variance = values[:-d].mean()
    return vectors[:, -d:] @ torch.diag((values[-d:] - variance).sqrt()), mu, variance.sqrt()


@right("ppca_mle")
def by_svd(x, d):
    n, m = x.shape
    mu = x.mean(dim=0)
    _, s, Vt = torch.linalg.svd(x - mu, full_matrices=False)
    values = s**2 / n
    variance = values[d:].sum() / (m - d)
    return Vt[:d].T * torch.sqrt(values[:d] - variance), mu, torch.sqrt(variance)


@right("ppca_mle")
def sorted_and_rotated(x, d):
    """Descending, with flipped signs, turned by an orthogonal matrix: the same model."""
    S = torch.cov(x.T, correction=0).reshape(x.shape[1], x.shape[1])
    values, vectors = torch.linalg.eigh(S)
    values, vectors = values.flip(0), vectors.flip(1)
    variance = values[d:].mean()
    turn = torch.linalg.qr(torch.cos(torch.arange(d * d).to(x.dtype)).reshape(d, d)).Q.to(x)
    return -(vectors[:, :d] * (values[:d] - variance).sqrt()) @ turn, x.mean(0), variance**0.5


@right("ppca_mle")
def noise_from_the_trace(x, d):
    n, m = x.shape
    centred = x - x.mean(0, keepdim=True)
    S = torch.einsum("na,nb->ab", centred, centred) / n
    values, vectors = torch.linalg.eigh(S)
    top = values[m - d :]
    variance = (S.trace() - top.sum()) / (m - d)
    return (
        torch.stack([vectors[:, m - d + j] * (top[j] - variance).sqrt() for j in range(d)], 1),
        x.mean(0),
        variance.sqrt(),
    )


@right("ppca_mle")
def by_the_gram_matrix(x, d):
    """The n-by-n problem, with the same eigenvalues."""
    n, m = x.shape
    mu = x.mean(0)
    values, vectors = torch.linalg.eigh((x - mu) @ (x - mu).T / n)
    top = values[-d:]
    variance = ((x - mu).square().sum() / n - top.sum()) / (m - d)
    directions = (x - mu).T @ vectors[:, -d:] / (n * top).sqrt()
    return directions * (top - variance).sqrt(), mu, variance.sqrt()


def closed_form(x, d, variance=None, reduce=True, n=None, centre=True, root=True):
    mu = x.mean(0)
    d_x = x - mu if centre else x
    values, vectors = torch.linalg.eigh(d_x.T @ d_x / (n or len(x)))
    noise = values[:-d].mean() if variance is None else variance(values, d)
    kept = (values[-d:] - noise).clamp_min(0) if reduce else values[-d:]
    return vectors[:, -d:] * kept.sqrt(), mu, noise.sqrt() if root else noise


@wrong("ppca_mle", law="shape", says="shape of W")
def padded_with_zeros(x, d):
    W, mu, sigma = closed_form(x, d)
    return torch.cat([W, torch.zeros_like(W)], 1), mu, sigma


@wrong("ppca_mle", law="W", says="expected")
def a_few_em_steps(x, d):
    W, mu, sigma = x[:d].T - x.mean(0)[:, None], x.mean(0), x.std()
    for _ in range(5):
        W, mu, sigma = step(x, W, mu, sigma)
    return W, mu, sigma


@wrong("ppca_mle", law="inputs unchanged", says="x")
def centres_in_place(x, d):
    mu = x.mean(0)
    x -= mu
    W, _, sigma = closed_form(x, d)
    return W, mu, sigma


@wrong("ppca_mle", law="dtype", says="float32")
def in_float64(x, d):
    return closed_form(x.double(), d)


def eigen(x):
    return torch.linalg.eigh(torch.cov(x.T, correction=0))


@wrong("ppca_mle", law="few rows", says="count")
def positive_eigenvalues_alone(x, d):
    values, vectors = eigen(x)
    rest = values[:-d]
    noise = rest[rest > 1e-6].mean()
    return vectors[:, -d:] * (values[-d:] - noise).sqrt(), x.mean(0), noise.sqrt()
