"""Answers to 02_latent_variable_models: Bayes, MAP, mixtures, the naive estimate. PPCA's bank is `latent_ppca`."""

import math

import torch
from torch import distributions as D

from . import right, wrong

# ---------------------------------------------------------------- grid_posterior


@right("grid_posterior")
def grid_logsumexp(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, dim=0) + math.log(step)
    return (log_joint - log_evidence).exp(), log_evidence


@right("grid_posterior")
def grid_by_the_maximum(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    top = log_joint.max()
    mass = (torch.exp(log_joint - top) * step).sum()
    return torch.exp(log_joint - top) / mass, top + mass.log()


@right("grid_posterior")
def grid_softmax(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    density = torch.softmax(log_joint, 0) / step
    peak = log_joint.argmax()
    return density, log_joint[peak] - density[peak].log()


@right("grid_posterior")
def grid_with_log_step_tensor(log_prior, log_likelihood, step):
    log_mass = log_prior + log_likelihood + torch.log(torch.tensor(step, dtype=log_prior.dtype))
    log_evidence = log_mass.logsumexp(-1)
    return torch.nn.functional.softmax(log_mass, -1) / step, log_evidence


@right("grid_posterior")
def grid_point_by_point(log_prior, log_likelihood, step):
    log_evidence = log_prior[0] + log_likelihood[0]
    for p, l in zip(log_prior[1:], log_likelihood[1:], strict=True):
        log_evidence = torch.logaddexp(log_evidence, p + l)
    log_evidence = log_evidence + math.log(step)
    return torch.stack([torch.exp(p + l - log_evidence) for p, l in zip(log_prior, log_likelihood, strict=True)]), (
        log_evidence
    )


@wrong("grid_posterior", law="evidence", says="renormalised")
def grid_prior_renormalised_in_the_evidence(log_prior, log_likelihood, step):
    log_prior = log_prior - torch.logsumexp(log_prior, 0) - math.log(step)
    return grid_logsumexp(log_prior, log_likelihood, step)


@wrong("grid_posterior", law="evidence", says="step")
def grid_no_step(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, 0)
    return (log_joint - log_evidence).exp(), log_evidence


@wrong("grid_posterior", law="posterior", says="sum to 1")
def grid_probabilities(log_prior, log_likelihood, step):
    return torch.softmax(log_prior + log_likelihood, 0), grid_logsumexp(log_prior, log_likelihood, step)[1]


@wrong("grid_posterior", law="evidence", says="step")
def grid_evidence_without_step(log_prior, log_likelihood, step):
    return grid_logsumexp(log_prior, log_likelihood, step)[0], torch.logsumexp(log_prior + log_likelihood, 0)


@wrong("grid_posterior", law="stability", says="log space")
def grid_exp_first(log_prior, log_likelihood, step):
    joint = log_prior.exp() * log_likelihood.exp()
    evidence = joint.sum() * step
    return joint / evidence, evidence.log()


@wrong("grid_posterior", law="stability", says="log space")
def grid_with_epsilon(log_prior, log_likelihood, step):
    joint = torch.exp(log_prior + log_likelihood) + 1e-300
    evidence = joint.sum() * step
    return joint / evidence, evidence.log()


@wrong("grid_posterior", law="stability", says="log space")
def grid_clamped(log_prior, log_likelihood, step):
    return grid_logsumexp(log_prior, log_likelihood.clamp(-500, 500), step)


@wrong("grid_posterior", law="posterior", says="prior is missing")
def grid_likelihood_alone(log_prior, log_likelihood, step):
    return grid_logsumexp(torch.zeros_like(log_prior), log_likelihood, step)


@wrong("grid_posterior", law="evidence", says="trapezoidal")
def grid_trapezoid(log_prior, log_likelihood, step):
    top = (log_prior + log_likelihood).max()
    joint = torch.exp(log_prior + log_likelihood - top)
    mass = torch.trapezoid(joint, dx=step)
    return joint / mass, mass.log() + top


@wrong("grid_posterior", law="posterior", says="density is wanted")
def grid_log_posterior(log_prior, log_likelihood, step):
    density, log_evidence = grid_logsumexp(log_prior, log_likelihood, step)
    return density.log(), log_evidence


@wrong("grid_posterior", law="gradient", says="gradient")
def grid_detached(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, 0) + math.log(step)
    return torch.exp(log_joint - log_evidence.detach()), log_evidence


@wrong("grid_posterior", law="gradient", says="gradient")
def grid_evidence_as_a_number(log_prior, log_likelihood, step):
    density, log_evidence = grid_softmax(log_prior, log_likelihood, step)
    return density, log_prior.new_tensor(log_evidence.item())


@wrong("grid_posterior", law="inputs unchanged", says="log_prior")
def grid_in_place(log_prior, log_likelihood, step):
    log_prior += log_likelihood
    return grid_logsumexp(log_prior.clone(), 0.0, step)


@wrong("grid_posterior", law="dtype", says="float32")
def grid_in_float64(log_prior, log_likelihood, step):
    return grid_logsumexp(log_prior.double(), log_likelihood.double(), step)


@wrong("grid_posterior", law="device", says="GPU")
def grid_cpu_sum(log_prior, log_likelihood, step):
    log_step = torch.full((len(log_prior),), math.log(step), dtype=log_prior.dtype)
    return grid_logsumexp(log_prior + log_step, log_likelihood - math.log(step), step)


@wrong("grid_posterior", law="posterior", says="shape")
def grid_only_the_mode(log_prior, log_likelihood, step):
    density, log_evidence = grid_logsumexp(log_prior, log_likelihood, step)
    return density.max(), log_evidence


# ---------------------------------------------------------------- gaussian_mean_posterior


@right("gaussian_mean_posterior")
def mean_by_precisions(x, noise_std, prior_mean, prior_std):
    precision = 1 / prior_std**2 + x.numel() / noise_std**2
    return (prior_mean / prior_std**2 + x.sum() / noise_std**2) / precision, precision.rsqrt()


@right("gaussian_mean_posterior")
def mean_by_shrinkage(x, noise_std, prior_mean, prior_std):
    n = x.shape[0]
    gain = n * prior_std**2 / (n * prior_std**2 + noise_std**2)
    return prior_mean + gain * (x.mean() - prior_mean), prior_std * torch.sqrt(1 - gain)


@right("gaussian_mean_posterior")
def mean_one_value_at_a_time(x, noise_std, prior_mean, prior_std):
    mean, variance = prior_mean, prior_std.square()
    for value in x:
        gain = variance / (variance + noise_std.square())
        mean, variance = mean + gain * (value - mean), variance * (1 - gain)
    return mean, variance.sqrt()


@right("gaussian_mean_posterior")
def mean_as_a_regression(x, noise_std, prior_mean, prior_std):
    rows = torch.cat([torch.ones_like(x) / noise_std, (1 / prior_std).reshape(1)])
    values = torch.cat([x / noise_std, (prior_mean / prior_std).reshape(1)])
    return (rows @ values) / (rows @ rows), (rows @ rows) ** -0.5


@wrong("gaussian_mean_posterior", law="std", says="variance")
def mean_with_variance(x, noise_std, prior_mean, prior_std):
    mean, std = mean_by_precisions(x, noise_std, prior_mean, prior_std)
    return mean, std**2


@wrong("gaussian_mean_posterior", law="mean", says="about 0")
def mean_for_a_zero_prior_mean(x, noise_std, prior_mean, prior_std):
    return mean_by_precisions(x, noise_std, torch.zeros_like(prior_mean), prior_std)


@wrong("gaussian_mean_posterior", law="std", says="n is forgotten")
def mean_without_n(x, noise_std, prior_mean, prior_std):
    precision = 1 / prior_std**2 + 1 / noise_std**2
    return (prior_mean / prior_std**2 + x.mean() / noise_std**2) / precision, precision**-0.5


@wrong("gaussian_mean_posterior", law="std", says="n is forgotten")
def mean_sum_without_n(x, noise_std, prior_mean, prior_std):
    precision = 1 / prior_std**2 + 1 / noise_std**2
    return (prior_mean / prior_std**2 + x.sum() / noise_std**2) / precision, precision**-0.5


@wrong("gaussian_mean_posterior", law="std", says="squared")
def mean_scales_as_variances(x, noise_std, prior_mean, prior_std):
    precision = 1 / prior_std + len(x) / noise_std
    return (prior_mean / prior_std + x.sum() / noise_std) / precision, precision**-0.5


@wrong("gaussian_mean_posterior", law="mean", says="maximum-likelihood")
def mean_mle(x, noise_std, prior_mean, prior_std):
    return x.mean(), noise_std / math.sqrt(len(x))


@wrong("gaussian_mean_posterior", law="mean", says="one observation")
def mean_prior_as_one_observation(x, noise_std, prior_mean, prior_std):
    return (prior_mean + x.sum()) / (len(x) + 1), noise_std / math.sqrt(len(x) + 1)


@wrong("gaussian_mean_posterior", law="std", says="next observation")
def mean_predictive(x, noise_std, prior_mean, prior_std):
    mean, std = mean_by_precisions(x, noise_std, prior_mean, prior_std)
    return mean, (std**2 + noise_std**2).sqrt()


@wrong("gaussian_mean_posterior", law="std", says="expected")
def mean_unit_noise(x, noise_std, prior_mean, prior_std):
    return mean_by_precisions(x, torch.ones_like(noise_std), prior_mean, prior_std)


@wrong("gaussian_mean_posterior", law="std", says="expected")
def mean_standard_error(x, noise_std, prior_mean, prior_std):
    mean, std = mean_by_precisions(x, noise_std, prior_mean, prior_std)
    return mean, std / len(x) ** 0.5


@wrong("gaussian_mean_posterior", law="mean", says="float")
def mean_as_floats(x, noise_std, prior_mean, prior_std):
    return tuple(float(value) for value in mean_by_precisions(x, noise_std, prior_mean, prior_std))


@wrong("gaussian_mean_posterior", law="gradient", says="gradient")
def mean_std_from_numbers(x, noise_std, prior_mean, prior_std):
    mean, _ = mean_by_precisions(x, noise_std, prior_mean, prior_std)
    return mean, (1 / prior_std.item() ** 2 + len(x) / noise_std.item() ** 2) ** -0.5 * torch.ones_like(mean)


@wrong("gaussian_mean_posterior", law="mean", says="shape")
def mean_a_row(x, noise_std, prior_mean, prior_std):
    mean, std = mean_by_precisions(x, noise_std, prior_mean, prior_std)
    return mean.reshape(1), std.reshape(1)


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


@wrong("map_linear_regression", law="value", says="inverted")
def ridge_inverted(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, (prior_std / noise_std) ** 2)


@wrong("map_linear_regression", law="value", says="not squared")
def ridge_not_squared(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, noise_std / prior_std)


@wrong("map_linear_regression", law="value", says="noise_std is not squared")
def ridge_noise_not_squared(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, noise_std / prior_std**2)


@wrong("map_linear_regression", law="value", says="prior_std is not squared")
def ridge_prior_not_squared(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, noise_std**2 / prior_std)


@wrong("map_linear_regression", law="value", says="unit noise")
def ridge_without_noise(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, 1 / prior_std**2)


@wrong("map_linear_regression", law="value", says="least squares")
def ridge_least_squares(features, targets, noise_std, prior_std):
    return torch.linalg.pinv(features) @ targets


@wrong("map_linear_regression", law="more weights than rows", says="")
def ridge_normal_equations(features, targets, noise_std, prior_std):
    return torch.linalg.solve(features.T @ features, features.T @ targets)


@wrong("map_linear_regression", law="value", says="factor n")
def ridge_mean_loss(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, len(features) * (noise_std / prior_std) ** 2)


@wrong("map_linear_regression", law="value", says="centred")
def ridge_centred(features, targets, noise_std, prior_std):
    return ridge_solve(features - features.mean(0), targets - targets.mean(), noise_std, prior_std)


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


@wrong("map_linear_regression", law="gradient", says="gradient")
def ridge_constant_ratio(features, targets, noise_std, prior_std):
    return ridge_of(features, targets, (noise_std.item() / prior_std.item()) ** 2)


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


@wrong("naive_log_likelihood", law="value", says="mean of the logarithms")
def naive_mean_of_logs(x, z, log_likelihood):
    return log_likelihood(x, z).mean(0)


@wrong("naive_log_likelihood", law="value", says="log K is forgotten")
def naive_without_log_K(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), 0)


@wrong("naive_log_likelihood", law="value", says="shape")
def naive_wrong_axis(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), 1) - math.log(len(z))


