"""`objective_needs`: what each objective cannot do without."""

import torch

from ...engine import CaseResults, Exercise, Failure, custom
from ...run.record import kind

OBJECTIVES = ("forward_kl", "reverse_kl")
WORDS = ("f", "g", "base density", "base samples", "target density", "target samples")


FORWARD = frozenset({"f", "base density", "target samples"})
REVERSE = frozenset({"g", "base samples", "target density"})
# Why a word is too many, and what its absence would leave undone: by objective.
EXTRA = {
    "forward_kl": {
        "g": "g only draws from the model afterwards; the loss never inverts f",
        "base samples": "no noise is drawn while training on data",
        "target density": "log π(x) is a constant of θ, and of real data nobody knows it",
    },
    "reverse_kl": {
        "f": "x is made by g, and log|det J_f| is -log|det J_g|",
        "base density": "E log p(z) is a constant of θ: drawing from p(z) is enough",
        "target samples": "x comes from the model; π is only evaluated there",
    },
}
MISSING = {
    "forward_kl": {
        "f": "where does z come from?",
        "base density": "log p(f(x)) has to be evaluated",
        "target samples": "over what is the expectation taken?",
    },
    "reverse_kl": {
        "g": "where does x come from?",
        "base samples": "over what is the expectation taken?",
        "target density": "log π(g(z)) has to be evaluated",
    },
}


def reference():
    return {"forward_kl": FORWARD, "reverse_kl": REVERSE}


def probe(answer, given, record):
    """Which of WORDS the answer names, as truth values; an exception says what can't be read."""
    result = answer()
    if not isinstance(result, dict):
        raise TypeError(f"expected a dictionary with the keys 'forward_kl' and 'reverse_kl', got {kind(result)}")
    for name in OBJECTIVES:
        with record.section(name):
            if name not in result:
                raise KeyError(f"the key '{name}' is missing; the dictionary has {sorted(map(str, result))}")
            words = result[name]
            if not isinstance(words, set | frozenset):
                raise TypeError(f"'{name}': expected a set of words such as {{'f', 'base density'}}, got {kind(words)}")
            if unknown := [word for word in words if word not in WORDS]:
                raise ValueError(f"'{name}': {sorted(map(repr, unknown))} is none of {', '.join(map(repr, WORDS))}")
            record[name] = torch.tensor([word in words for word in WORDS])


def right_words(name: str):
    """The law of one objective: the words too many and the questions left open, or what could not be read."""

    def test(seen: CaseResults) -> Failure | str | None:
        want, got = seen.expected["value"][name], seen.outputs["value"].get(name)
        if got is None or got.shape != want.shape or got.dtype != torch.bool:
            return seen.raised("value", f"error.{name}") or "no answer came back"
        too_many = [f"'{w}' is not needed: {EXTRA[name][w]}" for w, a, b in zip(WORDS, got, want, strict=True) if a > b]
        too_few = [MISSING[name][w] for w, a, b in zip(WORDS, got, want, strict=True) if a < b]
        missing = [f"something is missing: {'; '.join(too_few)}"] if too_few else []
        return "; ".join(too_many + missing) or None

    return test


EXERCISE = Exercise(
    __name__,
    points=2,
    slide="Forward KL vs. Reverse KL",
    probe=probe,
    constants={"OBJECTIVES": OBJECTIVES, "WORDS": WORDS},
    cases=lambda rng: {"value": {"nothing": torch.zeros(1)}},
    reference=reference,
    laws=(
        custom("forward KL", 1.0, right_words("forward_kl"), requires=""),
        custom("reverse KL", 1.0, right_words("reverse_kl"), requires=""),
    ),
)
