"""Verdict files: `verdicts/ASSIGNMENT/<key>.json`. The key hashes the student, and then all that a verdict depends on.

Beside it `<key>.pictures`, and `<key>.recorded` while this is the student's verdict in the gradebook: the seconds that
it took, which differ from run to run and so are not in it.
"""

import hashlib
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import dgmlib

from ..course import Course, changed, write
from .seeds import keyed
from .verdict import Verdict

GRADING = Path(__file__).parents[1]
RECORDED = ".recorded"
PARTS = ("judging", "notebook", "running", "plaintext.py")  # of grading: what makes a verdict


@cache
def version() -> str:
    """A hash of the code that makes a verdict: the library with its checks, and the judge."""
    digest = hashlib.sha256()
    places = [Path(dgmlib.__file__).parent, *(GRADING / part for part in PARTS)]
    files = [file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def made_by(released: bytes) -> str:
    """The version of a verdict: the code that makes it, and the notebook with its points."""
    return hashlib.sha256(version().encode() + released).hexdigest()[:12]


def key(submission: bytes, student: str, assignment: str, released: bytes, secret: str, sandbox: str) -> str:
    texts = (student, assignment, version(), sandbox)
    parts = [submission, released, *(text.encode(errors="backslashreplace") for text in texts)]
    return f"{whose(student)}-{keyed(secret.encode(errors='backslashreplace'), parts).hex()}"


def whose(student: str) -> str:
    """How the names of a student's verdict files begin."""
    return hashlib.sha256(student.encode(errors="backslashreplace")).hexdigest()[:16]


def path(course: Course, assignment: str, name: str) -> Path:
    return course.verdicts / assignment / f"{name}.json"


def file_of(course: Course, verdict: Verdict) -> Path:
    return path(course, verdict.assignment, verdict.key)  # pyright: ignore[reportArgumentType] - on file: it has one


def load(course: Course, assignment: str, name: str) -> Verdict | None:
    """A verdict on file, under the exercises' names of today; None where there is none, where it is damaged, and
    where another version wrote it."""
    file, released = path(course, assignment, name), course.assignments.get(assignment)
    try:
        verdict = replace(Verdict.from_json(read(file)), key=name, seconds=seconds(file))
        return verdict.renamed(released.today) if released else verdict
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def seconds(file: Path) -> float | None:
    """That a recorded verdict took."""
    found = read(file.with_suffix(RECORDED))
    return found if isinstance(found, float) else None


def by_student(course: Course, assignment: str, student: str) -> list[Verdict]:
    """A student's verdicts on file: first the recorded one, then from the newest to the oldest."""
    files = (course.verdicts / assignment).glob(f"{whose(student)}-*.json")
    latest = sorted(files, key=lambda file: (file.with_suffix(RECORDED).exists(), changed(file)), reverse=True)
    return [verdict for file in latest if (verdict := load(course, assignment, file.stem))]


def recorded(course: Course, assignment: str, student: str) -> Verdict | None:
    """The verdict that the gradebook holds."""
    files = sorted((course.verdicts / assignment).glob(f"{whose(student)}-*{RECORDED}"), key=changed)
    return load(course, assignment, files[-1].stem) if files else None


def mark_recorded(course: Course, verdict: Verdict):
    """The gradebook holds this verdict, and no other of its student."""
    mark = file_of(course, verdict).with_suffix(RECORDED)
    if verdict.seconds or not mark.exists():  # one that was read from its file took no time
        write(mark, json.dumps(float(verdict.seconds) if verdict.seconds else None).encode())
    for other in mark.parent.glob(f"{whose(verdict.student)}-*{RECORDED}"):
        if other != mark:
            other.unlink(missing_ok=True)


def pictures(course: Course, verdict: Verdict, part: str):
    """The `figures` that a submission drew, or the pictures `attached` to its texts; empty where the file is gone."""
    found = read(file_of(course, verdict).with_suffix(".pictures"))
    return found[part] if isinstance(found, dict) else {}


def read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def save(course: Course, verdict: Verdict, pictures: dict | None = None):
    """The pictures first: the verdict names them."""
    file = file_of(course, verdict)
    if pictures and any(pictures.values()):
        write(file.with_suffix(".pictures"), json.dumps(pictures).encode())
    write(file, dumps(verdict))


def whole(course: Course, summary: Verdict) -> Verdict:
    """A summary with its laws again, read from its file."""
    verdict = load(course, summary.assignment, summary.key) if summary.assignment and summary.key else None
    return replace(verdict, seconds=summary.seconds) if verdict else summary


def sweep(course: Course):
    """Remove what a killed grader was writing. Only for the one that holds the course's lock."""
    for left in course.verdicts.glob("**/.*"):
        left.unlink(missing_ok=True)


def dumps(verdict: Verdict) -> bytes:
    return (json.dumps(verdict.to_json(), indent=1, ensure_ascii=False) + "\n").encode()
