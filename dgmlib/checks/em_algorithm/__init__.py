"""04_em_algorithm: what is right and what mistakes mean. Trusted; never beside a student's code."""

from ..exercise import Assignment
from . import assign, elbo, loop, m_step, ppca_mle, ppca_step

EXERCISES = (
    *assign.EXERCISES,
    *m_step.EXERCISES,
    *elbo.EXERCISES,
    *loop.EXERCISES,
    *ppca_step.EXERCISES,
    *ppca_mle.EXERCISES,
)
ORDER = ("e_step", "m_step", "mixture_elbo", "em_mixture", "ppca_em_step", "ppca_mle", "hard_e_step")
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
ASSIGNMENT = Assignment("04_em_algorithm", "em_algorithm", {name: BY_NAME[name] for name in ORDER})
