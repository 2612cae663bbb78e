"""Answers to 00_flows_recap: functions of the recap. The layers' bank is `flows_layers`."""

import math

import torch

from . import right, wrong

# ---------------------------------------------------------------- batch_jacobian


@right("batch_jacobian")
def vmap_jacrev(f, x):
    return torch.func.vmap(torch.func.jacrev(f))(x)


@right("batch_jacobian")
def vmap_jacfwd(f, x):
    return torch.vmap(torch.func.jacfwd(f))(x)


@right("batch_jacobian")
def loop_over_rows(f, x):
    return torch.stack([torch.autograd.functional.jacobian(f, row, create_graph=True) for row in x])


@right("batch_jacobian")
def loop_over_outputs(f, x):
    x = x if x.requires_grad else x.detach().requires_grad_()
    z = f(x)
    rows = [torch.autograd.grad(z[:, a].sum(), x, create_graph=True)[0] for a in range(x.shape[1])]
    return torch.stack(rows, dim=1)


@right("batch_jacobian")
def diagonal_of_full_jacobian(f, x):
    full = torch.autograd.functional.jacobian(f, x, create_graph=True)
    return torch.einsum("iaib->iab", full)


@right("batch_jacobian")
def forward_mode_columns(f, x):
    columns = []
    for b in range(x.shape[1]):
        direction = torch.zeros_like(x)
        direction[:, b] = 1
        columns.append(torch.func.jvp(f, (x,), (direction,))[1])
    return torch.stack(columns, dim=-1)


@right("batch_jacobian")
def repeated_rows(f, x):
    n, m = x.shape
    y = x.repeat_interleave(m, 0)
    y = y if y.requires_grad else y.requires_grad_()
    pick = torch.eye(m, dtype=x.dtype, device=x.device).repeat(n, 1)
    return torch.autograd.grad((f(y) * pick).sum(), y, create_graph=True)[0].reshape(n, m, m)


@wrong("batch_jacobian", law="value", says="axes are swapped")
def transposed(f, x):
    return vmap_jacrev(f, x).transpose(1, 2)


@wrong("batch_jacobian", law="gradient", says="no gradient reaches")
def without_graph(f, x):
    return torch.stack([torch.autograd.functional.jacobian(f, row) for row in x])


@wrong("batch_jacobian", law="value", says="shape")
def full_jacobian(f, x):
    return torch.autograd.functional.jacobian(f, x, create_graph=True)


@wrong("batch_jacobian", law="value", says="at f(x)")
def at_the_output(f, x):
    return vmap_jacrev(f, f(x))


@wrong("batch_jacobian", law="value", says="shape")
def summed_outputs(f, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]


@wrong("batch_jacobian", law="value", says="diagonal")
def only_diagonal(f, x):
    return torch.diag_embed(torch.diagonal(vmap_jacrev(f, x), dim1=1, dim2=2))


@wrong("batch_jacobian", law="value", says="first row")
def first_row_for_all(f, x):
    return torch.func.jacrev(f)(x[0]).expand(len(x), -1, -1)


@wrong("batch_jacobian", law="value", says="expected")
def finite_differences(f, x):
    step = 1e-3 * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.stack([(f(x + e) - f(x)) / 1e-3 for e in step], dim=2)


@wrong("batch_jacobian", law="dtype", says="float32")
def in_float64(f, x):
    return vmap_jacrev(f, x).double()


@wrong("batch_jacobian", law="inputs unchanged", says="x")
def turns_on_grad(f, x):
    x.requires_grad_(True)
    z = f(x)
    rows = [torch.autograd.grad(z[:, a].sum(), x, create_graph=True)[0] for a in range(x.shape[1])]
    return torch.stack(rows, dim=1)


# ---------------------------------------------------------------- change_of_variables_log_prob


