"""An exercise, an assignment, and the verdict: trusted code, never beside a student's.

`inputs` and `expected` make what is asked and what is right; `judge` compares it with what came. A verdict is a list
of `LawResult`s; the points of an exercise are the weights of its laws.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from torch import Tensor

from .run import PROBES, Arrays, gradients, join, run, split, untext, values

UNSOLVED = "NotImplementedError"
WAITS = "counts as soon as the values are right"


@dataclass(frozen=True)
class LawResult:
    law: str
    passed: bool
    weight: float
    message: str = ""


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and what to tell a student whose outputs equal its outputs."""

    message: str
    answer: Callable


@dataclass(frozen=True)
class Law:
    """`test(seen)` gives None where the law holds, else the message. A law that is no value law `waits` for the value
    laws: for all of them, or for any one (a matter of form), so that an answer of zeros earns nothing."""

    name: str
    weight: float
    test: Callable[["Seen"], str | None]
    waits: Callable | None = None


@dataclass(frozen=True)
class Seen:
    """One answer's inputs, outputs and expected outputs, by case."""

    exercise: "Exercise"
    inputs: dict[str, Arrays]
    outputs: dict[str, Arrays]
    expected: dict[str, Arrays]

    def error(self, case: str, prefix: str = "error") -> str:
        """The first exception of a case, or an empty string."""
        texts = [value for key, value in self.outputs.get(case, {}).items() if key.startswith(prefix)]
        return untext(texts[0]) if texts else ""

    @cached_property
    def _wrong_outputs(self) -> dict[tuple, Arrays]:
        return {}

    def wrong_output(self, mistake: Mistake, case: str, key: str) -> Tensor | None:
        """What a known mistake gives on the same inputs; run when asked for, and once."""
        made, part = self._wrong_outputs, gradients if key.startswith("grad.") else values
        at = (id(mistake), case, part)
        if at not in made:
            made[at] = part(PROBES[self.exercise.name], mistake.answer, self.inputs[case])
        return made[at].get(key)


@dataclass(frozen=True)
class Exercise:
    name: str
    points: float
    slide: str
    cases: Callable[[np.random.Generator], dict[str, Arrays]] | None = None
    reference: Callable | None = None
    laws: tuple[Law, ...] = ()
    mistakes: tuple[Mistake, ...] = field(default=(), repr=False)

    def __post_init__(self):
        total = sum(law.weight for law in self.laws)
        if not self.written and total != self.points:
            raise ValueError(f"{self.name}: the laws' weights sum to {total}, expected {self.points} points")
        if not self.written and self.name not in PROBES:
            raise ValueError(f"{self.name}: no probe has this name; write one in dgmlib/checks/run/")

    @property
    def written(self) -> bool:
        """A proof in words, graded by a person."""
        return self.cases is None

    def inputs(self, rng: np.random.Generator) -> Arrays:
        return join(self.cases(rng))

    def expected(self, inputs: Arrays) -> Arrays:
        return run(self.name, self.reference, inputs)

    def judge(self, inputs: Arrays, outputs: Arrays, expected: Arrays) -> list[LawResult]:
        """One result a law. `outputs` may hold anything that a hostile answer sent, but for complex numbers."""
        cases = split(inputs)
        real = split({key: value for key, value in outputs.items() if not value.is_complex()})
        seen = Seen(self, cases, {case: real.get(case, {}) for case in cases}, split(expected))
        if self.unsolved(seen):
            return self.failed("not solved yet")
        values = {law.name: law.test(seen) for law in self.laws if law.waits is None}
        right = [message is None for message in values.values()]
        return [self._result(law, values, right, seen) for law in self.laws]

    def _result(self, law: Law, values: dict[str, str | None], right: list[bool], seen: Seen) -> LawResult:
        if law.waits is None:
            message = values[law.name]
        else:
            message = law.test(seen) if law.waits(right) else WAITS
        return LawResult(law.name, message is None, law.weight, message or "")

    def unsolved(self, seen: Seen) -> bool:
        """Every call ended in the stub's NotImplementedError."""
        return all(seen.error(case).startswith(UNSOLVED) for case in seen.inputs) and not any(
            key in seen.expected[case]
            for case, arrays in seen.outputs.items()
            if case in seen.expected
            for key in arrays
        )

    def failed(self, reason: str) -> list[LawResult]:
        """Every law failed for one reason: not solved, a crash, a hang."""
        return [LawResult(law.name, False, law.weight, reason) for law in self.laws]


@dataclass(frozen=True)
class Assignment:
    """One notebook: its exercises in order, and the modules of dgmlib that its sandbox leaves open."""

    name: str
    notebook: str
    exercises: dict[str, Exercise]
    open_modules: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())


def proof(name: str, points: float, slide: str) -> Exercise:
    """A written exercise."""
    return Exercise(name, points, slide)
