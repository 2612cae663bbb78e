"""What a verdict is made of: laws, their results, and what one answer gave. A message is None where a law holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor

from ..run import Arrays, gradients, untext, values

if TYPE_CHECKING:
    from .exercise import Exercise

STUB = "NotImplementedError"


class CourseFault(Exception):
    """The course's own fault, never a student's: a reference that raises, a law that can't judge the reference."""


@dataclass(frozen=True)
class Failure:
    """Why a law does not hold. `state` is "failed", "waiting" (for the values) or "unsolved".

    `ours`: our words; `theirs`: the student's exception; `mistake`: what is likely wrong, the same words for all who
    made this mistake.
    """

    ours: str
    theirs: str = ""
    mistake: str = ""
    state: str = "failed"

    @property
    def message(self) -> str:
        return " ".join(filter(None, (self.ours, self.theirs, self.mistake)))


WAITS = Failure("to be looked at once the values are right", state="waiting")
UNSOLVED = Failure("not solved yet", state="unsolved")


@dataclass(frozen=True)
class LawResult:
    """`failure` is None where the law holds."""

    law: str
    weight: float
    failure: Failure | None = None

    @property
    def passed(self) -> bool:
        return self.failure is None

    @property
    def waiting(self) -> bool:
        return self.failure is not None and self.failure.state == "waiting"

    @property
    def message(self) -> str:
        return self.failure.message if self.failure else ""


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and what to tell a student whose outputs equal its outputs."""

    message: str
    answer: Callable


@dataclass(frozen=True)
class Law:
    """`test(seen)` gives None where the law holds, else a `Failure`, or our words for one. What is no value law `requires`
    "all values", or for a matter of form "any value", so that an answer of zeros earns nothing. A value law without a
    `weight` takes what the others leave of the exercise's points."""

    name: str
    weight: float | None
    test: Callable[["CaseResults"], Failure | str | None]
    requires: str = ""
    outputs: Sequence[str] | None = None  # that a value law compares; None: all that the answer returns
    tolerance: float | None = None  # of a value law: relative to the largest expected number
    gradient_by: Sequence[str] | None = None  # of a gradient law: names of arrays; empty: everything the call takes
    gradient_cases: Sequence[str] = ()

    def result(self, failure: Failure | None) -> LawResult:
        return LawResult(self.name, self.weight, failure)  # pyright: ignore[reportArgumentType] - an exercise fills it in


@dataclass(frozen=True)
class CaseResults:
    """One answer's inputs, outputs and expected outputs, by case; what known mistakes gave on the same inputs."""

    exercise: "Exercise"
    inputs: dict[str, Arrays]
    outputs: dict[str, Arrays]
    expected: dict[str, Arrays]
    mistaken: dict[tuple, Arrays] = field(default_factory=dict)

    def error(self, case: str, prefix: str = "error") -> str:
        """The first exception of a case, or an empty string. A hostile answer may send anything in its place."""
        texts = [value for key, value in self.outputs.get(case, {}).items() if key.startswith(prefix)]
        try:
            return untext(texts[0]) if texts else ""
        except ValueError:
            return "an error that is no text"

    def raised(self, case: str, *prefixes: str) -> Failure | None:
        """The same as a failure, the first by `prefixes` and then any: "your answer raised X: ..."."""
        found = next(filter(None, (self.error(case, prefix) for prefix in (*prefixes, "error"))), "")
        return Failure("your answer raised", found) if found else None

    def wrong_output(self, mistake: Mistake, case: str, key: str) -> Tensor | None:
        """What a known mistake gives on the same inputs; run when asked for, and once."""
        made, part = self.mistaken, gradients if key.startswith("grad.") else values
        at = (mistake, case, part)
        if at not in made:
            made[at] = part(self.exercise.invocation, mistake.answer, self.inputs[case])
        return made[at].get(key)
