"""02_latent_variable_models: Bayes, MAP, latent variables."""

from ...engine import assignment

ASSIGNMENT = assignment(__name__, "02_latent_variable_models")
