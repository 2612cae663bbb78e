"""03_elbo: what is right and what mistakes mean. Trusted; never beside a student's code."""

from ..exercise import Assignment, proof
from . import fit, gap, ppca, samples, standard_normal

EXERCISES = (
    *standard_normal.EXERCISES,
    *samples.EXERCISES,
    *ppca.EXERCISES,
    *gap.EXERCISES,
    *fit.EXERCISES,
    proof("decomposition_proof", 1, "ELBO Derivation II"),
)
ORDER = (
    "kl_to_standard_normal",
    "elbo_from_joint",
    "elbo_from_kl",
    "ppca_elbo",
    "variational_gap",
    "fit_posterior",
    "importance_weighted_bound",
    "decomposition_proof",
)
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}
ASSIGNMENT = Assignment("03_elbo", "elbo", {name: BY_NAME[name] for name in ORDER})
