"""The five assignments, one for each lecture section."""

from .elbo import ASSIGNMENT as elbo
from .em_algorithm import ASSIGNMENT as em_algorithm
from .exercise import Assignment, Exercise
from .flows_recap import ASSIGNMENT as flows_recap
from .forward_reverse_kl import ASSIGNMENT as forward_reverse_kl
from .latent_variable_models import ASSIGNMENT as latent_variable_models

ASSIGNMENTS: dict[str, Assignment] = {
    a.name: a for a in (flows_recap, forward_reverse_kl, latent_variable_models, elbo, em_algorithm)
}


def find(name: str) -> Exercise | None:
    """The exercise called `name`, or None."""
    for assignment in ASSIGNMENTS.values():
        if name in assignment.exercises:
            return assignment.exercises[name]
    return None
