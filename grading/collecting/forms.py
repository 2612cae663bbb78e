"""What each platform calls the files of a download: Moodle, Canvas, Brightspace, Blackboard, Teams, GitHub, nbgrader.

Each `PLATFORMS` entry looks at all paths of a download and gives a `Reader`, or None where it is surely not its own.
"""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ..assignments import Assignment
from . import gradescope
from .names import student_name
from .submitter import Path, Reader, Submitter

MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_.*)?", re.DOTALL)
BLIND = re.compile(r"(?:(?P<team>.*)-)?Participant")
CANVAS = re.compile(
    r"(?P<name>[^_/]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<number>\d+)_(?P<file>.+?)(?:-(?P<attempt>\d+))?(?:\.\w+)?",
    re.DOTALL,
)
BRIGHTSPACE = re.compile(
    r"(?P<id>\d+)-\d+ - (?P<name>.+?) - "
    r"(?P<date>(?:\w{3,9} \d{1,2}, \d{4}|\d{1,2} \w{3,9},? \d{4}|\d{4}-\d\d-\d\d),? \d{3,4}(?: [AP]M)?)(?: - .*)?",
    re.DOTALL,
)
BLACKBOARD = re.compile(r"(?P<head>.+?)_attempt_(?P<stamp>\d{4}(?:-\d\d){5})(?P<rest>_.+|\.txt)", re.DOTALL)
PERSON = re.compile(r"Name:\s*(?P<name>.*?)\s*\((?P<login>[^()\s]+)\)\s*")
EXCHANGE = re.compile(
    r"(?P<login>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^+]*)(?:\+.*)?"
)
CLOCK = re.compile(r"(.*?),? (\d{1,2})(\d\d)(?: ([AP])M)?", re.DOTALL)
VERSION = re.compile(r"Version (\d+)", re.IGNORECASE)
SUBMISSIONS = "-submissions"


@dataclass(frozen=True)
class Given:
    """All paths at one level; the folder around them; the assignment; `text` reads a small file of the platform's."""

    paths: list[Path]
    parent: str
    assignment: Assignment
    entries: dict
    text: Callable

    @property
    def tops(self) -> list[str]:
        return list(dict.fromkeys(path[0] for path in self.paths))

    def read(self, path: Path) -> str:
        return self.text(self.entries[path])


def moodle(given: Given) -> Reader | None:
    """`Full Name_12345_assignsubmission_file_/x.ipynb`, or the same without folders; `Team-Full Name_...`;
    `Participant_12345_...` where names are hidden."""
    names = {found["name"] for top in given.tops if (found := MOODLE.fullmatch(top))}
    teams = teams_of(names)

    def read(path: Path) -> list[Submitter]:
        found = MOODLE.fullmatch(path[0])
        if not found:
            return []
        name = "" if BLIND.fullmatch(found["name"]) else student_name(untold(found["name"], teams))
        own = found["kind"] == "onlinetext" and path[-1].endswith("onlinetext.html")
        return [Submitter(name, {"moodle": found["id"]}, text=own)]

    return read if names else None


def teams_of(names: set[str]) -> set[str]:
    """The teams before students' names: where every name has one, and most share theirs with others."""
    heads = [{name[: match.start()] for match in re.finditer("-", name)} for name in names]
    count = Counter(head for one in heads for head in one)
    shared = [{head for head in one if count[head] > 1} for one in heads]
    certain = len(names) > 2 or all(any(re.search(r"\d", head) for head in one) for one in heads)
    if not all(heads) or not certain or sum(map(bool, shared)) * 2 <= len(names):
        return set()
    return {max(same, key=len) if same else min(one, key=len) for one, same in zip(heads, shared, strict=True)}


def untold(name: str, teams: set[str]) -> str:
    """A name without its team."""
    team = max((team for team in teams if name.startswith(f"{team}-")), key=len, default="")
    return name.removeprefix(f"{team}-") if team else name


def canvas(given: Given) -> Reader:
    """`lastfirst_LATE_12345_67890_x-1.ipynb`: user, upload, attempt."""

    def read(path: Path) -> list[Submitter]:
        found = CANVAS.fullmatch(path[0])
        if not found or len(path) > 1:
            return []
        order = (int(found["number"][:18]), int((found["attempt"] or "0")[:9]))
        return [Submitter(student_name(found["name"]), {"canvas": found["id"]}, order, bool(found["late"]))]

    return read


