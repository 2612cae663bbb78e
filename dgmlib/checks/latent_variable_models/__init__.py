"""02_latent_variable_models: what is right and what mistakes mean. Trusted; never beside a student's code."""

from ..exercise import Assignment
from . import gaussian_mean, grid_posterior, map_regression, mixture, monte_carlo, ppca, sampling

EXERCISES = (
    *grid_posterior.EXERCISES,
    *gaussian_mean.EXERCISES,
    *map_regression.EXERCISES,
    *mixture.EXERCISES,
    *sampling.EXERCISES,
    *ppca.EXERCISES,
    *monte_carlo.EXERCISES,
)
ASSIGNMENT = Assignment(
    "02_latent_variable_models", "latent_variable_models", {exercise.name: exercise for exercise in EXERCISES}
)
