"""Answers to 02_latent_variable_models: a mixture's density."""

import math

import torch
from torch import distributions as D

from . import right, wrong


@right("mixture_log_prob")
def mix_broadcast(x, weights, means, covariances):
    log_normal = D.MultivariateNormal(means, covariances).log_prob(x[:, None])
    return torch.logsumexp(weights.log() + log_normal, dim=1)


@right("mixture_log_prob")
def mix_same_family(x, weights, means, covariances):
    components = D.MultivariateNormal(means, covariance_matrix=covariances)
    return D.MixtureSameFamily(D.Categorical(probs=weights), components).log_prob(x)


@right("mixture_log_prob")
def mix_loop(x, weights, means, covariances):
    columns = []
    for w, mean, cov in zip(weights, means, covariances, strict=True):
        centred = x - mean
        squares = (centred @ torch.linalg.inv(cov) * centred).sum(1)
        log_det = torch.linalg.slogdet(cov)[1]
        columns.append(torch.log(w) - 0.5 * (squares + log_det + x.shape[1] * math.log(2 * math.pi)))
    return torch.logsumexp(torch.stack(columns, 1), 1)


@right("mixture_log_prob")
def mix_einsum(x, weights, means, covariances):
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, torch.linalg.inv(covariances), centred)
    log_joint = weights.log() - 0.5 * squares - 0.5 * torch.logdet(covariances) - x.shape[1] / 2 * math.log(2 * math.pi)
    top = log_joint.max(1, keepdim=True).values
    return top[:, 0] + (log_joint - top).exp().sum(1).log()


@right("mixture_log_prob")
def mix_eigenvalues(x, weights, means, covariances):
    values, vectors = torch.linalg.eigh(covariances)
    turned = torch.einsum("nka,kab->nkb", x[:, None] - means, vectors)
    log_normal = -0.5 * (turned.square() / values + values.log() + math.log(2 * math.pi)).sum(-1)
    total = log_normal[:, 0] + weights[0].log()
    for k in range(1, len(weights)):
        total = torch.logaddexp(total, log_normal[:, k] + weights[k].log())
    return total


@right("mixture_log_prob")
def mix_row_by_row(x, weights, means, covariances):
    L = torch.linalg.cholesky(covariances)
    rows = [
        torch.logsumexp(torch.log(weights) + D.MultivariateNormal(means, scale_tril=L).log_prob(row), -1) for row in x
    ]
    return torch.stack(rows)


@right("mixture_log_prob")
def mix_precisions(x, weights, means, covariances):
    normal = D.MultivariateNormal(means, precision_matrix=torch.linalg.inv(covariances))
    return torch.logsumexp(normal.log_prob(x[:, None]) + weights.log(), -1)


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_exp_then_log(x, weights, means, covariances):
    return (D.MultivariateNormal(means, covariances).log_prob(x[:, None]).exp() @ weights).log()


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_log_of_det(x, weights, means, covariances):
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, torch.linalg.inv(covariances), centred)
    constant = torch.log((2 * math.pi) ** x.shape[1] * torch.linalg.det(covariances))
    return torch.logsumexp(weights.log() - 0.5 * (squares + constant), 1)


@wrong("mixture_log_prob", law="value", says="something small that is added")
def mix_with_epsilon(x, weights, means, covariances):
    return (D.MultivariateNormal(means, covariances).log_prob(x[:, None]).exp() @ weights + 1e-12).log()


@wrong("mixture_log_prob", law="value", says="expected")
def mix_with_jitter(x, weights, means, covariances):
    ridge = 1e-4 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return mix_broadcast(x, weights, means, covariances + ridge)


@wrong("mixture_log_prob", law="stability", says="")
def mix_clamped(x, weights, means, covariances):
    return torch.logsumexp(
        weights.log() + D.MultivariateNormal(means, covariances).log_prob(x[:, None]).clamp(min=-500), 1
    )


@wrong("mixture_log_prob", law="gradient", says="gradient")
def mix_constant_weights(x, weights, means, covariances):
    return mix_broadcast(x, weights.detach(), means, covariances)


@wrong("mixture_log_prob", law="gradient", says="gradient")
def mix_detached_distance(x, weights, means, covariances):
    with torch.no_grad():
        inverse = torch.linalg.inv(covariances)
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, inverse, centred)
    log_joint = weights.log() - 0.5 * (squares + torch.logdet(covariances) + x.shape[1] * math.log(2 * math.pi))
    return torch.logsumexp(log_joint, 1)


@wrong("mixture_log_prob", law="shape", says="shape")
def mix_squeezed(x, weights, means, covariances):
    return mix_broadcast(x, weights, means, covariances).squeeze()


@wrong("mixture_log_prob", law="device", says="GPU")
def mix_cpu_accumulator(x, weights, means, covariances):
    total = torch.full((len(x),), -math.inf, dtype=x.dtype)
    for w, mean, cov in zip(weights, means, covariances, strict=True):
        total = torch.logaddexp(total, w.log() + D.MultivariateNormal(mean, cov).log_prob(x))
    return total


@wrong("mixture_log_prob", law="inputs unchanged", says="weights")
def mix_logs_in_place(x, weights, means, covariances):
    return torch.logsumexp(weights.log_() + D.MultivariateNormal(means, covariances).log_prob(x[:, None]), 1)


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_shifts_all_rows_alike(x, weights, means, covariances):
    table = D.MultivariateNormal(means, covariances).log_prob(x[:, None]) + weights.log()
    return (table - table.max()).exp().sum(1).log() + table.max()


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_shifts_by_the_mean(x, weights, means, covariances):
    table = D.MultivariateNormal(means, covariances).log_prob(x[:, None]) + weights.log()
    middle = table.mean(1, keepdim=True)
    return (table - middle).exp().sum(1).log() + middle[:, 0]
