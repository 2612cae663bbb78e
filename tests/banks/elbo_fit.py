"""Answers to `fit_posterior`. Each that optimises takes a second or two."""

import math

import numpy as np
import torch
from torch.distributions import MultivariateNormal

from . import right, wrong

NAME, GAUSSIAN, SKEWED = "fit_posterior", "gaussian posterior", "skewed posterior"


def parameters(q_mean, q_cov):
    mean = q_mean.detach().clone().requires_grad_()
    root = torch.linalg.cholesky(q_cov).detach().contiguous().requires_grad_()
    return mean, root


def draws(mean, root, count=16):
    return mean + torch.randn(count, len(mean), dtype=mean.dtype, device=mean.device) @ root.tril().T


def entropy(root):
    return root.diagonal().abs().log().sum()


def objective(log_joint, mean, root):
    return log_joint(draws(mean, root)).mean() + entropy(root)


def quickly(log_joint, q_mean, q_cov, num_steps, **how):
    """As much of a climb as a test needs."""
    return climb(log_joint, q_mean, q_cov, min(num_steps, 400), lr=0.06, **how)


def climb(log_joint, q_mean, q_cov, num_steps, optimiser=torch.optim.Adam, lr=0.02, elbo=objective, **how):
    """Steps up an objective of (log_joint, mean, root), decreasing; q_cov = L Lᵀ with the root's lower triangle."""
    decay, zero = how.pop("decay", True), how.pop("zero", True)
    mean, root = parameters(q_mean, q_cov)
    steps = optimiser([mean, root], lr=lr, **how)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(steps, num_steps)
    for _ in range(num_steps):
        if zero:
            steps.zero_grad()
        (-elbo(log_joint, mean, root)).backward()
        steps.step()
        if decay:
            slower.step()
    L = root.detach().tril()
    return mean.detach(), L @ L.T


@right(NAME)
def fit_by_adam(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, num_steps)


@right(NAME)
def fit_by_adam_at_a_constant_step(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, num_steps, lr=0.01, decay=False)


@right(NAME)
def fit_by_rmsprop(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, num_steps, torch.optim.RMSprop, lr=0.01)


@right(NAME)
def fit_by_distributions(log_joint, q_mean, q_cov, num_steps):
    """rsample and log_prob; the factor's diagonal by its logarithm."""
    mean = q_mean.clone().requires_grad_()
    L = torch.linalg.cholesky(q_cov)
    log_diagonal, below = L.diagonal().log().clone().requires_grad_(), L.tril(-1).clone().requires_grad_()
    steps = torch.optim.Adam([mean, log_diagonal, below], lr=0.02)
    slower = torch.optim.lr_scheduler.LinearLR(steps, 1.0, 0.02, total_iters=num_steps)
    for _ in range(num_steps):
        q = MultivariateNormal(mean, scale_tril=below.tril(-1) + log_diagonal.exp().diag())
        z = q.rsample((12,))
        loss = -(log_joint(z) - q.log_prob(z)).mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
        slower.step()
    return mean.detach(), q.covariance_matrix.detach()


