"""What a verdict is made of: weights, waiting laws, unsolved answers, and outputs that a hostile answer forged."""

import numpy as np
import pytest
import torch

from dgmlib.checks import ASSIGNMENTS, check, evaluate
from dgmlib.checks.assignments import find
from dgmlib.checks.run import join, run, split
from dgmlib.checks.run.record import Record, text, untext

EXERCISES = [e for a in ASSIGNMENTS.values() for e in a.exercises.values() if not e.written]


def ids(exercise):
    return exercise.name


def nothing(*arguments):
    raise NotImplementedError


def crash(*arguments):
    raise RuntimeError("as a student's typo would")


def forgets_to_return(*arguments):
    return None


def zeros(*arguments):
    return tuple(torch.zeros_like(a) for a in arguments if isinstance(a, torch.Tensor)) or torch.zeros(())


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids)
def test_stub_is_unsolved_and_earns_nothing(exercise):
    laws = evaluate(exercise, nothing, 5)
    assert {law.message for law in laws} == {"not solved yet"}
    assert not any(law.passed for law in laws)
    assert check(exercise.name, nothing).state == "unsolved"


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids)
@pytest.mark.parametrize("answer", [crash, zeros, forgets_to_return, torch.nn.Identity], ids=lambda a: a.__name__)
def test_useless_answer_earns_nothing(exercise, answer):
    assert sum(law.weight for law in evaluate(exercise, answer, 5) if law.passed) == 0


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids)
def test_weights_are_the_points_and_inputs_follow_the_seed(exercise):
    assert sum(law.weight for law in exercise.laws) == exercise.points
    assert len({law.name for law in exercise.laws}) == len(exercise.laws)
    first, again, other = (exercise.inputs(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert all(torch.equal(first[key], again[key]) for key in first)
    if exercise.name != "objective_needs":  # it takes nothing
        assert any(first[key].shape != other[key].shape or not torch.equal(first[key], other[key]) for key in first)


FORGED = {
    "nothing": lambda value: None,
    "empty": lambda value: value.new_empty(0),
    "infinite": lambda value: torch.full_like(value, torch.inf) if value.is_floating_point() else value,
    "bytes": lambda value: torch.zeros(3, dtype=torch.uint8),
    "complex": lambda value: torch.zeros(value.shape, dtype=torch.complex128),
    "more axes": lambda value: value[None, None],
}


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids)
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_forged_outputs_are_judged_without_an_error(exercise, forge):
    inputs = exercise.inputs(np.random.default_rng(8))
    expected = exercise.expected(inputs)
    outputs = {key: made for key, value in expected.items() if (made := forge(value)) is not None}
    if all(key in outputs and torch.equal(outputs[key], value) for key, value in expected.items()):
        return  # truth values: nothing to forge here
    laws = exercise.judge(inputs, outputs, expected)
    assert not all(law.passed for law in laws)


def test_split_and_join_are_inverse():
    flat = {"a/x": torch.ones(2), "a/y.z": torch.ones(1), "b/x": torch.zeros(3)}
    assert join(split(flat)).keys() == flat.keys()


@pytest.mark.parametrize("word", ["", "plain", "σ² · ∞", "x" * 5000])
def test_text_round_trip(word):
    assert untext(text(word)) == word[:1000]


def test_run_leaves_random_state_alone():
    before = torch.get_rng_state()
    exercise = find("batch_jacobian")
    run(exercise.invocation, lambda f, x: torch.rand(3), exercise.inputs(np.random.default_rng(0)))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "return missing"),
        (1.0, "expected a tensor"),
        ((torch.ones(1),), "2 values"),
        ([1, 2], "expected a tensor"),
    ],
)
def test_record_says_what_is_wrong_with_the_form(result, message):
    with pytest.raises(TypeError, match=message):
        Record().returned(result, "z", "log_det") if result != 1.0 else Record().returned(result, "loss")


class Planted(Exception):
    pass


def raising(exercise, call: int):
    """The reference, but its call number `call` raises: of a function, or of a layer's `forward` and `inverse`."""
    count = iter(range(10**6))

    def planted(function):
        def called(*arguments, **options):
            if next(count) == call:
                raise Planted("at\nan <odd> call")
            return function(*arguments, **options)

        return called

    reference = exercise.reference
    if not isinstance(reference, type):
        return planted(reference)
    methods = {name: planted(getattr(reference, name)) for name in ("forward", "inverse") if hasattr(reference, name)}
    return type(reference.__name__, (reference,), methods)


@pytest.mark.parametrize("exercise", EXERCISES, ids=ids)
def test_an_exception_is_always_said_to_be_the_answers(exercise):
    """In whichever call it comes and whichever law meets it; the words whole, in one line."""
    said = []
    for call in (0, 1, 2, 4, 7):
        messages = {law.message for law in evaluate(exercise, raising(exercise, call), 5)}
        said += [message for message in messages if "Planted" in message]
    assert said
    assert [m for m in said if "your answer raised Planted: at an <odd> call" not in m] == []


def polar(U, S, V):
    """A rotation as the orthogonal factor of any matrix: its gradient is nan where singular values are equal."""
    return U @ V


class PolarQR(torch.nn.Module):
    def __init__(self, weight):
        super().__init__()
        Q, R = torch.linalg.qr(weight.detach())
        self.A, self.R = torch.nn.Parameter(Q), torch.nn.Parameter(R)

    @property
    def W(self):
        return polar(*torch.linalg.svd(self.A)) @ self.R.triu()

    def forward(self, x):
        return x @ self.W.T, self.R.diagonal().abs().log().sum().expand(len(x))

    def inverse(self, z):
        return torch.linalg.solve(self.W, z.T).T, -self.R.diagonal().abs().log().sum().expand(len(z))


def test_a_gradient_of_nan_is_a_red_card_and_no_error():
    card = check("QRLinear", PolarQR)
    assert card.state == "wrong"
    assert any(law.passed for law in card.laws)
    assert "the gradient of inverse by the parameters is not finite" in repr(card)
