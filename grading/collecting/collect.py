"""Take submissions over into grading/submitted/STUDENT/ASSIGNMENT/: what platforms hand out, a zip, a folder, a file.

A notebook is recognised by what it holds, not by its name. Every attempt is kept; the newest that can be read counts.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from ..course import STUDENT, Course, CourseError
from . import archive, attempts, roster
from .archive import ArchiveRefused
from .attempts import Attempt
from .people import People
from .reading import Hand, Reading
from .submitter import Submitter


@dataclass
class Collected:
    """`students`: one row each; `skipped`: `(file, reason)`; `missing`: of the class, who has not handed in this;
    `problems`: what a person must settle."""

    platform: str
    students: list[dict] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def collect(course: Course, source: Path, assignment: str) -> Collected:
    """Raises CourseError for a wrong path, ArchiveRefused for a hostile or empty archive."""
    if not os.path.lexists(source):
        raise CourseError(f"no file or folder {source}")
    if not source.is_dir() and not source.is_file():
        raise CourseError(f"{source}: neither a zip nor a folder")
    refuse_own(course, source.resolve())
    try:
        with archive.opened(source) as entries, attempts.stage(course) as stage:
            reading = Reading(course, assignment, stage)
            hands = reading.hands(entries)
            made = Collected(reading.platform, skipped=reading.skipped, problems=reading.problems)
            Collecting(course, assignment, made).take(hands)
            return made
    except ArchiveRefused as refusal:
        raise ArchiveRefused(f"{source}: {refusal}; nothing was collected") from None


def refuse_own(course: Course, source: Path):
    """The course's own folders are nobody's work: `collect .` would hand in the solutions."""
    own = (course.solutions, course.released, course.submitted, course.autograded)
    if course.root.resolve().is_relative_to(source) or any(source.is_relative_to(path.resolve()) for path in own):
        raise CourseError(f"{source} is the course's own; give the zip or the folder that you downloaded")


@dataclass
class Collecting:
    """One download on its way into the course folder; what becomes of it is noted in `made`."""

    course: Course
    assignment: str
    made: Collected

    def take(self, hands: dict[tuple, Hand]):
        """Store what everybody handed in. The roster first: who is who must not be lost with a full disk."""
        known = roster.load(self.course)
        people = People(known, self.folders(), self.assignment)
        placed = people.place([hand.submitter for hand in hands.values()])
        self.made.problems += people.problems
        for key, student in placed.items():
            one, mine = hands[key].submitter, hands[key].attempts
            late = max(mine, key=lambda a: a.rank).late if mine else one.late
            known[student] = roster.note(known.get(student, {}), self.assignment, one.ids, late, shown(one))
        roster.save(self.course, known)
        for key, hand in sorted(hands.items(), key=lambda item: placed.get(item[0], "")):
            if key in placed:
                self.made.students.append(self.row(placed[key], hand))
                known[placed[key]] = self.handed(known[placed[key]], self.made.students[-1], hand)
            else:
                self.aside(hand)
        self.note_rest(known, {placed[key]: hand for key, hand in hands.items() if key in placed})

    def folders(self) -> set[str]:
        return {path.name for path in self.course.submitted.glob("*") if path.is_dir() and STUDENT.fullmatch(path.name)}

    def row(self, student: str, hand: Hand) -> dict:
        """Store the newest attempt, unless a newer one is there already. One row of the table."""
        row = {
            "student": student,
            "status": "nothing",
            "attempts": len(hand.attempts),
            "late": False,
            "file": "",
            "time": None,
        }
        if not STUDENT.fullmatch(student) or student.startswith("."):
            self.made.problems.append(f"{student!r}: no possible name of a student")
            return row
        if not hand.attempts:
            self.made.problems.append(f"{student}: nothing to grade: {hand.reason or 'no notebook'}")
            return row
        for attempt in hand.attempts:
            attempts.keep(self.course, student, self.assignment, attempt)
        best = max(hand.attempts, key=lambda attempt: attempt.rank)
        status = attempts.store(self.course, student, self.assignment, best)
        self.settle(student, hand, best, status)
        about = {"file": best.file.name, "time": best.file.time, "late": best.late}
        return row | about | {"status": "unchanged" if status == "broken" else status}

    def handed(self, entry: dict, row: dict, hand: Hand) -> dict:
        """What lies in `submitted/` now, for the student's page and for handing back. An older one is not taken."""
        if row["status"] in ("older", "nothing") or not hand.attempts:
            return entry
        best = max(hand.attempts, key=lambda attempt: attempt.rank)
        upload = str(best.order[0]) if "canvas" in hand.submitter.ids and best.order else ""
        return roster.handed(entry, self.assignment, best.file.name, best.file.time, upload)

    def settle(self, student: str, hand: Hand, best: Attempt, status: str):
        """What a person must see of one submission."""
        if best.broken:
            end = "the earlier one stays" if status == "broken" else "taken as it is"
            self.made.problems.append(f"{student}: {best.file.name}: {best.broken}; {end}")
        same = {a.digest: a.file.name for a in hand.attempts if not a.broken and a.order == best.order}
        if len(same) > 1:
            others = ", ".join(name for digest, name in same.items() if digest != best.digest)[:200]
            self.made.problems.append(
                f"{student}: {len(same)} different notebooks at once: {best.file.name} is taken, and not {others}"
            )

    def aside(self, hand: Hand):
        """Keep what nobody knows whose it is, where nobody grades it."""
        folder = self.course.data / "unsettled" / self.assignment
        for attempt in hand.attempts:
            owner = " ".join((hand.submitter.name, hand.submitter.number)).strip()
            attempts.put(attempt.staged.read_bytes(), attempt.digest, folder / owner, attempt.file.time)

    def note_rest(self, known: dict[str, dict], hands: dict[str, Hand]):
        """Remember who handed in something else, and name who is missing."""
        there = {student for student, files in self.course.submissions(self.assignment).items() if files}
        for student, hand in hands.items():
            other = {name: line for name, line in known[student].get("other", {}).items() if name != self.assignment}
            if student not in there:
                other[self.assignment] = hand.reason or "no notebook"
            known[student] = {k: v for k, v in known[student].items() if k != "other"} | (
                {"other": other} if other else {}
            )
        roster.save(self.course, known)
        away = (set(known) | self.folders()) - there - {row["student"] for row in self.made.students}
        self.made.missing = sorted(away)
        for student in self.made.missing:
            if line := known.get(student, {}).get("other", {}).get(self.assignment):
                self.made.problems.append(f"{student}: nothing to grade: {line}")


def shown(one: Submitter) -> str:
    """A person's name as people write it: not what Canvas makes of it, nor a login."""
    return one.name if {"moodle", "sid", "email", "brightspace"} & one.ids.keys() else ""
