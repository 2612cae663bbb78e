"""Answers to 03_elbo: the ELBO as an average over samples of q."""

import math

import torch

from . import right, wrong

# ---------------------------------------------------------------- elbo_from_joint


@right("elbo_from_joint")
def joint_mean(log_joint, log_q):
    return (log_joint - log_q).mean(dim=0)


@right("elbo_from_joint")
def joint_two_means(log_joint, log_q):
    return torch.mean(log_joint, 0) - torch.mean(log_q, 0)


@right("elbo_from_joint")
def joint_loop(log_joint, log_q):
    total = 0
    for j, q in zip(log_joint, log_q, strict=True):
        total = total + j - q
    return total / len(log_joint)


@right("elbo_from_joint")
def joint_einsum(log_joint, log_q):
    return torch.einsum("kn->n", log_joint - log_q) / log_joint.size(0)


@right("elbo_from_joint")
def joint_columns(log_joint, log_q):
    return torch.stack([(log_joint[:, i] - log_q[:, i]).mean() for i in range(log_joint.shape[1])])


@wrong("elbo_from_joint", law="value", says="importance-weighted")
def joint_log_mean(log_joint, log_q):
    return torch.logsumexp(log_joint - log_q, 0) - math.log(len(log_q))


@wrong("elbo_from_joint", law="value", says="log q is missing")
def joint_no_entropy(log_joint, log_q):
    return log_joint.mean(0)


@wrong("elbo_from_joint", law="value", says="log q is added")
def joint_plus(log_joint, log_q):
    return (log_joint + log_q).mean(0)


@wrong("elbo_from_joint", law="value", says="a loss")
def joint_negative(log_joint, log_q):
    return (log_q - log_joint).mean(0)


@wrong("elbo_from_joint", law="value", says="rows of x")
def joint_wrong_axis(log_joint, log_q):
    return (log_joint - log_q).mean(-1)


@wrong("elbo_from_joint", law="value", says="(n,)")
def joint_scalar(log_joint, log_q):
    return (log_joint - log_q).mean()


@wrong("elbo_from_joint", law="value", says="average")
def joint_sum(log_joint, log_q):
    return (log_joint - log_q).sum(0)


@wrong("elbo_from_joint", law="value", says="difference")
def joint_ratio(log_joint, log_q):
    return (log_joint / log_q).mean(0)


@wrong("elbo_from_joint", law="value", says="twice")
def joint_weighted_again(log_joint, log_q):
    return (log_q.exp() * (log_joint - log_q)).sum(0)


@wrong("elbo_from_joint", law="value", says="first sample")
def joint_one_sample(log_joint, log_q):
    return (log_joint - log_q)[0]


@wrong("elbo_from_joint", law="value", says="")
def joint_shared_average_of_q(log_joint, log_q):
    return log_joint.mean(0) - log_q.mean()


@wrong("elbo_from_joint", law="stability", says="exp")
def joint_through_weights(log_joint, log_q):
    return (log_joint.exp() / log_q.exp()).log().mean(0)


@wrong("elbo_from_joint", law="gradient", says="log_q")
def joint_detached_q(log_joint, log_q):
    return (log_joint - log_q.detach()).mean(0)


@wrong("elbo_from_joint", law="dtype", says="float32")
def joint_double(log_joint, log_q):
    return (log_joint.double() - log_q.double()).mean(0)


@wrong("elbo_from_joint", law="inputs unchanged", says="log_joint")
def joint_in_place(log_joint, log_q):
    log_joint -= log_q
    return log_joint.mean(0)


# ---------------------------------------------------------------- elbo_from_kl


@right("elbo_from_kl")
def kl_form(log_likelihood, kl):
    return log_likelihood.mean(0) - kl


@right("elbo_from_kl")
def kl_form_inside(log_likelihood, kl):
    return (log_likelihood - kl).mean(dim=0)


@right("elbo_from_kl")
def kl_form_columns(log_likelihood, kl):
    return torch.stack([column.mean() - k for column, k in zip(log_likelihood.T, kl, strict=True)])


@right("elbo_from_kl")
def kl_form_matmul(log_likelihood, kl):
    K = log_likelihood.shape[0]
    return log_likelihood.T @ torch.full_like(log_likelihood[:, 0], 1 / K) - kl


@wrong("elbo_from_kl", law="value", says="subtracted")
def kl_form_plus(log_likelihood, kl):
    return log_likelihood.mean(0) + kl


@wrong("elbo_from_kl", law="value", says="mean of the logs")
def kl_form_log_mean(log_likelihood, kl):
    return torch.logsumexp(log_likelihood, 0) - math.log(len(log_likelihood)) - kl


@wrong("elbo_from_kl", law="value", says="missing")
def kl_form_reconstruction(log_likelihood, kl):
    return log_likelihood.mean(0)


@wrong("elbo_from_kl", law="value", says="exact")
def kl_form_divided(log_likelihood, kl):
    return (log_likelihood.sum(0) - kl) / len(log_likelihood)


@wrong("elbo_from_kl", law="value", says="each row has its own")
def kl_form_mean_kl(log_likelihood, kl):
    return log_likelihood.mean(0) - kl.mean()


@wrong("elbo_from_kl", law="value", says="average")
def kl_form_sum(log_likelihood, kl):
    return log_likelihood.sum(0) - kl


@wrong("elbo_from_kl", law="value", says="negative ELBO")
def kl_form_loss(log_likelihood, kl):
    return kl - log_likelihood.mean(0)


@wrong("elbo_from_kl", law="value", says="")
def kl_form_axis(log_likelihood, kl):
    return log_likelihood.mean(1) - kl


@wrong("elbo_from_kl", law="value", says="(n,)")
def kl_form_all(log_likelihood, kl):
    return log_likelihood.mean() - kl


@wrong("elbo_from_kl", law="value", says="(n,)")
def kl_form_not_averaged(log_likelihood, kl):
    return log_likelihood - kl


@wrong("elbo_from_kl", law="gradient", says="kl")
def kl_form_detached(log_likelihood, kl):
    return log_likelihood.mean(0) - kl.detach()


@wrong("elbo_from_kl", law="dtype", says="float32")
def kl_form_double(log_likelihood, kl):
    return log_likelihood.double().mean(0) - kl


@wrong("elbo_from_kl", law="stability", says="exp")
def kl_form_through_exp(log_likelihood, kl):
    return log_likelihood.exp().log().mean(0) - kl


@wrong("elbo_from_kl", law="device", says="GPU")
def kl_form_cpu(log_likelihood, kl):
    K = len(log_likelihood)
    return torch.full((K,), 1 / K, dtype=kl.dtype) @ log_likelihood - kl


@wrong("elbo_from_kl", law="inputs unchanged", says="log_likelihood")
def kl_form_in_place(log_likelihood, kl):
    log_likelihood -= kl
    return log_likelihood.mean(0)


@wrong("elbo_from_joint", law="stability", says="logarithms")
def joint_epsilon_beside_q(log_joint, log_q):
    return (log_joint - torch.log(log_q.exp() + 1e-8)).mean(0)


@wrong("elbo_from_kl", law="value", says="first axis")
def kl_form_mean_over_rows_minus_kl(log_likelihood, kl):
    return log_likelihood.mean(dim=1) - kl


@wrong("elbo_from_kl", law="value", says="stands there once")
def kl_form_kl_for_every_sample(log_likelihood, kl):
    return log_likelihood.mean(0) - len(log_likelihood) * kl


@wrong("elbo_from_kl", law="value", says="no new axis")
def kl_form_kl_in_a_column(log_likelihood, kl):
    return log_likelihood.mean(0) - kl[:, None]
