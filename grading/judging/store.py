"""Verdict files: `verdicts/ASSIGNMENT/<key>.json`. The key hashes all that a verdict depends on."""

import hashlib
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import dgmlib

from ..course import Course, write
from .seeds import keyed
from .verdict import Verdict

GRADING = Path(__file__).parents[1]
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


def key(submission: bytes, student: str, assignment: str, released: bytes, secret: str, sandbox: str) -> str:
    texts = (student, assignment, version(), sandbox)
    parts = [submission, released, *(text.encode(errors="backslashreplace") for text in texts)]
    return keyed(secret.encode(errors="backslashreplace"), parts).hex()


def path(course: Course, assignment: str, name: str) -> Path:
    return course.verdicts / assignment / f"{name}.json"


def load(course: Course, assignment: str, name: str) -> Verdict | None:
    """A verdict on file; None where there is none, where it is damaged, and where another version wrote it."""
    try:
        return replace(Verdict.from_json(read(path(course, assignment, name))), key=name)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def pictures(course: Course, verdict: Verdict, part: str):
    """The `figures` that a submission drew, or the pictures `attached` to its texts; empty where the file is gone."""
    found = read(path(course, verdict.assignment, verdict.key).with_suffix(".pictures"))
    return found[part] if isinstance(found, dict) else {}


def read(file: Path):
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def save(course: Course, verdict: Verdict, pictures: dict | None = None):
    """Only graded ones are kept: a refusal costs nothing to find again. The pictures first: the verdict names them."""
    if verdict.graded:
        file = path(course, verdict.assignment, verdict.key)
        if pictures and any(pictures.values()):
            write(file.with_suffix(".pictures"), json.dumps(pictures).encode())
        write(file, dumps(verdict))


def whole(course: Course, summary: Verdict) -> Verdict:
    """A summary with its laws again, read from its file."""
    verdict = load(course, summary.assignment, summary.key) if summary.key else None
    return replace(verdict, seconds=summary.seconds, files=summary.files) if verdict else summary


def sweep(course: Course):
    """Remove what a killed grader was writing. Only for the one that holds the course's lock."""
    for left in course.verdicts.glob("**/.*"):
        left.unlink(missing_ok=True)


def dumps(verdict: Verdict) -> bytes:
    return (json.dumps(verdict.to_json(), indent=1, ensure_ascii=False) + "\n").encode()
