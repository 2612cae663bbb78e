"""What a file is, and the same without what platforms note of people: both in one child with limits."""

import json
from dataclasses import dataclass
from pathlib import Path

from ..course import Course
from ..notebook import parse
from ..notebook.limited import BEYOND, limited
from ..notebook.parse import Refused
from ..notebook.submission import recognised
from .anonymise import removed


@dataclass(frozen=True)
class Examined:
    """`assignment`: which it belongs to, "" where none; `refusal`: why; `data`: what is stored; `slow`: over limits."""

    assignment: str
    refusal: str
    data: bytes
    slow: bool = False


def examine(data: bytes, course: Course) -> Examined:
    try:
        said = limited(looked_at, data, list(course.assignments.values()))
    except (Refused, RuntimeError) as error:  # of a fault of ours the others hear nothing
        return Examined("", str(error), data, str(error) == BEYOND)
    head, _, clean = said.partition(b"\n")
    return Examined(*json.loads(head), clean or data)


def looked_at(data: bytes, assignments: list) -> bytes:
    """In the child: name, refusal, and the bytes where they change."""
    try:
        about = [recognised(data, assignments).decode(), ""]
    except Refused as refusal:
        about = ["", str(refusal)]
    clean = removed(data)
    return json.dumps(about).encode() + b"\n" + (clean if clean is not data else b"")


def readable(path: Path, assignment: str, course: Course) -> bool:
    """Whether a stored file can be graded as a notebook of this assignment."""
    try:
        return examine(parse.read(path), course).assignment == assignment
    except Refused:
        return False
