"""Whose file is it? What platforms write into the names of a download, and students cannot.

A layout is taken where most of the top entries fit it: one student's file decides nothing for the others. Only the
outer archive's own path tells: what a student's zip calls itself makes nobody else hand in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..assignments import Assignment
from . import forms, plain
from .archive import ArchiveRefused, Entry
from .submitter import Path, Reader, Submitter

DEEPEST = 4  # folders around what a platform wrote


@dataclass(frozen=True)
class Layout:
    """`submitters`: whose an entry is; None where it is the platform's own, or not of this assignment."""

    platform: str
    submitters: Callable[[Entry], list[Submitter] | None]


def layout(entries: list[Entry], assignment: Assignment, text: Callable[[Entry], str]) -> Layout:
    """How this download tells whose a file is; `text` reads a small one of the platform's. Raises ArchiveRefused."""
    paths = [entry.path for entry in entries if not entry.nameless]
    for level in range(DEEPEST):
        readers = fitting(entries, level, assignment, text)
        if readers:
            platform, read = only(readers, [path[level:] for path in paths])
            return Layout(platform, partial(below, read, level))
        if len({path[level] for path in paths}) != 1 or any(len(path) < level + 2 for path in paths):
            break
    read = plain.reader(paths, assignment)
    return Layout("folder", lambda entry: read(entry.path))


def below(read: Reader, level: int, entry: Entry) -> list[Submitter] | None:
    return read(entry.path[level:]) if len(entry.path) > level else []


def fitting(entries: list[Entry], level: int, assignment: Assignment, text) -> list[tuple[float, str, Reader]]:
    """Platforms that most of the entries at this level look like, with how many do."""
    found = [(entry.path[level:], entry) for entry in entries if not entry.nameless and len(entry.path) > level]
    parent = next((entry.path[level - 1] for _, entry in found if level), "")
    given = forms.Given([path for path, _ in found], parent, assignment, dict(found), text)
    fits = []
    for platform, make in forms.PLATFORMS.items():
        if (read := make(given)) and (share := fit(given.paths, read)) > 0.5:
            fits.append((share, platform, read))
    return fits


def fit(paths: list[Path], read: Reader) -> float:
    """The share of the top entries that the platform could have written. What is its own counts neither way."""
    whose: dict[str, bool] = {}
    for path in paths:
        if (people := read(path)) is not None:
            whose[path[0]] = whose.get(path[0], True) and bool(people)
    return sum(whose.values()) / len(whose) if whose else 0.0


def only(readers: list[tuple[float, str, Reader]], paths: list[Path]) -> tuple[str, Reader]:
    """The one that fits best. Raises ArchiveRefused where two do, and disagree."""
    best = max(share for share, _, _ in readers)
    same = [(platform, read) for share, platform, read in readers if share == best]
    (platform, read), *others = same
    for other, another in others:
        if any(read(path) != another(path) for path in paths):
            raise ArchiveRefused(
                f"it could be a download of {platform} and one of {other}: rename what one student named like the other"
            )
    return platform, read
