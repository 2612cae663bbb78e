"""Answers to `ppca_elbo`, and PPCA written down for the banks of its gap and its fit."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from . import right, wrong

LOG_2PI = math.log(2 * math.pi)


def eye(W):
    return torch.eye(W.shape[1], dtype=W.dtype, device=W.device)


def posterior(x, W, mu, sigma):
    M = W.T @ W + sigma**2 * eye(W)
    return torch.linalg.solve(M, W.T @ (x - mu).T).T, sigma**2 * torch.linalg.inv(M)


def prior(W):
    return MultivariateNormal(W.new_zeros(W.shape[1]), eye(W))


def marginal(W, mu, sigma):
    return MultivariateNormal(mu, W @ W.T + sigma**2 * torch.eye(len(mu), dtype=W.dtype, device=W.device))


def reconstruction(x, W, mu, sigma, q_mean, q_cov, spread=None):
    spread = torch.einsum("ma,ab,mb->", W, q_cov, W) if spread is None else spread
    residual = (x - mu - q_mean @ W.T).square().sum(1)
    return -0.5 * (x.shape[1] * (LOG_2PI + 2 * sigma.log()) + (residual + spread) / sigma**2)


def kl(q_mean, q_cov):
    d = q_cov.shape[0]
    return 0.5 * (q_cov.trace() + (q_mean**2).sum(1) - d - torch.logdet(q_cov))


# ---------------------------------------------------------------- ppca_elbo


@right("ppca_elbo")
def elbo_formula(x, W, mu, sigma, q_mean, q_cov):
    return reconstruction(x, W, mu, sigma, q_mean, q_cov) - kl(q_mean, q_cov)


@right("ppca_elbo")
def elbo_of_distributions(x, W, mu, sigma, q_mean, q_cov):
    at_mean = Independent(Normal(q_mean @ W.T + mu, sigma), 1).log_prob(x)
    spread = torch.trace(W @ q_cov @ W.T) / (2 * sigma**2)
    return at_mean - spread - kl_divergence(MultivariateNormal(q_mean, q_cov), prior(W))


@right("ppca_elbo")
def elbo_joint_plus_entropy(x, W, mu, sigma, q_mean, q_cov):
    d = W.shape[1]
    log_prior = -0.5 * (d * LOG_2PI + (q_mean**2).sum(1) + q_cov.diagonal().sum())
    entropy = MultivariateNormal(q_mean, q_cov).entropy()
    return reconstruction(x, W, mu, sigma, q_mean, q_cov) + log_prior + entropy


@right("ppca_elbo")
def elbo_by_cholesky_rows(x, W, mu, sigma, q_mean, q_cov):
    L = torch.linalg.cholesky(q_cov)
    m, d = W.shape
    rows = []
    for x_i, mean_i in zip(x, q_mean, strict=True):
        r = x_i - mu - W @ mean_i
        fit = -(r @ r + ((W @ L) ** 2).sum()) / (2 * sigma.square()) - m * torch.log(sigma) - m / 2 * LOG_2PI
        rows.append(fit - ((L**2).sum() + mean_i @ mean_i - d) / 2 + L.diagonal().log().sum())
    return torch.stack(rows)


@right("ppca_elbo")
def elbo_as_evidence_minus_gap(x, W, mu, sigma, q_mean, q_cov):
    mean, cov = posterior(x, W, mu, sigma)
    gap = kl_divergence(MultivariateNormal(q_mean, q_cov), MultivariateNormal(mean, (cov + cov.T) / 2))
    return marginal(W, mu, sigma).log_prob(x) - gap


@right("ppca_elbo")
def elbo_at_sigma_points(x, W, mu, sigma, q_mean, q_cov):
    """Quadratics average exactly over the points mean ± sqrt(d) columns of the root."""
    d = W.shape[1]
    steps = math.sqrt(d) * torch.linalg.cholesky(q_cov).T
    z = q_mean + torch.cat([steps, -steps])[:, None, :]
    log_joint = Normal(z @ W.T + mu, sigma).log_prob(x).sum(-1) + Normal(0.0, 1.0).log_prob(z).sum(-1)
    return log_joint.mean(0) + 0.5 * (torch.linalg.slogdet(q_cov)[1] + d * (1 + LOG_2PI))


@wrong("ppca_elbo", law="value", says="mu is left out")
def elbo_without_mu(x, W, mu, sigma, q_mean, q_cov):
    return elbo_formula(x, W, torch.zeros_like(mu), sigma, q_mean, q_cov)


@wrong("ppca_elbo", law="value", says="")
def elbo_sampled(x, W, mu, sigma, q_mean, q_cov):
    q = MultivariateNormal(q_mean, q_cov)
    z = q.rsample((2000,))
    log_joint = Normal(z @ W.T + mu, sigma).log_prob(x).sum(-1) + Normal(0.0, 1.0).log_prob(z).sum(-1)
    return (log_joint - q.log_prob(z)).mean(0)


@wrong("ppca_elbo", law="stability", says="slogdet")
def elbo_log_of_det(x, W, mu, sigma, q_mean, q_cov):
    mean_kl = 0.5 * (q_cov.trace() + (q_mean**2).sum(1) - len(q_cov) - torch.det(q_cov).log())
    return reconstruction(x, W, mu, sigma, q_mean, q_cov) - mean_kl


@wrong("ppca_elbo", law="dtype", says="float32")
def elbo_double(x, W, mu, sigma, q_mean, q_cov):
    return elbo_formula(*(t.double() for t in (x, W, mu, sigma, q_mean, q_cov)))


@wrong("ppca_elbo", law="inputs unchanged", says="x")
def elbo_in_place(x, W, mu, sigma, q_mean, q_cov):
    x -= mu
    return elbo_formula(x, W, 0 * mu, sigma, q_mean, q_cov)


@wrong("ppca_elbo", law="device", says="GPU")
def elbo_cpu_prior(x, W, mu, sigma, q_mean, q_cov):
    d = W.shape[1]
    base = MultivariateNormal(torch.zeros(d, dtype=x.dtype), torch.eye(d, dtype=x.dtype))
    return reconstruction(x, W, mu, sigma, q_mean, q_cov) - kl_divergence(MultivariateNormal(q_mean, q_cov), base)


@wrong("ppca_elbo", law="shape", says="")
def elbo_squeezed(x, W, mu, sigma, q_mean, q_cov):
    return elbo_formula(x, W, mu, sigma, q_mean, q_cov).squeeze()


@wrong("ppca_elbo", law="stability", says="m log sigma")
def elbo_log_of_a_power(x, W, mu, sigma, q_mean, q_cov):
    m = W.shape[0]
    constant = torch.log((2 * math.pi * sigma**2) ** (m / 2)) - m / 2 * torch.log(2 * math.pi * sigma**2)
    return elbo_formula(x, W, mu, sigma, q_mean, q_cov) - constant
