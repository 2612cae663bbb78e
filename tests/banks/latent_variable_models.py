"""Answers to 02_latent_variable_models: posteriors on a grid and in closed form. For the rest see `latent_*`."""

import math

import torch

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


@wrong("grid_posterior", law="evidence", says="trapezoidal")
def grid_trapezoid(log_prior, log_likelihood, step):
    top = (log_prior + log_likelihood).max()
    joint = torch.exp(log_prior + log_likelihood - top)
    mass = torch.trapezoid(joint, dx=step)
    return joint / mass, mass.log() + top


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


@right("grid_posterior")
def grid_pairwise_sums(log_prior, log_likelihood, step):
    log_joint = log_likelihood + log_prior
    log_evidence = torch.logcumsumexp(log_joint, 0)[-1] + math.log(step)
    return torch.stack([(entry - log_evidence).exp() for entry in log_joint]), log_evidence


@wrong("grid_posterior", law="stability", says="never the prior")
def grid_exponentiates_the_prior(log_prior, log_likelihood, step):
    top = log_likelihood.max()
    joint = torch.exp(log_prior) * torch.exp(log_likelihood - top)
    evidence = joint.sum() * step
    return joint / evidence, top + evidence.log()


@wrong("grid_posterior", law="stability", says="never the prior")
def grid_shifts_prior_and_likelihood(log_prior, log_likelihood, step):
    top, best = log_prior.max(), log_likelihood.max()
    joint = torch.exp(log_prior - top) * torch.exp(log_likelihood - best)
    evidence = joint.sum() * step
    return joint / evidence, top + best + evidence.log()


@wrong("grid_posterior", law="stability", says="log space")
def grid_shifts_by_the_mean(log_prior, log_likelihood, step):
    log_joint = log_prior + log_likelihood
    middle = log_joint.mean()
    evidence = (log_joint - middle).exp().sum() * step
    return (log_joint - middle).exp() / evidence, middle + evidence.log()


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


@wrong("gaussian_mean_posterior", law="mean", says="about 0")
def mean_for_a_zero_prior_mean(x, noise_std, prior_mean, prior_std):
    return mean_by_precisions(x, noise_std, torch.zeros_like(prior_mean), prior_std)


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


@wrong("gaussian_mean_posterior", law="mean", says="shape")
def mean_a_row(x, noise_std, prior_mean, prior_std):
    mean, std = mean_by_precisions(x, noise_std, prior_mean, prior_std)
    return mean.reshape(1), std.reshape(1)


@right("gaussian_mean_posterior")
def mean_by_conditioning(x, noise_std, prior_mean, prior_std):
    covariance = noise_std**2 * torch.eye(len(x), dtype=x.dtype, device=x.device) + prior_std**2
    gain = prior_std**2 * torch.linalg.solve(covariance, torch.ones_like(x))
    return prior_mean + gain @ (x - prior_mean), prior_std * (1 - gain.sum()).sqrt()
