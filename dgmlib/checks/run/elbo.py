"""The run parts of 03_elbo."""

from torch import Tensor

from . import probe

PPCA = ("x", "W", "mu", "sigma", "q_mean", "q_cov")
PLAIN = ("wide q", "float32", "one row", "one latent", "one feature", "extreme")


def symmetric(matrix: Tensor) -> Tensor:
    """The same symmetric matrix, with a gradient that does not depend on which triangle an answer reads."""
    return (matrix + matrix.mT) / 2 if matrix.requires_grad else matrix


@probe("kl_to_standard_normal", grad=("mean", "log_var"))
def kl_to_standard_normal(answer, given, record):
    record.returned(answer(given["mean"], given["log_var"]), "kl")


@probe("elbo_from_joint", grad=("log_joint", "log_q"))
def elbo_from_joint(answer, given, record):
    record.returned(answer(given["log_joint"], given["log_q"]), "elbo")


@probe("elbo_from_kl", grad=("log_likelihood", "kl"))
def elbo_from_kl(answer, given, record):
    record.returned(answer(given["log_likelihood"], given["kl"]), "elbo")


@probe("importance_weighted_bound", grad=("log_joint", "log_q"))
def importance_weighted_bound(answer, given, record):
    record.returned(answer(given["log_joint"], given["log_q"]), "bound")


@probe("ppca_elbo", grad=PPCA, plain=PLAIN)
def ppca_elbo(answer, given, record):
    record.returned(with_gaussian_q(answer, given), "elbo")


@probe("variational_gap", grad=PPCA, plain=PLAIN)
def variational_gap(answer, given, record):
    record.returned(with_gaussian_q(answer, given), "gap")


def with_gaussian_q(answer, given):
    x, W, mu, sigma, q_mean, q_cov = (given[name] for name in PPCA)
    return answer(x, W, mu, sigma, q_mean, symmetric(q_cov))


@probe("fit_posterior")
def fit_posterior(answer, given, record):
    x, W, mu, sigma = (given[name] for name in PPCA[:4])
    record.returned(answer(x, W, mu, sigma, int(given["num_steps"])), "q_mean", "q_cov")
