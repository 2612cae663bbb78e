"""The run parts of 02_latent_variable_models."""

import torch

from . import probe
from .latent_variable_models_fixtures import Decoder, Largest, mixture

REPEATS, REPEATED_N = 16, 30


@probe(
    "grid_posterior",
    grad=("log_prior", "log_likelihood"),
    plain=("float32", "extreme", "extreme high", "opposed"),
)
def grid_posterior(answer, given, record):
    result = answer(given["log_prior"], given["log_likelihood"], float(given["step"]))
    record.returned(result, "posterior_density", "log_evidence")


@probe("gaussian_mean_posterior", grad=("x", "noise_std", "prior_mean", "prior_std"))
def gaussian_mean_posterior(answer, given, record):
    result = answer(given["x"], given["noise_std"], given["prior_mean"], given["prior_std"])
    record.returned(result, "mean", "std")


@probe("map_linear_regression", grad=("features", "targets", "noise_std", "prior_std"))
def map_linear_regression(answer, given, record):
    result = answer(given["features"], given["targets"], given["noise_std"], given["prior_std"])
    record.returned(result, "w")


@probe(
    "mixture_log_prob",
    grad=("x", "weights", "means", "covariances"),
    plain=("float32", "extreme", "extreme uneven"),
)
def mixture_log_prob(answer, given, record):
    record.returned(answer(given["x"], *mixture(given)), "log_prob")


@probe("sample_mixture")
def sample_mixture(answer, given, record):
    """One large sample; many small ones show whether the counts vary from call to call as they should."""
    record.returned(answer(int(given["n"]), *mixture(given)), "x", "k")
    if "repeated" in given:
        with record.part("repeats"):
            small = [answer(REPEATED_N, *mixture(given)) for _ in range(REPEATS)]
            record["repeated_x"] = torch.stack([x for x, _ in small])
            record["repeated_k"] = torch.stack([k for _, k in small])


@probe("ppca_log_prob", grad=("x", "W", "mu", "sigma"), plain=("float32", "wide", "many latents"))
def ppca_log_prob(answer, given, record):
    """In the case "wide" the memory is watched: m² numbers in one tensor is what the contract forbids."""
    arguments, m = (given["x"], given["W"], given["mu"], given["sigma"]), len(given["mu"])
    record.returned(answer(*arguments), "log_prob")
    if m >= 100:
        with record.part("cost"):
            with Largest() as largest:
                answer(*arguments)
            record.text("costly.seen", "yes")
            record.text("costly.found", f"shape {largest.shape}" if largest.numbers >= m * m else "")


@probe("ppca_posterior", grad=("x", "W", "mu", "sigma"))
def ppca_posterior(answer, given, record):
    result = answer(given["x"], given["W"], given["mu"], given["sigma"])
    record.returned(result, "mean", "covariance")


@probe(
    "naive_log_likelihood",
    grad=("x", "z", "A", "B", "c", "log_scale"),
    plain=("float32", "extreme", "extreme high"),
)
def naive_log_likelihood(answer, given, record):
    decoder = Decoder(given["A"], given["B"], given["c"], given["log_scale"])
    record.returned(answer(given["x"], given["z"], decoder), "log_prob")
