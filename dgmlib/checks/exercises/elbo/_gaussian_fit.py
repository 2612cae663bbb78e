"""The best Gaussian q of the fixture's log joint, whose expectations have a closed form: the mean of exp(a·z + b) under
N(m, S) is exp(a·m + b + a·S a / 2). And the Laplace approximation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.functional import hessian, jacobian


def elbo(log_joint, mean: Tensor, cov: Tensor) -> Tensor:
    """E_q[log_joint(z)] + entropy of q = N(mean, cov); float64, -inf where it overflows."""
    return elbo_of_factor(log_joint, mean.double(), torch.linalg.cholesky(cov.double()))


def elbo_of_factor(log_joint, mean: Tensor, L: Tensor) -> Tensor:
    centred, d = mean - log_joint.location, len(mean)
    expected = (
        log_joint.constant - (centred @ log_joint.precision @ centred + (L.T @ log_joint.precision @ L).trace()) / 2
    )
    if log_joint.A is not None:
        log_rate = log_joint.A @ mean + log_joint.b
        variance = (log_joint.A @ L).square().sum(-1)
        expected = expected + (log_joint.counts * log_rate - (log_rate + variance / 2).exp()).sum()
    return expected + L.diagonal().square().log().sum() / 2 + d / 2 * (1 + math.log(2 * math.pi))


def best_gaussian(log_joint, q_mean: Tensor, q_cov: Tensor) -> tuple[Tensor, Tensor]:
    """The q that maximises the ELBO. It is concave in the mean and a factor of the covariance where log_joint is concave
    in z (Challis and Barber 2013), so one start is enough."""
    d = len(q_mean)
    below = torch.tril_indices(d, d, device=q_mean.device).unbind()

    def factor(v: Tensor) -> Tensor:
        return torch.zeros_like(q_cov).index_put(below, v[d:])

    def minus_elbo(v: Tensor) -> Tensor:
        return -elbo_of_factor(log_joint, v[:d], factor(v))

    v = newton(minus_elbo, torch.cat([q_mean, torch.linalg.cholesky(q_cov)[below]]))
    L = factor(v)
    return v[:d], L @ L.T


def laplace(log_joint, z: Tensor) -> tuple[Tensor, Tensor]:
    """The mode of a concave log joint, and minus the inverse curvature there."""

    def minus(at: Tensor) -> Tensor:
        return -log_joint(at[None])[0]

    z = newton(minus, z)
    return z, torch.linalg.inv(hessian(minus, z))


def newton(f: Callable[[Tensor], Tensor], v: Tensor) -> Tensor:
    """The minimum of a convex f: full steps, halved until f falls."""
    for _ in range(60):
        slope = jacobian(f, v)
        step = torch.linalg.solve(hessian(f, v), slope)
        if float(slope @ step) < 4 * torch.finfo(v.dtype).eps:
            break
        before = f(v)
        while not f(v - step) <= before:
            step = step / 2
        v = v - step
    return v
