"""The public names of these rooms of the library, under one roof: `from tests.lvm import library as lib`."""

from dgmlib.bayes import (
    gaussian_mean_posterior,
    grid_posterior,
    linear_regression_posterior,
    map_linear_regression,
)
from dgmlib.elbo import (
    elbo_from_joint,
    elbo_from_kl,
    importance_weighted_bound,
    kl_to_standard_normal,
    ppca_elbo,
    variational_gap,
)
from dgmlib.em import HardMixture, MeanFieldPPCA, em
from dgmlib.kl import forward_kl_loss, gaussian_kl, latent_log_prob, latent_reverse_kl, reverse_kl_loss
from dgmlib.lvm import PPCA, GaussianMixture, naive_gaussian_log_likelihood, naive_log_likelihood
from dgmlib.lvm.mixture_em import QuadraticMixture, fit_mixture, quadratic_features

__all__ = [
    "PPCA",
    "GaussianMixture",
    "HardMixture",
    "MeanFieldPPCA",
    "QuadraticMixture",
    "elbo_from_joint",
    "elbo_from_kl",
    "em",
    "fit_mixture",
    "forward_kl_loss",
    "gaussian_kl",
    "gaussian_mean_posterior",
    "grid_posterior",
    "importance_weighted_bound",
    "kl_to_standard_normal",
    "latent_log_prob",
    "latent_reverse_kl",
    "linear_regression_posterior",
    "map_linear_regression",
    "naive_gaussian_log_likelihood",
    "naive_log_likelihood",
    "ppca_elbo",
    "quadratic_features",
    "reverse_kl_loss",
    "variational_gap",
]
