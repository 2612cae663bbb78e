"""What the last autograde said of every submission: `results/ASSIGNMENT.json` beside the verdict files, which hold no
times. Lost or damaged, it costs the times, the reasons of refusals and the reminder of a proof that was rewritten:
verdicts are found by their files."""

import json
from dataclasses import replace
from pathlib import Path

from ..assignments import Assignment
from ..course import Course, CourseError, write
from ..notebook.submission import Files
from . import store
from .verdict import Status, Verdict, without

KEPT = ("status", "reason", "sandbox", "seconds", "key", "files", "written")


def path(course: Course, assignment: str) -> Path:
    return course.data / "results" / f"{assignment}.json"


def remember(course: Course, results: list[Verdict]):
    """Add the results of an autograde to those of earlier ones."""
    for name in {result.assignment for result in results}:
        before = stored(course, name)
        for result in (r for r in results if r.assignment == name):
            entry, old = {key: getattr(result, key) for key in KEPT}, before.get(result.student, {})
            if entry["key"] and old.get("key") == entry["key"]:  # read from its file: no time of grading
                entry["seconds"] = max(old.get("seconds") or 0.0, entry["seconds"])
            entry["written"] = entry["written"] or old.get("written", {})
            before[result.student] = entry
        write(path(course, name), (json.dumps(before, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def stored(course: Course, assignment: str) -> dict[str, dict]:
    try:
        read = json.loads(path(course, assignment).read_bytes())
        return {k: v for k, v in read.items() if isinstance(v, dict) and "status" in v and "files" in v}
    except (OSError, ValueError, AttributeError):
        return {}


def rewritten(before: dict[str, dict], result: Verdict) -> set[str]:
    """The proofs of one result whose words are others than those of the result before."""
    written = before.get(result.student, {}).get("written", {})
    return {name for name, words in result.written.items() if written.get(name, words) != words}


def digest(files: list[Path]) -> str:
    """Tells whether somebody handed in again."""
    return Files(tuple(files)).digest()


def load(course: Course, assignment: str) -> list[Verdict]:
    """The verdict of every submission, by student: graded, refused, failed, or `waiting` to be graded."""
    known, by_file, about = stored(course, assignment), on_file(course, assignment), course.assignment(assignment)
    found = []
    for student, files in course.submissions(assignment).items():
        entry = known.get(student)
        if entry and entry["files"] == digest(files):
            found.append(last(course, student, about, entry, by_file))
        elif entry:
            found.append(waiting(student, about, "handed in again since it was graded: run autograde"))
        else:
            found.append(by_file.get(student) or waiting(student, about, "not graded yet: run autograde"))
    return found


def last(course: Course, student: str, assignment: Assignment, entry: dict, by_file: dict) -> Verdict:
    if entry["status"] != Status.GRADED:
        verdict = without(student, assignment, str(entry.get("reason")), "", Status(entry["status"]))
    else:
        verdict = store.load(course, assignment.name, str(entry.get("key"))) or by_file.get(student)
        verdict = verdict or waiting(student, assignment, "its verdict file is gone: run autograde")
    return replace(verdict, seconds=entry.get("seconds"))


def waiting(student: str, assignment: Assignment, reason: str) -> Verdict:
    return without(student, assignment, reason, "", Status.WAITING)


def on_file(course: Course, assignment: str) -> dict[str, Verdict]:
    """Each student's newest verdict file."""
    files = sorted((course.verdicts / assignment).glob("*.json"), key=lambda p: p.stat().st_mtime_ns)
    found = [store.load(course, assignment, file.stem) for file in files]
    return {verdict.student: verdict for verdict in found if verdict}


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
