"""What the last autograde said of every submission: `results/ASSIGNMENT.json` beside the verdict files, which hold no
times. Lost or damaged, it costs the times and the reasons of refusals alone: verdicts are found by their files."""

import json
from pathlib import Path

from ..course import Course, CourseError, write
from ..notebook.submission import Files
from . import judge, store
from .task import ASSIGNMENTS
from .task import wanted as named

KEPT = ("status", "reason", "sandbox", "seconds", "key")
WAITING = "waiting"


def path(course: Course, assignment: str) -> Path:
    return course.data / "results" / f"{assignment}.json"


def remember(course: Course, results: list[dict]):
    """Add the results of an autograde to those of earlier ones."""
    for name in {r["assignment"] for r in results}:
        before, files = stored(course, name), course.submissions(name)
        for result in (r for r in results if r["assignment"] == name):
            graded = result.get("files") or digest(files.get(result["student"], []))
            entry = {k: result[k] for k in KEPT if k in result} | {"files": graded}
            old = before.get(result["student"], {})
            if old.get("key") == entry.get("key") and "key" in entry:  # read from its file: no time of grading
                entry["seconds"] = max(old.get("seconds", 0.0), entry["seconds"])
            before[result["student"]] = entry
        write(path(course, name), (json.dumps(before, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def stored(course: Course, assignment: str) -> dict[str, dict]:
    try:
        read = json.loads(path(course, assignment).read_bytes())
        return {k: v for k, v in read.items() if isinstance(v, dict) and "status" in v and "files" in v}
    except (OSError, ValueError, AttributeError):
        return {}


def digest(files: list[Path]) -> str:
    """Tells whether somebody handed in again."""
    return Files(tuple(files)).digest()


def load(course: Course, assignment: str) -> list[dict]:
    """The verdict of every submission, by student: graded, refused, failed, or `waiting` to be graded."""
    known, by_file = stored(course, assignment), on_file(course, assignment)
    found = []
    for student, files in course.submissions(assignment).items():
        entry = known.get(student)
        if entry and entry["files"] == digest(files):
            found.append(last(course, student, assignment, entry, by_file))
        elif entry:
            found.append(without(student, assignment, "handed in again since it was graded: run autograde", WAITING))
        else:
            found.append(by_file.get(student) or without(student, assignment, "not graded yet: run autograde", WAITING))
    return [{"seconds": None, **verdict} for verdict in found]


def last(course: Course, student: str, assignment: str, entry: dict, by_file: dict) -> dict:
    if entry["status"] != "graded":
        verdict = without(student, assignment, str(entry.get("reason")), entry["status"])
    else:
        verdict = store.load(course, str(entry.get("key"))) or by_file.get(student)
        verdict = verdict or without(student, assignment, "its verdict file is gone: run autograde", WAITING)
    return verdict | {"seconds": entry.get("seconds")}


def without(student: str, assignment: str, reason: str, status: str) -> dict:
    return judge.refused(student, ASSIGNMENTS[assignment], reason, "", status)


def on_file(course: Course, assignment: str) -> dict[str, dict]:
    """Each student's newest verdict file."""
    found = {}
    for file in sorted(course.verdicts.glob("*.json"), key=lambda p: p.stat().st_mtime_ns):
        verdict = store.load(course, file.stem)
        if verdict and verdict.get("assignment") == assignment:
            found[verdict["student"]] = verdict
    return found


def wanted(course: Course, names: list[str]) -> dict[str, list[dict]]:
    """Verdicts by assignment: of those named, else of all with submissions. Raises CourseError where there are none."""
    found = {name: load(course, name) for name in named(names)}
    empty = [name for name, verdicts in found.items() if not verdicts]
    if len(empty) == len(found) or (names and empty):
        of = ", ".join(empty) if names else "any assignment"
        raise CourseError(f"no submissions of {of} in {course.submitted}; run collect and autograde first")
    return {name: verdicts for name, verdicts in found.items() if verdicts}


def unprotected(found: dict[str, list[dict]]) -> list[str]:
    """One line for each assignment with verdicts that were made without a sandbox."""
    who = {name: [v["student"] for v in verdicts if v["sandbox"] == "none"] for name, verdicts in found.items()}
    return [
        f"{name}: graded without protection (--sandbox none): {brief(students)}; run autograde again with a sandbox"
        for name, students in who.items()
        if students
    ]


def brief(students: list[str]) -> str:
    return ", ".join(students[:5]) + (f" and {len(students) - 5} more" if len(students) > 5 else "")


def problems(found: dict[str, list[dict]]) -> list[str]:
    """One line for each submission without a verdict."""
    return [
        f"{v['student']}: {name}: {v['status']}: {v['reason']}"
        for name, verdicts in found.items()
        for v in verdicts
        if v["status"] != "graded"
    ]
