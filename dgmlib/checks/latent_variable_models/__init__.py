"""02_latent_variable_models: what is right and what mistakes mean. Trusted; never beside a student's code."""

from ..exercise import Assignment
from . import bayes, mixture, monte_carlo, ppca, sampling

EXERCISES = (
    *bayes.EXERCISES,
    *mixture.EXERCISES,
    *sampling.EXERCISES,
    *ppca.EXERCISES,
    *monte_carlo.EXERCISES,
)
ASSIGNMENT = Assignment(
    "02_latent_variable_models", "latent_variable_models", {exercise.name: exercise for exercise in EXERCISES}
)
