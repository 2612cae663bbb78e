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


@wrong("ppca_mle", law="sigma", says="kept")
def noise_of_the_kept(x, d):
    _, mu, _ = closed_form(x, d)
    values, vectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
    noise = values[-d:].mean()
    return vectors[:, -d:] * (values[-d:] - noise).abs().sqrt(), mu, noise.sqrt()


@wrong("ppca_mle", law="sigma", says="not their sum")
def noise_summed(x, d):
    return closed_form(x, d, variance=lambda values, d: values[:-d].sum())


@wrong("ppca_mle", law="sigma", says="not of all")
def noise_of_all(x, d):
    return closed_form(x, d, variance=lambda values, d: values.mean())


@wrong("ppca_mle", law="sigma", says="smallest")
def smallest_eigenvalue(x, d):
    return closed_form(x, d, variance=lambda values, d: values[0])


@wrong("ppca_mle", law="W", says="not reduced")
def plain_pca(x, d):
    return closed_form(x, d, reduce=False)


@wrong("ppca_mle", law="sigma", says="n - 1")
def unbiased_covariance(x, d):
    return closed_form(x, d, n=len(x) - 1)


@wrong("ppca_mle", law="W", says="not centred")
def not_centred(x, d):
    return closed_form(x, d, centre=False)


@wrong("ppca_mle", law="sigma", says="square root")
def sigma_squared(x, d):
    return closed_form(x, d, root=False)


@wrong("ppca_mle", law="sigma", says="wrong end")
def wrong_end(x, d):
    return closed_form(x, d, variance=lambda values, d: values[d:].mean())


@wrong("ppca_mle", law="few rows", says="thin SVD")
def thin_svd(x, d):
    _, s, Vt = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    values = s**2 / len(x)
    noise = values[d:].mean()
    return Vt[:d].T * (values[:d] - noise).sqrt(), x.mean(0), noise.sqrt()


@wrong("ppca_mle", law="W", says="shape")
def components_in_rows(x, d):
    W, mu, sigma = closed_form(x, d)
    return W.T, mu, sigma


@wrong("ppca_mle", law="shape", says="shape of W")
def padded_with_zeros(x, d):
    W, mu, sigma = closed_form(x, d)
    return torch.cat([W, torch.zeros_like(W)], 1), mu, sigma


@wrong("ppca_mle", law="gradient", says="gradient")
def through_numpy(x, d):
    return tuple(t.detach() for t in closed_form(x, d))


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


@wrong("ppca_mle", law="W", says="not reduced by sigma")
def unscaled_model(x, d):
    values, vectors = torch.linalg.eigh(torch.cov(x.T, correction=0))
    return vectors[:, -d:] * values[-d:].sqrt(), x.mean(0), values[:-d].mean().sqrt()


def eigen(x):
    return torch.linalg.eigh(torch.cov(x.T, correction=0))


@wrong("ppca_mle", law="W", says="sorts upwards")
def first_columns(x, d):
    values, vectors = eigen(x)
    noise = values[:-d].mean()
    return vectors[:, :d] * (values[:d] - noise).sqrt(), x.mean(0), noise.sqrt()


@wrong("ppca_mle", law="W", says="another order")
def values_turned_around_alone(x, d):
    values, vectors = eigen(x)
    noise = values[:-d].mean()
    return vectors[:, -d:] * (values.flip(0)[:d] - noise).sqrt(), x.mean(0), noise.sqrt()


@wrong("ppca_mle", law="W", says="root of the difference")
def difference_of_roots(x, d):
    values, vectors = eigen(x)
    noise = values[:-d].mean()
    return vectors[:, -d:] * (values[-d:].sqrt() - noise.sqrt()), x.mean(0), noise.sqrt()


@wrong("ppca_mle", law="sigma", says="by m; they are m - d")
def divided_by_all(x, d):
    return closed_form(x, d, variance=lambda values, d: values[:-d].sum() / len(values))


@wrong("ppca_mle", law="few rows", says="count")
def positive_eigenvalues_alone(x, d):
    values, vectors = eigen(x)
    rest = values[:-d]
    noise = rest[rest > 1e-6].mean()
    return vectors[:, -d:] * (values[-d:] - noise).sqrt(), x.mean(0), noise.sqrt()
