"""Answers to 00_flows_recap: the autoregressive flow, in both directions."""

import math

import torch

from . import right, wrong

# ---------------------------------------------------------------- autoregressive_forward


@right("autoregressive_forward")
def as_the_slide(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(dim=-1)


@right("autoregressive_forward")
def by_division(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), torch.einsum("nm->n", -log_sigma)


@right("autoregressive_forward")
def column_by_column(x, conditioner):
    mu, log_sigma = conditioner(x)
    columns, log_det = [], torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for j in range(x.shape[1]):
        columns.append((x[:, j] - mu[:, j]) / torch.exp(log_sigma[:, j]))
        log_det = log_det - log_sigma[:, j]
    return torch.stack(columns, dim=1), log_det


@right("autoregressive_forward")
def from_the_density(x, conditioner):
    mu, log_sigma = conditioner(x)
    z = (x - mu) / log_sigma.exp()
    log_p = -0.5 * z**2 - log_sigma - 0.5 * math.log(2 * math.pi)
    return z, (log_p + 0.5 * z**2 + 0.5 * math.log(2 * math.pi)).sum(1)


@wrong("autoregressive_forward", law="log sigma", says="log_sigma itself")
def affine_transform(x, conditioner):
    mu, log_sigma = conditioner(x)
    g = torch.distributions.AffineTransform(mu, log_sigma.exp(), event_dim=1)
    z = g.inv(x)
    return z, g.inv.log_abs_det_jacobian(x, z)


@wrong("autoregressive_forward", law="log sigma", says="log_sigma itself")
def log_of_exp(x, conditioner):
    mu, log_sigma = conditioner(x)
    sigma = torch.exp(log_sigma)
    return (x - mu) / sigma, -torch.log(sigma).sum(dim=1)


@wrong("autoregressive_forward", law="gradient", says="mu and log_sigma")
def mu_detached(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu.detach()) * torch.exp(-log_sigma), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="z", says="sigma²")
def variance_for_sigma(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-2 * log_sigma), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="stability", says="product")
def log_of_product(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), -log_sigma.exp().prod(-1).log()


@wrong("autoregressive_forward", law="cost", says="once")
def a_call_a_column(x, conditioner):
    z = torch.stack([as_the_slide(x, conditioner)[0][:, j] for j in range(x.shape[1])], dim=1)
    return z, as_the_slide(x, conditioner)[1]


@wrong("autoregressive_forward", law="inputs unchanged", says="x")
def in_place(x, conditioner):
    mu, log_sigma = conditioner(x)
    x -= mu
    return x * torch.exp(-log_sigma), -log_sigma.sum(-1)


# ---------------------------------------------------------------- autoregressive_inverse


@right("autoregressive_inverse")
def padded_columns(z, conditioner):
    n, m = z.shape
    columns, log_det = [], z.new_zeros(n)
    for j in range(m):
        known = torch.stack(columns, 1) if columns else z.new_zeros(n, 0)
        mu, log_sigma = conditioner(torch.cat([known, z.new_zeros(n, m - j)], dim=1))
        columns.append(mu[:, j] + log_sigma[:, j].exp() * z[:, j])
        log_det = log_det + log_sigma[:, j]
    return torch.stack(columns, 1), log_det


@right("autoregressive_inverse")
def fixed_point(z, conditioner):
    x = z
    for _ in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = mu + torch.exp(log_sigma) * z
    return x, log_sigma.sum(-1)


@right("autoregressive_inverse")
def cloned_columns(z, conditioner):
    x, total = torch.zeros_like(z), 0
    for j in range(z.size(1)):
        mu, log_sigma = conditioner(x)
        x = x.clone()
        x[:, j] = z[:, j] * log_sigma[:, j].exp() + mu[:, j]
        total = total + log_sigma[:, j]
    return x, total


@right("autoregressive_inverse")
def masked_columns(z, conditioner):
    x = torch.full_like(z, 3.0)
    kept = []
    for j, mask in enumerate(torch.eye(z.shape[1], dtype=torch.bool, device=z.device)):
        mu, log_sigma = conditioner(x)
        x = torch.where(mask, z * log_sigma.exp() + mu, x)
        kept.append(log_sigma[:, j])
    return x, torch.stack(kept).sum(0)


@right("autoregressive_inverse")
def random_start(z, conditioner):
    """Columns not known yet may hold any finite number."""
    x, log_det = 100 * torch.randn_like(z), 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = torch.select_scatter(x, mu[:, j] + log_sigma[:, j].exp() * z[:, j], 1, j)
        log_det = log_det + log_sigma[:, j]
    return x, log_det


