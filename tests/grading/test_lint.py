"""What notebook and checks say differently is one line and exit code 3, before a student meets it."""

import json
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from dgmlib.checks import CourseFault
from dgmlib.checks.assignments import find, owner
from dgmlib.checks.engine import custom
from grading.cli import main
from grading.releasing import lint, numbers

from . import classroom

TINY, NAME = classroom.TINY, "batch_jacobian"
PATH = Path("tiny.ipynb")


def notebook():
    return nbformat.from_dict(classroom.released())


def cells(made) -> dict:
    return {cell.id: cell for cell in made.cells}


def card(text: str) -> dict:
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": text}}


def without(made, name):
    made.cells = [cell for cell in made.cells if cell.id != name]


DIFFERENCES = {
    "has no cell check_batch_jacobian": lambda made: without(made, f"check_{NAME}"),
    "has no cell batch_jacobian": lambda made: without(made, NAME),
    "cell check_batch_jacobian has 3 points, the check 2": lambda made: points(made, 3.0),
    "cell check_batch_jacobian is no autograded test": lambda made: kind(made, f"check_{NAME}", grade=False),
    "cell batch_jacobian is no autograded answer": lambda made: kind(made, NAME, solution=False),
    'does not call check("batch_jacobian", batch_jacobian)': lambda made: source(
        made, f"check_{NAME}", "check('b', b)"
    ),
    "cell stray belongs to no exercise": lambda made: made.cells.append(
        nbformat.from_dict(classroom.answer("stray", "x = 1"))
    ),
}


def points(made, number):
    cells(made)[f"check_{NAME}"].metadata.nbgrader.points = number


def kind(made, name, **changes):
    cells(made)[name].metadata.nbgrader.update(changes)


def source(made, name, text):
    cells(made)[name].source = text


def test_a_released_notebook_says_what_the_checks_say():
    assert lint.lint(notebook(), PATH, TINY, solved=False) == []


@pytest.mark.parametrize(("line", "change"), DIFFERENCES.items(), ids=DIFFERENCES.keys())
def test_each_difference_is_a_line(line, change):
    made = notebook()
    change(made)
    (found,) = lint.lint(made, PATH, TINY, solved=False)
    assert found.startswith("tiny.ipynb: ")
    assert line in found


def test_a_solution_needs_its_marks_and_nothing_left_to_do():
    made = notebook()
    assert all("has no BEGIN SOLUTION" in line for line in lint.lint(made, PATH, TINY, solved=True))
    for name in classroom.NAMES:
        source(made, name, "### BEGIN SOLUTION\n1  # TODO\n### END SOLUTION")
    assert [line.partition(" says ")[2] for line in lint.lint(made, PATH, TINY, solved=True)] == ["TODO", "TODO"]


def test_numbers_stand_once():
    made = notebook()
    made.cells[
        0
    ].source = "# Flows\n\n99 points · 7 exercises · an hour\n\n### Exercise 9 · `batch_jacobian`\n**1 point · ●○○**"
    points(made, 3.0)
    assert lint.headings(made, PATH, TINY)
    assert numbers.fill(made, TINY)
    assert "5 points · 2 exercises · an hour\n" in made.cells[0].source
    assert "### Exercise 1 · `batch_jacobian`\n**2 points · ●○○**" in made.cells[0].source
    assert lint.lint(made, PATH, TINY, solved=False) == []
    assert not numbers.fill(made, TINY)


def test_a_reference_that_raises_or_fails_is_the_courses_fault():
    right = TINY.exercises[NAME]
    assert lint.own_faults(right) == []
    (raised,) = lint.own_faults(replace(right, reference=lambda f, x: f.nothing))
    assert "test_lint.py" in raised
    assert "the reference raised AttributeError" in raised
    odd = (*right.laws, custom("odd", 1.0, lambda seen: "never"))
    (failed,) = lint.own_faults(replace(right, points=right.points + 1, laws=odd))
    assert failed.endswith("the reference fails the law 'odd': never")
    assert lint.own_faults(replace(right, points=right.points + 1, laws=odd, reference_breaks=("odd",))) == []
    (raised,) = lint.own_faults(replace(right, cases=lambda rng: {}["value"]))
    assert "KeyError" in raised
    (unfinished,) = lint.own_faults(replace(right, slide="TODO"))
    assert unfinished.endswith("says TODO")


