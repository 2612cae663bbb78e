"""Answers to 02_latent_variable_models: the density of probabilistic PCA."""

import math

import torch
from torch import distributions as D

from . import right, wrong


def identity(like, size):
    return torch.eye(size, dtype=like.dtype, device=like.device)


@right("ppca_log_prob")
def ppca_woodbury(x, W, mu, sigma):
    m, d = W.shape
    M = W.T @ W + sigma**2 * identity(W, d)
    centred = x - mu
    projected = centred @ W
    squares = (centred.square().sum(1) - (projected * torch.linalg.solve(M, projected.T).T).sum(1)) / sigma**2
    log_det = torch.logdet(M) + 2 * (m - d) * torch.log(sigma)
    return -0.5 * (squares + log_det + m * math.log(2 * math.pi))


@right("ppca_log_prob")
def ppca_low_rank(x, W, mu, sigma):
    return D.LowRankMultivariateNormal(mu, W, sigma**2 * torch.ones_like(mu)).log_prob(x)


@right("ppca_log_prob")
def ppca_by_bayes(x, W, mu, sigma):
    d = W.shape[1]
    M = W.mT @ W + sigma.square() * identity(W, d)
    z = (x - mu) @ W @ torch.linalg.inv(M)
    log_likelihood = D.Normal(z @ W.mT + mu, sigma).log_prob(x).sum(-1)
    log_prior = D.Normal(torch.zeros_like(z), torch.ones_like(z)).log_prob(z).sum(-1)
    log_posterior = -d / 2 * math.log(2 * math.pi) - d * sigma.log() + torch.linalg.slogdet(M).logabsdet / 2
    return log_likelihood + log_prior - log_posterior


@right("ppca_log_prob")
def ppca_singular_values(x, W, mu, sigma):
    m, d = W.shape
    U, s, _ = torch.linalg.svd(W, full_matrices=False)
    along = (x - mu) @ U
    rest = (x - mu).square().sum(1) - along.square().sum(1)
    variances = s**2 + sigma**2
    squares = (along.square() / variances).sum(1) + rest / sigma**2
    return -0.5 * (squares + variances.log().sum() + (m - d) * 2 * sigma.log() + m * math.log(2 * math.pi))


@right("ppca_log_prob")
def ppca_row_by_row(x, W, mu, sigma):
    m, d = W.shape
    scaled = W / sigma
    L = torch.linalg.cholesky(identity(W, d) + scaled.T @ scaled)
    log_det = 2 * L.diagonal().log().sum() + m * torch.log(sigma**2)
    out = []
    for row in x:
        u = (row - mu) / sigma
        v = torch.linalg.solve_triangular(L, (scaled.T @ u)[:, None], upper=False)[:, 0]
        out.append(-0.5 * (u @ u - v @ v + log_det + m * math.log(2 * math.pi)))
    return torch.stack(out)


@wrong("ppca_log_prob", law="cost", says="m-by-m")
def ppca_multivariate_normal(x, W, mu, sigma):
    C = W @ W.T + sigma**2 * identity(W, len(mu))
    return D.MultivariateNormal(mu, C).log_prob(x)


@wrong("ppca_log_prob", law="cost", says="m-by-m")
def ppca_big_diagonal(x, W, mu, sigma):
    root = torch.diag(sigma * torch.ones_like(mu))
    return ppca_low_rank(x, W, mu, root[0, 0])


@wrong("ppca_log_prob", law="value", says="raised")
def ppca_inner_product(x, W, mu, sigma):
    return D.MultivariateNormal(mu, W.T @ W + sigma**2 * identity(W, W.shape[1])).log_prob(x)


@wrong("ppca_log_prob", law="value", says="not squared")
def ppca_sigma_not_squared(x, W, mu, sigma):
    return D.LowRankMultivariateNormal(mu, W, sigma * torch.ones_like(mu)).log_prob(x)


@wrong("ppca_log_prob", law="value", says="not centred")
def ppca_without_mu(x, W, mu, sigma):
    return ppca_low_rank(x, W, torch.zeros_like(mu), sigma)


@wrong("ppca_log_prob", law="value", says="z = 0")
def ppca_noise_alone(x, W, mu, sigma):
    return D.Normal(mu, sigma).log_prob(x).sum(-1)


@wrong("ppca_log_prob", law="value", says="diagonal")
def ppca_marginals(x, W, mu, sigma):
    return D.Normal(mu, (W.square().sum(1) + sigma**2).sqrt()).log_prob(x).sum(-1)


@wrong("ppca_log_prob", law="value", says="expected")
def ppca_for_one_latent(x, W, mu, sigma):
    M = W.square().sum() + sigma**2
    squares = ((x - mu).square().sum(1) - ((x - mu) @ W).square().sum(1) / M) / sigma**2
    return -0.5 * (squares + M.log() + 2 * (len(mu) - 1) * sigma.log() + len(mu) * math.log(2 * math.pi))


@wrong("ppca_log_prob", law="cost", says="m-by-m")
def ppca_projector(x, W, mu, sigma):
    m, d = W.shape
    M = W.T @ W + sigma**2 * identity(W, d)
    projector = W @ torch.linalg.inv(M) @ W.T
    squares = (((x - mu) - (x - mu) @ projector) * (x - mu)).sum(1) / sigma**2
    return -0.5 * (squares + torch.logdet(M) + 2 * (m - d) * sigma.log() + m * math.log(2 * math.pi))


