"""An exercise: how an answer is called, random cases, a reference, laws and known mistakes. Trusted code.

`inputs` and `expected` make what is asked and what is right; `judge` compares it with what came. A verdict is a list
of `LawResult`s; the points of an exercise are the weights of its laws. How the answer is called is data: names of
arrays and of fixtures, so that nothing of an exercise need enter the sandbox but the text of a probe of its own.
"""

import inspect
import math
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

import numpy as np

from ..run import Arrays, Invocation, join, run, run_here, split, untext
from ..run import names as run_names
from ..run.fixtures import CONVERSIONS, FIXTURES, NUMBERS
from .altered import altered
from .compare import not_finite
from .verdict import STUB, UNSOLVED, WAITS, CaseResults, CourseFault, Failure, Law, LawResult, Mistake

REQUIRED = {"all values": all, "any value": any}


@dataclass(frozen=True)
class Draw:
    """The inputs of one seed, and what is right on them; what known mistakes give, once somebody asked for it."""

    inputs: Arrays
    expected: Arrays
    mistaken: dict[tuple, Arrays] = field(default_factory=dict)


@dataclass(frozen=True)
class Exercise:
    """`call` lists the answer's arguments: names of arrays in the cases, or fixtures, `"flow()"`; `"n:int"` says how an
    array is handed over (`run.fixtures.CONVERSIONS`). `returns` names what comes back. `counts` gives an output to a
    fixture's counter: `{"calls": "conditioner.calls"}`. `probe(answer, given, record)`, where an answer is called in a
    way of its own, uses names of `run.names` and of `constants` alone: its text runs beside the student's code.
    Without `cases` it is a written exercise. `name` may be a module's `__name__`; `formerly`: names that it had when
    students already worked on it.
    """

    name: str
    points: float
    slide: str
    call: str = ""
    returns: str = ""
    cases: Callable[[np.random.Generator], dict[str, Arrays]] | None = None
    reference: Callable | None = None
    laws: tuple[Law, ...] = ()
    mistakes: tuple[Mistake, ...] = field(default=(), repr=False)
    terms: tuple[Mistake, ...] = field(default=(), repr=False)  # named parts, whose sum is the one right output
    mean_over: tuple[str, ...] = ()  # arrays over whose rows the output is a mean
    counts: dict[str, str] = field(default_factory=dict)
    probe: Callable | None = None
    constants: dict = field(default_factory=dict)
    formerly: tuple[str, ...] = ()
    reference_breaks: tuple[str, ...] = ()  # laws, of cost say, that a reference written for clarity breaks

    def __post_init__(self):
        object.__setattr__(self, "name", self.name.rpartition(".")[2])
        if not self.written:
            object.__setattr__(self, "laws", weighted(self.name, self.points, self.laws))
            self.check()

    def check(self):
        """Raises ValueError where an author forgot something."""
        if self.reference is None:
            raise ValueError(f"{self.name}: a reference is missing: a right answer")
        for argument in listed(self.call):
            if argument.endswith("()") and argument[:-2] not in FIXTURES:
                raise ValueError(f"{self.name}: {argument!r} is no fixture; there are {', '.join(FIXTURES)}")
            how = argument.partition(":")[2]
            if how and how not in CONVERSIONS:
                raise ValueError(
                    f"{self.name}: {argument!r}: an array is handed over as one of {', '.join(CONVERSIONS)}"
                )
        used = inspect.getclosurevars(self.probe).globals.keys() if self.probe else set()
        if outside := sorted(used - vars(run_names).keys() - self.constants.keys()):
            raise ValueError(
                f"{self.name}: the probe uses {', '.join(outside)}, which the sandbox has not: "
                "take it from run.names, define it in the probe, or give it in constants"
            )

    @property
    def written(self) -> bool:
        """A proof in words, graded by a person."""
        return self.cases is None

    @cached_property
    def outputs(self) -> list[str]:
        """The names of what the answer returns."""
        return listed(self.returns)

    @cached_property
    def known_as(self) -> dict[str, str]:
        """The words by which a student knows a fixture's arrays."""
        fixtures = [FIXTURES[argument[:-2]] for argument in listed(self.call) if argument.endswith("()")]
        return {array: words for fixture in fixtures for array, words in fixture.parameters.items()}

    @cached_property
    def differentiable(self) -> list[str]:
        """The arrays that the call takes as they are, and the parameters inside its fixtures."""
        arrays = [argument.partition(":") for argument in listed(self.call) if not argument.endswith("()")]
        return [name for name, _, how in arrays if how not in NUMBERS] + list(self.known_as)

    @cached_property
    def takes(self) -> str:
        """The first tensor that the answer is called with."""
        return next((name for name in self.differentiable if name not in self.known_as), "x")

    @cached_property
    def altered(self) -> tuple[Mistake, ...]:
        """The right formula of changed inputs."""
        return altered(self)

    @cached_property
    def tolerances(self) -> dict[str, float]:
        """By output, where a value law has its own."""
        return {
            name: law.tolerance
            for law in self.laws
            if law.tolerance is not None
            for name in law.outputs or self.outputs
        }

    @cached_property
    def invocation(self) -> Invocation:
        """What the sandbox is told about the call."""
        laws = [law for law in self.laws if law.gradient_by is not None]
        by = dict.fromkeys(name for law in laws for name in law.gradient_by or self.differentiable)
        cases = dict.fromkeys(case for law in laws for case in law.gradient_cases)
        text = source(self.probe) if self.probe else ""
        return Invocation(
            listed(self.call), self.outputs, dict(self.counts), [*by], [*cases], text, dict(self.constants)
        )

    @property
    def request(self) -> dict:
        """The invocation as JSON takes it."""
        return asdict(self.invocation)

    def inputs(self, rng: np.random.Generator) -> Arrays:
        return join(self.cases(rng))  # pyright: ignore[reportOptionalCall] - a written exercise has none

    def expected(self, inputs: Arrays) -> Arrays:
        """What is right. Raises CourseFault where the reference raises."""
        outputs = run_here(self.invocation, self.reference, inputs)  # pyright: ignore[reportArgumentType] - nor here
        for key, text in outputs.items():
            if key.split("/", 1)[1].startswith("error"):
                raise CourseFault(
                    f"{self.place}: the reference raised {untext(text)} in the case {key.split('/')[0]!r}"
                )
        return outputs

    @property
    def place(self) -> str:
        """The file and the line of the reference."""
        code = getattr(self.reference, "__code__", None)
        return f"{self.name} ({code.co_filename}:{code.co_firstlineno})" if code else self.name

    @cached_property
    def _draws(self) -> dict[int, Draw]:
        return {}

    def draw(self, seed: int) -> Draw:
        """The inputs of a seed; of the last two asked for, once."""
        if seed not in self._draws:
            inputs = self.inputs(np.random.default_rng(seed))
            self._draws[seed] = Draw(inputs, self.expected(inputs))
            for old in [*self._draws][:-2]:
                del self._draws[old]
        return self._draws[seed]

    def judge(self, inputs: Arrays, outputs: Arrays, expected: Arrays, mistaken: dict | None = None) -> list[LawResult]:
        """One result a law. `outputs` may hold anything that a hostile answer sent, but for complex numbers."""
        seen = self.case_results(inputs, outputs, expected, {} if mistaken is None else mistaken)
        if self.unsolved(seen):
            return self.failed(UNSOLVED)
        values = {law.name: self.tested(law, seen) for law in self.laws if not law.requires}
        right = [message is None for message in values.values()]
        return [self._result(law, values, right, seen) for law in self.laws]

    def case_results(self, inputs: Arrays, outputs: Arrays, expected: Arrays, mistaken: dict) -> CaseResults:
        """What a law looks at."""
        cases = split(inputs)
        real = split({key: value for key, value in outputs.items() if not value.is_complex()})
        return CaseResults(self, cases, {case: real.get(case, {}) for case in cases}, split(expected), mistaken)

    def _result(self, law: Law, values: dict[str, Failure | None], right: list[bool], seen: CaseResults) -> LawResult:
        if not law.requires:
            failure = values[law.name]
        else:
            failure = self.tested(law, seen) if REQUIRED[law.requires](right) else WAITS
        return law.result(failure)

    def tested(self, law: Law, seen: CaseResults) -> Failure | None:
        """What the law says. One that can't take what came fails alone. Raises CourseFault where it can't take what the
        reference gives either."""
        try:
            said = law.test(seen)
            return Failure(said) if isinstance(said, str) else said
        except Exception as error:
            try:
                law.test(replace(seen, outputs=seen.expected))
            except Exception as own:
                raise CourseFault(f"{self.name}: the law {law.name!r} raised {type(own).__name__}: {own}") from own
            words = not_finite(seen) or f"what your answer returned could not be judged ({type(error).__name__})"
            return Failure(words)

    def unsolved(self, seen: CaseResults) -> bool:
        """Every call ended in the stub's NotImplementedError."""
        return all(seen.error(case).startswith(STUB) for case in seen.inputs) and not any(
            key in seen.expected[case]
            for case, arrays in seen.outputs.items()
            if case in seen.expected
            for key in arrays
        )

    def own_faults(self, seed: int = 1) -> list[str]:
        """What the reference, run as an answer is, fails of its own laws. Raises CourseFault where it raises."""
        inputs = self.inputs(np.random.default_rng(seed))
        right = self.expected(inputs)
        outputs = run(self.invocation, self.reference, inputs)  # pyright: ignore[reportArgumentType] - nor here
        results = self.judge(inputs, outputs, right)
        failed = [law for law in results if not law.passed and law.law not in self.reference_breaks]
        return [f"{self.place}: the reference fails the law {law.law!r}: {law.message}" for law in failed]

    def failed(self, why: Failure) -> list[LawResult]:
        """Every law failed for one reason: not solved, a crash, a hang."""
        return [law.result(why) for law in self.laws]


def listed(names: str) -> list[str]:
    """`"x, mu, sigma"` taken apart."""
    return [name.strip() for name in names.split(",")] if names.strip() else []


def source(probe: Callable) -> str:
    """The text of a function, without decorators."""
    text = textwrap.dedent(inspect.getsource(probe))
    return text[text.index("def ") :]


def weighted(name: str, points: float, laws: tuple[Law, ...]) -> tuple[Law, ...]:
    """The laws with all their weights, which sum to the points. Raises ValueError."""
    taken, open_laws = sum(law.weight or 0 for law in laws), [law for law in laws if law.weight is None]
    if open_laws and taken >= points:
        raise ValueError(f"{name}: {taken} of {points} points are taken, and {open_laws[0].name!r} wants the rest")
    if not open_laws and not math.isclose(taken, points):
        raise ValueError(f"{name}: the laws' weights sum to {taken}, expected {points} points")
    rest = (points - taken) / max(len(open_laws), 1)
    return tuple(replace(law, weight=rest) if law.weight is None else law for law in laws)


def proof(name: str, points: float, slide: str) -> Exercise:
    """A written exercise."""
    return Exercise(name, points, slide)
