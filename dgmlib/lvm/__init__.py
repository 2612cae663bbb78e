"""Latent variable models: p(x) = ∫ p(x|z) p(z) dz. Source: Lecture 3, "Latent Variable Models (LVM)"."""

from dgmlib.lvm.mixture import GaussianMixture
from dgmlib.lvm.mixture_em import fit_mixture
from dgmlib.lvm.monte_carlo import naive_gaussian_log_likelihood, naive_log_likelihood
from dgmlib.lvm.ppca import PPCA
from dgmlib.lvm.restricted import HardMixture, MeanFieldPPCA

__all__ = [
    "PPCA",
    "GaussianMixture",
    "HardMixture",
    "MeanFieldPPCA",
    "fit_mixture",
    "naive_gaussian_log_likelihood",
    "naive_log_likelihood",
]
