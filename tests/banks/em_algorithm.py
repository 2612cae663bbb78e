"""Answers to 04_em_algorithm: both E-steps. The others are `em_m_step`, `em_elbo`, `em_loop` and `em_ppca`."""

import math

import torch
from torch.distributions import Categorical, MultivariateNormal
from torch.nn import functional as F

from . import right, wrong


def log_joint(x, weights, means, covariances):
    return torch.log(weights) + MultivariateNormal(means, covariances).log_prob(x[:, None])


# ---------------------------------------------------------------- e_step


@right("e_step")
def by_distributions(x, weights, means, covariances):
    return torch.softmax(log_joint(x, weights, means, covariances), dim=-1)


@right("e_step")
def by_cholesky_loop(x, weights, means, covariances):
    columns = []
    for w, mu, S in zip(weights, means, covariances, strict=True):
        L = torch.linalg.cholesky(S)
        y = torch.linalg.solve_triangular(L, (x - mu).T, upper=False)
        columns.append(w.log() - L.diagonal().log().sum() - 0.5 * (y**2).sum(0))
    scores = torch.stack(columns, dim=1)
    return torch.exp(scores - torch.logsumexp(scores, dim=1, keepdim=True))


@right("e_step")
def by_inverse_einsum(x, weights, means, covariances):
    d = x[:, None, :] - means[None]
    square = torch.einsum("nka,kab,nkb->nk", d, torch.linalg.inv(covariances), d)
    scores = weights.log() - 0.5 * (torch.logdet(covariances) + square)
    scores = scores - scores.max(dim=1, keepdim=True).values
    return scores.exp() / scores.exp().sum(dim=1, keepdim=True)


@right("e_step")
def row_by_row(x, weights, means, covariances):
    rows = []
    for point in x:
        scores = [
            torch.log(weights[k]) + MultivariateNormal(means[k], covariance_matrix=covariances[k]).log_prob(point)
            for k in range(len(weights))
        ]
        rows.append(torch.stack(scores).softmax(0))
    return torch.stack(rows)


@right("e_step")
def by_categorical(x, weights, means, covariances):
    precision = torch.cholesky_inverse(torch.linalg.cholesky(covariances))
    gaussian = MultivariateNormal(means, precision_matrix=precision)
    return Categorical(logits=Categorical(weights).logits + gaussian.log_prob(x.unsqueeze(1))).probs


@wrong("e_step", law="stability", says="finite")
def densities(x, weights, means, covariances):
    joint = log_joint(x, weights, means, covariances).exp()
    return joint / joint.sum(1, keepdim=True)


@wrong("e_step", law="stability", says="softmax of their logarithms")
def guarded_densities(x, weights, means, covariances):
    joint = log_joint(x, weights, means, covariances).exp()
    return joint / (joint.sum(1, keepdim=True) + 1e-300)


@wrong("e_step", law="dtype", says="float32")
def in_float64(x, weights, means, covariances):
    return by_distributions(x.double(), weights.double(), means.double(), covariances.double())


def without_gradient(x, weights, means, covariances):
    with torch.no_grad():
        return by_distributions(x, weights, means, covariances)


@wrong("e_step", law="gradient", says="gradient")
def detached_weights(x, weights, means, covariances):
    return by_distributions(x, weights.detach(), means, covariances)


@wrong("e_step", law="inputs unchanged", says="x")
def centres_in_place(x, weights, means, covariances):
    columns = []
    for k in range(len(weights)):
        x -= means[k]
        square = (x @ torch.linalg.inv(covariances[k]) * x).sum(1)
        columns.append(weights[k].log() - 0.5 * (covariances[k].logdet() + square))
        x += means[k] + 1e-9
    return torch.stack(columns, 1).softmax(1)


@wrong("e_step", law="device", says="GPU")
def filled_on_the_cpu(x, weights, means, covariances):
    scores = torch.zeros(len(x), len(weights), dtype=x.dtype)
    for k in range(len(weights)):
        scores[:, k] = weights[k].log() + MultivariateNormal(means[k], covariances[k]).log_prob(x)
    return scores.softmax(1)


@wrong("e_step", law="value", says="expected")
def k_means_distances(x, weights, means, covariances):
    return (weights.log() - torch.cdist(x, means)).softmax(1)


@wrong("e_step", law="shape", says="raised")
def squeezed(x, weights, means, covariances):
    return log_joint(x.squeeze(), weights, means, covariances).softmax(-1)


# ---------------------------------------------------------------- hard_e_step


@right("hard_e_step")
def argmax_and_one_hot(x, weights, means, covariances):
    best = log_joint(x, weights, means, covariances).argmax(dim=1)
    return F.one_hot(best, num_classes=len(weights)).to(x.dtype)


@right("hard_e_step")
def rows_of_the_identity(x, weights, means, covariances):
    identity = torch.eye(len(weights), dtype=x.dtype, device=x.device)
    return identity[by_inverse_einsum(x, weights, means, covariances).argmax(-1)]


@right("hard_e_step")
def scattered(x, weights, means, covariances):
    scores = log_joint(x, weights, means, covariances)
    return torch.zeros_like(scores).scatter_(1, scores.max(1, keepdim=True).indices, 1.0)


@right("hard_e_step")
def compared_with_the_index(x, weights, means, covariances):
    best = by_cholesky_loop(x, weights, means, covariances).argmax(1)
    return (torch.arange(len(weights), device=x.device) == best[:, None]).to(x.dtype)


def chosen(scores, like):
    return F.one_hot(scores.argmax(1), scores.shape[1]).to(like.dtype)


@wrong("hard_e_step", law="dtype", says="int64")
def integers(x, weights, means, covariances):
    return F.one_hot(log_joint(x, weights, means, covariances).argmax(1), len(weights))


@wrong("hard_e_step", law="dtype", says="bool")
def booleans(x, weights, means, covariances):
    return chosen(log_joint(x, weights, means, covariances), x).bool()


@wrong("hard_e_step", law="ties", says="pick one")
def every_winner(x, weights, means, covariances):
    scores = by_cholesky_loop(x, weights, means, covariances)
    return (scores == scores.max(1, keepdim=True).values).to(x.dtype)


def indices(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances).argmax(1)


@wrong("hard_e_step", law="stability", says="logarithms")
def underflowing(x, weights, means, covariances):
    return chosen(log_joint(x, weights, means, covariances).exp(), x)


@wrong("hard_e_step", law="device", says="GPU")
def identity_on_the_cpu(x, weights, means, covariances):
    return torch.zeros(len(x), len(weights), dtype=x.dtype).scatter(
        1, log_joint(x, weights, means, covariances).argmax(1, keepdim=True), math.cos(0.0)
    )


@right("e_step")
def by_pairwise_differences(x, weights, means, covariances):
    """1 / Σ_l p_l / p_k: no maximum is taken anywhere."""
    joint = log_joint(x, weights, means, covariances)
    return 1 / (joint[:, None, :] - joint[:, :, None]).exp().sum(-1)


@wrong("e_step", law="stability", says="logarithms")
def one_maximum_for_all_points(x, weights, means, covariances):
    joint = log_joint(x, weights, means, covariances)
    shifted = (joint - joint.max()).exp()
    return shifted / shifted.sum(1, keepdim=True)


@wrong("e_step", law="gradient", says="gradient")
def detached_normaliser(x, weights, means, covariances):
    joint = log_joint(x, weights, means, covariances)
    return (joint - joint.logsumexp(1, keepdim=True).detach()).exp()
