"""Banks of answers: right ones written differently, and wrong ones with the law that must catch each.

`right("name")` and `wrong("name", law="...", says="...")` register the decorated answer; `says` is a part of the
message that names the mistake. A new answer is one decorated function or class. One whose outputs are a known
`Mistake`'s has no place here: every mistake is run as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules


@dataclass(frozen=True)
class Entry:
    exercise: str
    answer: Callable
    law: str = ""
    says: str = ""

    @property
    def label(self) -> str:
        return f"{self.exercise}-{self.answer.__name__}"


RIGHT: list[Entry] = []
WRONG: list[Entry] = []


def right(exercise: str):
    def register(answer):
        RIGHT.append(Entry(exercise, answer))
        return answer

    return register


def wrong(exercise: str, law: str, says: str = ""):
    def register(answer):
        WRONG.append(Entry(exercise, answer, law, says))
        return answer

    return register


for found in iter_modules(__path__):
    import_module(f"{__name__}.{found.name}")
