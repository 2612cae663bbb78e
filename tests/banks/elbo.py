"""Answers to 03_elbo: the ELBO as an average over samples of q."""

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


@wrong("elbo_from_joint", law="value", says="")
def joint_shared_average_of_q(log_joint, log_q):
    return log_joint.mean(0) - log_q.mean()


@wrong("elbo_from_joint", law="stability", says="exp")
def joint_through_weights(log_joint, log_q):
    return (log_joint.exp() / log_q.exp()).log().mean(0)


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


@wrong("elbo_from_kl", law="value", says="expected")
def kl_never_below_a_thousandth(log_likelihood, kl):
    return log_likelihood.mean(dim=0) - kl.clamp_min(1e-3)


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


@wrong("elbo_from_joint", law="value", says="something small that is added")
def joint_epsilon_beside_q(log_joint, log_q):
    return (log_joint - torch.log(log_q.exp() + 1e-8)).mean(0)
