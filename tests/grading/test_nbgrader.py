"""nbgrader's own commands in a course folder: the same release, the same scores, the same sandbox."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grading
from grading import roster
from grading.course import Course
from grading.gradebook import opened, url

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
    environment = {k: v for k, v in os.environ.items() if k != "DGM_COURSE"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
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
    for student, notebook in {"ann": blank, "eve": skipping, "zed": None}.items():
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
    assert len(list(room.verdicts.iterdir())) == 2
