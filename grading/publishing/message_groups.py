"""The same mistake made by many: messages of verdicts grouped by what is fixed in them."""

import re
from collections import defaultdict
from dataclasses import dataclass

from dgmlib.checks.engine.verdict import WAITS

NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|\binf\b|\bnan\b)", re.IGNORECASE)
COMPARED = re.compile(r"(?P<compared>[\w.]+: expected [^.]*, got [^.]*\.) *(?P<hint>.*)", re.DOTALL)
LOST = re.compile(r".*?(?:took too long|ended the process)")
RAISED = re.compile(r"(?P<what>.*?raised) (?P<kind>\w+)")


@dataclass(frozen=True)
class Group:
    """`students` who read this message in this exercise, each once; the laws that it failed."""

    exercise: str
    message: str
    students: tuple[str, ...]
    laws: tuple[str, ...]


def groups(verdicts: list[dict], exercises: dict) -> list[Group]:
    """The commonest first."""
    students, laws = defaultdict(dict), defaultdict(dict)
    for verdict in verdicts:
        for name, exercise in verdict["exercises"].items():
            known = [m.message for m in exercises[name].mistakes] if name in exercises else []
            for law in exercise["laws"]:
                if not law["passed"] and law["message"] != WAITS:
                    key = name, fixed(law["message"], known)
                    students[key][verdict["student"]] = laws[key][law["law"]] = True
    found = [Group(*key, tuple(students[key]), tuple(laws[key])) for key in students]
    return sorted(found, key=lambda g: (-len(g.students), g.exercise, g.message))


def fixed(message: str, known: list[str]) -> str:
    """What two students with the same mistake both read: the known mistake, else the message without its numbers."""
    for mistake in sorted(known, key=len, reverse=True):
        if mistake in message:
            return mistake
    if message.startswith("no ") and " after its cell ran" in message:
        return "not defined: its cell ended in an error, or is missing"
    if lost := LOST.match(message):
        return lost[0]
    if raised := RAISED.match(message):
        return f"{raised['what']} {raised['kind']}"
    plain = NUMBER.sub("#", message)
    compared = COMPARED.fullmatch(plain)
    plain = (compared["hint"] or compared["compared"]) if compared else plain
    return re.sub(r"#(?:[ ,]+#)+", "#", plain).replace(" at [#]", "").strip()[:200]
