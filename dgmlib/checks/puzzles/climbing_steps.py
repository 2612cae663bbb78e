"""`climbing_steps`: why a step of EM never lowers log p, three lines and their reasons."""

from ..engine.puzzle import steps

PUZZLE = steps(
    __name__,
    right={"C": "E-step", "B": "M-step", "A": "gap"},
    needs={
        "A": "It ends at the new log p. First the bound must have reached the new parameters.",
        "B": "It moves the bound from the old parameters to the new ones. First the old log p must be tied to a bound.",
        "C": "It ties the old log p to the bound. Nothing stands before it.",
    },
)
