"""Answers to `fit_posterior`. The slow right ones are few: each takes about two seconds."""

import torch
from torch.distributions import MultivariateNormal

from . import right, wrong
from .elbo_ppca import elbo_formula, eye, kl, posterior, reconstruction

NAME, LAW = "fit_posterior", "gap below 0.01 nats"


@right(NAME)
def fit_in_closed_form(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)


@right(NAME)
def fit_from_the_gradient(x, W, mu, sigma, num_steps):
    """Where the gradient of the ELBO vanishes."""
    precision = eye(W) + W.T @ W / sigma**2
    L = torch.linalg.cholesky(torch.linalg.inv(precision))
    return (W.T @ (x - mu).T / sigma**2).T @ L @ L.T, L @ L.T


@right(NAME)
def fit_by_conditioning_the_joint(x, W, mu, sigma, num_steps):
    C = W @ W.T + sigma**2 * torch.eye(len(W), dtype=x.dtype, device=x.device)
    gain = torch.linalg.solve(C, W).T
    return (x - mu) @ gain.T, eye(W) - gain @ W


@right(NAME)
def fit_by_newton(x, W, mu, sigma, num_steps):
    """The ELBO is quadratic in the mean: one Newton step from zero; the covariance is the inverse of its curvature."""

    def minus_log_joint(z):
        return -reconstruction(x[:1], W, mu, sigma, z[None], 0 * eye(W))[0] + z @ z / 2

    curvature = torch.func.hessian(minus_log_joint)(torch.zeros_like(W[0]))
    start = torch.stack([W.T @ (row - mu) / sigma**2 for row in x])
    return torch.linalg.solve(curvature, start.T).T, torch.cholesky_inverse(torch.linalg.cholesky(curvature))


def ascend(x, W, mu, sigma, num_steps, lr, elbo, schedule=False):
    """Adam on (mean, root): q_cov = L Lᵀ with L the lower triangle of the root."""
    mean = torch.zeros(len(x), W.shape[1], dtype=x.dtype, device=x.device, requires_grad=True)
    root = eye(W).requires_grad_()
    optimizer = torch.optim.Adam([mean, root], lr=lr)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps) if schedule else None
    for _ in range(num_steps):
        L = root.tril()
        loss = -elbo(x, W, mu, sigma, mean, L @ L.T).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if decay:
            decay.step()
    L = root.detach().tril()
    return mean.detach(), L @ L.T


@right(NAME)
def fit_by_adam(x, W, mu, sigma, num_steps):
    return ascend(x, W, mu, sigma, num_steps, 0.01, elbo_formula)


def sampled_elbo(x, W, mu, sigma, mean, cov, num_samples=8):
    z = MultivariateNormal(mean, cov).rsample((num_samples,))
    residual = ((x - mu - z @ W.T) ** 2).sum(-1)
    return -residual.mean(0) / (2 * sigma**2) - kl(mean, cov)


@right(NAME)
def fit_by_samples(x, W, mu, sigma, num_steps):
    return ascend(x, W, mu, sigma, num_steps, 0.02, sampled_elbo, schedule=True)


@wrong(NAME, law=LAW, says="diagonal")
def fit_mean_field(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, torch.diag(1 / torch.linalg.inv(cov).diagonal())


@wrong(NAME, law=LAW, says="diagonal")
def fit_marginals(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, cov.diagonal().diag()


@wrong(NAME, law=LAW, says="diagonal")
def fit_mean_field_by_adam(x, W, mu, sigma, num_steps):
    def mean_field(x, W, mu, sigma, mean, cov):
        return elbo_formula(x, W, mu, sigma, mean, cov.diagonal().diag())

    mean, cov = ascend(x, W, mu, sigma, 300, 0.05, mean_field, schedule=True)
    return mean, cov.diagonal().diag()


@wrong(NAME, law=LAW, says="Only the mean")
def fit_only_the_mean(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)[0], eye(W)


@wrong(NAME, law=LAW, says="shrunk to a point")
def fit_mode(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)[0], torch.zeros_like(eye(W))


@wrong(NAME, law=LAW, says="0.01")
def fit_almost_a_point(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)[0], 1e-4 * eye(W)


@wrong(NAME, law=LAW, says="prior")
def fit_nothing(x, W, mu, sigma, num_steps):
    return x.new_zeros(len(x), W.shape[1]), eye(W)


@wrong(NAME, law=LAW, says="not symmetric")
def fit_asymmetric(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, cov + torch.triu(0.1 * torch.ones_like(cov), 1)


@wrong(NAME, law=LAW, says="Cholesky factor")
def fit_cholesky_factor(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, torch.linalg.cholesky(cov)


@wrong(NAME, law=LAW, says="eigenvalue")
def fit_indefinite(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, cov - eye(W)


@wrong(NAME, law=LAW, says="sigma² is missing")
def fit_without_variance(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, cov / sigma**2


@wrong(NAME, law=LAW, says="precision")
def fit_precision(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, torch.linalg.inv(cov)


@wrong(NAME, law=LAW, says="mu is not subtracted")
def fit_without_mu(x, W, mu, sigma, num_steps):
    return posterior(x, W, 0 * mu, sigma)


@wrong(NAME, law=LAW, says="least squares")
def fit_least_squares(x, W, mu, sigma, num_steps):
    return (x - mu) @ torch.linalg.pinv(W).T, sigma**2 * torch.linalg.inv(W.T @ W)


@wrong(NAME, law=LAW, says="another noise")
def fit_sigma_as_variance(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma.sqrt())


@wrong(NAME, law=LAW, says="shape")
def fit_covariance_a_row(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, cov.expand(len(x), -1, -1)


@wrong(NAME, law=LAW, says="shape")
def fit_standard_deviations(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean, cov.diagonal().sqrt()


@wrong(NAME, law=LAW, says="nats")
def fit_too_few_steps(x, W, mu, sigma, num_steps):
    return ascend(x, W, mu, sigma, 30, 0.01, elbo_formula)


@wrong(NAME, law=LAW, says="same for every row")
def fit_one_mean(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    return mean.mean(0, keepdim=True).repeat(len(x), 1), cov


@wrong(NAME, law=LAW, says="2 values")
def fit_mean_alone(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)[0]


@wrong(NAME, law="dtype", says="float32")
def fit_in_double(x, W, mu, sigma, num_steps):
    return posterior(x.double(), W.double(), mu.double(), sigma.double())


@wrong(NAME, law="dtype", says="float32")
def fit_in_single(x, W, mu, sigma, num_steps):
    return posterior(x.float(), W.float(), mu.float(), sigma.float())


@wrong(NAME, law="device", says="GPU")
def fit_cpu_identity(x, W, mu, sigma, num_steps):
    cov = torch.linalg.inv(torch.eye(W.shape[1], dtype=x.dtype) + W.T @ W / sigma**2)
    return (x - mu) @ W @ cov / sigma**2, cov


@wrong(NAME, law="inputs unchanged", says="x")
def fit_in_place(x, W, mu, sigma, num_steps):
    x -= mu
    return posterior(x, W, 0 * mu, sigma)


@wrong(NAME, law=LAW, says="expected shape")
def fit_returns_swapped(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)[::-1]


@wrong(NAME, law=LAW, says="order of the factors")
def fit_factors_in_the_wrong_order(x, W, mu, sigma, num_steps):
    mean, cov = posterior(x, W, mu, sigma)
    L = torch.linalg.cholesky(cov)
    return mean, L.T @ L
