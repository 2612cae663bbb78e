"""What is known of every submission: its verdict on file, or why there is none yet."""

from pathlib import Path

from ..assignments import Assignment
from ..course import Course, CourseError
from ..notebook.submission import contents, digest
from . import store
from .verdict import Status, Verdict, without


def load(course: Course, assignment: str) -> list[Verdict]:
    """The verdict of every submission, by student: graded, refused, failed, or `waiting` to be graded."""
    about = course.assignment(assignment)
    return [last(course, about, student, files) for student, files in course.submissions(assignment).items()]


def last(course: Course, assignment: Assignment, student: str, files: list[Path]) -> Verdict:
    """What was said of the newest file that was not refused, else of the newest."""
    known, refused = store.by_student(course, assignment.name, student), []
    for data, _ in contents(files):
        verdict = next((verdict for verdict in known if verdict.file == digest(data)), None)
        if verdict is None:
            why = "handed in again since it was graded" if known else "not graded yet"
            return without(student, assignment, f"{why}: run autograde", status=Status.WAITING)
        if verdict.status is not Status.REFUSED:
            return verdict
        refused.append(verdict)
    return refused[0]


def wanted(course: Course, names: list[str]) -> dict[str, list[Verdict]]:
    """Verdicts by assignment: of those named, else of all with submissions. Raises CourseError where there are none."""
    found = {name: load(course, name) for name in course.wanted(names)}
    empty = [name for name, verdicts in found.items() if not verdicts]
    if len(empty) == len(found) or (names and empty):
        of = ", ".join(empty) if names else "any assignment"
        raise CourseError(f"no submissions of {of} in {course.submitted}; run collect and autograde first")
    return {name: verdicts for name, verdicts in found.items() if verdicts}


def unprotected(found: dict[str, list[Verdict]]) -> list[str]:
    """One line for each assignment with verdicts that were made without a sandbox."""
    who = {name: [v.student for v in verdicts if v.sandbox == "none"] for name, verdicts in found.items()}
    return [
        f"{name}: graded without protection (--sandbox none): {brief(students)}; run autograde again with a sandbox"
        for name, students in who.items()
        if students
    ]


def versions(course: Course, found: dict[str, list[Verdict]]) -> list[str]:
    """One line for each assignment with verdicts of another version than today's: other weights, other messages."""
    said = []
    for name, verdicts in found.items():
        today = store.made_by(course.released_notebook(course.assignment(name)).read_bytes())
        if old := [v.student for v in verdicts if v.graded and v.version != today]:
            graded = sum(v.graded for v in verdicts)
            said.append(f"{name}: {len(old)} of {graded} verdicts are of another version of the checks: {brief(old)}")
    return said


def mixed(found: dict[str, list[Verdict]]) -> list[str]:
    """Assignments whose verdicts are of two versions or more."""
    made = {name: {v.version for v in verdicts if v.graded} for name, verdicts in found.items()}
    return [name for name, of in made.items() if len(of) > 1]


def brief(students: list[str]) -> str:
    return ", ".join(students[:5]) + (f" and {len(students) - 5} more" if len(students) > 5 else "")


def problems(found: dict[str, list[Verdict]]) -> list[str]:
    """One line for each submission without a verdict."""
    return [
        f"{v.student}: {name}: {v.status}: {v.reason}"
        for name, verdicts in found.items()
        for v in verdicts
        if not v.graded
    ]
