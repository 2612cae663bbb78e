"""The class, from what a learning platform exports: Canvas's or Moodle's gradebook, Moodle's worksheet, or a CSV.

Columns are known by their heads. Of one's own CSV: `student` (the folder), `name`, `email`, `login`, `sid`, `canvas`,
`github`, and, with assignments between blanks, `excused` and `extended` (`02_latent_variable_models=2026-12-01`).
"""

import csv
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ..course import Course, CourseError
from . import roster
from .names import student_name
from .people import People
from .submitter import Submitter

HEADS = {
    "student": "name", "name": "name", "full name": "name", "first name": "first", "last name": "last",
    "surname": "last", "first_name": "first", "last_name": "last", "folder": "folder", "id": "canvas",
    "canvas": "canvas", "sis user id": "sid", "id number": "sid", "sid": "sid", "sis login id": "login",
    "username": "login",
    "login": "login", "email address": "email", "email": "email", "github": "github", "github_username": "github",
    "identifier": "moodle", "excused": "excused", "extended": "extended",
}  # fmt: skip
NOBODY = re.compile(r"\s*points possible\s*|student, test|test student", re.IGNORECASE)
PARTICIPANT = re.compile(r"(?:participant\s*)?(\d+)", re.IGNORECASE)
DATED = re.compile(r"(?P<name>\w+)(?:=(?P<until>\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?))?")
EXPECTED = "expected the gradebook that Canvas or Moodle exports, Moodle's worksheet, or a CSV with a column `name`"


def take(course: Course, file: Path, assignment: str = "") -> tuple[list[str], list[str]]:
    """Add a list of the class to the roster: `(students, problems)`. Raises CourseError for what is no such list."""
    people, known = read(course, file, assignment), roster.load(course)
    placing = People(known, {p.name for p in course.submitted.glob("*") if p.is_dir()}, assignment)
    submitters = [submitter(one, number) for number, one in enumerate(people)]
    placed = placing.place(submitters, listed=True)
    for one, asked in zip(people, submitters, strict=True):
        if student := placed.get(asked.key):
            known[student] = merged(known.get(student, {}), one, assignment)
    roster.save(course, known)
    return sorted(placed.values()), placing.problems


def read(course: Course, file: Path, assignment: str) -> list[dict]:
    """A row for each person. Raises CourseError."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CourseError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CourseError(f"{file}: no text in UTF-8; {EXPECTED}") from None
    lines = text.splitlines()
    apart = max(",;\t", key=lines[0].count) if lines else ","
    rows = list(csv.DictReader(lines, delimiter=apart))
    heads = {head: HEADS[key] for head in (rows[0] if rows else {}) if (key := str(head).strip().casefold()) in HEADS}
    if "name" not in heads.values() and not {"first", "last"} <= set(heads.values()):
        raise CourseError(f"{file}: no list of a class: {EXPECTED}")
    cells = [{heads[head]: (row[head] or "").strip() for head in heads} for row in rows]
    found = [person(row, course, file, line) for line, row in enumerate(cells, 2)]
    return [one for one in found if one["name"] and not NOBODY.fullmatch(one["name"])]


def person(row: dict[str, str], course: Course, file: Path, line: int) -> dict:
    """One row as an entry of the roster. Raises CourseError for an assignment that is none."""
    name = row.get("name") or " ".join(filter(None, (row.get("first"), row.get("last"))))
    last, comma, first = name.partition(",")
    made: dict = {"name": f"{first.strip()} {last.strip()}" if comma and not NOBODY.fullmatch(name) else name}
    made |= {key: row[key] for key in (*roster.STABLE, "folder") if row.get(key)}
    if found := PARTICIPANT.fullmatch(row.get("moodle", "")):
        made["moodle"] = found[1]
    for key in ("excused", "extended"):
        until = {}
        for word in row.get(key, "").replace(";", " ").split():
            match = DATED.fullmatch(word)
            if not match or match["name"] not in course.assignments or not is_date(match["until"] or "2026-12-01"):
                raise CourseError(f"{file}, line {line}: {key}: {word!r} is none of NAME or NAME=2026-12-01")
            until[match["name"]] = match["until"] or ""
        if until:
            made[key] = sorted(until) if key == "excused" else until
    return made


def is_date(text: str) -> bool:
    with suppress(ValueError):
        return bool(datetime.fromisoformat(text))
    return False


def submitter(one: dict, number: int) -> Submitter:
    ids = {key: one[key] for key in (*roster.STABLE, "moodle") if key in one}
    return Submitter(student_name(one.get("folder") or one["name"]), ids or {"row": str(number)})


def merged(entry: dict, one: dict, assignment: str) -> dict:
    """What was known, and what the list says, which wins; each assignment has a number of Moodle's of its own."""
    made = entry | {key: value for key, value in one.items() if key not in ("moodle", "folder")} | {"class": True}
    if "moodle" in one and assignment:
        made["moodle"] = entry.get("moodle", {}) | {assignment: one["moodle"]}
    return made