@right("change_of_variables_log_prob")
def with_slogdet(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[1]


@right("change_of_variables_log_prob")
def row_by_row(f, x, base_log_prob):
    return torch.stack([base_log_prob(f(r[None]))[0] + torch.slogdet(torch.func.jacrev(f)(r))[1] for r in x])


@right("change_of_variables_log_prob")
def through_qr(f, x, base_log_prob):
    R = torch.linalg.qr(vmap_jacfwd(f, x)).R
    return base_log_prob(f(x)) + R.diagonal(dim1=-2, dim2=-1).abs().log().sum(-1)


@right("change_of_variables_log_prob")
def through_singular_values(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.svdvals(vmap_jacrev(f, x)).log().sum(-1)


@right("change_of_variables_log_prob")
def through_eigenvalues(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.eigvals(vmap_jacrev(f, x)).abs().log().sum(-1)


@right("change_of_variables_log_prob")
def through_gram_matrix(f, x, base_log_prob):
    J = vmap_jacrev(f, x)
    return base_log_prob(f(x)) + 0.5 * torch.logdet(J @ J.mT)


@wrong("change_of_variables_log_prob", law="value", says="Take |det J|")
def positive_determinants_only(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.logdet(vmap_jacrev(f, x))


@wrong("change_of_variables_log_prob", law="value", says="The sign stands")
def first_of_slogdet(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[0]


@wrong("change_of_variables_log_prob", law="gradient", says="log-determinant is cut off")
def log_det_without_grad(f, x, base_log_prob):
    with torch.no_grad():
        log_det = torch.linalg.slogdet(vmap_jacrev(f, x))[1]
    return base_log_prob(f(x)) + log_det


@wrong("change_of_variables_log_prob", law="value", says="sign")
def minus_log_det(f, x, base_log_prob):
    return base_log_prob(f(x)) - torch.linalg.slogdet(vmap_jacrev(f, x))[1]


@wrong("change_of_variables_log_prob", law="value", says="base density is taken at x")
def base_at_x(f, x, base_log_prob):
    return base_log_prob(x) + torch.linalg.slogdet(vmap_jacrev(f, x))[1]


@wrong("change_of_variables_log_prob", law="value", says="missing")
def no_log_det(f, x, base_log_prob):
    return base_log_prob(f(x))


@wrong("change_of_variables_log_prob", law="value", says="at the output")
def log_det_at_output(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, f(x)))[1]


@wrong("change_of_variables_log_prob", law="stability", says="log space")
def log_of_det(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.det(vmap_jacrev(f, x)).abs().log()


@wrong("change_of_variables_log_prob", law="value", says="logarithm")
def det_itself(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.det(vmap_jacrev(f, x)).abs()


@wrong("change_of_variables_log_prob", law="value", says="expected")
def standard_normal_base(f, x, base_log_prob):
    normal = torch.distributions.Normal(0.0, 1.0)
    return normal.log_prob(f(x)).sum(-1) + torch.linalg.slogdet(vmap_jacrev(f, x))[1]


@wrong("change_of_variables_log_prob", law="value", says="rows")
def averaged_log_det(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[1].mean()


@wrong("change_of_variables_log_prob", law="gradient", says="gradient")
def detached_log_det(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[1].detach()


@wrong("change_of_variables_log_prob", law="value", says="shape")
def kept_as_a_column(f, x, base_log_prob):
    return (base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[1])[:, None]


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


@right("autoregressive_forward")
def affine_transform(x, conditioner):
    mu, log_sigma = conditioner(x)
    g = torch.distributions.AffineTransform(mu, log_sigma.exp(), event_dim=1)
    z = g.inv(x)
    return z, g.inv.log_abs_det_jacobian(x, z)


@wrong("autoregressive_forward", law="z", says="swapped")
def outputs_swapped(x, conditioner):
    log_sigma, mu = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="log_det", says="half")
def half_log_det(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -0.5 * log_sigma.sum(-1)


@wrong("autoregressive_forward", law="gradient", says="mu and log_sigma")
def mu_detached(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu.detach()) * torch.exp(-log_sigma), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="log_det", says="sign")
def plus_log_sigma(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), log_sigma.sum(-1)


@wrong("autoregressive_forward", law="log_det", says="averaged")
def mean_log_sigma(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), -log_sigma.mean(-1)


@wrong("autoregressive_forward", law="z", says="log sigma")
def log_sigma_as_sigma(x, conditioner):
    mu, sigma = conditioner(x)
    return (x - mu) / sigma, -sigma.abs().log().sum(-1)


@wrong("autoregressive_forward", law="z", says="sigma²")
def variance_for_sigma(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-2 * log_sigma), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="z", says="other direction")
def generative_direction(x, conditioner):
    mu, log_sigma = conditioner(x)
    return mu + log_sigma.exp() * x, log_sigma.sum(-1)


@wrong("autoregressive_forward", law="stability", says="product")
def log_of_product(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), -log_sigma.exp().prod(-1).log()


@wrong("autoregressive_forward", law="log_det", says="shape")
def log_det_a_feature(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), -log_sigma


@wrong("autoregressive_forward", law="gradient", says="gradient")
def detached_conditioner(x, conditioner):
    with torch.no_grad():
        mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="cost", says="once")
def a_call_a_column(x, conditioner):
    z = torch.stack([as_the_slide(x, conditioner)[0][:, j] for j in range(x.shape[1])], dim=1)
    return z, as_the_slide(x, conditioner)[1]


@wrong("autoregressive_forward", law="inputs unchanged", says="x")
def in_place(x, conditioner):
    mu, log_sigma = conditioner(x)
    x -= mu
    return x * torch.exp(-log_sigma), -log_sigma.sum(-1)


@wrong("autoregressive_forward", law="log_det", says="at the output")
def log_sigma_at_z(x, conditioner):
    mu, log_sigma = conditioner(x)
    z = (x - mu) / log_sigma.exp()
    return z, -conditioner(z)[1].sum(-1)


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


@wrong("autoregressive_inverse", law="x", says="one pass")
def one_pass(z, conditioner):
    mu, log_sigma = conditioner(z)
    return mu + log_sigma.exp() * z, log_sigma.sum(-1)


@wrong("autoregressive_inverse", law="log_det", says="sign")
def minus_log_sigma(z, conditioner):
    x, log_det = padded_columns(z, conditioner)
    return x, -log_det


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


@wrong("autoregressive_inverse", law="gradient", says="off the graph")
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


@wrong("autoregressive_inverse", law="x", says="log sigma")
def sigma_without_exp(z, conditioner):
    x = torch.zeros_like(z)
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = x.clone()
        x[:, j] = mu[:, j] + log_sigma[:, j] * z[:, j]
    return x, log_sigma.sum(-1)


@wrong("autoregressive_inverse", law="device", says="GPU")
def cpu_zeros(z, conditioner):
    x, log_det = torch.zeros(z.shape, dtype=z.dtype), 0
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        x = x.clone()
        x[:, j] = mu[:, j] + log_sigma[:, j].exp() * z[:, j]
        log_det = log_det + log_sigma[:, j]
    return x, log_det


# ---------------------------------------------------------------- flow_log_prob


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


@wrong("flow_log_prob", law="value", says="side by side")
def all_layers_from_x(layers, x):
    z, total = x, x.new_zeros(len(x))
    for layer in layers:
        z, log_det = layer.forward(x)
        total = total + log_det
    return standard(z) + total


def run_layers(layers, x):
    log_dets = [x.new_zeros(len(x))]
    for layer in layers:
        x, log_det = layer.forward(x)
        log_dets.append(log_det)
    return x, log_dets


def standard(z):
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)


@wrong("flow_log_prob", law="value", says="subtracted")
def subtracts(layers, x):
    z, log_dets = run_layers(layers, x)
    return standard(z) - sum(log_dets)


@wrong("flow_log_prob", law="value", says="taken at x")
def base_of_data(layers, x):
    return standard(x) + sum(run_layers(layers, x)[1])


@wrong("flow_log_prob", law="value", says="last layer's")
def last_log_det(layers, x):
    z, log_dets = run_layers(layers, x)
    return standard(z) + log_dets[-1]


@wrong("flow_log_prob", law="value", says="reversed")
def back_to_front(layers, x):
    z, log_dets = run_layers(layers[::-1], x)
    return standard(z) + sum(log_dets)


@wrong("flow_log_prob", law="value", says="constant")
def no_constant(layers, x):
    z, log_dets = run_layers(layers, x)
    return -0.5 * z.square().sum(-1) + sum(log_dets)


@wrong("flow_log_prob", law="value", says="layer k takes it")
def all_at_x(layers, x):
    return standard(run_layers(layers, x)[0]) + sum(layer.forward(x)[1] for layer in layers)


@wrong("flow_log_prob", law="value", says="averaged over the features")
def mean_over_features(layers, x):
    z, log_dets = run_layers(layers, x)
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).mean(-1) + sum(log_dets)


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


@wrong("flow_log_prob", law="gradient", says="gradient")
def detached_steps(layers, x):
    z, log_dets = run_layers(layers, x)
    return standard(z) + sum(log_dets).detach()