def brightspace(given: Given) -> Reader:
    """`12345-67890 - Full Name - Nov 20, 2026 600 PM/x.ipynb`, a folder an attempt."""

    def read(path: Path) -> list[Submitter] | None:
        if path == ("index.html",):
            return None
        found = BRIGHTSPACE.fullmatch(path[0])
        ids = {"brightspace": found["id"]} if found else {}
        return [Submitter(student_name(found["name"]), ids, dated(found["date"]))] if found else []

    return read


def dated(text: str) -> tuple[int, ...]:
    """A date of Brightspace's as numbers; none where it is written in another way."""
    day, hour, minute, half = CLOCK.fullmatch(text).groups()
    for form in ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d %B, %Y", "%Y-%m-%d"):
        with suppress(ValueError):
            found = datetime.strptime(day, form)
            return *found.timetuple()[:3], int(hour) % 12 + 12 * (half == "P") if half else int(hour), int(minute)
    return ()


def blackboard(given: Given) -> Reader | None:
    """`Assignment_login_attempt_2026-11-20-18-00-00_x.ipynb`; a text beside it, Blackboard's own, names the person."""
    found = {path: match for path in given.paths if len(path) == 1 and (match := BLACKBOARD.fullmatch(path[0]))}
    people = {}
    for path, match in found.items():
        if match["rest"] == ".txt" and (said := PERSON.match(given.read(path))):
            people[match["head"]] = (said["name"], said["login"])

    def read(path: Path) -> list[Submitter]:
        match = found.get(path)
        if not match:
            return []
        name, login = people.get(match["head"], ("", match["head"].rpartition("_")[2]))
        order = tuple(map(int, match["stamp"].split("-")))
        return [Submitter(student_name(name or login), {"login": login}, order, text=match["rest"] == ".txt")]

    return read if found else None


def exchange(given: Given) -> Reader:
    """nbgrader's inbound folder: `login+assignment+time+random/x.ipynb`."""

    def read(path: Path) -> list[Submitter] | None:
        found = EXCHANGE.fullmatch(path[0])
        if not found or len(path) < 2:
            return []
        if found["assignment"] != given.assignment.name or path[-1] == "timestamp.txt":
            return None
        order = tuple(map(int, re.findall(r"\d+", found["time"])[:7]))
        return [Submitter(student_name(found["login"]), {"login": found["login"]}, order)]

    return read


def submitted(given: Given) -> Reader:
    """nbgrader's `submitted/STUDENT/ASSIGNMENT/x.ipynb`."""
    number = re.compile(r"\d\d_\w+")

    def read(path: Path) -> list[Submitter] | None:
        if len(path) < 3 or not number.fullmatch(path[1]):
            return []
        if path[1] != given.assignment.name or path[-1] == "timestamp.txt":
            return None
        name = student_name(path[0])
        return [Submitter(name, {} if " " in name else {"login": name})]

    return read


def teams(given: Given) -> Reader:
    """Microsoft Teams: `Submitted files/Full Name/Assignment/Version 2/x.ipynb`; working files are not handed in."""

    def read(path: Path) -> list[Submitter] | None:
        if path[0].casefold() == "working files":
            return None
        path = path[1:] if path[0].casefold() == "submitted files" else path
        found = VERSION.fullmatch(path[2]) if len(path) > 3 else None
        return [Submitter(student_name(path[0]), {}, (int(found[1][:9]),))] if found else []

    return read


def github(given: Given) -> Reader | None:
    """GitHub Classroom: `assignment-submissions/assignment-login/...`."""
    slug = given.parent.removesuffix(SUBMISSIONS) if given.parent.endswith(SUBMISSIONS) else ""
    heads = [f"{head}-" for head in (slug, given.assignment.name.replace("_", "-")) if head]

    def read(path: Path) -> list[Submitter]:
        head = next((head for head in heads if path[0].startswith(head) and not path[0].endswith(SUBMISSIONS)), "")
        login = path[0].removeprefix(head)
        return [Submitter(student_name(login), {"github": login})] if head and login and len(path) > 1 else []

    return read


PLATFORMS: dict[str, Callable[[Given], Reader | None]] = {
    "Gradescope": gradescope.reader,
    "Moodle": moodle,
    "Canvas": canvas,
    "Brightspace": brightspace,
    "Blackboard": blackboard,
    "nbgrader's exchange": exchange,
    "nbgrader": submitted,
    "Microsoft Teams": teams,
    "GitHub Classroom": github,
}
