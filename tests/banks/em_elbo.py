"""Answers to 04_em_algorithm: the bound of a mixture."""

import torch
from torch.distributions import MultivariateNormal

from . import right, wrong
from .em_algorithm import log_joint


@right("mixture_elbo")
def moves_the_mean_by_no_digit(x, responsibilities, weights, means, covariances):
    """The decision: what is added inside the logarithm counts by what it does to the bound, here 1e-12 at most."""
    log_q = torch.log(responsibilities + 1e-12)
    return (responsibilities * (log_joint(x, weights, means, covariances) - log_q)).sum(1).mean()


@right("mixture_elbo")
def with_entr(x, responsibilities, weights, means, covariances):
    q, joint = responsibilities, log_joint(x, weights, means, covariances)
    return ((q * joint).sum(-1) + torch.special.entr(q).sum(-1)).mean()


@right("mixture_elbo")
def with_xlogy(x, responsibilities, weights, means, covariances):
    q = responsibilities
    joint = log_joint(x, weights, means, covariances)
    return torch.sum(q * joint - torch.xlogy(q, q)) / len(x)


@right("mixture_elbo")
def likelihood_minus_kl(x, responsibilities, weights, means, covariances):
    q = responsibilities
    log_likelihood = MultivariateNormal(means, covariances).log_prob(x[:, None])
    kl = torch.xlogy(q, q) - q * weights.log()
    return torch.einsum("nk,nk->", q, log_likelihood).div(len(x)) - kl.sum(1).mean()


@right("mixture_elbo")
def evidence_minus_gap(x, responsibilities, weights, means, covariances):
    joint = log_joint(x, weights, means, covariances)
    gap = torch.xlogy(responsibilities, responsibilities) - responsibilities * joint.log_softmax(1)
    return (joint.logsumexp(1) - gap.sum(1)).mean()


@right("mixture_elbo")
def with_where(x, responsibilities, weights, means, covariances):
    q = responsibilities
    safe = torch.where(q > 0, q, torch.ones_like(q))
    total = 0.0
    for k in range(len(weights)):
        joint = weights[k].log() + MultivariateNormal(means[k], covariances[k]).log_prob(x)
        total = total + (q[:, k] * (joint - safe[:, k].log())).mean()
    return total


@right("mixture_elbo")
def clamped(x, responsibilities, weights, means, covariances):
    q = responsibilities
    log_q = q.clamp_min(torch.finfo(q.dtype).tiny).log()
    return (q * (log_joint(x, weights, means, covariances) - log_q)).sum(1).mean()


@right("mixture_elbo")
def tiny_epsilon(x, responsibilities, weights, means, covariances):
    q = responsibilities
    return (q * (log_joint(x, weights, means, covariances) - (q + 1e-12).log())).sum(1).mean()


@wrong("mixture_elbo", law="zeros in q", says="expected")
def nan_to_num_everywhere(x, q, *theta):
    per_sample = (q * (log_joint(x, *theta) - q.log())).sum(1)
    return per_sample.nan_to_num().mean()


@wrong("mixture_elbo", law="stability", says="logarithms")
def from_densities(x, q, *theta):
    joint = log_joint(x, *theta).exp()
    return (q * joint.log() + torch.special.entr(q)).sum(1).mean()


def per_sample(x, q, *theta):
    return (q * log_joint(x, *theta) + torch.special.entr(q)).sum(1)


@wrong("mixture_elbo", law="dtype", says="float32")
def double_inside(x, q, *theta):
    return with_entr(x, q, *theta).double()


@wrong("mixture_elbo", law="value", says="expected a tensor")
def python_number(x, q, *theta):
    return with_entr(x, q, *theta).item()


@wrong("mixture_elbo", law="inputs unchanged", says="responsibilities")
def fills_zeros_in_place(x, q, *theta):
    q.clamp_(min=1e-30)
    return (q * (log_joint(x, *theta) - q.log())).sum(1).mean()


@wrong("mixture_elbo", law="value", says="log p(x)")
def hard_bound_of_the_best(x, q, *theta):
    """log p(x, z = k*): right for the best point mass alone."""
    return log_joint(x, *theta).logsumexp(1).mean() + 0 * q.sum()


@right("mixture_elbo")
def over_the_support(x, q, *theta):
    support = q > 0
    return (q[support] * (log_joint(x, *theta)[support] - q[support].log())).sum() / len(x)


@wrong("mixture_elbo", law="value", says="log p(x|z) is missing")
def minus_kl_to_the_prior(x, q, weights, means, covariances):
    return (q * (weights.log() - q.log())).sum(1).mean()


@wrong("mixture_elbo", law="zeros in q", says="expected")
def clamped_everywhere(x, q, *theta):
    """Not only inside the logarithm."""
    q = q.clamp_min(1e-4)
    return (q * (log_joint(x, *theta) - q.log())).sum(1).mean()
