"""Puzzles: names of `check` that no grader knows; `yours`; the case that a red card hands over."""

import itertools
import sys

import pytest
import torch

from dgmlib.checks import ASSIGNMENTS, PUZZLES, check, evaluate, yours
from dgmlib.checks.engine.exercise import Exercise
from dgmlib.checks.engine.puzzle import choice, steps

EXERCISES = {e.name: e for a in ASSIGNMENTS.values() for e in a.exercises.values()}
ORDER = steps("m.order", {"B": "definition", "A": "chain rule"}, {"A": "A wants B.", "B": "B starts."})
LAYER = choice("m.layer", 2, {1: "Layer 1 has volume 1.", 3: "Layer 3 has volume 1."})


def said(puzzle, answer) -> list[str]:
    return [law.message for law in puzzle.judge(answer) if not law.passed and not law.waiting]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("B definition\nA chain rule", None),
        ("\n b: Definition \n A  CHAIN   rule\n", None),
        (["B definition", ("A", "chain rule")], None),
        ("A chain rule\nB definition", "line 1: A does not come yet. A wants B."),
        ("B chain rule\nA chain rule", "another rule leads to B"),
        ("B definition", "expected each of A, B once, a line each, got B"),
        ("B definition\nB definition", "expected each of A, B once, a line each, got B, B"),
        ("B defnition\nA chain rule", "'defnition' is none of the rules: chain rule, definition"),
        ("B\nA chain rule", "'nothing' is none of the rules: chain rule, definition"),
        ("", "expected each of A, B once, a line each, got nothing"),
        (7, "this answer could not be read (TypeError: 'int' object is not iterable)"),
        ([()], "expected each of A, B once, a line each, got nothing"),
    ],
)
def test_steps_to_order(answer, message):
    assert said(ORDER, answer) == ([message] if message else [])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (2, None),
        (1, "Layer 1 has volume 1."),
        (4, "expected one of 1, 2, 3, got 4"),
        ("2", "expected one of 1, 2, 3, got '2'"),
        (True, "expected one of 1, 2, 3, got True"),
        ([2], "expected one of 1, 2, 3, got [2]"),
        (torch.ones(2), "this answer could not be read"),
    ],
)
def test_a_choice(answer, message):
    found = said(LAYER, answer)
    assert len(found) == bool(message)
    assert all(words.startswith(message) for words in found)


def test_no_grader_knows_a_puzzle():
    assert PUZZLES
    assert not PUZZLES.keys() & EXERCISES.keys()
    assert all(puzzle.points == 0 for puzzle in PUZZLES.values() if isinstance(puzzle, Exercise))


@pytest.mark.parametrize("name", PUZZLES)
def test_a_puzzle_is_named_as_its_file_and_is_grey_until_answered(monkeypatch, name):
    assert PUZZLES[name].name == name
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")  # worth nothing, so it stops nobody
    assert repr(check(name)) == f"○ {name}: not solved yet"
    assert check(name, "no answer").state == "wrong"


def test_the_steps_of_the_duality_proof():
    lines = ["D definition", "B change of variables", "E LOTUS", "A inverse", "F change of variables", "C definition"]
    assert check("duality_steps", lines).state == "solved"
    late = [*lines[:2], *lines[3:], lines[2]]
    assert "line 3: A does not come yet. It holds J_f" in repr(check("duality_steps", late))


STEPS = {
    "decomposition_steps": "B definition\nD product rule\nA no z\nC definition",
    "climbing_steps": "C E-step\nB M-step\nA gap",
}
RIGHT = {
    "leaky_layer": "B",
    "wrong_side": 1,
    "negative_gap": 1,
    "falling_steps": 2,
    "pooled_estimate": lambda batches: torch.logsumexp(batches, 0) - torch.tensor(float(len(batches))).log(),
    **STEPS,
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_of_each_puzzle(name):
    assert check(name, RIGHT[name]).state == "solved"


@pytest.mark.parametrize("name", STEPS)
def test_every_other_order_is_wrong_and_says_what_must_stand_before(name):
    lines = STEPS[name].splitlines()
    for order in itertools.permutations(lines):
        card = check(name, list(order))
        assert (card.state == "solved") == (list(order) == lines)
        assert card.state == "solved" or "does not come yet. It " in repr(card)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda batches: batches.mean(0), "mean of the logs again"),
        (lambda batches: torch.logsumexp(batches, 0), "log of their mean"),
        (lambda batches: batches.exp().mean(0).log(), "stability: at estimates near -2000"),
        (lambda batches: torch.logsumexp(batches, 0).mean(), "expected one number for each event, (2,), got ()"),
        (lambda batches: batches.max(0).values, "expected 0.6931, got 1.099"),
        (lambda batches: batches.foo, "could not be read (AttributeError"),
        (3.0, "expected a function"),
    ],
)
def test_what_a_wrong_pool_of_batches_is_told(answer, message):
    assert message in repr(check("pooled_estimate", answer))


def test_a_puzzle_whose_function_is_not_written_yet_is_grey():
    def pooled_estimate(batches):
        raise NotImplementedError

    assert check("pooled_estimate", pooled_estimate).state == "unsolved"


def right_sum(f, x):
    return torch.func.vmap(torch.func.jacrev(f))(x)


def test_a_figure_gets_the_students_answer_where_its_card_is_green(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "batch_jacobian", right_sum, raising=False)
    assert yours("batch_jacobian", None) == (right_sum, "yours")
    for answer in (lambda f, x: x, None):
        monkeypatch.setattr(main, "batch_jacobian", answer)
        assert yours("batch_jacobian", right_sum) == (right_sum, "dgmlib's")


def test_a_red_card_hands_over_the_case_that_failed():
    """Right but for a single row: the first case is right, and the one handed over reproduces the fault."""

    def one_row_is_wrong(f, x):
        return right_sum(f, x) * (2 if len(x) == 1 else 1)

    card = check("batch_jacobian", one_row_is_wrong)
    assert card.state == "wrong"
    assert card.inputs["x"].shape[0] == 1
    assert torch.equal(one_row_is_wrong(*card.inputs.values()), 2 * card.expected["jacobian"])
    assert "card.inputs and card.expected" in repr(card)
    assert "card.inputs and card.expected" in card._repr_html_()


@pytest.mark.parametrize("name", [name for name, e in EXERCISES.items() if not e.written and e.mistakes])
def test_what_is_expected_is_what_the_reference_gives(name):
    exercise = EXERCISES[name]
    cards = (check(name, mistake.answer) for mistake in exercise.mistakes)
    card = next(c for c in cards if c.inputs and set(exercise.outputs) <= set(c.expected))  # a value is wrong
    assert card.expected
    if not exercise.probe:
        returned = exercise.reference(*card.inputs.values())
        returned = returned if isinstance(returned, tuple) else (returned,)
        for got, output in zip(returned, exercise.outputs, strict=True):
            torch.testing.assert_close(got.detach(), card.expected[output])


def test_a_green_card_hands_over_nothing():
    exercise = EXERCISES["forward_kl_loss"]
    card = check(exercise.name, exercise.reference)
    assert (card.inputs, card.expected, card.look) == ({}, {}, "")
    assert all(law.passed for law in evaluate(exercise, exercise.reference, 1))
