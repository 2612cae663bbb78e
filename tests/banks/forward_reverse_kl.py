"""Answers to 01_forward_reverse_kl: the closed form. For the rest see `kl_*`."""

import math

import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from . import right, wrong


@right("gaussian_kl")
def with_distributions(mean_p, cov_p, mean_q, cov_q):
    return kl_divergence(MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q))


@right("gaussian_kl")
def as_the_formula(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    log_dets = torch.linalg.slogdet(cov_q)[1] - torch.linalg.slogdet(cov_p)[1]
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


@right("gaussian_kl")
def with_columns(mean_p, cov_p, mean_q, cov_q):
    """Columns, a product of matrices for the trace, logdet."""
    delta = (mean_p - mean_q).unsqueeze(1)
    quadratic = (delta.T @ torch.linalg.solve(cov_q, delta)).squeeze()
    trace = (cov_q.inverse() * cov_p).sum()
    return (trace + quadratic - mean_p.shape[0] + cov_q.logdet() - cov_p.logdet()) / 2


@right("gaussian_kl")
def with_eigenvalues(mean_p, cov_p, mean_q, cov_q):
    """In q's eigenbasis; one determinant of Σ_q⁻¹ Σ_p."""
    values, vectors = torch.linalg.eigh(cov_q)
    rotated = vectors.T @ cov_p @ vectors
    u = vectors.T @ (mean_q - mean_p)
    log_ratio = torch.linalg.slogdet(rotated / values[:, None]).logabsdet
    return 0.5 * ((rotated.diagonal() / values).sum() + (u**2 / values).sum() - mean_p.numel() - log_ratio)


@right("gaussian_kl")
def with_cholesky(mean_p, cov_p, mean_q, cov_q):
    Lp, Lq = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)
    A = torch.linalg.solve_triangular(Lq, Lp, upper=False)
    y = torch.cholesky_solve((mean_q - mean_p)[:, None], Lq)[:, 0]
    half_logs = Lq.diagonal().log().sum() - Lp.diagonal().log().sum()
    return 0.5 * (A.pow(2).sum() + torch.dot(mean_q - mean_p, y) - mean_p.shape[-1]) + half_logs


@right("gaussian_kl")
def by_entropies(mean_p, cov_p, mean_q, cov_q):
    """Cross entropy minus entropy."""
    m = len(mean_p)
    q = MultivariateNormal(mean_q, cov_q)
    cross = -q.log_prob(mean_p) + 0.5 * torch.einsum("ij,ji->", torch.linalg.inv(cov_q), cov_p)
    entropy = 0.5 * torch.logdet(cov_p) + 0.5 * m * (1 + math.log(2 * math.pi))
    return cross - entropy


def diagonal_covariances(mean_p, cov_p, mean_q, cov_q):
    p, q = Normal(mean_p, cov_p.diagonal().sqrt()), Normal(mean_q, cov_q.diagonal().sqrt())
    return kl_divergence(p, q).sum()


@wrong("gaussian_kl", law="stability", says="float32")
def log_of_determinants(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    log_dets = torch.log(torch.det(cov_q) / torch.det(cov_p))
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


@wrong("gaussian_kl", law="value", says="expected")
def only_to_the_standard_normal(mean_p, cov_p, mean_q, cov_q):
    return 0.5 * (cov_p.trace() + mean_p @ mean_p - len(mean_p) - torch.logdet(cov_p))


@wrong("gaussian_kl", law="value", says="shape")
def one_by_one(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_p, cov_p, mean_q, cov_q).reshape(1, 1)


@wrong("gaussian_kl", law="stability", says="float32")
def product_of_cholesky(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    quotient = torch.linalg.cholesky(cov_q).diagonal().prod() / torch.linalg.cholesky(cov_p).diagonal().prod()
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta)) + quotient.log()


@wrong("gaussian_kl", law="gradient", says="cov_q")
def detached_covariance(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_p, cov_p, mean_q, cov_q.detach())


@right("gaussian_kl")
def whitened(mean_p, cov_p, mean_q, cov_q):
    """Σ (λ - 1 - log λ) over the eigenvalues of p's covariance where q's is the identity."""
    L = torch.linalg.cholesky(cov_q)
    A = torch.linalg.solve_triangular(L, torch.linalg.cholesky(cov_p), upper=False)
    values = torch.linalg.eigvalsh(A @ A.mT)
    y = torch.linalg.solve_triangular(L, (mean_q - mean_p)[:, None], upper=False)
    return 0.5 * ((values - 1 - values.log()).sum() + y.square().sum())


@wrong("gaussian_kl", law="value", says="closed form")
def monte_carlo(mean_p, cov_p, mean_q, cov_q):
    p, q = MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q)
    x = p.rsample((10_000,))
    return (p.log_prob(x) - q.log_prob(x)).mean()


@wrong("gaussian_kl", law="dtype", says="float64")
def in_float64(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(*(a.double() for a in (mean_p, cov_p, mean_q, cov_q)))


@wrong("gaussian_kl", law="inputs unchanged", says="mean_q")
def subtracts_in_place(mean_p, cov_p, mean_q, cov_q):
    mean_q -= mean_p
    return as_the_formula(torch.zeros_like(mean_p), cov_p, mean_q.clone(), cov_q)


@wrong("gaussian_kl", law="device", says="GPU")
def cpu_identity(mean_p, cov_p, mean_q, cov_q):
    inverse = torch.linalg.solve(cov_q, torch.eye(len(mean_p), dtype=mean_p.dtype))
    delta = mean_q - mean_p
    log_dets = torch.logdet(cov_q) - torch.logdet(cov_p)
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)
