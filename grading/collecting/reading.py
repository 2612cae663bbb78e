"""What everybody handed in: each file of a download is an attempt of its people, or one line why not."""

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from ..course import Course
from . import archive, attempts, platforms
from .archive import ArchiveRefused, Budget, Entry, File
from .attempts import Attempt
from .examine import examine
from .submitter import Submitter

MOST_SAID = 4_000_000  # bytes of a platform's own list
READERS = 2  # files at once
SLOW = 10  # files that one counts for which is over the limits of reading

Group = list[tuple[Entry, list[Submitter]]]  # of the same people


@dataclass
class Hand:
    """What one person has in this download. `foreign`: which other assignment their notebooks are of; `reason`: why the
    first other file is not taken."""

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
class Reading:
    """Of one download of an assignment; notebooks are put into the folder `stage`. `skipped`: `(file, reason)`;
    `problems`: what a person must settle."""

    course: Course
    assignment: str
    stage: Path
    platform: str = ""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def hands(self, entries: list[Entry]) -> dict[tuple, Hand]:
        """By person. Raises ArchiveRefused for a download of another assignment, or of none."""
        if len(entries) == 1 and entries[0].path[-1].lower().endswith(".zip") and not entries[0].problem:
            with TemporaryFile() as copy, entries[0].opened() as stream:
                inner = whole_download(copy, stream, entries[0])
                if inner and self.layout(inner).platform != "folder":
                    return self.hands(inner)
        layout = self.layout(entries)
        self.platform = layout.platform
        hands = self.read(entries, layout)
        self.refuse_another(hands)
        return hands

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
            self.skipped.append((look.file.name, look.reason))
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
        self.skipped.append((file.name, line))
        if file.nameless or not reason or last.endswith((".ipynb", ".zip", ".pdf")):
            self.problems.append(f"{file.name}: {line}")

    def refuse_another(self, hands: dict[tuple, Hand]):
        """A download of another assignment is said once."""
        ours = [hand for hand in hands.values() if any(not a.broken for a in hand.attempts)]
        theirs = Counter(hand.foreign for hand in hands.values() if hand not in ours and hand.foreign)
        name, count = theirs.most_common(1)[0] if theirs else ("", 0)
        if count > max(1, len(ours)):
            raise ArchiveRefused(f"a download of {name}, not of {self.assignment}, by {count} of {len(hands)} students")
        if not any(hand.attempts for hand in hands.values()):
            first = f" ({self.skipped[0][0]}: {self.skipped[0][1]})" if self.skipped else ""
            raise ArchiveRefused(f"no notebook of {self.assignment} in it{first}")


def newest(entry: Entry, people: list[Submitter]) -> tuple:
    return people[0].order if people else (), entry.time, entry.path


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