def test_autograde_stops_before_a_student_pays(course, hand_in, capsys):
    path = course.released_notebook(TINY)
    made = json.loads(path.read_text())
    made["cells"][-1]["metadata"]["nbgrader"]["points"] = 99
    path.write_text(json.dumps(made))
    hand_in("ann", classroom.data(classroom.solved()))
    assert main(["autograde", "--course", str(course.root), "--secret", "s"]) == 3
    assert "has 99 points, the check 3" in capsys.readouterr().err
    with pytest.raises(CourseFault):
        lint.released(course, [TINY.name])


@pytest.mark.parametrize("command", ["autograde", "check"])
def test_a_reference_that_raises_on_one_students_case_is_the_courses_fault(
    course, hand_in, capsys, monkeypatch, command
):
    """Found with no seed of the lint's: his submission has no verdict, and the exit code says whose fault that is."""

    def reference(f, x):
        raise ZeroDivisionError("on this seed")

    hand_in("ann", classroom.data(classroom.solved()))
    (file,) = course.submissions(TINY.name)["ann"]
    monkeypatch.setattr(lint, "faults", lambda names: [])
    monkeypatch.setitem(TINY.exercises, NAME, replace(TINY.exercises[NAME], reference=reference))
    words = [str(file)] if command == "check" else ["--jobs", "1"]
    assert main([command, *words, "--course", str(course.root), "--secret", "s"]) == 3
    said = capsys.readouterr().err
    assert all(word in said for word in ("failed: batch_jacobian", "test_lint.py", "ZeroDivisionError"))


def test_references_are_tried_once_for_each_version_of_the_code(course, monkeypatch):
    tried = []
    monkeypatch.setattr(lint, "own_faults", lambda exercise: tried.append(exercise.name) or [])
    lint.released(course, [TINY.name])
    once = list(tried)
    assert NAME in once
    lint.released(course, [TINY.name])
    assert tried == once
    monkeypatch.setattr(lint.store, "version", lambda: "another")
    lint.released(course, [TINY.name])
    assert tried == 2 * once
    monkeypatch.setattr(lint, "own_faults", lambda exercise: ["a fault"])
    monkeypatch.setattr(lint.store, "version", lambda: "a third")
    for _ in range(2):  # what failed is tried again
        with pytest.raises(CourseFault):
            lint.released(course, [TINY.name])


def formerly(*names: str):
    jacobians = replace(TINY.exercises[NAME], formerly=names)
    return replace(TINY, exercises=TINY.exercises | {NAME: jacobians})


def test_former_names_stand_with_the_points_and_are_no_names_of_today(monkeypatch):
    made, old = notebook(), formerly("jacobians")
    (said,) = lint.lint(made, PATH, old, solved=False)
    assert said.endswith("cell check_batch_jacobian is formerly (), the check ('jacobians',): release it again")
    assert numbers.fill(made, old)
    assert lint.lint(made, PATH, old, solved=False) == []
    assert numbers.fill(made, TINY)
    assert "dgmlib" not in cells(made)[f"check_{NAME}"].metadata
    monkeypatch.setitem(lint.ASSIGNMENTS, TINY.name, formerly("gaussian_kl", "a", "a"))
    found = "\n".join(lint.faults([]))
    assert "formerly 'gaussian_kl' is the name of an exercise" in found
    assert "a: formerly of two exercises" in found


def test_a_check_answers_to_its_former_name(monkeypatch):
    monkeypatch.setitem(lint.ASSIGNMENTS, TINY.name, formerly("jacobians"))
    assert find("jacobians").name == owner("jacobians").exercises[NAME].name == NAME
    assert find("jacobian") is None


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}, "ended in ValueError"),
        (card("✗ batch_jacobian: 2 of 7 laws passed"), "shows a card that is not green"),
        (card("○ batch_jacobian: not solved yet"), "shows a card that is not green"),
        (card("✓ batch_jacobian: 7 of 7 laws passed"), ""),
    ],
)
def test_a_solution_that_was_run_shows_no_error_and_green_cards(output, said):
    made = notebook()
    assert lint.outputs(made, PATH) == []  # one that was not run says nothing
    cells(made)[f"check_{NAME}"].outputs = [nbformat.from_dict(output)]
    assert lint.outputs(made, PATH) == [f"tiny.ipynb: cell check_{NAME} {said}: mend it, then run the notebook"] * bool(
        said
    )
