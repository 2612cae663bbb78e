"""What an instructor who writes an exercise may forget ends in one clear line."""

import pytest

from dgmlib.checks import ASSIGNMENTS
from dgmlib.checks.exercise import Exercise
from dgmlib.checks.laws import value


def exercise(name: str, points: float) -> Exercise:
    return Exercise(name, points, "a slide", cases=lambda rng: {}, laws=(value("value", 1, ["x"]),))


@pytest.mark.parametrize(
    ("name", "points", "match"),
    [("e_step", 2, "weights sum to 1, expected 2 points"), ("e_stop", 1, "no probe has this name")],
)
def test_a_forgotten_part_is_named(name, points, match):
    with pytest.raises(ValueError, match=f"{name}: .*{match}"):
        exercise(name, points)


def test_a_complete_exercise_is_taken():
    assert exercise("e_step", 1).points == 1


def test_no_two_exercises_have_one_name():
    names = [name for assignment in ASSIGNMENTS.values() for name in assignment.exercises]
    assert len(names) == len(set(names))


def test_assignments_come_in_the_order_of_the_lecture():
    assert list(ASSIGNMENTS) == sorted(ASSIGNMENTS)
    assert len(ASSIGNMENTS) >= 5
