"""Checks of the exercises: `check(name, answer)` in a notebook; `dgmlib.checks.assignments` for a grader.

`check` knows the puzzles of `dgmlib.checks.puzzles` too; no grader does. `yours` hands a figure the student's answer.

An exercise's check has four parts: random inputs, a run beside the student's code, what is expected, and a judge.
In a notebook all four run here, on fixed public seeds. Graded runs use secret seeds, and judge in another process.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from .assignments import ASSIGNMENTS, find, owner
from .engine.assignment import Assignment
from .engine.card import Card, NotPassed
from .engine.exercise import Exercise
from .engine.failing import failing
from .engine.puzzle import Puzzle
from .engine.shut import shut
from .engine.verdict import UNSOLVED, CourseFault, LawResult, Mistake
from .puzzles import PUZZLES
from .run import Arrays, run
from .run.modes import defaults
from .run.record import describe

__all__ = [
    "ASSIGNMENTS",
    "PUZZLES",
    "Assignment",
    "Card",
    "CourseFault",
    "Exercise",
    "LawResult",
    "Mistake",
    "check",
    "evaluate",
    "yours",
]

PUBLIC_SEED = 2025
LAST: dict[str, tuple[object, Card]] = {}  # the answer and the card of the last check by name: a figure asks again


def check(name: str, answer=None) -> Card:
    """The card of exercise `name` for `answer`, or for what `name` means in the notebook. A script prints it.

    Never raises, but where nbgrader's Validate runs the notebook: there only an error says "not yet".
    """
    if not isinstance(name, str):
        name = f"check(a {type(name).__name__}, ...)"
    found = outcome(name, answer)
    LAST[name] = in_notebook(name) if answer is None else answer, found
    if name not in PUZZLES and found.state != "solved" and os.environ.get("NBGRADER_VALIDATING"):
        raise NotPassed(repr(found))
    if not shows_values():
        show(found)
    return found


def yours(name: str, otherwise) -> tuple[object, str]:
    """The notebook's answer to exercise `name` and "yours" where its card is green, else `otherwise` and "dgmlib's".

    A cell that draws with it says in the title whose it is: `f, whose = yours("batch_jacobian", flows.batch_jacobian)`.
    """
    answer = in_notebook(name)
    looked_at, found = LAST.get(name, (None, None))
    found = found if found and looked_at is answer else outcome(name, answer)
    return (answer, "yours") if found.state == "solved" else (otherwise, "dgmlib's")


def in_notebook(name: str):
    """What the notebook calls by this name, or None."""
    return vars(sys.modules["__main__"]).get(name)


def outcome(name: str, answer=None) -> Card:
    """The card, whoever asks."""
    exercise, answer = find(name) or PUZZLES.get(name), in_notebook(name) if answer is None else answer
    if exercise is None:
        return Card(str(name), "unsolved", note="no exercise has this name; look at the cell above for the right one")
    if isinstance(exercise, Puzzle):
        return solved_puzzle(exercise, answer)
    if exercise.written:
        return Card(name, "unsolved", note="a written answer, read by a person")
    try:
        if not callable(answer):
            return Card(name, "unsolved", note="not defined yet: run the cell above first")
        return card(exercise, answer)
    except CourseFault as fault:
        return Card(name, "unsolved", note=f"the check itself is broken, tell your instructor: {fault}")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Card(name, "unsolved", note=f"the check could not look at this answer ({describe(error)})")


def solved_puzzle(puzzle: Puzzle, answer) -> Card:
    try:
        laws = tuple(puzzle.judge(answer)) if answer is not None else ()
    except NotImplementedError:
        laws = ()
    if not laws:
        return Card(puzzle.name, "unsolved")
    right = all(law.passed for law in laws)
    return Card(puzzle.name, "solved" if right else "wrong", laws, note="right" if right else "not yet")


def evaluate(exercise: Exercise, answer, seed: int) -> list[LawResult]:
    """All four parts in this process: for notebooks and for tests."""
    return exercise.judge(*observed(exercise, answer, seed))


def observed(exercise: Exercise, answer, seed: int, closed: Sequence[str] = ()) -> tuple[Arrays, Arrays, Arrays, dict]:
    """Inputs, what the answer gave, what is right, what known mistakes give. `closed` modules refuse the answer."""
    with defaults():
        draw = exercise.draw(seed)
        with shut(closed):
            outputs = run(exercise.invocation, answer, draw.inputs)
        return draw.inputs, outputs, draw.expected, draw.mistaken


def card(exercise: Exercise, answer) -> Card:
    """Grey where nothing is solved, green where every law holds, else red."""
    assignment = owner(exercise.name)
    found = observed(exercise, answer, PUBLIC_SEED, assignment.closed if assignment else ())
    laws = exercise.judge(*found)
    if all(law.failure is UNSOLVED for law in laws):
        return Card(exercise.name, "unsolved")
    red = [law for law, result in zip(exercise.laws, laws, strict=True) if not result.passed and not result.waiting]
    if not red:
        return Card(exercise.name, "solved", tuple(laws))
    first = failing(exercise.case_results(*found), red[0])
    return Card(exercise.name, "wrong", tuple(laws), inputs=first.inputs, expected=first.expected)


def shows_values() -> bool:
    """Whether this Python shows the value of a line: a notebook, IPython, a console; a script does not."""
    asked = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return hasattr(sys, "ps1") or asked() is not None


def show(card: Card):
    """On standard output, whatever it can write."""
    with suppress(OSError, ValueError, AttributeError):
        encoding = sys.stdout.encoding or "utf-8"
        print(repr(card).encode(encoding, "replace").decode(encoding))
