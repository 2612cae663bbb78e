"""The terms of an exercise: their sum is the right output, and a wrong factor before one or two of them is named."""

import pytest
import torch

from dgmlib.checks import ASSIGNMENTS, evaluate
from dgmlib.checks.assignments import find
from dgmlib.checks.engine.terms import RATIOS
from dgmlib.checks.engine.verdict import CaseResults
from dgmlib.checks.run import split

WITH_TERMS = [e.name for a in ASSIGNMENTS.values() for e in a.exercises.values() if e.terms]


@pytest.mark.parametrize("name", WITH_TERMS)
def test_the_terms_add_up(name):
    exercise = find(name)
    draw, (output,) = exercise.draw(5), exercise.invocation.returns
    seen = CaseResults(exercise, split(draw.inputs), split(draw.expected), split(draw.expected))
    for case in sorted({"value", "float32", "one row"} & set(seen.expected)):
        total = sum(seen.wrong_output(term, case, output) for term in exercise.terms)
        torch.testing.assert_close(
            total, seen.expected[case][output], rtol=1e-4 if case == "float32" else 1e-9, atol=1e-4
        )


@pytest.mark.parametrize("name", WITH_TERMS)
@pytest.mark.parametrize("ratios", [(-2.0, 1.0), (0.0, 2.0), (-1.0, 0.5)], ids=str)
def test_wrong_factors_are_named(name, ratios):
    exercise = find(name)
    ends = exercise.terms[0], exercise.terms[-1]

    def answer(*a):
        return exercise.reference(*a) + sum(
            (ratio - 1) * term.answer(*a) for term, ratio in zip(ends, ratios, strict=True)
        )

    said = next(law.failure.mistake for law in evaluate(exercise, answer, 3) if not law.passed)
    wanted = [f"{term.message} {RATIOS[ratio]}" for term, ratio in zip(ends, ratios, strict=True) if ratio != 1]
    assert said == " ".join(wanted) or said in [mistake.message for mistake in exercise.mistakes]


def test_a_factor_before_all_terms_is_said_of_all():
    exercise = find("forward_kl_loss")
    said = next(law.message for law in evaluate(exercise, lambda *a: 2 * exercise.reference(*a), 3) if not law.passed)
    assert "Every entry is twice the right one" in said
