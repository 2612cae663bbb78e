"""Banks of answers: right ones written differently, and wrong ones with the law that must catch each.

`right("name")` and `wrong("name", law="...", says="...")` register the decorated answer; `says` is a part of the
message that names the mistake. A new answer is one decorated function or class in the assignment's module.
"""

from collections.abc import Callable
from dataclasses import dataclass


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


from . import flows_layers, flows_recap, forward_reverse_kl, kl_duality  # noqa: E402, F401
