"""Solved notebooks as Colab saves them at its worst, cells moved and copied too: all points, and no name is kept."""

import json
import shutil

import pytest

from dgmlib.checks import ASSIGNMENTS
from grading.cli import main
from grading.course import Course
from grading.demo.student import COLAB_RAN, as_colab, code_cell

from .conftest import CHECKOUT

pytestmark = pytest.mark.xdist_group("colab")
SOLVED = [name for name in ASSIGNMENTS if (CHECKOUT / "solutions" / name).is_dir()]
STUDENT = "ann"
NAMES = tuple(COLAB_RAN["user"].values())


def disturbed(solved: dict) -> dict:
    """The first answer twice, the second moved below its check, a cell above all; then saved by Colab."""
    cells = solved["cells"]
    answers = [c for c in cells if c["metadata"].get("nbgrader", {}).get("solution") and c["cell_type"] == "code"]
    first, second = answers[:2]
    cells.insert(cells.index(first) + 1, dict(first, id="copy"))
    cells.remove(second)
    check = next(i for i, cell in enumerate(cells) if cell["id"] == f"check_{second['id']}")
    cells.insert(check + 1, second)
    cells.insert(0, code_cell("print('my notes')", "notes"))
    return as_colab(solved)


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Course:
    """A course folder in which one student handed in all assignments from Colab."""
    course = Course(tmp_path_factory.mktemp("course"))
    shutil.copytree(CHECKOUT / "course", course.released)
    for name in SOLVED:
        file = f"{ASSIGNMENTS[name].notebook}.ipynb"
        solved = json.loads((CHECKOUT / "solutions" / name / file).read_text())
        target = course.submitted / STUDENT / name / file
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(disturbed(solved)))
        assert NAMES[0] in target.read_text()
    shared = ["--course", str(course.root), "--quiet"]
    outcome = course.root / "outcome.json"
    assert main(["autograde", *shared, "--jobs", "1", "--json", str(outcome)]) == 0
    assert main(["feedback", *shared]) == 0
    return course


@pytest.mark.parametrize("name", SOLVED)
def test_all_points(graded, name):
    rows = json.loads((graded.root / "outcome.json").read_text())["submissions"]
    (row,) = [row for row in rows if row["assignment"] == name]
    got = {exercise: result["score"] for exercise, result in row["exercises"].items() if result["laws"]}
    assert got == {e.name: float(e.points) for e in ASSIGNMENTS[name].exercises.values() if not e.written}


def test_no_name_and_no_account_is_stored_or_shown(graded):
    kept = [p for p in graded.data.rglob("*") if p.is_file() and not p.is_relative_to(graded.submitted)]
    kept.append(graded.root / "outcome.json")
    assert {"autograded", "feedback", "verdicts"} <= {p.relative_to(graded.data).parts[0] for p in kept[:-1]}
    for path in kept:
        data = path.read_bytes()
        assert not any(name.encode() in data for name in (*NAMES, "executionInfo")), path
