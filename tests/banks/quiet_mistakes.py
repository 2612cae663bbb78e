"""Wrong answers that right-looking inputs let pass: clamps of tiny numbers, float32 on the way, order."""

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from . import wrong


def table(x, weights, means, covariances) -> Tensor:
    return weights.log() + MultivariateNormal(means, covariances).log_prob(x[:, None])


@wrong("mixture_log_prob", law="value", says="clamped")
def mixture_clamped_weights(x, weights, means, covariances):
    return torch.logsumexp(table(x, weights.clamp(min=1e-3), means, covariances), dim=1)


@wrong("mixture_log_prob", law="value", says="clamped")
def mixture_weights_with_epsilon(x, weights, means, covariances):
    return torch.logsumexp(table(x, weights + 1e-8, means, covariances), dim=1)


@wrong("mixture_log_prob", law="value", says="over the points")
def mixture_sum_over_points(x, weights, means, covariances):
    return torch.logsumexp(table(x, weights, means, covariances), dim=0)


@wrong("mixture_elbo", law="zeros in q", says="a clamp")
def elbo_clamped_entropy(x, responsibilities, weights, means, covariances):
    joint = table(x, weights, means, covariances)
    return (responsibilities * (joint - responsibilities.clamp(min=1e-3).log())).sum(1).mean()


@wrong("em_mixture", law="parameters", says="float32 on the way")
def em_in_float32(x, weights, means, covariances, num_iters):
    dtype, history = x.dtype, []
    x, weights, means, covariances = (t.float() for t in (x, weights, means, covariances))
    for _ in range(num_iters):
        joint = table(x, weights, means, covariances)
        history.append(joint.logsumexp(1).mean())
        q = joint.softmax(1)
        mass = q.sum(0)
        weights, means = mass / len(x), q.T @ x / mass[:, None]
        centred = x[:, None] - means
        covariances = torch.einsum("nk,nka,nkb->kab", q, centred, centred) / mass[:, None, None]
    return *(t.to(dtype) for t in (weights, means, covariances)), torch.stack(history).to(dtype)


@wrong("gaussian_kl", law="value", says="1e-05 I")
def kl_with_jitter(mean_p, cov_p, mean_q, cov_q):
    cov_q = cov_q + 1e-5 * torch.eye(len(mean_q), dtype=cov_q.dtype, device=cov_q.device)
    p, q = MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q)
    return torch.distributions.kl_divergence(p, q)


@wrong("grid_posterior", law="posterior", says="mind the order")
def grid_swapped(log_prior, log_likelihood, step):
    log_evidence = torch.logsumexp(log_prior + log_likelihood, dim=0) + math.log(step)
    return log_evidence, (log_prior + log_likelihood - log_evidence).exp()


@wrong("naive_log_likelihood", law="value", says="K - 1")
def naive_unbiased(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), dim=0) - math.log(max(len(z) - 1, 1))
