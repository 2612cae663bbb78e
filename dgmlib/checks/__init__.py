"""Checks of the exercises: `check(name, answer)` in a notebook; `dgmlib.checks.assignments` for a grader.

An exercise's check has four parts: random inputs, a run beside the student's code, what is expected, and a judge.
In a notebook all four run here, on fixed public seeds. Graded runs use secret seeds, and judge in another process.
"""

import os
import sys

import numpy as np

from .assignments import ASSIGNMENTS, find
from .engine.assignment import Assignment
from .engine.card import Card, NotPassed
from .engine.exercise import Exercise
from .engine.verdict import UNSOLVED, CourseFault, LawResult, Mistake
from .run import run
from .run.modes import defaults

__all__ = ["ASSIGNMENTS", "Assignment", "Card", "CourseFault", "Exercise", "LawResult", "Mistake", "check", "evaluate"]

PUBLIC_SEED = 2025


def check(name: str, answer=None) -> Card:
    """The card of exercise `name` for `answer`, or for what `name` means in the notebook.

    Never raises, but where nbgrader's Validate runs the notebook: there only an error says "not yet".
    """
    found = outcome(name, answer)
    if found.state != "solved" and os.environ.get("NBGRADER_VALIDATING"):
        raise NotPassed(repr(found))
    return found


def outcome(name: str, answer=None) -> Card:
    """The card, whoever asks."""
    exercise = find(name)
    if exercise is None:
        return Card(str(name), "unsolved", note="no exercise has this name; look at the cell above for the right one")
    if exercise.written:
        return Card(name, "unsolved", note="a written answer, read by a person")
    answer = getattr(sys.modules["__main__"], name, None) if answer is None else answer
    if not callable(answer):
        return Card(name, "unsolved", note="not defined yet: run the cell above first")
    try:
        return card(exercise, evaluate(exercise, answer, PUBLIC_SEED))
    except CourseFault as fault:
        return Card(name, "unsolved", note=f"the check itself is broken, tell your instructor: {fault}")
    except Exception as error:
        return Card(name, "unsolved", note=f"the check could not look at this answer ({type(error).__name__}: {error})")


def evaluate(exercise: Exercise, answer, seed: int) -> list[LawResult]:
    """All four parts in this process: for notebooks and for tests."""
    with defaults():
        inputs = exercise.inputs(np.random.default_rng(seed))
        return exercise.judge(inputs, run(exercise.invocation, answer, inputs), exercise.expected(inputs))


def card(exercise: Exercise, laws: list[LawResult]) -> Card:
    """Grey where nothing is solved, green where every law holds, else red."""
    if all(law.failure is UNSOLVED for law in laws):
        return Card(exercise.name, "unsolved")
    return Card(exercise.name, "solved" if all(law.passed for law in laws) else "wrong", tuple(laws))
