"""Answers to 01_forward_reverse_kl: the closed form and the two losses. The theorem's bank is `kl_duality`."""

import math

import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from . import right, wrong

# ---------------------------------------------------------------- gaussian_kl


@right("gaussian_kl")
def with_distributions(mean_p, cov_p, mean_q, cov_q):
    return kl_divergence(MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q))


@right("gaussian_kl")
def as_the_formula(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    log_dets = torch.linalg.slogdet(cov_q)[1] - torch.linalg.slogdet(cov_p)[1]
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


@right("gaussian_kl")
def with_columns(mean_p, cov_p, mean_q, cov_q):
    """Columns, a product of matrices for the trace, logdet."""
    delta = (mean_p - mean_q).unsqueeze(1)
    quadratic = (delta.T @ torch.linalg.solve(cov_q, delta)).squeeze()
    trace = (cov_q.inverse() * cov_p).sum()
    return (trace + quadratic - mean_p.shape[0] + cov_q.logdet() - cov_p.logdet()) / 2


@right("gaussian_kl")
def with_eigenvalues(mean_p, cov_p, mean_q, cov_q):
    """In q's eigenbasis; one determinant of Σ_q⁻¹ Σ_p."""
    values, vectors = torch.linalg.eigh(cov_q)
    rotated = vectors.T @ cov_p @ vectors
    u = vectors.T @ (mean_q - mean_p)
    log_ratio = torch.linalg.slogdet(rotated / values[:, None]).logabsdet
    return 0.5 * ((rotated.diagonal() / values).sum() + (u**2 / values).sum() - mean_p.numel() - log_ratio)


@right("gaussian_kl")
def with_cholesky(mean_p, cov_p, mean_q, cov_q):
    Lp, Lq = torch.linalg.cholesky(cov_p), torch.linalg.cholesky(cov_q)
    A = torch.linalg.solve_triangular(Lq, Lp, upper=False)
    y = torch.cholesky_solve((mean_q - mean_p)[:, None], Lq)[:, 0]
    half_logs = Lq.diagonal().log().sum() - Lp.diagonal().log().sum()
    return 0.5 * (A.pow(2).sum() + torch.dot(mean_q - mean_p, y) - mean_p.shape[-1]) + half_logs


@right("gaussian_kl")
def by_entropies(mean_p, cov_p, mean_q, cov_q):
    """Cross entropy minus entropy."""
    m = len(mean_p)
    q = MultivariateNormal(mean_q, cov_q)
    cross = -q.log_prob(mean_p) + 0.5 * torch.einsum("ij,ji->", torch.linalg.inv(cov_q), cov_p)
    entropy = 0.5 * torch.logdet(cov_p) + 0.5 * m * (1 + math.log(2 * math.pi))
    return cross - entropy


@wrong("gaussian_kl", law="value", says="swapped")
def arguments_swapped(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_q, cov_q, mean_p, cov_p)


@wrong("gaussian_kl", law="value", says="1/2")
def without_half(mean_p, cov_p, mean_q, cov_q):
    return 2 * as_the_formula(mean_p, cov_p, mean_q, cov_q)


@wrong("gaussian_kl", law="value", says="- m is missing")
def without_m(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_p, cov_p, mean_q, cov_q) + len(mean_p) / 2


@wrong("gaussian_kl", law="value", says="wrong matrix")
def inverse_of_p(mean_p, cov_p, mean_q, cov_q):
    delta, inverse = mean_q - mean_p, torch.linalg.inv(cov_q)
    trace = torch.trace(torch.linalg.inv(cov_p) @ cov_q)
    return 0.5 * (trace + delta @ inverse @ delta - len(delta) + torch.logdet(cov_q) - torch.logdet(cov_p))


@wrong("gaussian_kl", law="value", says="by Σ_q⁻¹ alone")
def distance_in_p(mean_p, cov_p, mean_q, cov_q):
    delta = mean_q - mean_p
    trace = torch.trace(torch.linalg.inv(cov_q) @ cov_p)
    distance = delta @ torch.linalg.inv(cov_p) @ delta
    return 0.5 * (trace + distance - len(delta) + torch.logdet(cov_q) - torch.logdet(cov_p))


@wrong("gaussian_kl", law="value", says="diagonals")
def diagonal_covariances(mean_p, cov_p, mean_q, cov_q):
    p, q = Normal(mean_p, cov_p.diagonal().sqrt()), Normal(mean_q, cov_q.diagonal().sqrt())
    return kl_divergence(p, q).sum()


@wrong("gaussian_kl", law="value", says="log-determinants")
def log_dets_flipped(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_p, cov_p, mean_q, cov_q) + torch.logdet(cov_p) - torch.logdet(cov_q)


@wrong("gaussian_kl", law="stability", says="float32")
def log_of_determinants(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    log_dets = torch.log(torch.det(cov_q) / torch.det(cov_p))
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


@wrong("gaussian_kl", law="value", says="expected")
def only_to_the_standard_normal(mean_p, cov_p, mean_q, cov_q):
    return 0.5 * (cov_p.trace() + mean_p @ mean_p - len(mean_p) - torch.logdet(cov_p))


@wrong("gaussian_kl", law="value", says="entry by entry")
def trace_of_entries(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    log_dets = torch.logdet(cov_q) - torch.logdet(cov_p)
    return 0.5 * (torch.trace(inverse * cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


@wrong("gaussian_kl", law="value", says="shape")
def one_by_one(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_p, cov_p, mean_q, cov_q).reshape(1, 1)


@wrong("gaussian_kl", law="value", says="lacks Σ_q⁻¹ in the middle")
def squared_distance(mean_p, cov_p, mean_q, cov_q):
    trace = torch.linalg.solve(cov_q, cov_p).trace()
    log_dets = cov_q.logdet() - cov_p.logdet()
    return 0.5 * (trace + (mean_q - mean_p).square().sum() - len(mean_p) + log_dets)


@wrong("gaussian_kl", law="value", says="All entries")
def sum_for_trace(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    return 0.5 * ((inverse @ cov_p).sum() + delta @ inverse @ delta - len(delta) + cov_q.logdet() - cov_p.logdet())


@wrong("gaussian_kl", law="value", says="diagonals enter the log-determinants")
def log_dets_as_if_diagonal(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    log_dets = (cov_q.diagonal() / cov_p.diagonal()).log().sum()
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


@wrong("gaussian_kl", law="stability", says="float32")
def product_of_cholesky(mean_p, cov_p, mean_q, cov_q):
    inverse, delta = torch.linalg.inv(cov_q), mean_q - mean_p
    quotient = torch.linalg.cholesky(cov_q).diagonal().prod() / torch.linalg.cholesky(cov_p).diagonal().prod()
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta)) + quotient.log()


@wrong("gaussian_kl", law="gradient", says="cov_q")
def detached_covariance(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(mean_p, cov_p, mean_q, cov_q.detach())


@right("gaussian_kl")
def whitened(mean_p, cov_p, mean_q, cov_q):
    """Σ (λ - 1 - log λ) over the eigenvalues of p's covariance where q's is the identity."""
    L = torch.linalg.cholesky(cov_q)
    A = torch.linalg.solve_triangular(L, torch.linalg.cholesky(cov_p), upper=False)
    values = torch.linalg.eigvalsh(A @ A.mT)
    y = torch.linalg.solve_triangular(L, (mean_q - mean_p)[:, None], upper=False)
    return 0.5 * ((values - 1 - values.log()).sum() + y.square().sum())


@wrong("gaussian_kl", law="value", says="closed form")
def monte_carlo(mean_p, cov_p, mean_q, cov_q):
    p, q = MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q)
    x = p.rsample((10_000,))
    return (p.log_prob(x) - q.log_prob(x)).mean()


@wrong("gaussian_kl", law="gradient", says="gradient")
def from_numpy_numbers(mean_p, cov_p, mean_q, cov_q):
    kl = as_the_formula(mean_p, cov_p, mean_q, cov_q)
    return torch.tensor(kl.item(), dtype=mean_p.dtype, device=mean_p.device)


@wrong("gaussian_kl", law="dtype", says="float64")
def in_float64(mean_p, cov_p, mean_q, cov_q):
    return as_the_formula(*(a.double() for a in (mean_p, cov_p, mean_q, cov_q)))


@wrong("gaussian_kl", law="inputs unchanged", says="mean_q")
def subtracts_in_place(mean_p, cov_p, mean_q, cov_q):
    mean_q -= mean_p
    return as_the_formula(torch.zeros_like(mean_p), cov_p, mean_q.clone(), cov_q)


@wrong("gaussian_kl", law="device", says="GPU")
def cpu_identity(mean_p, cov_p, mean_q, cov_q):
    inverse = torch.linalg.solve(cov_q, torch.eye(len(mean_p), dtype=mean_p.dtype))
    delta = mean_q - mean_p
    log_dets = torch.logdet(cov_q) - torch.logdet(cov_p)
    return 0.5 * (torch.trace(inverse @ cov_p) + delta @ inverse @ delta - len(delta) + log_dets)


# ---------------------------------------------------------------- forward_kl_loss


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


@wrong("forward_kl_loss", law="value", says="negative")
def log_likelihood(flow, x):
    return -mean_nll(flow, x)


@wrong("forward_kl_loss", law="value", says="only forward, inverse and base.log_prob")
def log_prob_of_the_flow(flow, x):
    """The library's flows have it."""
    return -flow.log_prob(x).mean()


@wrong("forward_kl_loss", law="value", says="runs g")
def g_for_f(flow, x):
    z, log_det = flow.inverse(x)
    return (log_det - flow.base.log_prob(z)).mean()


@wrong("forward_kl_loss", law="gradient", says="log p(z) is cut off")
def base_detached(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z).detach() + log_det).mean()


@right("forward_kl_loss")
def in_chunks(flow, x):
    chunks = [flow.forward(rows) for rows in x.split(2)]
    return -torch.cat([flow.base.log_prob(z) + log_det for z, log_det in chunks]).mean()


@wrong("forward_kl_loss", law="value", says="sum over the samples")
def summed(flow, x):
    return mean_nll(flow, x) * len(x)


@wrong("forward_kl_loss", law="value", says="sign of log_det")
def log_det_flipped(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) - log_det).mean()


@wrong("forward_kl_loss", law="value", says="log-determinant is missing")
def no_log_det(flow, x):
    return -flow.base.log_prob(flow.forward(x)[0]).mean()


@wrong("forward_kl_loss", law="value", says="N(0, I)")
def standard_normal_only(flow, x):
    z, log_det = flow.forward(x)
    return (0.5 * (z**2).sum(1) + 0.5 * x.shape[1] * math.log(2 * math.pi) - log_det).mean()


@wrong("forward_kl_loss", law="value", says="taken at x")
def base_at_x(flow, x):
    return -(flow.base.log_prob(x) + flow.forward(x)[1]).mean()


@wrong("forward_kl_loss", law="value", says="number of features")
def bits_per_dimension(flow, x):
    return mean_nll(flow, x) / x.shape[1]


@wrong("forward_kl_loss", law="value", says="logarithm of a mean")
def log_of_mean_likelihood(flow, x):
    z, log_det = flow.forward(x)
    return -torch.log(torch.exp(flow.base.log_prob(z) + log_det).mean())


@wrong("forward_kl_loss", law="stability", says="log space")
def through_densities(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z).exp() * log_det.exp()).log().mean()


@wrong("forward_kl_loss", law="value", says="One number a sample")
def not_reduced(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det)


@wrong("forward_kl_loss", law="gradient", says="log_det is cut off")
def detached_log_det(flow, x):
    z, log_det = flow.forward(x)
    return -(flow.base.log_prob(z) + log_det.detach()).mean()


@wrong("forward_kl_loss", law="gradient", says="graph")
def under_no_grad(flow, x):
    with torch.no_grad():
        return mean_nll(flow, x)


@wrong("forward_kl_loss", law="gradient", says="gradient")
def detached_data(flow, x):
    return mean_nll(flow, x.detach())


@wrong("forward_kl_loss", law="value", says="flow.inverse at x")
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


# ---------------------------------------------------------------- reverse_kl_loss


@right("reverse_kl_loss")
def as_lotus(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()


@right("reverse_kl_loss")
def three_means(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return flow.base.log_prob(z).mean() - log_det.mean() - target_log_prob(x).mean()


@wrong("reverse_kl_loss", law="gradient", says="log p(z) is cut off")
def base_as_a_constant(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    with torch.no_grad():
        log_base = flow.base.log_prob(z)
    return torch.mean(log_base - log_det - target_log_prob(x))


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


@wrong("reverse_kl_loss", law="value", says="log p(z) is missing")
def no_base(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (-log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="value", says="entropy")
def no_entropy(flow, z, target_log_prob):
    return -target_log_prob(flow.inverse(z)[0]).mean()


@wrong("reverse_kl_loss", law="value", says="sign of log_det")
def plus_log_det(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) + log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="value", says="another direction")
def log_det_of_forward_at_z(flow, z, target_log_prob):
    return (flow.base.log_prob(z) + flow.forward(z)[1] - target_log_prob(flow.inverse(z)[0])).mean()


@wrong("reverse_kl_loss", law="f is never called", says="g alone")
def log_det_of_forward_at_x(flow, z, target_log_prob):
    x, _ = flow.inverse(z)
    return (flow.base.log_prob(z) + flow.forward(x)[1] - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="f is never called", says="g alone")
def density_of_x_by_forward(flow, z, target_log_prob):
    x = flow.inverse(z)[0]
    back, log_det = flow.forward(x)
    return (flow.base.log_prob(back) + log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="value", says="taken at z")
def target_at_z(flow, z, target_log_prob):
    return (flow.base.log_prob(z) - flow.inverse(z)[1] - target_log_prob(z)).mean()


@wrong("reverse_kl_loss", law="value", says="sign is flipped")
def forward_arguments(flow, z, target_log_prob):
    return -as_lotus(flow, z, target_log_prob)


@wrong("reverse_kl_loss", law="gradient", says="x is cut off")
def detached_sample(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x.detach())).mean()


@wrong("reverse_kl_loss", law="gradient", says="log_det is cut off")
def entropy_detached(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det.detach() - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="gradient", says="a parameter of the flow")
def score_function(flow, z, target_log_prob):
    """The score's gradient, but x still moves with the flow's parameters: no estimate of anything."""
    x, log_det = flow.inverse(z)
    log_p_x = flow.base.log_prob(z) - log_det
    ratio = (log_p_x - target_log_prob(x)).detach()
    return (ratio * (1 + log_p_x - log_p_x.detach())).mean()


@wrong("reverse_kl_loss", law="value", says="runs f")
def f_for_g(flow, z, target_log_prob):
    x, log_det = flow.forward(z)
    return (flow.base.log_prob(z) + log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="stability", says="log space")
def tiny_number_in_the_log(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - torch.log(target_log_prob(x).exp() + 1e-30)).mean()


@wrong("reverse_kl_loss", law="gradient", says="z is cut off")
def constant_noise(flow, z, target_log_prob):
    return as_lotus(flow, z.detach(), target_log_prob)


@wrong("reverse_kl_loss", law="value", says="N(0, I)")
def gaussian_base_only(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (Normal(0.0, 1.0).log_prob(z).sum(-1) - log_det - target_log_prob(x)).mean()


@wrong("reverse_kl_loss", law="value", says="expected")
def normalised_targets_only(flow, z, target_log_prob):
    """Right while the loss is positive, as with a normalised target it nearly always is."""
    return torch.relu(as_lotus(flow, z, target_log_prob))


@wrong("reverse_kl_loss", law="value", says="sum over the samples")
def total_loss(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).sum()


@wrong("reverse_kl_loss", law="stability", says="log space")
def ratio_of_densities(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    density = flow.base.log_prob(z).exp() / log_det.exp()
    return torch.log(density / target_log_prob(x).exp()).mean()


@wrong("reverse_kl_loss", law="value", says="weighted")
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
