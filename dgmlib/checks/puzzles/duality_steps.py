"""`duality_steps`: the lines of the duality proof, from KL(p(z|θ)‖p(z)) to KL(π‖p(x|θ)), and the rule behind each."""

from ..engine.puzzle import steps

PUZZLE = steps(
    __name__,
    right={
        "D": "definition",
        "B": "change of variables",
        "E": "LOTUS",
        "A": "inverse",
        "F": "change of variables",
        "C": "definition",
    },
    needs={
        "A": "It holds J_f at x. First the expectation must be over x, and J_g must stand there to be turned over.",
        "B": "It writes log p(z|θ) with π and g. First log p(z|θ) must stand there.",
        "C": "It is a KL over x. First the bracket must be log π(x) - log p(x|θ).",
        "D": "It spells a KL out, over z. Only the KL that you start from can stand before it.",
        "E": "It is over x ~ π, with z = f(x). First an expectation over z must stand there, with π and g in it.",
        "F": "It holds log p(x|θ). First log p(f(x)) and log|det J_f(x)| must stand side by side.",
    },
)
