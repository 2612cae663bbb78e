"""`decomposition_steps`: from the ELBO to log p(x) - KL(q‖p(z|x)), and the rule behind each line."""

from ..engine.puzzle import steps

PUZZLE = steps(
    __name__,
    right={"B": "definition", "D": "product rule", "A": "no z", "C": "definition"},
    needs={
        "A": "It holds log p(x) outside of the expectation. First log p(x) must stand inside, by itself.",
        "B": "It spells the ELBO out, with the joint density. Only the ELBO that you start from can stand before it.",
        "C": "It holds a KL. First the bracket must be log p(z|x) - log q(z), and nothing else.",
        "D": "It holds log p(z|x) + log p(x). First the joint density must stand there, to be split.",
    },
)
