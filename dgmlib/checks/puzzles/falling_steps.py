"""`falling_steps`: the line of an EM whose bound falls at half steps."""

from ..engine.puzzle import choice

COVARIANCE = "The covariance is about the new means, weighted, and divided by the mass: that M-step is exact."
PUZZLE = choice(
    __name__,
    right=2,
    others={
        1: "Line 1 makes the components as they are. What does a posterior need besides them?",
        3: "Line 3 is N_k of the M-step. At which half steps does the bound fall, E or M?",
        4: "Line 4 is exercise 2's. At which half steps does the bound fall, E or M?",
        5: COVARIANCE,
        6: COVARIANCE,
    },
)
