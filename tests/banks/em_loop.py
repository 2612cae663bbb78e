"""Answers to 04_em_algorithm: the loop that climbs the bound of a mixture."""

import torch

from . import right, wrong
from .em_algorithm import by_distributions, log_joint
from .em_elbo import with_entr, with_xlogy
from .em_m_step import as_formulas, by_second_moments, loop_over_components


@right("em_mixture")
def the_loop(x, weights, means, covariances, num_iters):
    history = []
    for _ in range(num_iters):
        q = by_distributions(x, weights, means, covariances)
        history.append(with_entr(x, q, weights, means, covariances))
        weights, means, covariances = as_formulas(x, q)
    return weights, means, covariances, torch.stack(history)


@right("em_mixture")
def touches_log_p(x, weights, means, covariances, num_iters):
    """Right after the E-step the bound is log p(x)."""
    history = x.new_empty(num_iters)
    for t in range(num_iters):
        joint = log_joint(x, weights, means, covariances)
        history[t] = joint.logsumexp(1).mean()
        weights, means, covariances = by_second_moments(x, joint.softmax(1))
    return weights, means, covariances, history


@right("em_mixture")
def sorted_at_the_end(x, weights, means, covariances, num_iters):
    weights, means, covariances, history = the_loop(x, weights, means, covariances, num_iters)
    order = weights.argsort(descending=True)
    return weights[order], means[order], covariances[order], history


@right("em_mixture")
def recursive(x, weights, means, covariances, num_iters):
    if num_iters == 0:
        return weights, means, covariances, x.new_zeros(0)
    q = by_distributions(x, weights, means, covariances)
    bound = with_xlogy(x, q, weights, means, covariances)
    *theta, rest = recursive(x, *loop_over_components(x, q), num_iters - 1)
    return *theta, torch.cat([bound[None], rest])


@right("em_mixture")
@torch.no_grad()
def on_copies(x, weights, means, covariances, num_iters):
    theta = [weights.clone(), means.clone(), covariances.clone()]
    history = torch.zeros(num_iters, dtype=x.dtype, device=x.device)
    for t in range(num_iters):
        q = by_distributions(x, *theta)
        history[t] = with_entr(x, q, *theta)
        for old, new in zip(theta, as_formulas(x, q), strict=True):
            old.copy_(new)
    return theta[0], theta[1], theta[2], history


@wrong("em_mixture", law="history", says="a list")
def history_as_a_list(x, weights, means, covariances, num_iters):
    *theta, history = the_loop(x, weights, means, covariances, num_iters)
    return *theta, list(history)


@wrong("em_mixture", law="inputs unchanged", says="means")
def overwrites_the_start(x, weights, means, covariances, num_iters):
    history = []
    for _ in range(num_iters):
        q = by_distributions(x, weights, means, covariances)
        history.append(with_entr(x, q, weights, means, covariances))
        weights[:], means[:], covariances[:] = as_formulas(x, q)
    return weights, means, covariances, torch.stack(history)


@wrong("em_mixture", law="parameters", says="no regularisation")
def with_a_ridge(x, weights, means, covariances, num_iters):
    history = []
    for _ in range(num_iters):
        q = by_distributions(x, weights, means, covariances)
        history.append(with_entr(x, q, weights, means, covariances))
        weights, means, covariances = as_formulas(x, q)
        covariances = covariances + 1e-6 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return weights, means, covariances, torch.stack(history)


@wrong("em_mixture", law="many iterations", says="stop early")
def stops_early(x, weights, means, covariances, num_iters):
    history = []
    for t in range(num_iters):
        q = by_distributions(x, weights, means, covariances)
        history.append(with_entr(x, q, weights, means, covariances))
        if t > 5 and history[-1] - history[-2] < 0.1:
            break
        weights, means, covariances = as_formulas(x, q)
    return weights, means, covariances, torch.stack(history)


@wrong("em_mixture", law="stability", says="stay in logarithms")
def through_densities(x, weights, means, covariances, num_iters):
    history = []
    for _ in range(num_iters):
        joint = log_joint(x, weights, means, covariances).exp()
        history.append(joint.sum(1).log().mean())
        weights, means, covariances = as_formulas(x, joint / joint.sum(1, keepdim=True))
    return weights, means, covariances, torch.stack(history)


@wrong("em_mixture", law="dtype", says="float32")
def history_of_floats(x, weights, means, covariances, num_iters):
    *theta, history = the_loop(x, weights, means, covariances, num_iters)
    return *theta, torch.tensor([float(bound) for bound in history])


@wrong("em_mixture", law="parameters", says="expected")
def sorts_the_means_alone(x, weights, means, covariances, num_iters):
    weights, means, covariances, history = the_loop(x, weights, means, covariances, num_iters)
    return weights, means.flip(0), covariances, history


@wrong("em_mixture", law="parameters", says="expected")
def one_component_after_the_other(x, weights, means, covariances, num_iters):
    """An E-step before each component's M-step: another algorithm."""
    theta, history = [weights.clone(), means.clone(), covariances.clone()], []
    for _ in range(num_iters):
        history.append(log_joint(x, *theta).logsumexp(1).mean())
        for k in range(len(weights)):
            new = as_formulas(x, by_distributions(x, *theta))
            theta[1][k], theta[2][k] = new[1][k], new[2][k]
        theta[0] = by_distributions(x, *theta).mean(0)
    return *theta, torch.stack(history)
