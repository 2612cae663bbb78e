"""Take submissions over into grading/submitted/STUDENT/ASSIGNMENT/: Moodle, Canvas, Gradescope, a zip or a folder.

A notebook is recognised by what it holds, not by its name. Of several attempts the newest counts.
"""

import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..course import STUDENT, Course, CourseError, listed, write
from ..notebook import parse
from ..notebook.submission import recognise
from . import archive, platforms, roster
from .anonymise import anonymous
from .archive import File
from .platforms import Owner

CLOCK = 2.0  # seconds that a zip's clock may differ


@dataclass(frozen=True)
class Attempt:
    """One file by one student; `broken`: why it will be refused, should it be all that there is."""

    owner: Owner
    file: File
    broken: str = ""

    @property
    def rank(self) -> tuple:
        return not self.broken, self.owner.order, self.file.time, self.file.name


@dataclass
class Collected:
    """`students`: one row each; `skipped`: `(file, reason)`; `missing`: who handed in other work, but not this."""

    platform: str
    students: list[dict] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)  # by student, of the first file that was skipped
    problems: list[str] = field(default_factory=list)


def collect(course: Course, source: Path, assignment: str) -> Collected:
    """Raises CourseError for a wrong path, ArchiveRefused for a hostile or empty archive."""
    if not os.path.lexists(source):
        raise CourseError(f"no file or folder {source}")
    if not source.is_dir() and not source.is_file():
        raise CourseError(f"{source}: neither a zip nor a folder")
    try:
        found = unwrapped(archive.files(source))
    except archive.ArchiveRefused as refusal:
        raise archive.ArchiveRefused(f"{source}: {refusal}; nothing was collected") from None
    platform, owners = platforms.layout(found)
    made = Collected(platform)
    attempts = by_student(course, found, owners, assignment, made)
    if not any(attempts.values()):
        raise archive.ArchiveRefused(f"{source}: no notebook of {assignment} in it{why(made)}")
    known = roster.load(course)
    for (student, _), mine in sorted(named(attempts, known, made).items()):
        made.students.append(take(course, student, assignment, mine, known, made))
    roster.save(course, known)
    here = {row["student"] for row in made.students if row["status"] != "nothing"}
    made.missing = sorted(others(course, assignment) - here)
    return made


def why(made: Collected) -> str:
    return f" ({made.skipped[0][0]}: {made.skipped[0][1]})" if made.skipped else ""


def unwrapped(files: list[File]) -> list[File]:
    """A platform's whole download in another zip counts as that download."""
    outer = {file.path for file in files}
    if len(outer) == 1 and all(file.inside for file in files):
        inner = [replace(f, path=f.inside, inside=()) for f in files]
        if platforms.layout(inner)[0] != "folder":
            return inner
    return files


def by_student(
    course: Course, files: list[File], owners, assignment: str, made: Collected
) -> dict[tuple, list[Attempt]]:
    """Attempts by name and ids. What is no notebook of the assignment is skipped, with the reason."""
    attempts = defaultdict(list)
    for file in files:
        if file.path[-1] == platforms.METADATA:
            continue
        people = [owner for owner in owners(file) if owner.student]
        reason, broken = (file.problem, "") if file.problem else judged(file, assignment, course)
        if not people:
            reason = reason or "its name does not say whose it is"
        if reason:
            made.skipped.append((file.name, reason))
        if file.nameless and not people:
            made.problems.append(f"{file.name}: {reason}")
        for owner in people if not reason or somebodys(file, made.platform) else []:
            key = owner.student, tuple(sorted(owner.ids.items()))
            if reason:
                made.reasons.setdefault(owner.student, f"{file.name}: {reason}")
            attempts[key] += [] if reason else [Attempt(owner, file, broken)]
    return attempts


def somebodys(file: File, platform: str) -> bool:
    """Whether a skipped file still names a student who handed in something: not a readme beside the notebooks."""
    return platform != "folder" or len(file.path) > 1 or file.path[0].lower().endswith((".ipynb", ".zip"))


def judged(file: File, assignment: str, course: Course) -> tuple[str, str]:
    """`(why it is skipped, why it is broken)`."""
    try:
        recognised = recognise(file.data, course.assignments)
        other = f"a notebook of {recognised.name}, not of {assignment}"
        return ("" if recognised.name == assignment else other), ""
    except (parse.Refused, RuntimeError) as refusal:  # of a fault of ours the others hear nothing
        notebook = (file.path + file.inside)[-1].lower().endswith(".ipynb")
        return ("", str(refusal)) if notebook else (str(refusal), "")


def named(attempts: dict, known: dict, made: Collected) -> dict[tuple, list[Attempt]]:
    """A folder name for each: two students of one name are told apart by the platform's number."""
    people = defaultdict(list)
    for (student, ids), mine in attempts.items():
        people[student].append((ids, mine))
    result = {}
    for student, same in people.items():
        if len(same) > 1:
            made.problems.append(
                f"{len(same)} students are called {student!r}; each folder's name ends in their number"
            )
        for ids, mine in same:
            several = len(same) > 1 or roster.is_another(known.get(student, {}), dict(ids))
            number = next((v for k, v in ids if k in ("canvas", "sid", "moodle", "email")), "")
            result[platforms.student_name(f"{student}_{number}") if several and number else student, ids] = mine
    return result


def take(course: Course, student: str, assignment: str, attempts: list[Attempt], known: dict, made: Collected) -> dict:
    """Write the newest attempt, unless a newer one is there already. One row of the table."""
    row = {"student": student, "status": "nothing", "attempts": len(attempts), "late": False, "file": "", "time": None}
    if not STUDENT.fullmatch(student) or student.startswith("."):
        made.problems.append(f"{student!r}: no possible name of a student")
        return row
    if not attempts:
        made.problems.append(f"{student}: nothing to grade: {made.reasons.get(student, 'no notebook')}")
        return row
    best = max(attempts, key=lambda attempt: attempt.rank)
    if best.broken:
        made.problems.append(f"{student}: {best.file.name}: {best.broken}; taken as it is")
    status = store(course, student, assignment, best.file)
    known[student] = roster.note(known.get(student, {}), assignment, best.owner.ids, best.owner.late)
    about = {"file": best.file.name, "time": best.file.time, "late": best.owner.late}
    return row | about | {"status": status}


def store(course: Course, student: str, assignment: str, file: File) -> str:
    """new, newer, unchanged, or older (which is left out)."""
    folder = course.submitted / student / assignment
    before = [p for p in listed(folder) if p.suffix == ".ipynb" and p.is_file()] if folder.is_dir() else []
    data = anonymous(file.data)
    if any(same(path, data) for path in before):
        return "unchanged"
    if any(path.lstat().st_mtime > file.time + CLOCK for path in before):
        return "older"
    target = folder / f"{course.assignment(assignment).notebook}.ipynb"
    write(target, data)
    os.utime(target, (file.time, file.time))
    return "newer" if before else "new"


def same(path: Path, data: bytes) -> bool:
    try:
        return parse.read(path) == data
    except parse.Refused:
        return False


def others(course: Course, assignment: str) -> set[str]:
    """Students with other assignments who have not handed in this one, now or before."""
    everybody = {s for name in course.assignments for s, files in course.submissions(name).items() if files}
    return everybody - {s for s, files in course.submissions(assignment).items() if files}
