"""Answers to `kl_to_standard_normal`."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from . import right, wrong


@right("kl_to_standard_normal")
def kl_as_kingma_and_welling(mean, log_var):
    return -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=1)


@right("kl_to_standard_normal")
def kl_by_expm1(mean, log_var):
    return 0.5 * (torch.expm1(log_var) - log_var + mean**2).sum(-1)


@right("kl_to_standard_normal")
def kl_of_distributions(mean, log_var):
    q, p = Normal(mean, (0.5 * log_var).exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return kl_divergence(Independent(q, 1), Independent(p, 1))


@right("kl_to_standard_normal")
def kl_of_scalar_prior(mean, log_var):
    return kl_divergence(Normal(mean, torch.exp(log_var / 2)), Normal(0.0, 1.0)).sum(dim=-1)


@right("kl_to_standard_normal")
def kl_of_full_covariances(mean, log_var):
    d = mean.shape[1]
    prior = MultivariateNormal(mean.new_zeros(d), torch.eye(d, dtype=mean.dtype, device=mean.device))
    return kl_divergence(MultivariateNormal(mean, torch.diag_embed(log_var.exp())), prior)


@right("kl_to_standard_normal")
def kl_row_by_row(mean, log_var):
    rows = []
    for m, v in zip(mean, log_var, strict=True):
        rows.append((v.exp().sum() + m @ m - len(m) - v.sum()) / 2)
    return torch.stack(rows)


@right("kl_to_standard_normal")
def kl_cross_entropy_minus_entropy(mean, log_var):
    d = mean.shape[-1]
    cross = 0.5 * (torch.einsum("nd,nd->n", mean, mean) + log_var.exp().sum(1) + d * math.log(2 * math.pi))
    return cross - 0.5 * (log_var.sum(1) + d * (1 + math.log(2 * math.pi)))


@wrong("kl_to_standard_normal", law="stability", says="add log_var")
def kl_log_of_product(mean, log_var):
    return 0.5 * (log_var.exp().sum(-1) + (mean**2).sum(-1) - mean.shape[-1] - log_var.exp().prod(-1).log())


@wrong("kl_to_standard_normal", law="gradient", says="no gradient reaches mean")
def kl_detached_mean(mean, log_var):
    return kl_by_expm1(mean.data, log_var)


@wrong("kl_to_standard_normal", law="dtype", says="float32")
def kl_in_double(mean, log_var):
    return kl_by_expm1(mean.double(), log_var.double())


@wrong("kl_to_standard_normal", law="inputs unchanged", says="log_var")
def kl_in_place(mean, log_var):
    kl = kl_by_expm1(mean, log_var)
    log_var.exp_()
    return kl


@wrong("kl_to_standard_normal", law="device", says="GPU")
def kl_prior_on_cpu(mean, log_var):
    prior = Normal(torch.zeros(mean.shape, dtype=mean.dtype), torch.ones(mean.shape, dtype=mean.dtype))
    return kl_divergence(Normal(mean, (log_var / 2).exp()), prior).sum(-1)


@wrong("kl_to_standard_normal", law="stability", says="small constant")
def kl_log_with_epsilon(mean, log_var):
    var = log_var.exp()
    return 0.5 * (var - 1 - torch.log(var + 1e-8) + mean**2).sum(-1)


@wrong("kl_to_standard_normal", law="stability", says="")
def kl_clamped_log_var(mean, log_var):
    return kl_as_kingma_and_welling(mean, log_var.clamp(-10, 10))