@right(NAME)
def fit_by_fixed_noise(log_joint, q_mean, q_cov, num_steps):
    """The same noise at every step makes the objective smooth: L-BFGS."""
    mean, root = parameters(q_mean, q_cov)
    half = torch.randn(256, len(mean), dtype=mean.dtype, device=mean.device, generator=None)
    noise = torch.cat([half, -half])
    optimizer = torch.optim.LBFGS([mean, root], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = -log_joint(mean + noise @ root.tril().T).mean() - entropy(root)
        loss.backward()
        return loss

    optimizer.step(closure)
    L = root.detach().tril()
    return mean.detach(), L @ L.T


@right(NAME)
def fit_by_natural_gradients(log_joint, q_mean, q_cov, num_steps):
    """The precision goes towards E_q[-curvature], the mean along the mean gradient (Khan and Rue 2021)."""

    def one(z):
        return log_joint(z[None])[0]

    slope, curvature = torch.func.vmap(torch.func.grad(one)), torch.func.vmap(torch.func.hessian(one))
    mean, precision = q_mean.clone(), torch.linalg.inv(q_cov)
    for _ in range(min(num_steps, 400)):
        L = torch.linalg.cholesky(torch.linalg.inv(precision))
        half = torch.randn(16, len(mean), dtype=mean.dtype, device=mean.device)
        z = mean + torch.cat([half, -half]) @ L.T
        precision = precision - 0.03 * (curvature(z).mean(0) + precision)
        precision = (precision + precision.T) / 2
        mean = mean + 0.03 * torch.linalg.solve(precision, slope(z).mean(0))
    return mean, torch.linalg.inv(precision)


@right(NAME)
def fit_by_quadrature(log_joint, q_mean, q_cov, num_steps):
    d = len(q_mean)
    nodes, weights = (torch.as_tensor(a).to(q_mean) for a in np.polynomial.hermite.hermgauss(20))
    points = math.sqrt(2) * torch.cartesian_prod(*[nodes] * d).reshape(-1, d)
    mass = torch.cartesian_prod(*[weights] * d).reshape(-1, d).prod(1) / math.pi ** (d / 2)

    def exact(log_joint, mean, root):
        return mass @ log_joint(mean + points @ root.tril().T) + entropy(root)

    return climb(log_joint, q_mean, q_cov, min(num_steps, 800), lr=0.05, elbo=exact)


@wrong(NAME, law=GAUSSIAN, says="diagonal")
def fit_mean_field_by_adam(log_joint, q_mean, q_cov, num_steps):
    mean, log_std = q_mean.clone().requires_grad_(), (q_cov.diagonal().log() / 2).clone().requires_grad_()
    steps = torch.optim.Adam([mean, log_std], lr=0.02)
    for _ in range(1000):
        z = mean + log_std.exp() * torch.randn(16, len(mean), dtype=mean.dtype)
        steps.zero_grad()
        (-(log_joint(z).mean() + log_std.sum())).backward()
        steps.step()
    return mean.detach(), (2 * log_std.detach()).exp().diag()


@wrong(NAME, law=SKEWED, says="Laplace")
def fit_the_mode_and_its_curvature(log_joint, q_mean, q_cov, num_steps):
    z = q_mean.clone().requires_grad_()
    steps = torch.optim.LBFGS([z], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        steps.zero_grad()
        loss = -log_joint(z[None])[0]
        loss.backward()
        return loss

    steps.step(closure)
    hessian = torch.autograd.functional.hessian(lambda at: -log_joint(at[None])[0], z.detach())
    return z.detach(), torch.linalg.inv(hessian)


@wrong(NAME, law=GAUSSIAN, says="shrunk to a point")
def fit_without_entropy(log_joint, q_mean, q_cov, num_steps):
    return quickly(log_joint, q_mean, q_cov, num_steps, elbo=lambda f, mean, root: f(draws(mean, root)).mean())


@wrong(NAME, law=GAUSSIAN, says="minimises")
def fit_downhill(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, 500, elbo=lambda *given: -objective(*given))


@wrong(NAME, law=GAUSSIAN, says="minus the ELBO")
def fit_with_minus_log_joint(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, 500, elbo=lambda f, mean, root: entropy(root) - f(draws(mean, root)).mean())


@wrong(NAME, law=GAUSSIAN, says="carries a gradient")
def fit_samples_without_gradient(log_joint, q_mean, q_cov, num_steps):
    def detached(log_joint, mean, root):
        return log_joint(draws(mean, root).detach()).mean() + entropy(root)

    return climb(log_joint, q_mean, q_cov, 500, elbo=detached)


@wrong(NAME, law=GAUSSIAN, says="carries a gradient")
def fit_by_sample_in_place_of_rsample(log_joint, q_mean, q_cov, num_steps):
    def sampled(log_joint, mean, root):
        L = root.tril()
        q = MultivariateNormal(mean, L @ L.T + 1e-6 * torch.eye(len(mean), dtype=mean.dtype))
        z = q.sample((8,))
        return (log_joint(z) - q.log_prob(z)).mean()

    return climb(log_joint, q_mean, q_cov, 400, lr=0.002, elbo=sampled)


@wrong(NAME, law=GAUSSIAN, says="zero_grad")
def fit_without_zero_grad(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, num_steps, decay=False, zero=False)


@wrong(NAME, law=GAUSSIAN, says="grows and grows")
def fit_at_the_mean(log_joint, q_mean, q_cov, num_steps):
    return climb(
        log_joint, q_mean, q_cov, 1000, elbo=lambda f, mean, root: f(mean[None])[0] + entropy(root), decay=False
    )


@wrong(NAME, law=GAUSSIAN, says="entropy weighs too much")
def fit_with_the_whole_log_det(log_joint, q_mean, q_cov, num_steps):
    def doubled(log_joint, mean, root):
        return log_joint(draws(mean, root)).mean() + 2 * entropy(root)

    return quickly(log_joint, q_mean, q_cov, num_steps, elbo=doubled)


@wrong(NAME, law=GAUSSIAN, says="entropy weighs too little")
def fit_with_half_the_entropy(log_joint, q_mean, q_cov, num_steps):
    def halved(log_joint, mean, root):
        return log_joint(draws(mean, root)).mean() + entropy(root) / 2

    return quickly(log_joint, q_mean, q_cov, num_steps, elbo=halved)


@wrong(NAME, law=GAUSSIAN, says="summed over the samples")
def fit_with_a_sum_over_samples(log_joint, q_mean, q_cov, num_steps):
    def summed(log_joint, mean, root):
        return log_joint(draws(mean, root, 4)).sum() + entropy(root)

    return quickly(log_joint, q_mean, q_cov, num_steps, elbo=summed)


@wrong(NAME, law=GAUSSIAN, says="you were given")
def fit_nothing(log_joint, q_mean, q_cov, num_steps):
    return q_mean.clone(), q_cov.clone()


@wrong(NAME, law=GAUSSIAN, says="optimiser hold it")
def fit_the_covariance_alone(log_joint, q_mean, q_cov, num_steps):
    def still(log_joint, mean, root):
        return objective(log_joint, mean.detach(), root) + 0 * mean.sum()

    return quickly(log_joint, q_mean, q_cov, num_steps, elbo=still)


@wrong(NAME, law=GAUSSIAN, says="best q's")
def fit_too_few_steps(log_joint, q_mean, q_cov, num_steps):
    return climb(log_joint, q_mean, q_cov, 20, lr=0.01, decay=False)


@wrong(NAME, law=GAUSSIAN, says="Cholesky factor")
def fit_returns_the_factor(log_joint, q_mean, q_cov, num_steps):
    mean, cov = quickly(log_joint, q_mean, q_cov, num_steps)
    return mean, torch.linalg.cholesky(cov)


@wrong(NAME, law=GAUSSIAN, says="not symmetric")
def fit_an_asymmetric_matrix(log_joint, q_mean, q_cov, num_steps):
    mean, cov = quickly(log_joint, q_mean, q_cov, num_steps)
    return mean, cov + torch.triu(0.1 * torch.ones_like(cov), 1)


@wrong(NAME, law=GAUSSIAN, says="standard deviations")
def fit_returns_standard_deviations(log_joint, q_mean, q_cov, num_steps):
    mean, cov = quickly(log_joint, q_mean, q_cov, num_steps)
    return mean, cov.diagonal().sqrt()


@wrong(NAME, law=GAUSSIAN, says="expected shape")
def fit_swapped(log_joint, q_mean, q_cov, num_steps):
    return quickly(log_joint, q_mean, q_cov, num_steps)[::-1]


@wrong(NAME, law=GAUSSIAN, says="2 values")
def fit_the_mean_alone(log_joint, q_mean, q_cov, num_steps):
    return quickly(log_joint, q_mean, q_cov, num_steps)[0]


@wrong(NAME, law="float32 and one latent", says="float32")
def fit_in_double(log_joint, q_mean, q_cov, num_steps):
    mean, cov = quickly(lambda z: log_joint(z.to(q_mean.dtype)), q_mean.double(), q_cov.double(), num_steps)
    return mean, cov


@wrong(NAME, law="float32 and one latent", says="one latent")
def fit_squeezes(log_joint, q_mean, q_cov, num_steps):
    mean, cov = quickly(log_joint, q_mean, q_cov, num_steps)
    return mean.squeeze(), cov.squeeze()


@wrong(NAME, law="device", says="GPU")
def fit_with_noise_of_the_cpu(log_joint, q_mean, q_cov, num_steps):
    def objective(log_joint, mean, root):
        noise = torch.randn(16, len(mean), dtype=mean.dtype)
        return log_joint(mean + noise @ root.tril().T).mean() + entropy(root)

    return quickly(log_joint, q_mean, q_cov, num_steps, elbo=objective)


@wrong(NAME, law="inputs unchanged", says="q_mean")
def fit_the_start_in_place(log_joint, q_mean, q_cov, num_steps):
    mean, cov = quickly(log_joint, q_mean, q_cov, num_steps)
    q_mean.copy_(mean)
    return q_mean.clone(), cov