@wrong("naive_log_likelihood", law="value", says="expected shape (5,), got ()")
def naive_one_number(x, z, log_likelihood):
    return naive_logsumexp(x, z, log_likelihood).mean()


@wrong("naive_log_likelihood", law="stability", says="log space")
def naive_exp_then_log(x, z, log_likelihood):
    return log_likelihood(x, z).exp().mean(0).log()


@wrong("naive_log_likelihood", law="stability", says="log space")
def naive_with_epsilon(x, z, log_likelihood):
    return (log_likelihood(x, z).exp().mean(0) + 1e-30).log()


@wrong("naive_log_likelihood", law="value", says="rows of x")
def naive_divided_by_n(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), 0) - math.log(len(x))


@wrong("naive_log_likelihood", law="value", says="divided by K")
def naive_log_over_K(x, z, log_likelihood):
    return torch.logsumexp(log_likelihood(x, z), 0) / len(z)


@wrong("naive_log_likelihood", law="value", says="prior is in the samples")
def naive_with_prior(x, z, log_likelihood):
    log_joint = log_likelihood(x, z) + D.Normal(0.0, 1.0).log_prob(z).sum(1)[:, None]
    return torch.logsumexp(log_joint, 0) - math.log(len(z))


@wrong("naive_log_likelihood", law="value", says="best sample")
def naive_best(x, z, log_likelihood):
    return log_likelihood(x, z).max(0).values - math.log(len(z))


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
