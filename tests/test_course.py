"""A release: unsolved it scores 0 with grey cards and runs to its end; the solution earns all points."""

import ast
import json
import re
from pathlib import Path

import nbformat
import pytest

from dgmlib.checks import ASSIGNMENTS, PUZZLES
from grading.cli import main

from .run_all import run_all

ROOT = Path(__file__).parent.parent
EVERY = pytest.mark.parametrize("assignment", ASSIGNMENTS.values(), ids=lambda a: a.name)


def path(folder: str, assignment) -> Path:
    return ROOT / folder / assignment.name / f"{assignment.notebook}.ipynb"


def graded(notebook: Path, tmp_path: Path) -> dict:
    outcome = tmp_path / "outcome.json"
    assert main(["check", str(notebook), "--json", str(outcome), "--quiet", "--secret", "test"]) == 0
    return json.loads(outcome.read_text())


def shown(cell) -> str:
    """All text of a cell's outputs."""
    texts = [output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)


@EVERY
def test_released_notebook_runs_to_its_end_with_grey_cards(assignment, tmp_path):
    notebook = nbformat.read(path("course", assignment), as_version=4)
    run_all(notebook, tmp_path)
    cells = {cell.id: cell for cell in notebook.cells}
    for exercise in assignment.exercises.values():
        if not exercise.written:
            assert "not solved yet" in shown(cells[f"check_{exercise.name}"]), exercise.name


@EVERY
def test_blank_earns_nothing_and_the_solution_everything(assignment, tmp_path):
    blank, solved = (graded(path(folder, assignment), tmp_path) for folder in ("course", "solutions"))
    written = sum(e.points for e in assignment.exercises.values() if e.written)
    assert (blank["score"], solved["score"]) == (0, assignment.points - written)
    assert set(blank["exercises"]) == set(assignment.exercises)
    assert solved["max_score"] == assignment.points


@EVERY
def test_readme_names_the_points(assignment):
    row = re.search(rf"^\| `{assignment.name}` \|.*\| (\d+) \|$", (ROOT / "README.md").read_text(), re.M)
    assert row, "README's table lacks this notebook"
    assert int(row[1]) == assignment.points


@EVERY
def test_points_in_the_notebook_are_the_checks(assignment):
    cells = nbformat.read(path("course", assignment), as_version=4).cells
    about = [cell.metadata.get("nbgrader", {}) for cell in cells]
    points = {n["grade_id"].removeprefix("check_"): n["points"] for n in about if n.get("grade")}
    assert points == {e.name: e.points for e in assignment.exercises.values()}
    assert all(cell.id == n["grade_id"] for cell, n in zip(cells, about, strict=True) if n)


@EVERY
def test_a_cell_that_tries_answers_shows_their_errors(assignment):
    """An answer not written yet is said in one line; an answer that breaks shows its own traceback."""
    (mine,) = (cell for cell in nbformat.read(path("course", assignment), as_version=4).cells if cell.id == "mine")
    caught = [node.type.id for node in ast.walk(ast.parse(mine.source)) if isinstance(node, ast.ExceptHandler)]
    assert caught == ["NotImplementedError"]


@EVERY
def test_every_prediction_has_a_guess_that_is_compared_and_counted(assignment):
    """A guess: its cell of one line, one comparison in a later cell, in the order of the text; the count at the end."""
    cells = nbformat.read(path("course", assignment), as_version=4).cells
    predicted = [n for n, cell in enumerate(cells) if cell.cell_type == "markdown" and "**Predict:**" in cell.source]
    guessed = [n for n, cell in enumerate(cells) if cell.id.startswith("guess_")]
    assert guessed == [n + 1 for n in predicted]
    for n in guessed:
        assert re.fullmatch(rf"{cells[n].id} = None  # .+", cells[n].source)
        (compared,) = (m for m, c in enumerate(cells) if re.search(rf"compare\(.*\b{cells[n].id}\b", c.source, re.S))
        assert compared > n
    assert [cell.id for cell in cells if "guesses.count()" in cell.source] == ["count_guesses"]


@EVERY
def test_a_puzzle_has_an_answer_cell_and_a_check(assignment):
    cells = nbformat.read(path("course", assignment), as_version=4).cells
    asked = [re.search(r'check\("(\w+)", (\w+)\)', cell.source) for cell in cells if cell.id.startswith("try_")]
    assert asked
    for name, answer in (found.groups() for found in asked):
        assert name in PUZZLES
        (place,) = (cell for cell in cells if cell.id == answer)
        assert not place.metadata.nbgrader.locked
        assert place.source.startswith((f"{answer} = None  # ", f"def {answer}("))


def test_every_puzzle_stands_in_a_notebook():
    texts = "".join(path("course", assignment).read_text() for assignment in ASSIGNMENTS.values())
    assert all(f'check(\\"{name}\\"' in texts for name in PUZZLES)


@EVERY
def test_at_least_three_figures_use_the_students_own_answers(assignment):
    cells = nbformat.read(path("course", assignment), as_version=4).cells
    used = [name for cell in cells if cell.cell_type == "code" for name in re.findall(r'yours\("(\w+)"', cell.source)]
    assert len(set(used)) >= 3
    assert set(used) <= set(assignment.exercises)


@EVERY
def test_a_notebook_is_no_longer_than_it_may_be(assignment):
    cells = nbformat.read(path("course", assignment), as_version=4).cells
    texts = [re.sub(r"<details>.*?</details>", "", c.source, flags=re.S) for c in cells if c.cell_type == "markdown"]
    assert sum(len(text.split()) for text in texts) <= 2800
    assert len(cells) <= 75
