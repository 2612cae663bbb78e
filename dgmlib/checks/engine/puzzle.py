"""A puzzle: a name of `check` that is worth no points and is in no assignment; its answer is a value, no function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .verdict import WAITS, Failure, LawResult

Value = TypeVar("Value", str, int)


@dataclass(frozen=True)
class Puzzle:
    """`parts` by name: each looks at the answer and says what is wrong with it, or nothing. A part that is wrong lets
    those after it wait. `name` may be a module's `__name__`. A function not written yet raises NotImplementedError."""

    name: str
    parts: Mapping[str, Callable[[Any], str | None]]

    def __post_init__(self):
        object.__setattr__(self, "name", self.name.rpartition(".")[2])

    def judge(self, answer: object) -> list[LawResult]:
        results, wrong = [], False
        for part, test in self.parts.items():
            said = None if wrong else tried(test, answer)
            results.append(LawResult(part, 0.0, WAITS if wrong else Failure(said) if said else None))
            wrong = wrong or bool(said)
        return results


def tried(test: Callable[[Any], str | None], answer: object) -> str | None:
    try:
        return test(answer)
    except NotImplementedError:
        raise
    except Exception as error:
        return f"this answer could not be read ({type(error).__name__}: {error})"


def choice(name: str, right: Value, others: Mapping[Value, str]) -> Puzzle:
    """One of some values, written as `name = right`; `others` say why each of the rest is wrong."""

    def chosen(answer: Any) -> str | None:
        if isinstance(answer, bool) or answer not in (right, *others):
            return f"expected one of {', '.join(map(repr, sorted((right, *others))))}, got {answer!r}"
        return others.get(answer)

    return Puzzle(name, {"answer": chosen})


def steps(name: str, right: Mapping[str, str], needs: Mapping[str, str]) -> Puzzle:
    """Lines to put in order, each with the rule that leads to it: `right` maps letters to rules, in the right order.

    A student writes a line for each, a letter and its rule, in one text or in a list: "B definition". `needs` say, by
    letter, what must stand before it: the message where another letter came.
    """
    letters, rules = list(right), dict.fromkeys(right.values())

    def form(answer: object) -> str | None:
        lines = read(answer)
        if sorted(letter for letter, _ in lines) != sorted(letters):
            return f"expected each of {', '.join(sorted(letters))} once, a line each, got {listed(letter for letter, _ in lines)}"
        if unknown := [rule for _, rule in lines if rule not in map(plain, rules)]:
            return f"{unknown[0] or 'nothing'!r} is none of the rules: {', '.join(sorted(rules))}"
        return None

    def order(answer: object) -> str | None:
        for place, ((letter, _), wanted) in enumerate(zip(read(answer), letters, strict=True), 1):
            if letter != wanted:
                return f"line {place}: {letter} does not come yet. {needs[letter]}"
        return None

    def named(answer: object) -> str | None:
        wrong = [letter for letter, rule in read(answer) if rule != plain(right[letter])]
        return f"another rule leads to {listed(wrong)}" if wrong else None

    return Puzzle(name, {"lines": form, "order": order, "rules": named})


def read(answer: Any) -> list[tuple[str, str]]:
    """`(letter, rule)` a line."""
    lines = answer.splitlines() if isinstance(answer, str) else list(answer)
    parted = [(line if isinstance(line, str) else " ".join(line)).replace(":", " ").split(maxsplit=1) for line in lines]
    return [(line[0].upper(), plain(" ".join(line[1:]))) for line in parted if line]


def plain(rule: str) -> str:
    return " ".join(rule.casefold().split())


def listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "nothing"
