"""`negative_gap`: the line that puts a closed-form ELBO above log p(x)."""

from ..engine.puzzle import choice

PUZZLE = choice(
    __name__,
    right=1,
    others={
        2: "Line 2 is the log-density of a normal with sigma = 1, given the squared distance that it is handed.",
        3: "Line 3 is exercise 4 for one column. At q = prior, the one q where it is 0, the gap is wrong as well.",
        4: "Line 4 is the ELBO in its KL form: reconstruction minus KL.",
    },
)
