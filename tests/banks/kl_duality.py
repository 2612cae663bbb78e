"""Answers to 01_forward_reverse_kl: the latent density and the latent KL."""

import torch

from . import right, wrong

# ---------------------------------------------------------------- latent_log_prob


@right("latent_log_prob")
def target_plus_log_det(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return target_log_prob(x) + log_det


@right("latent_log_prob")
def minus_forward_at_x(flow, z, target_log_prob):
    x, _ = flow.inverse(z)
    return target_log_prob(x) - flow.forward(x)[1]


@right("latent_log_prob")
def row_after_row(flow, z, target_log_prob):
    rows = []
    for i in range(len(z)):
        x, log_det = flow.inverse(z[i].unsqueeze(0))
        rows.append((target_log_prob(x) + log_det).squeeze(0))
    return torch.stack(rows)


@right("latent_log_prob")
def by_the_jacobian_of_g(flow, z, target_log_prob):
    def g(row):
        return flow.inverse(row[None])[0][0]

    J = torch.func.vmap(torch.func.jacrev(g))(z)
    return target_log_prob(flow.inverse(z)[0]) + torch.linalg.slogdet(J).logabsdet


def minus_log_det(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return target_log_prob(x) - log_det


def target_at_z(flow, z, target_log_prob):
    return target_log_prob(z) + flow.inverse(z)[1]


def averaged(flow, z, target_log_prob):
    return target_plus_log_det(flow, z, target_log_prob).mean()


@wrong("latent_log_prob", law="stability", says="log space")
def log_of_density(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return torch.log(target_log_prob(x).exp() * log_det.exp())


@wrong("latent_log_prob", law="stability", says="log space")
def clamped(flow, z, target_log_prob):
    return target_plus_log_det(flow, z, target_log_prob).clamp(min=-100)


@wrong("latent_log_prob", law="stability", says="log space")
def tiny_number_in_the_log(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return torch.log(target_log_prob(x).exp() + 1e-38) + log_det


def negative(flow, z, target_log_prob):
    return -target_plus_log_det(flow, z, target_log_prob)


@wrong("latent_log_prob", law="shape", says="shape")
def squeezed(flow, z, target_log_prob):
    return target_plus_log_det(flow, z, target_log_prob).squeeze()


@wrong("latent_log_prob", law="gradient", says="by z")
def half_of_the_points_path(flow, z, target_log_prob):
    return target_log_prob(flow.inverse(z)[0]) + flow.inverse(z.detach())[1]


@wrong("latent_log_prob", law="value", says="shape")
def a_column(flow, z, target_log_prob):
    return target_plus_log_det(flow, z, target_log_prob).unsqueeze(-1)


@wrong("latent_log_prob", law="dtype", says="float32")
def always_float32(flow, z, target_log_prob):
    return target_plus_log_det(flow, z, target_log_prob).float()


@wrong("latent_log_prob", law="inputs unchanged", says="z")
def writes_x_into_z(flow, z, target_log_prob):
    x, log_det = flow.inverse(z.clone())
    z[:] = x
    return target_log_prob(x) + log_det


# ---------------------------------------------------------------- latent_reverse_kl


@right("latent_reverse_kl")
def three_terms(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z)).mean()


@right("latent_reverse_kl")
def forward_loss_plus_target(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    negative_log_likelihood = -(flow.base.log_prob(z) + log_det).mean()
    return negative_log_likelihood + target_log_prob(x).mean()


@right("latent_reverse_kl")
def by_the_latent_density(flow, x, target_log_prob):
    """z = f(x), then log p(z|θ) - log p(z) as it is written in the latent space."""
    z, _ = flow.forward(x)
    back, log_det = flow.inverse(z)
    return torch.mean(target_log_prob(back) + log_det - flow.base.log_prob(z))


@right("latent_reverse_kl")
def summed_by_rows(flow, x, target_log_prob):
    total = x.new_zeros(())
    for row in x:
        z, log_det = flow.forward(row[None])
        total = total + (target_log_prob(row[None]) - log_det - flow.base.log_prob(z)).sum()
    return total / len(x)


@right("latent_reverse_kl")
def chunk_by_chunk(flow, x, target_log_prob):
    total = 0.0
    for rows in x.chunk(2):
        z, log_det = flow.forward(rows)
        total += (target_log_prob(rows) - log_det - flow.base.log_prob(z)).sum()
    return total / x.shape[0]


def base_detached(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z).detach()).mean()


@wrong("latent_reverse_kl", law="gradient", says="gradient")
def z_as_given(flow, x, target_log_prob):
    """The latent integrand at a fixed z: the samples' path through f is lost."""
    z = flow.forward(x)[0].detach()
    back, log_det = flow.inverse(z)
    return (target_log_prob(back) + log_det - flow.base.log_prob(z)).mean()


def g_for_f(flow, x, target_log_prob):
    z, log_det = flow.inverse(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z)).mean()


@wrong("latent_reverse_kl", law="stability", says="log space")
def tiny_target_in_the_log(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (torch.log(target_log_prob(x).exp() + 1e-30) - log_det - flow.base.log_prob(z)).mean()


def plus_log_det(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(x) + log_det - flow.base.log_prob(z)).mean()


def standard_normal_base(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - torch.distributions.Normal(0, 1).log_prob(z).sum(-1)).mean()


def summed(flow, x, target_log_prob):
    return three_terms(flow, x, target_log_prob) * len(x)


def detached_data(flow, x, target_log_prob):
    return three_terms(flow, x.detach(), target_log_prob)


def without_graph(flow, x, target_log_prob):
    return three_terms(flow, x, target_log_prob).detach()


@wrong("latent_reverse_kl", law="stability", says="log space")
def ratio_of_densities(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    induced = target_log_prob(x).exp() / log_det.exp()
    return (induced / flow.base.log_prob(z).exp()).log().mean()


@wrong("latent_reverse_kl", law="dtype", says="float64")
def in_float64(flow, x, target_log_prob):
    return three_terms(flow, x, target_log_prob).to(torch.float64)
