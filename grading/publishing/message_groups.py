"""The same mistake made by many: what laws say, grouped by what is the same for all who made it."""

import re
from collections import defaultdict
from dataclasses import dataclass

from ..judging.verdict import LawResult, State, Verdict

NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|\binf\b|\bnan\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Group:
    """`students` who read this message in this exercise, each once; the laws that it failed."""

    exercise: str
    message: str
    students: tuple[str, ...]
    laws: tuple[str, ...]


def groups(verdicts: list[Verdict]) -> list[Group]:
    """The commonest first; exercises that were left out are no mistakes."""
    students, laws = defaultdict(dict), defaultdict(dict)
    for verdict in verdicts:
        for name, exercise in verdict.exercises.items():
            for law in exercise.laws:
                if law.state not in (State.PASSED, State.WAITING, State.UNSOLVED):
                    key = name, common(law)
                    students[key][verdict.student] = laws[key][law.law] = True
    found = [Group(*key, tuple(students[key]), tuple(laws[key])) for key in students]
    return sorted(found, key=lambda g: (-len(g.students), g.exercise, g.message))


def common(law: LawResult) -> str:
    """What two students with the same mistake both read: the mistake, else our words without the numbers in them."""
    if law.mistake:
        return law.mistake
    if law.state is State.UNDEFINED:
        return "not defined: its cell ended in an error, or is missing"
    if law.state is State.CRASHED:
        return law.ours.partition(":")[0]
    if law.theirs:
        return f"{law.ours} {law.theirs.partition(':')[0]}"
    return re.sub(r"#(?:[ ,]+#)+", "#", NUMBER.sub("#", law.ours)).replace(" at [#]", "").strip()[:200]
