"""`wrong_side`: the line of a sampled KL(π‖p) that must change; the samples come from the wrong law."""

from ..engine.puzzle import choice

PUZZLE = choice(
    __name__,
    right=1,
    others={
        2: "With the sign of line 2 turned, the number is positive, and KL(p‖π): the model still draws. Who draws in KL(π‖p)?",
        3: "A mean over samples is an expectation under the law that drew them. Which law drew these?",
    },
)
