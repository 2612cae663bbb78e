"""Answers to `importance_weighted_bound`."""

import math

import torch

from . import right, wrong


@right("importance_weighted_bound")
def iw_logsumexp(log_joint, log_q):
    return torch.logsumexp(log_joint - log_q, dim=0) - math.log(log_joint.shape[0])


@right("importance_weighted_bound")
def iw_own_maximum(log_joint, log_q):
    w = log_joint - log_q
    top = w.max(dim=0).values
    return top + (w - top).exp().mean(0).log()


@right("importance_weighted_bound")
def iw_detached_maximum(log_joint, log_q):
    w = log_joint - log_q
    top = w.amax(0, keepdim=True).detach()
    return (torch.exp(w - top).mean(0, keepdim=True).log() + top).squeeze(0)


@right("importance_weighted_bound")
def iw_logaddexp(log_joint, log_q):
    total = log_joint[0] - log_q[0]
    for k in range(1, len(log_q)):
        total = torch.logaddexp(total, log_joint[k] - log_q[k])
    return total - math.log(len(log_q))


@right("importance_weighted_bound")
def iw_tensor_log_K(log_joint, log_q):
    return ((log_joint - log_q) - torch.log(torch.tensor(float(len(log_q))))).logsumexp(0)


@right("importance_weighted_bound")
def iw_columns(log_joint, log_q):
    return torch.stack([iw_logsumexp(j[:, None], q[:, None])[0] for j, q in zip(log_joint.T, log_q.T, strict=True)])


@wrong("importance_weighted_bound", law="stability", says="logsumexp")
def iw_underflows(log_joint, log_q):
    return (log_joint - log_q).exp().mean(0).log()


@wrong("importance_weighted_bound", law="stability", says="own maximum")
def iw_global_maximum(log_joint, log_q):
    w = log_joint - log_q
    return (w - w.max()).exp().mean(0).log() + w.max()


@wrong("importance_weighted_bound", law="stability", says="logsumexp")
def iw_clamped(log_joint, log_q):
    return (log_joint - log_q).clamp(-80, 80).exp().mean(0).log()


@wrong("importance_weighted_bound", law="stability", says="logsumexp")
def iw_with_epsilon(log_joint, log_q):
    return torch.log((log_joint - log_q).exp().mean(0) + 1e-30)


@wrong("importance_weighted_bound", law="dtype", says="float32")
def iw_double(log_joint, log_q):
    return iw_logsumexp(log_joint.double(), log_q.double())


@wrong("importance_weighted_bound", law="inputs unchanged", says="log_joint")
def iw_in_place(log_joint, log_q):
    log_joint -= log_q
    return log_joint.logsumexp(0) - math.log(len(log_q))


@wrong("importance_weighted_bound", law="device", says="GPU")
def iw_cpu_zeros(log_joint, log_q):
    total = torch.full(log_joint.shape[1:], -math.inf, dtype=log_joint.dtype)
    for j, q in zip(log_joint, log_q, strict=True):
        total = torch.logaddexp(total, j - q)
    return total - math.log(len(log_q))


@wrong("importance_weighted_bound", law="stability", says="logsumexp")
def iw_joint_density_shifted_alone(log_joint, log_q):
    """Safe where q's density is a float, and a narrow q's, or one of many latents, is not."""
    top = log_joint.amax(0)
    return ((log_joint - top).exp() / log_q.exp()).mean(0).log() + top


@wrong("importance_weighted_bound", law="stability", says="own maximum")
def iw_shifted_by_the_mean(log_joint, log_q):
    w = log_joint - log_q
    return (w - w.mean(0)).exp().mean(0).log() + w.mean(0)


@wrong("importance_weighted_bound", law="stability", says="own maximum")
def iw_shifted_by_the_first(log_joint, log_q):
    w = log_joint - log_q
    return (w - w[0]).exp().mean(0).log() + w[0]


@right("importance_weighted_bound")
def iw_by_log_softmax(log_joint, log_q):
    w = log_joint - log_q
    return w[0] - torch.log_softmax(w, 0)[0] - math.log(len(w))
