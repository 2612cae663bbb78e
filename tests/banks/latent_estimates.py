"""Answers to 02_latent_variable_models: MAP, and the naive estimate of log p(x)."""

import math

import torch

from . import right, wrong

# ---------------------------------------------------------------- map_linear_regression


@right("map_linear_regression")
def ridge_solve(features, targets, noise_std, prior_std):
    d = features.shape[1]
    A = features.T @ features + (noise_std / prior_std) ** 2 * torch.eye(d).to(features)
    return torch.linalg.solve(A, features.T @ targets)


@right("map_linear_regression")
def ridge_by_precisions(features, targets, noise_std, prior_std):
    eye = torch.eye(features.size(1), dtype=features.dtype, device=features.device)
    precision = features.mT @ features / noise_std**2 + eye / prior_std**2
    return torch.linalg.inv(precision) @ (features.mT @ targets) / noise_std**2


@right("map_linear_regression")
def ridge_augmented_rows(features, targets, noise_std, prior_std):
    d = features.shape[1]
    rows = torch.cat([features, noise_std / prior_std * torch.eye(d, dtype=features.dtype, device=features.device)])
    values = torch.cat([targets, targets.new_zeros(d)])
    return torch.linalg.lstsq(rows, values[:, None]).solution[:, 0]


@right("map_linear_regression")
def ridge_dual(features, targets, noise_std, prior_std):
    kernel = prior_std**2 * features @ features.T
    eye = torch.eye(len(features), dtype=features.dtype, device=features.device)
    return prior_std**2 * features.T @ torch.linalg.solve(kernel + noise_std**2 * eye, targets)


@right("map_linear_regression")
def ridge_svd(features, targets, noise_std, prior_std):
    U, s, Vh = torch.linalg.svd(features, full_matrices=False)
    return Vh.T @ (s / (s**2 + (noise_std / prior_std) ** 2) * (U.T @ targets))


@right("map_linear_regression")
def ridge_cholesky(features, targets, noise_std, prior_std):
    A = torch.einsum("na,nb->ab", features, features)
    A = A + torch.diag_embed((noise_std / prior_std).square().expand(len(A)))
    return torch.cholesky_solve(torch.einsum("na,n->a", features, targets)[:, None], torch.linalg.cholesky(A))[:, 0]


def ridge_of(features, targets, r):
    eye = torch.eye(features.shape[1], dtype=features.dtype, device=features.device)
    return torch.linalg.solve(features.T @ features + r * eye, features.T @ targets)


@wrong("map_linear_regression", law="more weights than rows", says="")
def ridge_normal_equations(features, targets, noise_std, prior_std):
    return torch.linalg.solve(features.T @ features, features.T @ targets)


@wrong("map_linear_regression", law="value", says="expected")
def ridge_few_gradient_steps(features, targets, noise_std, prior_std):
    w = torch.zeros_like(features[0])
    for _ in range(20):
        slope = features.T @ (features @ w - targets) / noise_std**2 + w / prior_std**2
        w = w - 0.02 * slope
    return w


@wrong("map_linear_regression", law="value", says="shape")
def ridge_as_a_column(features, targets, noise_std, prior_std):
    return ridge_solve(features, targets, noise_std, prior_std)[:, None]


@wrong("map_linear_regression", law="device", says="GPU")
def ridge_cpu_eye(features, targets, noise_std, prior_std):
    eye = torch.eye(features.shape[1], dtype=features.dtype)
    A = features.T @ features + (noise_std / prior_std) ** 2 * eye
    return torch.linalg.solve(A, features.T @ targets)


@wrong("map_linear_regression", law="inputs unchanged", says="features")
def ridge_scales_in_place(features, targets, noise_std, prior_std):
    features /= noise_std
    return ridge_of(features, targets / noise_std, prior_std**-2)


@wrong("map_linear_regression", law="dtype", says="float32")
def ridge_in_float64(features, targets, noise_std, prior_std):
    return ridge_of(features.double(), targets.double(), (noise_std / prior_std) ** 2)


# ---------------------------------------------------------------- naive_log_likelihood


@right("naive_log_likelihood")
def naive_logsumexp(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), dim=0) - math.log(z.shape[0])


@right("naive_log_likelihood")
def naive_sample_by_sample(x, z, log_likelihood):
    total = log_likelihood(x, z[:1])[0]
    for k in range(1, len(z)):
        total = torch.logaddexp(total, log_likelihood(x, z[k : k + 1])[0])
    return total - math.log(len(z))


@right("naive_log_likelihood")
def naive_in_chunks(x, z, log_likelihood):
    parts = [log_likelihood(x, rows).logsumexp(0) for rows in z.split(2)]
    return torch.stack(parts).logsumexp(0) - torch.log(torch.tensor(float(len(z))))


@right("naive_log_likelihood")
def naive_row_by_row(x, z, log_likelihood):
    rows = [torch.logsumexp(log_likelihood(x[i : i + 1], z)[:, 0], 0) for i in range(len(x))]
    return torch.stack(rows) - math.log(len(z))


@right("naive_log_likelihood")
def naive_by_the_maximum(x, z, log_likelihood):
    values = log_likelihood(x, z)
    top = values.max(dim=0).values.detach()
    return top + (values - top).exp().mean(0).log()


@wrong("naive_log_likelihood", law="value", says="expected shape (5,), got ()")
def naive_one_number(x, z, log_likelihood):
    return naive_logsumexp(x, z, log_likelihood).mean()


@wrong("naive_log_likelihood", law="stability", says="log space")
def naive_exp_then_log(x, z, log_likelihood):
    return log_likelihood(x, z).exp().mean(0).log()


@wrong("naive_log_likelihood", law="stability", says="log space")
def naive_with_epsilon(x, z, log_likelihood):
    return (log_likelihood(x, z).exp().mean(0) + 1e-30).log()


@wrong("naive_log_likelihood", law="value", says="expected")
def naive_fresh_samples(x, z, log_likelihood):
    return naive_logsumexp(x, torch.randn_like(z), log_likelihood)


@wrong("naive_log_likelihood", law="gradient", says="gradient")
def naive_without_gradient(x, z, log_likelihood):
    with torch.no_grad():
        return naive_logsumexp(x, z, log_likelihood)


@wrong("naive_log_likelihood", law="dtype", says="float32")
def naive_in_float64(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z).double(), 0) - math.log(len(z))


@wrong("naive_log_likelihood", law="value", says="takes z of shape")
def naive_flat_rows(x, z, log_likelihood):
    return torch.stack([log_likelihood(x, row) for row in z]).logsumexp(0) - math.log(len(z))


@right("map_linear_regression")
def ridge_row_by_row(features, targets, noise_std, prior_std):
    d = features.shape[1]
    w = torch.zeros_like(features[0])
    spread = prior_std**2 * torch.eye(d, dtype=features.dtype, device=features.device)
    for row, target in zip(features, targets, strict=True):
        gain = spread @ row / (row @ spread @ row + noise_std**2)
        w = w + gain * (target - row @ w)
        spread = spread - torch.outer(gain, row @ spread)
    return w


@wrong("map_linear_regression", law="value", says="every entry")
def ridge_on_every_entry(features, targets, noise_std, prior_std):
    return torch.linalg.solve(features.T @ features + noise_std**2 / prior_std**2, features.T @ targets)


@wrong("naive_log_likelihood", law="stability", says="log space")
def naive_shifts_by_the_mean(x, z, log_likelihood):
    table = log_likelihood(x, z)
    middle = table.mean(0)
    return (table - middle).exp().mean(0).log() + middle