def until_little_changes(z, conditioner, little):
    x = torch.zeros_like(z)
    for _ in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        before, x = x, mu + torch.exp(log_sigma) * z
        if (x - before).abs().max() < little:
            break
    return x, log_sigma.sum(dim=1)


@wrong("autoregressive_inverse", law="log sigma", says="log_sigma itself")
def inverse_log_of_exp(z, conditioner):
    columns, scales = [], []
    for j in range(z.shape[1]):
        known = torch.stack([*columns, *z.new_zeros(z.shape[1] - j, len(z))], dim=1)
        mu, sigma = (out[:, j] for out in (lambda mu, s: (mu, s.exp()))(*conditioner(known)))
        columns.append(mu + sigma * z[:, j])
        scales.append(sigma)
    return torch.stack(columns, dim=1), torch.stack(scales, dim=1).log().sum(dim=1)


@wrong("autoregressive_inverse", law="many columns", says="stop after m")
def stops_at_a_hundredth(z, conditioner):
    return until_little_changes(z, conditioner, 1e-2)


@wrong("autoregressive_inverse", law="many columns", says="stop after m")
def stops_at_a_thousandth(z, conditioner):
    return until_little_changes(z, conditioner, 1e-3)


@right("autoregressive_inverse")
def stops_where_nothing_changes(z, conditioner):
    return until_little_changes(z, conditioner, 1e-14)


@wrong("autoregressive_inverse", law="x", says="finite")
def nan_start(z, conditioner):
    x, log_det = torch.full_like(z, math.nan), 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = torch.select_scatter(x, mu[:, j] + log_sigma[:, j].exp() * z[:, j], 1, j)
        log_det = log_det + log_sigma[:, j]
    return x, log_det


@wrong("autoregressive_inverse", law="gradient", says="carries its gradient")
def only_last_round_differentiable(z, conditioner):
    with torch.no_grad():
        x = z
        for _ in range(z.shape[1] - 1):
            mu, log_sigma = conditioner(x)
            x = mu + log_sigma.exp() * z
    mu, log_sigma = conditioner(x)
    return mu + log_sigma.exp() * z, log_sigma.sum(-1)


@wrong("autoregressive_inverse", law="log_det", says="every round")
def all_log_sigmas_each_round(z, conditioner):
    x, log_det = torch.zeros_like(z), 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = torch.select_scatter(x, mu[:, j] + log_sigma[:, j].exp() * z[:, j], 1, j)
        log_det = log_det + log_sigma.sum(-1)
    return x, log_det


@wrong("autoregressive_inverse", law="x", says="divides")
def divides(z, conditioner):
    x, log_det = torch.zeros_like(z), 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = x.clone()
        x[:, j] = (z[:, j] - mu[:, j]) / log_sigma[:, j].exp()
        log_det = log_det + log_sigma[:, j]
    return x, log_det


@wrong("autoregressive_inverse", law="cost", says="calls")
def one_call_too_many(z, conditioner):
    x, _ = padded_columns(z, conditioner)
    return x, conditioner(x)[1].sum(-1)


@wrong("autoregressive_inverse", law="gradient", says="overwritten in place")
def writes_into_x(z, conditioner):
    x, log_det = torch.zeros_like(z), torch.zeros_like(z[:, 0])
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x[:, j] = mu[:, j] + log_sigma[:, j].exp() * z[:, j]
        log_det = log_det + log_sigma[:, j]
    return x, log_det


def without_gradient(z, conditioner):
    with torch.no_grad():
        return padded_columns(z, conditioner)


@wrong("autoregressive_inverse", law="x", says="takes (n, m)")
def partial_columns(z, conditioner):
    x = z[:, :0]
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = torch.cat([x, mu[:, j : j + 1] + log_sigma[:, j : j + 1].exp() * z[:, j : j + 1]], 1)
    return x, log_sigma.sum(-1)


@wrong("autoregressive_inverse", law="inputs unchanged", says="z")
def overwrites_z(z, conditioner):
    log_det = 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(z)
        z[:, j] = mu[:, j] + log_sigma[:, j].exp() * z[:, j]
        log_det = log_det + log_sigma[:, j]
    return z.clone(), log_det


@wrong("autoregressive_inverse", law="device", says="GPU")
def cpu_zeros(z, conditioner):
    x, log_det = torch.zeros(z.shape, dtype=z.dtype), 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = x.clone()
        x[:, j] = mu[:, j] + log_sigma[:, j].exp() * z[:, j]
        log_det = log_det + log_sigma[:, j]
    return x, log_det
