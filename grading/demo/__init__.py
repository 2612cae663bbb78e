"""A bundled class, from release to gradebook, and whether every score is the one that its file says it deserves."""

import json
import os
import shutil
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.table import Table

from ..console import Output
from ..course import CHECKOUT, Course, CourseError, write
from ..judging import pool, results
from ..judging.handed_in import handed_in
from ..judging.task import Grader, batch
from ..judging.verdict import Verdict
from ..lock import locked
from ..publishing import export, feedback, report
from ..recording.record import Recorder
from ..releasing.release import release
from ..running import sandbox
from .student import STUDENTS, Student

SECRET = "demo"


def demo(course: Course, jobs: int | None, secret: str | None, kind: str, output: Output) -> int:
    """Grades the class in the fresh course folder `demo/`. Exit 1 where a score is not the deserved one."""
    with locked(course):
        return graded_class(course, jobs or os.cpu_count() or 1, secret or SECRET, kind, output)


def graded_class(course: Course, jobs: int, secret: str, kind: str, output: Output) -> int:
    students = [Student.read(path) for path in sorted(STUDENTS.glob("*.py"))]
    room = fresh(course)
    for name in {s.assignment for s in students}:
        release(room, name)
    for student in students:
        hand_in(room, student)
    tasks = handed_in(room, sorted({s.assignment for s in students}))
    made = Grader(room, secret, sandbox.ForkServerSandbox(sandbox.choose(kind)))
    got, recorder = {}, Recorder(room)
    with closing(batch(made, tasks, partial(pool.run, made, jobs))) as coming:
        for verdict in output.progress(coming, len(tasks)):
            recorder.add(verdict)
            got[verdict.student] = verdict
    recorder.finish()
    made_after = after(room, sorted({s.assignment for s in students}))
    wrong = [line for s in students for line in s.differences(got[s.name])]
    output.table(table(students, got))
    output.lines([f"gradebook: {room.gradebook}", f"verdicts:  {room.verdicts}", f"notebooks: {room.autograded}"])
    output.lines(made_after)
    output.problems(wrong)
    rows = [{"student": s.name, "deserves": s.deserved, "score": got[s.name].score} for s in students]
    output.outcome({"students": rows, "wrong": wrong})
    return 1 if wrong else 0


def after(course: Course, names: list[str]) -> list[str]:
    """Everything that follows grading, and a line for each kind."""
    found = results.wanted(course, names)
    lines = [f"feedback:  {feedback.feedback(course, found)[0][0].parents[2]}"]
    lines += [f"report:    {path}" for path in report.report(course, found)[0]]
    return lines + [f"table:     {path}" for path in export.csv(course, found)[0]]


def fresh(course: Course) -> Course:
    """An empty course folder with this course's solutions."""
    folder = (course.root if course.root == CHECKOUT else Path.cwd()) / "demo"
    marker = folder / ".made-by-demo"
    if folder.exists() and not marker.exists():
        raise CourseError(f"{folder} is not a folder that demo made; move it away")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    marker.touch()
    shutil.copytree(course.solutions, folder / "solutions", ignore=shutil.ignore_patterns(".*"))
    return Course(folder)


def hand_in(room: Course, student: Student):
    """Write what a student hands in."""
    assignment = room.assignment(student.assignment)
    released = json.loads(room.released_notebook(assignment).read_text())
    solved = json.loads(room.solved_notebook(assignment).read_text())
    target = room.submitted / student.name / assignment.name / f"{assignment.notebook}.ipynb"
    write(target, student.notebook(released, solved))


def table(students: list[Student], results: dict[str, Verdict]) -> Table:
    """Who they are, what they deserve, what they got."""
    made = Table(title="the demo class")
    for column, justify in (("student", "left"), ("what they handed in", "left"), ("deserves", "right")):
        made.add_column(column, justify=justify)
    made.add_column("got", justify="right")
    made.add_column("seconds", justify="right")
    for student in students:
        result = results[student.name]
        got = f"{result.score:g}" if result.graded else result.status
        deserves = f"{student.deserved:g}" if student.deserved is not None else "refused"
        look = "red" if student.differences(result) else "green"
        made.add_row(student.name, student.about, deserves, f"[{look}]{got}[/]", f"{result.seconds:.1f}")
    return made
