"""Take submissions over into grading/submitted/STUDENT/ASSIGNMENT/: what platforms hand out, a zip, a folder, a file.

A notebook is recognised by what it holds, not by its name. Every attempt is kept; the newest that can be read counts.
"""

import os
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from ..course import STUDENT, Course, CourseError
from . import archive, attempts, platforms, roster
from .archive import ArchiveRefused, Budget, Entry, File
from .attempts import Attempt
from .examine import examine
from .people import People
from .submitter import Submitter

MOST_SAID = 4_000_000  # bytes of a platform's own list
READERS = 2  # files at once
SLOW = 10  # files that one counts for which is over the limits of reading

Group = list[tuple[Entry, list[Submitter]]]  # of the same people


@dataclass
class Hand:
    """What one person has in this download. `foreign`: which other assignment their notebooks are of; `reason`: why the
    first other file is not taken; `text`: what they wrote on the platform alone."""

    submitter: Submitter
    attempts: list[Attempt] = field(default_factory=list)
    foreign: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Look:
    """At one file: whose it is, and where it lies `staged`; else the `reason`, which may be another assignment."""

    file: File
    people: list[Submitter]
    staged: Path | None = None
    digest: str = ""
    broken: str = ""
    foreign: str = ""
    reason: str = ""


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
            return Collecting(course, assignment, stage).download(entries, source)
    except ArchiveRefused as refusal:
        raise ArchiveRefused(f"{source}: {refusal}; nothing was collected") from None


def refuse_own(course: Course, source: Path):
    """The course's own folders are nobody's work: `collect .` would hand in the solutions."""
    own = (course.solutions, course.released, course.submitted, course.autograded)
    if course.root.resolve().is_relative_to(source) or any(source.is_relative_to(path.resolve()) for path in own):
        raise CourseError(f"{source} is the course's own; give the zip or the folder that you downloaded")


