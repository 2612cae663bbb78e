"""The process that grades a class stays small, however many hand in and however much their verdicts say."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from dgmlib.checks import ASSIGNMENTS
from grading.course import CHECKOUT, Course, write
from grading.judging import judge, store, task
from grading.running import sandbox

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
    keys = task.Grader(course, "s", sandbox.choose("none"))
    message = "x" * (LARGE // len(assignment.exercises))
    laws = [{"law": "value", "passed": False, "weight": 1, "message": message}]
    exercises = {name: {"score": 0, "max_score": e.points, "laws": laws} for name, e in assignment.exercises.items()}
    notebook = json.loads(course.released_notebook(assignment).read_text())
    for number in range(students):
        data = json.dumps(notebook | {"metadata": {"number": number}}).encode()
        write(course.submitted / f"s{number}" / NAME / "flows_recap.ipynb", data)
        verdict = judge.refused(f"s{number}", assignment, "", "none", "graded")
        key = keys.key(data, task.Task(f"s{number}", NAME, ()))
        store.save(course, key, verdict | {"score": 0, "exercises": exercises})
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


def test_memory_is_flat_in_the_number_of_submissions(tmp_path):
    few, many = megabytes(tmp_path / "few", 10), megabytes(tmp_path / "many", 210)
    assert many < 600
    assert many - few < 10  # the verdicts alone would take 30
