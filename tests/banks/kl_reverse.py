"""Answers to `reverse_kl_loss`."""

import torch

from . import right, wrong


@right("reverse_kl_loss")
def as_lotus(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()


@right("reverse_kl_loss")
def three_means(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return flow.base.log_prob(z).mean() - log_det.mean() - target_log_prob(x).mean()


@right("reverse_kl_loss")
def a_row_at_a_time(flow, z, target_log_prob):
    losses = []
    for row in z.split(1):
        x, log_det = flow.inverse(row)
        losses.append(flow.base.log_prob(row) - (log_det + target_log_prob(x)))
    return torch.cat(losses).mean()


@right("reverse_kl_loss")
def with_log_p_x(flow, z, target_log_prob):
    x, log_det_g = flow.inverse(z)
    log_p_x = flow.base.log_prob(z) + (-log_det_g)
    return (log_p_x - target_log_prob(x)).sum() / z.size(0)


@right("reverse_kl_loss")
def by_the_jacobian_of_g(flow, z, target_log_prob):
    """log_det unused, and f as well."""

    def g(row):
        return flow.inverse(row[None])[0][0]

    J = torch.func.vmap(torch.func.jacrev(g))(z)
    log_p_x = flow.base.log_prob(z) - torch.linalg.slogdet(J).logabsdet
    return torch.einsum("n->", log_p_x - target_log_prob(torch.func.vmap(g)(z))) / len(z)


def plus_log_det(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) + log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="f is never called", says="g alone")
def log_det_of_forward_at_x(flow, z, target_log_prob):
    x, _ = flow.inverse(z)
    return (flow.base.log_prob(z) + flow.forward(x)[1] - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="f is never called", says="g alone")
def density_of_x_by_forward(flow, z, target_log_prob):
    x = flow.inverse(z)[0]
    back, log_det = flow.forward(x)
    return (flow.base.log_prob(back) + log_det - target_log_prob(x)).mean()


def target_at_z(flow, z, target_log_prob):
    return (flow.base.log_prob(z) - flow.inverse(z)[1] - target_log_prob(z)).mean()


@wrong("reverse_kl_loss", law="gradient", says="a parameter of the flow")
def score_function(flow, z, target_log_prob):
    """The score's gradient, but x still moves with the flow's parameters: no estimate of anything."""
    x, log_det = flow.inverse(z)
    log_p_x = flow.base.log_prob(z) - log_det
    ratio = (log_p_x - target_log_prob(x)).detach()
    return (ratio * (1 + log_p_x - log_p_x.detach())).mean()


@wrong("reverse_kl_loss", law="stability", says="log space")
def tiny_number_in_the_log(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - torch.log(target_log_prob(x).exp() + 1e-30)).mean()


@wrong("reverse_kl_loss", law="stability", says="log space")
def ratio_of_densities(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    density = flow.base.log_prob(z).exp() / log_det.exp()
    return torch.log(density / target_log_prob(x).exp()).mean()


def importance_weighted(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    log_ratio = flow.base.log_prob(z) - log_det - target_log_prob(x)
    weights = torch.softmax(-log_ratio, dim=0)
    return (weights * -log_ratio).sum()


@wrong("reverse_kl_loss", law="device", says="GPU")
def cpu_accumulator(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    total = torch.zeros(len(z), dtype=z.dtype)
    return (total + flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="dtype", says="float64")
def loss_in_float64(flow, z, target_log_prob):
    return as_lotus(flow, z, target_log_prob).double()
