"""Answers to 00_flows_recap: the Jacobian and the change of variables. For the rest see `flows_*`."""

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


def transposed(f, x):
    return vmap_jacrev(f, x).transpose(1, 2)


def without_graph(f, x):
    return torch.stack([torch.autograd.functional.jacobian(f, row) for row in x])


@wrong("batch_jacobian", law="value", says="shape")
def full_jacobian(f, x):
    return torch.autograd.functional.jacobian(f, x, create_graph=True)


@wrong("batch_jacobian", law="value", says="shape")
def summed_outputs(f, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]


@wrong("batch_jacobian", law="value", says="expected")
def finite_differences(f, x):
    step = 1e-3 * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.stack([(f(x + e) - f(x)) / 1e-3 for e in step], dim=2)


def central_differences(f, x, step):
    columns = [(f(x + e) - f(x - e)) / (2 * step) for e in step * torch.eye(x.shape[1], dtype=x.dtype)]
    return torch.stack(columns, dim=2)


def short_step(x):
    return 1e-3 if x.dtype == torch.float32 else 1e-6


@wrong("batch_jacobian", law="no finite differences", says="autograd")
def step_by_dtype(f, x):
    return central_differences(f, x, short_step(x))


@wrong("batch_jacobian", law="no finite differences", says="autograd")
def richardson(f, x):
    step = 1e-3 if x.dtype == torch.float64 else 5e-2
    return (4 * central_differences(f, x, step / 2) - central_differences(f, x, step)) / 3


@wrong("change_of_variables_log_prob", law="no finite differences", says="autograd")
def through_differences(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(central_differences(f, x, short_step(x))).logabsdet


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


def minus_log_det(f, x, base_log_prob):
    return base_log_prob(f(x)) - torch.linalg.slogdet(vmap_jacrev(f, x))[1]


def base_at_x(f, x, base_log_prob):
    return base_log_prob(x) + torch.linalg.slogdet(vmap_jacrev(f, x))[1]


def no_log_det(f, x, base_log_prob):
    return base_log_prob(f(x))


@wrong("change_of_variables_log_prob", law="stability", says="log space")
def log_of_det(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.det(vmap_jacrev(f, x)).abs().log()


@wrong("change_of_variables_log_prob", law="value", says="expected")
def standard_normal_base(f, x, base_log_prob):
    normal = torch.distributions.Normal(0.0, 1.0)
    return normal.log_prob(f(x)).sum(-1) + torch.linalg.slogdet(vmap_jacrev(f, x))[1]


def detached_log_det(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[1].detach()


@wrong("change_of_variables_log_prob", law="value", says="shape")
def kept_as_a_column(f, x, base_log_prob):
    return (base_log_prob(f(x)) + torch.linalg.slogdet(vmap_jacrev(f, x))[1])[:, None]
