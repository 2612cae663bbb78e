"""What an instructor who writes an exercise may forget ends in one clear line."""

import json
from pathlib import Path

import pytest
import torch

from dgmlib.checks import ASSIGNMENTS, CourseFault, evaluate
from dgmlib.checks.assignments import find
from dgmlib.checks.engine import Exercise, custom, gradient, interface_laws, normal, shapes, value


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


def mean_of(x):
    return x.mean(0)


def cases(rng):
    return {"value": {"x": normal(rng, 4, 2)}, "float32": {"x": normal(rng, 4, 2).float()}}


def breaks_at_nan(seen):
    if seen.outputs["value"]["z"].isnan().any():
        raise ArithmeticError
    return None


def broken(seen):
    return seen.outputs["value"]["zz"]


def judged(answer, laws, **changes):
    made = exercise(cases=cases, laws=laws, **changes)
    return {law.law: law for law in evaluate(made, answer, 1)}


def test_a_law_that_breaks_takes_no_other_with_it():
    laws = (custom("odd", 0.25, breaks_at_nan, requires=""), value(cases=["float32"]))
    found = judged(lambda x: scatter(x) if x.dtype == torch.float32 else x * torch.nan, laws)
    assert found["value"].passed
    assert found["odd"].message == "z: expected finite numbers, got nan at [0, 0]."


def test_a_fault_of_the_course_is_no_students():
    with pytest.raises(CourseFault, match=r"centred: the law 'odd' raised KeyError: 'zz'"):
        judged(mean_of, (custom("odd", 0.25, broken, requires=""), value()))
    with pytest.raises(
        CourseFault, match=r"centred \(.*test_exercise.py:\d+\): the reference raised AttributeError.*'value'"
    ):
        judged(mean_of, (value(),), reference=lambda x: x.meen(0))


def test_a_tolerance_holds_wherever_the_output_is_compared():
    laws = (*interface_laws(), value(), shapes(0.125, ["value"]))
    assert not judged(lambda x: scatter(x) * (1 + 1e-4), laws)["value"].passed
    loose = (*interface_laws(), value(tolerance=1e-3), shapes(0.125, ["value"]))
    assert all(law.passed for law in judged(lambda x: scatter(x) * (1 + 1e-4), loose).values())
    assert not judged(lambda x: scatter(x) * 1.01, loose)["value"].passed


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_exercises_come_in_the_order_of_the_notebook(name):
    assignment = ASSIGNMENTS[name]
    file = Path(__file__).parents[2] / "course" / name / f"{assignment.notebook}.ipynb"
    cells = [cell["metadata"].get("nbgrader", {}) for cell in json.loads(file.read_text())["cells"]]
    graded = [cell["grade_id"].removeprefix("check_") for cell in cells if cell.get("grade")]
    assert list(assignment.exercises) == graded


def test_the_sandbox_is_told_how_to_call_and_nothing_else():
    invocation = find("reverse_kl_loss").invocation
    assert invocation.arguments == ["flow()", "z", "target_log_prob()"]
    assert invocation.probe == ""
    for assignment in ASSIGNMENTS.values():
        for made in assignment.exercises.values():
            request = json.loads(json.dumps(made.request)) if not made.written else {}
            assert "import" not in request.get("probe", ""), made.name
