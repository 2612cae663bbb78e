"""Who of a download is who of the class: nobody is lost, nobody becomes another.

Numbers and logins tell people apart. A name alone joins a download to somebody known only where one person has it, and
never two of one download. Where a roster tells the class, a name is looked for in other orders and spellings too.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from . import names, roster
from .names import folded, student_name
from .submitter import Submitter


@dataclass
class People:
    """`known`: the roster; `folders`: what lies among the submissions; `problems`: what a person must settle."""

    known: dict[str, dict]
    folders: set[str]
    assignment: str
    problems: list[str] = field(default_factory=list)
    placed: dict[tuple, str] = field(default_factory=dict)

    def place(self, submitters: list[Submitter], listed: bool = False) -> dict[tuple, str]:
        """A student for each submitter's key; those are missing of whom nothing says who they are. `listed`: they are
        a list of the class."""
        waiting = {one.key: one for one in submitters}
        self.by_number(waiting)
        rostered = any(entry.get("class") for entry in self.known.values())
        for level in LISTED if listed else ROSTERED if rostered else PLAIN:
            self.by_name(waiting, level)
        self.newcomers(waiting)
        return self.placed

    def by_number(self, waiting: dict[tuple, Submitter]):
        holders = defaultdict(set)
        for student, entry in self.known.items():
            for number in roster.numbers(entry, self.assignment):
                holders[number].add(student)
        for key, one in list(waiting.items()):
            found = set().union(*(holders[number] for number in one.ids.items()))
            found = found or self.same_name_and_number(one)
            if len(found) == 1:
                self.placed[key] = found.pop()
                del waiting[key]
            elif found:
                self.ask(waiting.pop(key), sorted(found))

    def same_name_and_number(self, one: Submitter) -> set[str]:
        """Moodle's number belongs to one assignment; the same with the same name is the same person."""
        number = one.ids.get("moodle")
        return {
            student
            for student, entry in self.known.items()
            if number and number in entry.get("moodle", {}).values() and called(student, entry) & {folded(one.name)}
            if self.assignment not in entry["moodle"]
        }

    def by_name(self, waiting: dict[tuple, Submitter], same: "Level"):
        taken, everybody = set(self.placed.values()), self.known.keys() | self.folders
        mates, rivals = defaultdict(set), defaultdict(set)
        for key, one in waiting.items():
            for said in same.theirs(one) if one.name else ():
                rivals[said].add(key)
        for student in everybody:
            for said in same.ours(student, self.known.get(student, {})):
                mates[said].add(student)
        for key, one in list(waiting.items()):
            mine = set().union(*(mates[said] for said in same.theirs(one) if said)) - taken if one.name else set()
            fitting = {student for student in mine if not self.another(student, one)}
            beside = set().union(*(rivals[said] for said in same.theirs(one)))
            if len(mine) == 1 and fitting and len(beside) == 1:
                self.placed[key] = mine.pop()
                del waiting[key]
            elif fitting and same.asks:
                self.ask(waiting.pop(key), sorted(mine))

    def another(self, student: str, one: Submitter) -> bool:
        return roster.is_another(self.known.get(student, {}), one.ids, self.assignment)

    def ask(self, one: Submitter, candidates: list[str]):
        who = f"{one.name!r}" + (f" (number {one.number})" if one.number else "")
        self.problems.append(
            f"{who} could be {' or '.join(candidates)}, or somebody else: kept aside, not graded; give the class with "
            "`--roster FILE`, which names the number or the login of each"
        )

    def newcomers(self, waiting: dict[tuple, Submitter]):
        """A folder's name for each that is nobody known; two of one name are told apart by the platform's number."""
        named = defaultdict(list)
        for one in waiting.values():
            named[folded(one.name)].append(one)
        for same in named.values():
            if len(same) > 1 and same[0].name:
                self.problems.append(
                    f"{len(same)} students are called {same[0].name!r}; each folder's name ends in their number"
                )
        for one in sorted(waiting.values(), key=lambda one: (len(named[folded(one.name)]) == 1, one.name, one.key)):
            self.placed[one.key] = self.folder(one, alone=len(named[folded(one.name)]) == 1)

    def folder(self, one: Submitter, alone: bool) -> str:
        """One that is nobody's yet."""
        taken = {folded(name) for name in (*self.known, *self.folders, *self.placed.values())}
        number = student_name(f"{one.name or 'Participant'}_{one.number}") if one.number else one.name
        tries = [
            *([one.name] if alone and one.name else []),
            number,
            *(f"{number}-{n}" for n in range(2, len(taken) + 3)),
        ]
        found = next(name for name in tries if folded(name) not in taken)
        if alone and one.name and found != one.name:
            self.problems.append(f"another {one.name!r} is known; this one's folder is {found!r}")
        return found


@dataclass(frozen=True)
class Level:
    """What is compared: of who hands in, and of who is known. `asks`: whether several that fit are a question."""

    theirs: Callable[[Submitter], set[str]]
    ours: Callable[[str, dict], set[str]]
    asks: bool = True


def called(student: str, entry: dict) -> set[str]:
    """All that somebody known is called. A folder that ends in a number is no name."""
    name = entry.get("name")
    return {folded(name)} if isinstance(name, str) and name else {folded(student)}


def logins(student: str, entry: dict) -> set[str]:
    found = [folded(value) for key in roster.STABLE if isinstance(value := entry.get(key), str)]
    return {*found, *(login.partition("@")[0] for login in found)}


def rostered(change: Callable[[str], set[str]]) -> Callable[[str, dict], set[str]]:
    """The same for names of the roster, changed."""
    return lambda student, entry: (
        {new for name in called(student, entry) for new in change(name)} if entry.get("class") else set()
    )


EXACT = Level(lambda one: {folded(one.name)}, called)
LOGIN = Level(lambda one: {folded(one.name)} if not one.ids else set(), logins)
TURNED = Level(lambda one: names.turned(one.name), rostered(names.turned))
SQUEEZED = Level(lambda one: {one.name} if "canvas" in one.ids else set(), rostered(names.squeezed))
LAST = Level(lambda one: {folded(one.name)}, rostered(names.last), asks=False)
FOLDER = Level(lambda one: names.turned(one.name) | names.squeezed(one.name), called)
LISTED = (EXACT, FOLDER)
PLAIN = (EXACT,)
ROSTERED = (EXACT, LOGIN, TURNED, SQUEEZED, LAST)
