"""Answers to `flow_log_prob`."""

import math

import torch

from . import right, wrong


@right("flow_log_prob")
def running_sum(layers, x):
    log_det = torch.zeros_like(x[:, 0])
    for layer in layers:
        x, step = layer.forward(x)
        log_det = log_det + step
    return -0.5 * (x**2).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi) + log_det


@right("flow_log_prob")
def with_distributions(layers, x):
    total, z = 0.0, x
    for layer in layers:
        z, step = layer.forward(z)
        total = total + step
    base = torch.distributions.Normal(torch.zeros_like(z), torch.ones_like(z))
    return base.log_prob(z).sum(-1) + total


@right("flow_log_prob")
def recursive(layers, x):
    if not layers:
        return -0.5 * (x.square() + math.log(2 * math.pi)).sum(-1)
    z, log_det = layers[0].forward(x)
    return log_det + recursive(layers[1:], z)


@right("flow_log_prob")
def stacked_log_dets(layers, x):
    log_dets = [x.new_zeros(x.shape[0])]
    for layer in layers:
        x, log_det = layer.forward(x)
        log_dets.append(log_det)
    m = x.shape[1]
    base = torch.distributions.MultivariateNormal(x.new_zeros(m), torch.eye(m, dtype=x.dtype, device=x.device))
    return base.log_prob(x) + torch.stack(log_dets).sum(0)


@right("flow_log_prob")
def adds_into_its_own(layers, x):
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for layer in layers:
        x, log_det = layer.forward(x)
        total += log_det
    return total - 0.5 * torch.einsum("nm,nm->n", x, x) - 0.5 * x.shape[1] * math.log(2 * math.pi)


@wrong("flow_log_prob", law="inputs unchanged", says="what a layer returned")
def adds_into_the_first_log_det(layers, x):
    total = None
    for layer in layers:
        x, log_det = layer.forward(x)
        if total is None:
            total = log_det
        else:
            total += log_det
    return standard(x) + (0 if total is None else total)


@wrong("flow_log_prob", law="value", says="call layer.forward(x)")
def calls_the_layer(layers, x):
    total = x.new_zeros(len(x))
    for layer in layers:
        x, log_det = layer(x)
        total = total + log_det
    return standard(x) + total


def run_layers(layers, x):
    log_dets = [x.new_zeros(len(x))]
    for layer in layers:
        x, log_det = layer.forward(x)
        log_dets.append(log_det)
    return x, log_dets


def standard(z):
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)


def subtracts(layers, x):
    z, log_dets = run_layers(layers, x)
    return standard(z) - sum(log_dets)


@wrong("flow_log_prob", law="no layers", says="")
def needs_a_layer(layers, x):
    z, log_det = layers[0].forward(x)
    for layer in layers[1:]:
        z, step = layer.forward(z)
        log_det = log_det + step
    return standard(z) + log_det


@wrong("flow_log_prob", law="inputs unchanged", says="layers")
def pops_layers(layers, x):
    log_det = x.new_zeros(len(x))
    while layers:
        x, step = layers.pop(0).forward(x)
        log_det = log_det + step
    return standard(x) + log_det


@wrong("flow_log_prob", law="stability", says="logarithms")
def product_of_dets(layers, x):
    z, log_dets = run_layers(layers, x)
    return standard(z) + torch.stack(log_dets).exp().prod(0).log()


@wrong("flow_log_prob", law="dtype", says="float32")
def double_inside(layers, x):
    z, log_dets = run_layers(layers, x)
    return standard(z.double()) + sum(log_dets)
