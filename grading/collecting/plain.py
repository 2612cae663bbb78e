"""A folder of files or folders, as Google Drive and a desktop pack it: the names say whose, and nothing else does."""

import re
from collections.abc import Iterable

from ..assignments import Assignment
from .names import meant, stem, student_name
from .submitter import Path, Reader, Submitter

ASSIGNMENT = re.compile(r"\d\d_\w+")
EXPORT = re.compile(r"assignment_\d+_export|.*submissions?.*", re.IGNORECASE)
WORK = (".ipynb", ".zip")
HANDED_IN = (*WORK, ".pdf", ".doc", ".docx", ".py", ".html", ".png", ".jpg", ".jpeg", ".heic")
APART = " - "  # Name - file, as Google Classroom names them


def reader(paths: list[Path], assignment: Assignment) -> Reader:
    level, said = wrappers(paths, assignment), word(assignment)
    files = [stem(meant(path[level])) for path in paths if len(path) == level + 1]
    classroom = sum(APART in name and said.fullmatch(name.partition(APART)[2]) is not None for name in files) * 2 > len(
        files
    )

    def read(path: Path) -> list[Submitter] | None:
        top = meant(path[level]) if len(path) > level else ""
        file = len(path) == level + 1
        if file and not top.lower().endswith(HANDED_IN):
            return []
        name = person(stem(top) if file else top, said, classroom and file)
        return [Submitter(name)] if name else []

    return read


def word(assignment: Assignment) -> re.Pattern:
    """What a file is called that says the assignment, or nothing, and not whose it is."""
    names = "|".join(re.escape(name).replace("_", "[ _-]*") for name in (assignment.name, assignment.notebook))
    said = rf"(?:{names}|untitled|notebook|submission|homework|solution)"
    return re.compile(rf"(?:copy[ _-]of[ _-]+)?{said}[ _-]*(?:\(?\d+\)?|copy|final|v\d+)?", re.IGNORECASE)


def person(name: str, said: re.Pattern, classroom: bool) -> str:
    """Ada of "Ada - flows", "flows_Ada" and "Ada_flows"; "" where it says nobody."""
    before, apart, after = name.partition(APART)
    if said.fullmatch(name):
        return ""
    if apart and (classroom or said.fullmatch(after)):
        return student_name(before)
    for found in (
        re.match(rf"(?:{said.pattern})[ _-]+(.+)", name, re.IGNORECASE),
        re.fullmatch(rf"(.+?)[ _-]+(?:{said.pattern})", name, re.IGNORECASE),
    ):
        if found:
            return student_name(found[1])
    return student_name(name)


def wrappers(paths: list[Path], assignment: Assignment) -> int:
    """How many folders lie around all that was handed in."""
    level, said = 0, word(assignment)
    while nobodys([path[level:] for path in paths], said):
        level += 1
    return level


def nobodys(paths: Iterable[Path], said: re.Pattern) -> bool:
    """Whether all files lie in one folder that is nobody's: one of submissions, or one that holds several people's."""
    tops = {path[0] for path in paths}
    if len(tops) != 1 or any(len(path) == 1 for path in paths):
        return False
    below = {path[1] for path in paths if len(path) > 2 and not ASSIGNMENT.fullmatch(path[1])}
    files = {stem(meant(path[1])) for path in paths if len(path) == 2 and path[1].lower().endswith(WORK)}
    named = {name for name in files if not said.fullmatch(name)}
    return bool(EXPORT.fullmatch(tops.pop())) or len(below) > 1 or len(named) > 1
