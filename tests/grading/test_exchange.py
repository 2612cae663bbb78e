"""nbgrader's exchange on a plain shared folder: release, fetch, submit, collect, autograde, feedback and back."""

import getpass
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grading.course import CHECKOUT, Course
from grading.recording.gradebook import opened, url

from . import classroom

pytestmark = pytest.mark.slow
NAME, BOOK = "00_flows_recap", "flows_recap.ipynb"
BIN = Path(sys.executable).parent


@pytest.fixture
def people(tmp_path):
    """`run(who, *words)`: the teacher in the course folder, the student at home; between them one shared folder."""
    course, home, shared = tmp_path / "course", tmp_path / "home", tmp_path / "exchange"
    for folder in ("course", "solutions"):
        shutil.copytree(CHECKOUT / folder / NAME, course / folder / NAME)
    shutil.copy(CHECKOUT / "nbgrader_config.py", course)
    for folder in (home, shared):
        folder.mkdir()
    shared.chmod(0o777)
    said = f'c = get_config()\nc.CourseDirectory.course_id = "dgm"\nc.Exchange.root = {str(shared)!r}\n'
    (home / "nbgrader_config.py").write_text(said + f"c.Exchange.cache = {str(home / 'cache')!r}\n")
    with open(course / "nbgrader_config.py", "a") as file:
        file.write("\n" + said.partition("\n")[2])
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "NBGRADER"))}
    environment = keep | {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}

    def run(where: Path, *words: str) -> str:
        done = subprocess.run(words, cwd=where, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return Course(course), home, run


def test_there_and_back(people):
    course, home, run = people
    run(course.root, "nbgrader", "generate_assignment", NAME, "--force")
    run(course.root, "nbgrader", "release_assignment", NAME)
    run(home, "nbgrader", "fetch_assignment", NAME)
    notebook = json.loads((home / NAME / BOOK).read_text())
    classroom.at(notebook, "batch_jacobian")["source"] = classroom.RIGHT["batch_jacobian"]
    (home / NAME / BOOK).write_text(json.dumps(notebook))
    run(home, "nbgrader", "submit", NAME)
    run(course.root, "nbgrader", "collect", NAME)
    me = getpass.getuser()
    assert (course.submitted / me / NAME / BOOK).is_file()

    grading = sys.executable, "-m", "grading"
    run(course.root, *grading, "autograde", NAME, "--course", str(course.root))
    with opened(url(course)) as book:
        assert {s.student.id: s.score for s in book.assignment_submissions(NAME)} == {me: 2.0}
    run(course.root, "nbgrader", "generate_feedback", NAME)
    run(course.root, "nbgrader", "release_feedback", NAME)
    run(home, "nbgrader", "fetch_feedback", NAME)
    (page,) = (home / NAME / "feedback").glob("*/*.html")
    assert "batch_jacobian" in page.read_text()
