"""nbgrader's own commands in a course folder: the same release, the same scores, the same sandbox."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grading
from grading.collecting import roster
from grading.course import Course, write
from grading.judging import results
from grading.lock import locked
from grading.recording.gradebook import opened, url

from . import classroom

CHECKOUT = Path(grading.__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A course folder with the first assignment of this course."""
    root = tmp_path_factory.mktemp("course")
    folder = root / "solutions" / "00_flows_recap"
    folder.mkdir(parents=True)
    source = CHECKOUT / "solutions" / "00_flows_recap" / "flows_recap.ipynb"
    shutil.copy(source, folder)
    shutil.copy(CHECKOUT / "nbgrader_config.py", root)
    return Course(root)


def command(room: Course, *words: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(words, cwd=room.root, capture_output=True, text=True, timeout=300, env=environment)


def test_nbgrader_grades_in_our_sandbox_with_our_scores(room):
    assert command(room, sys.executable, "-m", "grading", "release", "--course", str(room.root)).returncode == 0
    path = room.released / "00_flows_recap" / "flows_recap.ipynb"
    ours = path.read_bytes()
    done = command(room, "nbgrader", "generate_assignment", "00_flows_recap", "--force")
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == ours

    blank = json.loads(ours)
    classroom.at(blank, "batch_jacobian")["source"] = classroom.RIGHT["batch_jacobian"]
    skipping = json.loads(ours)
    for cell in skipping["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
    thief = json.loads(ours)
    classroom.at(thief, "batch_jacobian")["source"] = classroom.THIEF
    for student, notebook in {"ann": blank, "eve": skipping, "tom": thief, "zed": None}.items():
        target = room.submitted / student / "00_flows_recap" / "flows_recap.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(notebook) if notebook else "hello")
    roster.save(room, {"ann": {"name": "Ann Lee"}})
    done = command(room, "nbgrader", "autograde", "00_flows_recap")
    assert "zed" in done.stderr
    with opened(url(room)) as book:
        scores = {s.student.id: s.score for s in book.assignment_submissions("00_flows_recap")}
        assert book.find_student("ann").last_name == "Lee"
    assert scores["ann"] == 2.0
    assert scores["eve"] == 0.0
    assert scores["tom"] == 0.0
    verdicts = [path.read_text() for path in room.verdicts.glob("*/*.json")]
    assert len(verdicts) == 3
    assert any(refused in verdict for verdict in verdicts for refused in classroom.REFUSED)
    with locked(room):
        done = command(room, "nbgrader", "autograde", "00_flows_recap", "--student", "ann", "--force")
    assert done.returncode != 0
    assert "another grader is at work" in done.stderr


@pytest.fixture
def proof(tmp_path):
    """A course folder with a proof; a function that hands in ann's words."""
    course = Course(tmp_path)
    for folder in ("course", "solutions"):
        shutil.copytree(CHECKOUT / folder / "03_elbo", tmp_path / folder / "03_elbo")
    shutil.copy(CHECKOUT / "nbgrader_config.py", tmp_path)

    def hand_in(words: str):
        notebook = json.loads((course.released / "03_elbo" / "elbo.ipynb").read_text())
        classroom.at(notebook, "decomposition_proof")["source"] = words
        write(course.submitted / "ann" / "03_elbo" / "elbo.ipynb", json.dumps(notebook).encode())

    return course, hand_in


def test_a_proof_handed_in_again_is_flagged_and_its_verdict_is_the_last_one(proof):
    """Graded by our command, then twice by nbgrader's."""
    course, hand_in = proof

    def nbgrader() -> tuple[float, bool]:
        done = command(course, "nbgrader", "autograde", "03_elbo", "--force")
        assert done.returncode == 0, done.stderr
        with opened(url(course)) as book:
            grade = book.find_grade("decomposition_proof", "elbo", "03_elbo", "ann")
            return grade.manual_score, grade.needs_manual_grade

    def by_hand(points: float):
        with opened(url(course)) as book:
            grade = book.find_grade("decomposition_proof", "elbo", "03_elbo", "ann")
            grade.manual_score, grade.needs_manual_grade = points, False
            book.db.commit()

    hand_in("By Jensen.")
    ours = command(course, sys.executable, "-m", "grading", "autograde", "--course", str(course.root), "--quiet")
    assert ours.returncode == 0, ours.stderr
    by_hand(0.25)
    assert nbgrader() == (0.25, False)
    hand_in("By the product rule.")
    assert nbgrader() == (0.25, True)
    assert [v.status for v in results.load(course, "03_elbo")] == ["graded"]
    by_hand(1.0)
    assert nbgrader() == (1.0, False)
