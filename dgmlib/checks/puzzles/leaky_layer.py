"""`leaky_layer`: of three layers, the one whose log_det is not its Jacobian's."""

from ..engine.puzzle import choice

PUZZLE = choice(
    __name__,
    right="B",
    others={
        "A": "A turns the plane, and a turn keeps every area: log 1 = 0 is right. Compare each layer with its own Jacobian.",
        "C": "C is a coupling: it divides the second column by sigma(x1), and says so. Compare each layer with its own Jacobian.",
    },
)
