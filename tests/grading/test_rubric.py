"""The rubric of a written proof: beside the proof in formgrader, and nowhere that a student sees."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grading
from grading.course import Course
from grading.notebook import graded, parse
from grading.notebook.repair import repair

from . import classroom

CHECKOUT = Path(grading.__file__).resolve().parent.parent
PROOFS = {
    "01_forward_reverse_kl": ("forward_reverse_kl", "duality_proof"),
    "03_elbo": ("elbo", "decomposition_proof"),
}
PROOF = "Substitute $z = f(x)$; the Jacobians cancel. $\\square$"
SECRETS = ("Rubric", "Model answer", "For the grader")


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Course:
    """A course folder with the two proofs' assignments, and ann who wrote both and nothing else."""
    course = Course(tmp_path_factory.mktemp("rubric"))
    shutil.copy(CHECKOUT / "nbgrader_config.py", course.root)
    for name, (book, proof) in PROOFS.items():
        for folder in ("course", "solutions"):
            shutil.copytree(CHECKOUT / folder / name, course.root / folder / name)
        notebook = json.loads((course.released / name / f"{book}.ipynb").read_text())
        classroom.at(notebook, proof)["source"] = PROOF
        target = course.submitted / "ann" / name / f"{book}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(notebook))
    return course


def command(room: Course, *words: str):
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(words, cwd=room.root, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr


def beside_the_proof(room: Course, name: str) -> str:
    """The text of the cell after ann's proof, which is as she wrote it; nbgrader grades no cell more than before."""
    book, proof = PROOFS[name]
    shown = json.loads((room.autograded / "ann" / name / f"{book}.ipynb").read_text())
    released = json.loads((room.released / name / f"{book}.ipynb").read_text())
    place = classroom.place(shown, proof)
    assert "".join(shown["cells"][place]["source"]) == PROOF
    assert len(shown["cells"]) == len(released["cells"]) + 1
    assert "nbgrader" not in shown["cells"][place + 1]["metadata"]
    return "".join(shown["cells"][place + 1]["source"])


@pytest.mark.xdist_group("rubric")  # the second way grades what the first has registered
@pytest.mark.parametrize("way", ["ours", pytest.param("nbgrader's", marks=pytest.mark.slow)])
def test_the_rubric_is_beside_the_proof_and_in_nothing_for_students(room, way):
    ours = [sys.executable, "-m", "grading"], ["--course", str(room.root), "--quiet"]
    if way == "ours" or not room.gradebook.is_file():
        command(room, *ours[0], "autograde", *ours[1], "--jobs", "1")
    if way != "ours":
        shutil.rmtree(room.autograded)
    for name, (book, _) in PROOFS.items():
        if way != "ours":
            command(room, "nbgrader", "autograde", name)
        text = beside_the_proof(room, name)
        assert text.index("For the grader: rubric") < text.index("| points | for |") < text.index("Model answer")
        command(room, "nbgrader", "generate_feedback", name, "--force")
        page = (room.data / "nbgrader_feedback" / "ann" / name / f"{book}.html").read_text()
        assert "the Jacobians cancel" in page
        assert not any(secret in page for secret in SECRETS)
    command(room, *ours[0], "feedback", *ours[1])
    seen = [*room.released.rglob("*.ipynb"), *(room.data / "feedback").rglob("*.html")]
    assert len(seen) == 2 * len(PROOFS)
    assert not any(secret in path.read_text() for path in seen for secret in SECRETS)


@pytest.mark.parametrize("solutions", [None, b"", b"{", b"[]", b'{"cells": [1]}', b'{"cells": [{"metadata": 1}]}'])
def test_without_the_solutions_there_is_no_rubric(tmp_path, solutions):
    assignment = classroom.ASSIGNMENTS["03_elbo"]
    if solutions is not None:
        (tmp_path / "solutions" / "03_elbo").mkdir(parents=True)
        (tmp_path / "solutions" / "03_elbo" / "elbo.ipynb").write_bytes(solutions)
    assert graded.rubrics(Course(tmp_path), assignment) == {}


@pytest.mark.parametrize("name", PROOFS)
def test_what_a_person_reads_comes_first(name):
    """Title, the text that asks for the proof, the proof, its rubric; then everything else, once."""
    book, proof = PROOFS[name]
    released = (CHECKOUT / "course" / name / f"{book}.ipynb").read_bytes()
    repaired = repair(released, parse.cells(released))
    texts = graded.rubrics(Course(CHECKOUT), classroom.ASSIGNMENTS[name])
    shown = [c["id"] for c in json.loads(graded.notebook(released, repaired, {}, texts))["cells"]]
    all_cells = [c["id"] for c in json.loads(released)["cells"]]
    asks = all_cells[all_cells.index(proof) - 1]
    assert shown[:4] == [all_cells[0], asks, proof, f"rubric-{proof}"]
    assert shown[4:] == [c for c in all_cells[1:] if c not in (asks, proof)]


def test_no_code_leaves_a_proof_without_room():
    name, (book, proof) = next(iter(PROOFS.items()))
    released = (CHECKOUT / "course" / name / f"{book}.ipynb").read_bytes()
    notebook = json.loads(released)
    classroom.at(notebook, proof)["source"] = PROOF
    long = [classroom.own(f"x = {n}\n" + "# much\n" * 2800, f"long-{n}") for n in range(12)]
    notebook["cells"][1:1] = long
    repaired = repair(released, parse.cells(classroom.data(notebook)))
    shown = json.loads(graded.notebook(released, repaired, {}, {}))
    assert classroom.at(shown, proof)["source"] == PROOF
    assert "too long to store" in json.dumps(shown)


def test_what_a_student_puts_there_stands_below_ours():
    """A rubric of one's own is no rubric."""
    name, (book, proof) = next(iter(PROOFS.items()))
    released = (CHECKOUT / "course" / name / f"{book}.ipynb").read_bytes()
    notebook = json.loads(released)
    forged = classroom.cell("rubric-forged", "**For the grader: rubric**: all points", "markdown")
    forged["metadata"] = {"tags": [graded.FOR_THE_GRADER]}
    notebook["cells"].insert(classroom.place(notebook, proof) + 1, forged)
    repaired = repair(released, parse.cells(classroom.data(notebook)))
    texts = graded.rubrics(Course(CHECKOUT), classroom.ASSIGNMENTS[name])
    shown = json.loads(graded.notebook(released, repaired, {"exercises": {}}, texts))
    place = classroom.place(shown, proof)
    marked = [c["id"] for c in shown["cells"] if graded.FOR_THE_GRADER in c["metadata"].get("tags", [])]
    assert shown["cells"][place + 1]["id"] == f"rubric-{proof}"
    assert marked == [f"rubric-{proof}"]
