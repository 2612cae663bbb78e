"""Whose file is it? What Moodle, Canvas and Gradescope write into the names of a download, and plain folders.

Only the outer archive's own path tells: what a student's zip calls itself makes nobody else hand in.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import yaml

from ..plaintext import HARMFUL, one_line
from .archive import File

MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_.*)?", re.DOTALL)
CANVAS = re.compile(
    r"(?P<name>[^_/]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<number>\d+)_(?P<file>.+?)(?:-(?P<attempt>\d+))?(?:\.\w+)?",
    re.DOTALL,
)
GRADESCOPE = re.compile(r"submission_(\d+)")
METADATA = "submission_metadata.yml"
ASSIGNMENT = re.compile(r"\d\d_\w+")
EXPORT = re.compile(r"assignment_\d+_export|.*submissions?.*", re.IGNORECASE)


@dataclass(frozen=True)
class Owner:
    """`student`: the folder's name; `ids`: what the platform calls them; `order`: later attempts are higher."""

    student: str
    ids: dict[str, str] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    late: bool = False
    time: float | None = None


Layout = Callable[[File], list[Owner]]


def layout(files: list[File]) -> tuple[str, Layout]:
    """`(platform, owners)`: how this download tells whose a file is."""
    listed = gradescope_list(files)
    if listed is not None:
        return "Gradescope", lambda file: gradescope(file, *listed)
    paths = [file.path for file in files]
    if any(MOODLE.fullmatch(part) for path in paths for part in path):
        return "Moodle", moodle
    if paths and sum(bool(CANVAS.fullmatch(path[-1])) for path in paths) > len(paths) / 2:
        return "Canvas", canvas
    top = wrapper(paths)
    return "folder", lambda file: plain(file.path[1:] if top else file.path)


def student_name(text: str) -> str:
    """A name that can be a folder: composed accents, no slashes, at most 120 characters and 200 bytes; empty for one
    with control or direction marks."""
    if HARMFUL.search(text):
        return ""
    text = one_line(unicodedata.normalize("NFC", re.sub(r"[/\\]", " ", text)))
    text = " ".join(text.split()).lstrip(".").strip()
    return text[:120].encode()[:200].decode(errors="ignore").strip()


def moodle(file: File) -> list[Owner]:
    """`Full Name_12345_assignsubmission_file_/x.ipynb`, or the same without folders."""
    for part in file.path:
        if found := MOODLE.fullmatch(part):
            name = student_name(found["name"])
            return [Owner(name, {"moodle": found["id"], "name": name})]
    return []


def canvas(file: File) -> list[Owner]:
    """`lastfirst_LATE_12345_67890_x-1.ipynb`: user, upload, attempt."""
    found = CANVAS.fullmatch(file.path[-1])
    if not found:
        return []
    order = (int(found["number"][:18]), int((found["attempt"] or "0")[:9]))
    return [Owner(student_name(found["name"]), {"canvas": found["id"]}, order, bool(found["late"]))]


def gradescope_list(files: list[File]) -> tuple[int, dict] | None:
    """The depth of the `submission_...` folders and what the list beside them says; None where there is neither."""
    lists = [f for f in files if f.path[-1] == METADATA and not f.inside and not in_submission(f.path)]
    folders = [f.path for f in files if in_submission(f.path)]
    if not lists and not folders:
        return None
    if not lists:
        depth = min(i for path in folders for i, part in enumerate(path[:-1]) if GRADESCOPE.fullmatch(part))
        return depth, {}
    best = min(lists, key=lambda f: len(f.path))
    try:
        # as text: a date, a number or a link to another entry is not needed
        read = yaml.load(best.data.decode(errors="replace"), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        read = {}
    return len(best.path) - 1, read if isinstance(read, dict) else {}


def in_submission(path: tuple[str, ...]) -> bool:
    return any(GRADESCOPE.fullmatch(part) for part in path[:-1])


def gradescope(file: File, depth: int, listed: dict) -> list[Owner]:
    """`submission_123/x.ipynb`; everybody of a group hands it in."""
    folder = file.path[depth] if len(file.path) > depth + 1 else ""
    found = GRADESCOPE.fullmatch(folder)
    if not found:
        return []
    about = mapping(listed.get(folder))
    number, late = int(found[1][:18]), value(about, "late").lower() in ("true", "yes")
    people = about.get(":submitters") or about.get("submitters")
    people = [mapping(person) for person in people[:50]] if isinstance(people, list) else []
    made = [submitter(person, number, late) for person in people]
    return [owner for owner in made if owner.student] or [Owner(folder, {}, (number,), late)]


def submitter(person: dict, number: int, late: bool) -> Owner:
    ids = {key: value(person, key)[:200] for key in ("name", "sid", "email")}
    name = ids["name"] or ids["email"] or ids["sid"]
    return Owner(student_name(name), {k: v for k, v in ids.items() if v}, (number,), late)


def value(about: dict, key: str) -> str:
    found = about.get(f":{key}", about.get(key))
    return found if isinstance(found, str) else ""


def mapping(found) -> dict:
    return found if isinstance(found, dict) else {}


def wrapper(paths: Iterable[tuple[str, ...]]) -> bool:
    """Whether all files lie in one folder that is nobody's: one of submissions, or one that holds several folders."""
    tops = {path[0] for path in paths}
    if len(tops) != 1 or any(len(path) == 1 for path in paths):
        return False
    below = {path[1] for path in paths if len(path) > 2 and not ASSIGNMENT.fullmatch(path[1])}
    return bool(EXPORT.fullmatch(tops.pop())) or len(below) > 1


def plain(path: tuple[str, ...]) -> list[Owner]:
    """STUDENT.ipynb, STUDENT.zip, or STUDENT/.../x.ipynb."""
    first = path[0] if len(path) > 1 else re.sub(r"(\.(ipynb|zip|json|txt))+$", "", path[0], flags=re.IGNORECASE)
    name = student_name(first)
    return [Owner(name)] if name else []
