"""Verdict files: `verdicts/<key>.json`. The key hashes all that a verdict depends on, so a change grades afresh."""

import hashlib
import json
from functools import cache
from pathlib import Path

import dgmlib

from ..course import Course, write
from .seeds import keyed

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


def path(course: Course, name: str) -> Path:
    return course.verdicts / f"{name}.json"


def load(course: Course, name: str) -> dict | None:
    """A verdict on file; None where there is none, or where it is damaged."""
    verdict = read(path(course, name))
    return verdict | {"key": name} if isinstance(verdict, dict) and verdict.get("status") == "graded" else None


def pictures(course: Course, name: str, part: str):
    """The `figures` that a submission drew, or the pictures `attached` to its texts; empty where the file is gone."""
    found = read(path(course, name).with_suffix(".pictures"))
    return found[part] if isinstance(found, dict) else {}


def read(file: Path):
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def save(course: Course, name: str, verdict: dict, pictures: dict | None = None):
    """Only graded ones are kept: a refusal costs nothing to find again. The pictures first: the verdict names them."""
    if verdict["status"] == "graded":
        if pictures and any(pictures.values()):
            write(path(course, name).with_suffix(".pictures"), json.dumps(pictures).encode())
        write(path(course, name), dumps(verdict))


def summary(verdict: dict) -> dict:
    """A verdict without its laws and sources: all that a batch keeps, whatever they hold."""
    verdict = {k: v for k, v in verdict.items() if k not in ("answers", "own", "outputs", "pictures")}
    scores = {name: {k: e[k] for k in ("score", "max_score")} for name, e in verdict["exercises"].items()}
    return {**verdict, "exercises": scores, "notes": []}


def whole(course: Course, result: dict) -> dict:
    """A summary with its laws again, read from its file."""
    verdict = load(course, result["key"]) if "key" in result else None
    return {**result, **verdict} if verdict else result


def sweep(course: Course):
    """Remove what a killed grader was writing. Only for the one that holds the course's lock."""
    for left in course.verdicts.glob(".*"):
        left.unlink(missing_ok=True)


def dumps(verdict: dict) -> bytes:
    return (json.dumps(verdict, indent=1, ensure_ascii=False) + "\n").encode()
