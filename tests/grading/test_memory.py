"""The process that grades a class stays small, however many hand in and however much their verdicts say."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dgmlib.checks import ASSIGNMENTS
from grading.course import CHECKOUT, Course, write
from grading.judging import store
from grading.judging.verdict import ExerciseResult, LawResult, State, Status, without

NAME = "00_flows_recap"
LARGE = 150_000  # characters of one verdict
# VmHWM: ru_maxrss would count the test's own process, of which this one was forked.
MEASURE = """
import re, sys
from grading.cli import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
sys.exit(code)
"""


def class_of(root: Path, students: int) -> Course:
    """A class with a large verdict on file for everybody."""
    course, assignment = Course(root), ASSIGNMENTS[NAME]
    shutil.copytree(CHECKOUT / "course" / NAME, course.released / NAME)
    message = "x" * (LARGE // len(assignment.exercises))
    laws = (LawResult("value", 1, State.FAILED, message),)
    exercises = {name: ExerciseResult(0, e.points, laws) for name, e in assignment.exercises.items()}
    notebook = json.loads(course.released_notebook(assignment).read_text())
    for number in range(students):
        data = json.dumps(notebook | {"metadata": {"number": number}}).encode()
        write(course.submitted / f"s{number}" / NAME / "flows_recap.ipynb", data)
        verdict = without(f"s{number}", assignment, "", "none", Status.GRADED)
        key = store.key(data, f"s{number}", NAME, course.released_notebook(assignment).read_bytes(), "s", "none")
        store.save(course, replace(verdict, score=0, exercises=exercises, key=key))
    return course


def megabytes(root: Path, students: int) -> float:
    """Peak memory of `autograde` on such a class."""
    words = ["autograde", NAME, "--course", str(class_of(root, students).root), "--secret", "s", "--sandbox", "none"]
    command = [sys.executable, "-c", MEASURE, *words, "--json", str(root / "o.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT)
    rows = json.loads((root / "o.json").read_text())["submissions"]
    assert [r["seconds"] for r in rows] == [0.0] * students, done.stderr
    assert all(len(r["exercises"]["LULinear"]["laws"][0]["message"]) > 1000 for r in rows)
    return int(done.stdout.split()[-1]) / 1024


@pytest.mark.slow
def test_memory_is_flat_in_the_number_of_submissions(tmp_path):
    few, many = megabytes(tmp_path / "few", 10), megabytes(tmp_path / "many", 210)
    assert many < 600
    assert many - few < 10  # the verdicts alone would take 30