@wrong("ppca_log_prob", law="value", says="expected")
def ppca_monte_carlo(x, W, mu, sigma):
    z = torch.randn(1000, W.shape[1], dtype=W.dtype, device=W.device)
    values = D.Normal((z @ W.T + mu)[:, None], sigma).log_prob(x).sum(-1)
    return values.logsumexp(0) - math.log(len(z))


@wrong("ppca_log_prob", law="stability", says="logarithms")
def ppca_power_of_sigma(x, W, mu, sigma):
    m, d = W.shape
    M = W.T @ W + sigma**2 * identity(W, d)
    right_one = ppca_woodbury(x, W, mu, sigma) + 0.5 * (torch.logdet(M) + 2 * (m - d) * sigma.log())
    return right_one - 0.5 * torch.log(torch.linalg.det(M) * sigma ** (2 * (m - d)))


@wrong("ppca_log_prob", law="gradient", says="gradient")
def ppca_constant_sigma(x, W, mu, sigma):
    return ppca_woodbury(x, W, mu, sigma.detach())


@wrong("ppca_log_prob", law="gradient", says="gradient")
def ppca_detached_M(x, W, mu, sigma):
    m, d = W.shape
    M = (W.T @ W + sigma**2 * identity(W, d)).detach()
    projected = (x - mu) @ W
    squares = ((x - mu).square().sum(1) - (projected * torch.linalg.solve(M, projected.T).T).sum(1)) / sigma**2
    return -0.5 * (squares + torch.logdet(M) + 2 * (m - d) * torch.log(sigma) + m * math.log(2 * math.pi))


@wrong("ppca_log_prob", law="device", says="GPU")
def ppca_cpu_eye(x, W, mu, sigma):
    m, d = W.shape
    M = W.T @ W + sigma**2 * torch.eye(d, dtype=W.dtype)
    projected = (x - mu) @ W
    squares = ((x - mu).square().sum(1) - (projected * torch.linalg.solve(M, projected.T).T).sum(1)) / sigma**2
    return -0.5 * (squares + torch.logdet(M) + 2 * (m - d) * torch.log(sigma) + m * math.log(2 * math.pi))


@wrong("ppca_log_prob", law="inputs unchanged", says="x")
def ppca_centres_in_place(x, W, mu, sigma):
    x -= mu
    return ppca_low_rank(x, W, torch.zeros_like(mu), sigma)


@wrong("ppca_log_prob", law="dtype", says="float32")
def ppca_in_float64(x, W, mu, sigma):
    return ppca_woodbury(x.double(), W.double(), mu.double(), sigma.double())


@right("ppca_log_prob")
def ppca_table_of_products(x, W, mu, sigma):
    m, d = W.shape
    values, vectors = torch.linalg.eigh(torch.einsum("md,me->de", W, W))
    centred = x - mu
    projected = (centred[:, :, None] * W).sum(1) @ vectors
    squares = (centred.square().sum(1) - (projected.square() / (values + sigma**2)).sum(1)) / sigma**2
    log_det = torch.log(values + sigma**2).sum() + (m - d) * torch.log(sigma**2)
    return -0.5 * (squares + log_det + m * math.log(2 * math.pi))


def formula(x, W, mu, sigma, ridge=None, inside=1.0, outside=1.0, count=None, sign=1.0):
    """Woodbury with a place for each slip: M's ridge, factors of the squared distance, the constant's count."""
    m, d = W.shape
    M = W.T @ W + (sigma**2 if ridge is None else ridge) * identity(W, d)
    centred, projected = x - mu, (x - mu) @ W
    along = (projected @ torch.linalg.inv(M) * projected).sum(1)
    squares = outside * (inside * centred.square().sum(1) - sign * along)
    log_det = torch.logdet(M) + (m - d) * torch.log(sigma**2)
    return -0.5 * (squares + log_det + (m if count is None else count) * math.log(2 * math.pi))


@wrong("ppca_log_prob", law="value", says="lacks 1/sigma²")
def ppca_distance_unscaled(x, W, mu, sigma):
    return formula(x, W, mu, sigma)


@wrong("ppca_log_prob", law="value", says="multiplies the part along W too")
def ppca_distance_half_scaled(x, W, mu, sigma):
    return formula(x, W, mu, sigma, inside=sigma**-2)


@wrong("ppca_log_prob", law="value", says="Woodbury subtracts")
def ppca_distance_added(x, W, mu, sigma):
    return formula(x, W, mu, sigma, outside=sigma**-2, sign=-1.0)


@wrong("ppca_log_prob", law="stability", says="add logarithms")
def ppca_log_of_det_M(x, W, mu, sigma):
    m, d = W.shape
    M = W.T @ W + sigma**2 * identity(W, d)
    projected = (x - mu) @ W
    squares = ((x - mu).square().sum(1) - (projected @ torch.linalg.inv(M) * projected).sum(1)) / sigma**2
    log_det = torch.linalg.det(M).log() + 2 * (m - d) * sigma.log()
    return -0.5 * (squares + log_det + m * math.log(2 * math.pi))
