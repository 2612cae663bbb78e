"""What an instructor who writes an exercise may forget ends in one clear line."""

import pytest

from dgmlib.checks import ASSIGNMENTS
from dgmlib.checks.engine import Exercise, gradient, value


def scatter(x):
    return x - x.mean(0)


def reaches_out(answer, given, record):
    record["z"] = scatter(answer(given["x"]))


def exercise(**changes) -> Exercise:
    given = {"call": "x", "returns": "z", "cases": lambda rng: {}, "reference": scatter, "laws": (value(),)}
    return Exercise("course.folder.centred", **({"points": 1, "slide": "a slide"} | given | changes))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"laws": (value(weight=0.5),)}, "weights sum to 0.5, expected 1 points"),
        ({"laws": (gradient(1), value())}, "1 of 1 points are taken, and 'value' wants the rest"),
        ({"call": "x, n:integer"}, "'n:integer': an array is handed over as one of int, float, simplex, symmetric"),
        ({"call": "x, flew()"}, "'flew\\(\\)' is no fixture; there are .*flow"),
        ({"probe": reaches_out}, "the probe uses scatter, which the sandbox has not"),
        ({"reference": None}, "reference"),
    ],
)
def test_what_an_author_forgot_is_named(changes, match):
    with pytest.raises(ValueError, match=f"^centred: .*{match}"):
        exercise(**changes)


def test_the_value_takes_what_the_other_laws_leave():
    laws = exercise(points=0.7, laws=(gradient(0.1), value(), value("z", weight=0.2))).laws
    assert sum(law.weight for law in laws) == pytest.approx(0.7)
    assert laws[1].weight == pytest.approx(0.4)


def test_no_two_exercises_have_one_name():
    names = [name for assignment in ASSIGNMENTS.values() for name in assignment.exercises]
    assert len(names) == len(set(names))


def test_assignments_come_in_the_order_of_the_lecture():
    assert list(ASSIGNMENTS) == sorted(ASSIGNMENTS)
    assert len(ASSIGNMENTS) >= 5
