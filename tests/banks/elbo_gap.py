"""Answers to `variational_gap`."""

import torch
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal, kl_divergence

from . import right, wrong
from .elbo_ppca import elbo_formula, eye, marginal, posterior


@right("variational_gap")
def gap_of_distributions(x, W, mu, sigma, q_mean, q_cov):
    mean, cov = posterior(x, W, mu, sigma)
    return kl_divergence(MultivariateNormal(q_mean, q_cov), MultivariateNormal(mean, (cov + cov.T) / 2))


@right("variational_gap")
def gap_by_precision(x, W, mu, sigma, q_mean, q_cov):
    precision = eye(W) + W.T @ W / sigma**2
    mean = ((x - mu) @ W) @ torch.linalg.inv(precision) / sigma**2
    delta = mean - q_mean
    distance = torch.einsum("na,ab,nb->n", delta, precision, delta)
    log_dets = torch.logdet(precision) + torch.logdet(q_cov)
    return 0.5 * ((precision * q_cov).sum() + distance - W.shape[1] - log_dets)


@right("variational_gap")
def gap_as_difference(x, W, mu, sigma, q_mean, q_cov):
    return marginal(W, mu, sigma).log_prob(x) - elbo_formula(x, W, mu, sigma, q_mean, q_cov)


@right("variational_gap")
def gap_by_cholesky(x, W, mu, sigma, q_mean, q_cov):
    M = W.T @ W + sigma**2 * eye(W)
    R = torch.linalg.cholesky(M) / sigma
    L = torch.linalg.cholesky(q_cov)
    mean = torch.cholesky_solve(W.T @ (x - mu).T, torch.linalg.cholesky(M)).T
    log_det = R.diagonal().log().sum() + L.diagonal().log().sum()
    return 0.5 * ((R.T @ L) ** 2).sum() + 0.5 * (((q_mean - mean) @ R) ** 2).sum(1) - W.shape[1] / 2 - log_det


@right("variational_gap")
def gap_row_by_row(x, W, mu, sigma, q_mean, q_cov):
    mean, cov = posterior(x, W, mu, sigma)
    inverse = torch.linalg.pinv(cov)
    rows = []
    for a, b in zip(q_mean, mean, strict=True):
        log_det = torch.linalg.slogdet(cov)[1] - torch.linalg.slogdet(q_cov)[1]
        rows.append(((inverse @ q_cov).trace() + (a - b) @ inverse @ (a - b) - len(a) + log_det) / 2)
    return torch.stack(rows)


@right("variational_gap")
def gap_with_low_rank_marginal(x, W, mu, sigma, q_mean, q_cov):
    log_prob = LowRankMultivariateNormal(mu, W, sigma.square().expand(len(mu))).log_prob(x)
    return log_prob - elbo_formula(x, W, mu, sigma, q_mean, q_cov)


@wrong("variational_gap", law="value", says="between the means")
def gap_without_means(x, W, mu, sigma, q_mean, q_cov):
    mean, _ = posterior(x, W, mu, sigma)
    return gap_by_precision(x, W, mu, sigma, mean, q_cov)


@wrong("variational_gap", law="ELBO + gap = log p(x)", says="ELBO + your gap")
def gap_of_the_posterior(x, W, mu, sigma, q_mean, q_cov):
    return torch.zeros_like(x[:, 0])


@wrong("variational_gap", law="value", says="")
def gap_shared_mean(x, W, mu, sigma, q_mean, q_cov):
    return gap_by_precision(x, W, mu, sigma, q_mean[:1].expand_as(q_mean), q_cov)


@wrong("variational_gap", law="stability", says="slogdet")
def gap_log_of_dets(x, W, mu, sigma, q_mean, q_cov):
    mean, cov = posterior(x, W, mu, sigma)
    inverse, delta = torch.linalg.inv(cov), mean - q_mean
    log_ratio = torch.log(torch.det(cov) / torch.det(q_cov))
    return 0.5 * ((inverse @ q_cov).trace() + ((delta @ inverse) * delta).sum(1) - len(cov) + log_ratio)


@wrong("variational_gap", law="dtype", says="float32")
def gap_double(x, W, mu, sigma, q_mean, q_cov):
    return gap_by_precision(*(t.double() for t in (x, W, mu, sigma, q_mean, q_cov)))


@wrong("variational_gap", law="device", says="GPU")
def gap_cpu_identity(x, W, mu, sigma, q_mean, q_cov):
    precision = torch.eye(W.shape[1], dtype=W.dtype) + W.T @ W / sigma**2
    mean = ((x - mu) @ W) @ torch.linalg.inv(precision) / sigma**2
    distance = torch.einsum("na,ab,nb->n", mean - q_mean, precision, mean - q_mean)
    log_dets = torch.logdet(precision) + torch.logdet(q_cov)
    return 0.5 * ((precision * q_cov).sum() + distance - W.shape[1] - log_dets)


@wrong("variational_gap", law="inputs unchanged", says="q_mean")
def gap_in_place(x, W, mu, sigma, q_mean, q_cov):
    value = gap_by_precision(x, W, mu, sigma, q_mean, q_cov)
    q_mean -= posterior(x, W, mu, sigma)[0]
    return value


def gap_from_M(x, W, mu, sigma, q_mean, q_cov, log_det, ridge=None):
    M = W.T @ W + (sigma**2 if ridge is None else ridge) * eye(W)
    delta = q_mean - torch.linalg.solve(M, W.T @ (x - mu).T).T
    log_dets = torch.linalg.slogdet(q_cov)[1] + log_det(M, W.shape[1])
    return (((M @ q_cov).trace() + ((delta @ M) * delta).sum(1)) / sigma**2 - W.shape[1] - log_dets) / 2


@right("variational_gap")
def gap_from_M_and_log_sigma(x, W, mu, sigma, q_mean, q_cov):
    return gap_from_M(x, W, mu, sigma, q_mean, q_cov, lambda M, d: torch.linalg.slogdet(M)[1] - 2 * d * sigma.log())


@wrong("variational_gap", law="stability", says="slogdet")
def gap_log_of_det_M(x, W, mu, sigma, q_mean, q_cov):
    """sigma² split off, so that only det M is left to overflow."""
    return gap_from_M(x, W, mu, sigma, q_mean, q_cov, lambda M, d: torch.det(M).log() - 2 * d * sigma.log())