class Collecting:
    """One download on its way into the course folder."""

    def __init__(self, course: Course, assignment: str, stage: Path):
        self.course, self.assignment, self.stage = course, assignment, stage
        self.made = Collected("")

    def download(self, entries: list[Entry], source: Path) -> Collected:
        if len(entries) == 1 and entries[0].path[-1].lower().endswith(".zip") and not entries[0].problem:
            with TemporaryFile() as copy, entries[0].opened() as stream:
                inner = whole_download(copy, stream, entries[0])
                if inner and self.layout(inner).platform != "folder":
                    return self.download(inner, source)
        layout = self.layout(entries)
        self.made.platform = layout.platform
        hands = self.read(entries, layout)
        self.refuse_another(hands, source)
        self.take(hands)
        return self.made

    def layout(self, entries: list[Entry]) -> platforms.Layout:
        return platforms.layout(entries, self.course.assignment(self.assignment), text)

    def read(self, entries: list[Entry], layout) -> dict[tuple, Hand]:
        """What everybody handed in, the newest first, so that a budget ends with the oldest."""
        mine: dict[tuple, Group] = defaultdict(list)
        for entry in entries:
            people = [] if entry.nameless and len(entry.path) < 2 else layout.submitters(entry)
            if people is not None:
                mine[tuple(one.key for one in people)].append((entry, people))
        for group in mine.values():
            group.sort(key=lambda one: newest(*one), reverse=True)
        hands: dict[tuple, Hand] = {}
        with ThreadPoolExecutor(READERS) as readers:
            for (keys, group), files in zip(mine.items(), readers.map(self.looks, mine.values()), strict=True):
                for one in (one for _, people in group for one in people):
                    hands.setdefault(one.key, Hand(one))
                for look in files:
                    self.note(look, hands)
                self.text_alone(keys, group, hands)
        return hands

    def looks(self, group: Group) -> list[Look]:
        """At every file of the same people, within what they may hand in."""
        budget = Budget()
        read = [(entry, people) for entry, people in group if not people or not people[0].text]
        return [self.look(file, people, budget) for entry, people in read for file in archive.read(entry, budget)]

    def text_alone(self, keys, group, hands: dict[tuple, Hand]):
        for key in keys:
            if not hands[key].attempts and any(one.text for _, people in group for one in people):
                hands[key].reason = hands[key].reason or "text written on the platform, no file"

    def look(self, file: File, people: list[Submitter], budget: Budget) -> Look:
        """An attempt of its people, or one line why not."""
        bare = File(file.path, file.inside, file.time, nameless=file.nameless)
        if file.problem:
            return Look(bare, people, reason=file.problem)
        found = examine(file.data, self.course)
        budget.files -= SLOW * found.slow
        if found.assignment not in ("", self.assignment):
            reason = f"a notebook of {found.assignment}, not of {self.assignment}"
            return Look(bare, people, foreign=found.assignment, reason=reason)
        if not found.assignment and not (file.path + file.inside)[-1].lower().endswith(".ipynb"):
            return Look(bare, people, reason=found.refusal)
        path, digest = attempts.staged(self.stage, found.data)
        return Look(bare, people, staged=path, digest=digest, broken="" if found.assignment else found.refusal)

    def note(self, look: Look, hands: dict[tuple, Hand]):
        if not look.people:
            self.nobodys(look.file, look.reason)
        elif look.staged is None:
            self.made.skipped.append((look.file.name, look.reason))
        for one in look.people:
            hand = hands[one.key]
            if look.staged is None:
                hand.foreign = hand.foreign or look.foreign
                hand.reason = hand.reason or f"{look.file.name}: {look.reason}"
            else:
                hand.attempts.append(Attempt(look.file, look.staged, look.digest, one.order, one.late, look.broken))

    def nobodys(self, file: File, reason: str):
        """A file that is nobody's is said; one that somebody may have handed in wants a person."""
        last = (file.path + file.inside)[-1].lower()
        line = reason or "its name does not say whose it is: name it STUDENT.ipynb, or put it into a folder STUDENT"
        self.made.skipped.append((file.name, line))
        if file.nameless or not reason or last.endswith((".ipynb", ".zip", ".pdf")):
            self.made.problems.append(f"{file.name}: {line}")

    def refuse_another(self, hands: dict[tuple, Hand], source: Path):
        """A download of another assignment is said once."""
        ours = [hand for hand in hands.values() if any(not a.broken for a in hand.attempts)]
        theirs = Counter(hand.foreign for hand in hands.values() if hand not in ours and hand.foreign)
        name, count = theirs.most_common(1)[0] if theirs else ("", 0)
        if count > max(1, len(ours)):
            raise ArchiveRefused(f"a download of {name}, not of {self.assignment}, by {count} of {len(hands)} students")
        if not any(hand.attempts for hand in hands.values()):
            first = f" ({self.made.skipped[0][0]}: {self.made.skipped[0][1]})" if self.made.skipped else ""
            raise ArchiveRefused(f"no notebook of {self.assignment} in it{first}")

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


def newest(entry: Entry, people: list[Submitter]) -> tuple:
    return people[0].order if people else (), entry.time, entry.path


def shown(one: Submitter) -> str:
    """A person's name as people write it: not what Canvas makes of it, nor a login."""
    return one.name if {"moodle", "sid", "email", "brightspace"} & one.ids.keys() else ""


def text(entry: Entry) -> str:
    """A small file of the platform's own."""
    if entry.problem or entry.opened is None:
        return ""
    try:
        with entry.opened() as stream:
            return stream.read(MOST_SAID).decode("utf-8-sig", errors="replace")
    except archive.BAD:
        return ""


def whole_download(copy, stream, entry: Entry) -> list[Entry]:
    """The entries of a platform's download that lies alone in another zip."""
    try:
        size = archive.copied(stream, b"", copy)
        return archive.of_zip(archive.zipped(copy), entry.path[-1], entry.time, size)
    except (ArchiveRefused, *archive.BAD):
        return []
