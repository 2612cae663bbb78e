"""Answers to `forward_kl_loss`."""

import torch

from . import right, wrong


@right("forward_kl_loss")
def mean_nll(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det).mean()


@right("forward_kl_loss")
def two_means(flow, x):
    z, log_det = flow.forward(x)
    return -torch.mean(flow.base.log_prob(z)) - torch.mean(log_det)


@right("forward_kl_loss")
def sum_over_n(flow, x):
    z, log_det = flow.forward(x)
    return (-flow.base.log_prob(z) - log_det).sum() / len(x)


@right("forward_kl_loss")
def one_event_at_a_time(flow, x):
    total = 0
    for i in range(x.shape[0]):
        z, log_det = flow.forward(x[i : i + 1])
        total = total - flow.base.log_prob(z)[0] - log_det[0]
    return total / x.shape[0]


@right("forward_kl_loss")
def by_autograd(flow, x):
    """The Jacobian by autograd, log_det unused."""

    def f(row):
        return flow.forward(row[None])[0][0]

    J = torch.stack([torch.autograd.functional.jacobian(f, row, create_graph=True) for row in x])
    return -(flow.base.log_prob(flow.forward(x)[0]) + torch.linalg.slogdet(J)[1]).mean()


def log_likelihood(flow, x):
    return -mean_nll(flow, x)


@wrong("forward_kl_loss", law="value", says="only forward, inverse and base.log_prob")
def log_prob_of_the_flow(flow, x):
    """The library's flows have it."""
    return -flow.log_prob(x).mean()


def g_for_f(flow, x):
    z, log_det = flow.inverse(x)
    return (log_det - flow.base.log_prob(z)).mean()


def base_detached(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z).detach() + log_det).mean()


@right("forward_kl_loss")
def in_chunks(flow, x):
    chunks = [flow.forward(rows) for rows in x.split(2)]
    return -torch.cat([flow.base.log_prob(z) + log_det for z, log_det in chunks]).mean()


def summed(flow, x):
    return mean_nll(flow, x) * len(x)


def no_log_det(flow, x):
    return -flow.base.log_prob(flow.forward(x)[0]).mean()


def base_at_x(flow, x):
    return -(flow.base.log_prob(x) + flow.forward(x)[1]).mean()


@wrong("forward_kl_loss", law="value", says="logarithm of a mean")
def log_of_mean_likelihood(flow, x):
    z, log_det = flow.forward(x)
    return -torch.log(torch.exp(flow.base.log_prob(z) + log_det).mean())


@wrong("forward_kl_loss", law="stability", says="log space")
def through_densities(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z).exp() * log_det.exp()).log().mean()


def detached_log_det(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det.detach()).mean()


@wrong("forward_kl_loss", law="gradient", says="gradient")
def detached_data(flow, x):
    return mean_nll(flow, x.detach())


def inverse_log_det(flow, x):
    return -(flow.base.log_prob(flow.forward(x)[0]) - flow.inverse(x)[1]).mean()


@wrong("forward_kl_loss", law="dtype", says="float64")
def double_accumulator(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det).mean(dtype=torch.float64)


@wrong("forward_kl_loss", law="value", says="expected")
def first_sample(flow, x):
    return mean_nll(flow, x[:1])


@wrong("forward_kl_loss", law="inputs unchanged", says="x")
def standardises_in_place(flow, x):
    loss = mean_nll(flow, x.clone())
    with torch.no_grad():
        x -= x.mean(0)
    return loss
