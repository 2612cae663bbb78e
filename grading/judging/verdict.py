"""What grading a submission ends in: a `Verdict`, carried as it is to gradebook and pages, and kept as JSON.

`Verdict.to_json` is what is on file; `outcome` is what `check --json` and `autograde --json` write.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Of a submission. FAILED: no fault of the student's. WAITING: not graded yet, or handed in again since."""

    GRADED = "graded"
    REFUSED = "refused"
    FAILED = "failed"
    WAITING = "waiting"


class State(StrEnum):
    """Of a law. WAITING: for the values. UNDEFINED: there was no answer. CRASHED: or took too long."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"
    UNSOLVED = "unsolved"
    UNDEFINED = "undefined"
    CRASHED = "crashed"


@dataclass(frozen=True)
class LawResult:
    """`ours`: our words; `theirs`: the student's exception; `mistake`: what is likely wrong, the same for all who made
    the same mistake."""

    law: str
    weight: float
    state: State
    ours: str = ""
    theirs: str = ""
    mistake: str = ""

    @property
    def passed(self) -> bool:
        return self.state is State.PASSED

    @property
    def message(self) -> str:
        return " ".join(filter(None, (self.ours, self.theirs, self.mistake)))

    def outcome(self) -> dict:
        return {"law": self.law, "passed": self.passed, "weight": self.weight, "message": self.message}

    @classmethod
    def from_json(cls, read: Any) -> "LawResult":
        return cls(**read | {"state": State(read["state"])})


@dataclass(frozen=True)
class ExerciseResult:
    """`score` is None for a proof, which a person grades. `slide`: what to read again."""

    score: float | None
    max_score: float
    laws: tuple[LawResult, ...] = ()
    slide: str = ""

    @property
    def short(self) -> bool:
        """Whether it lost points."""
        return self.score is not None and self.score < self.max_score

    @property
    def unsolved(self) -> bool:
        return bool(self.laws) and all(law.state is State.UNSOLVED for law in self.laws)

    def outcome(self) -> dict:
        laws = [law.outcome() for law in self.laws]
        return {"score": self.score, "max_score": self.max_score, "laws": laws}

    @classmethod
    def from_json(cls, read: Any) -> "ExerciseResult":
        return cls(**read | {"laws": tuple(map(LawResult.from_json, read["laws"]))})


@dataclass(frozen=True)
class Verdict:
    """`file`: the digest of what was graded; `version`: of the checks and the released notebook that made it;
    `crashes`: what ended the process or took too long; `written`: a hash of the words of each proof that has some;
    `reaches`: what reaches into the checker; `course_fault`: why there is none is a fault of the course's own checks.

    `answers`, `own`, `outputs`, `pictures`: what is filed of the submission (`filed`). Not among it: its `key`, which
    names the file, and the `seconds` that it took.
    """

    student: str
    assignment: str | None
    status: Status
    reason: str = ""
    sandbox: str = ""
    score: float | None = None
    max_score: float | None = None
    exercises: dict[str, ExerciseResult] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    crashes: tuple[str, ...] = ()
    written: dict[str, str] = field(default_factory=dict)
    reaches: tuple[str, ...] = ()
    answers: dict[str, str] = field(default_factory=dict, repr=False)
    own: dict[str, list] = field(default_factory=dict, repr=False)
    outputs: list[dict] = field(default_factory=list, repr=False)
    pictures: int = 0
    file: str = ""
    version: str = ""
    course_fault: bool = False
    key: str = ""
    seconds: float | None = None

    @property
    def graded(self) -> bool:
        return self.status is Status.GRADED

    def to_json(self) -> dict:
        return {name: value for name, value in asdict(self).items() if name not in ("key", "seconds")}

    @classmethod
    def from_json(cls, read: Any) -> "Verdict":
        """Raises KeyError, TypeError, ValueError, AttributeError where it is no verdict of ours."""
        exercises = {name: ExerciseResult.from_json(e) for name, e in read["exercises"].items()}
        about = {"status": Status(read["status"]), "exercises": exercises}
        return cls(**read | about | {name: tuple(read[name]) for name in ("notes", "crashes", "reaches")})

    def renamed(self, name: Callable[[str], str]) -> "Verdict":
        """With exercises under the names that `name` gives them."""
        if all(name(one) == one for one in self.exercises):
            return self
        parts = {
            part: {name(k): v for k, v in getattr(self, part).items()} for part in ("exercises", "written", "answers")
        }
        return replace(self, **parts)

    def outcome(self, *names: str) -> dict:
        """These fields for a person's program."""
        exercises = {name: exercise.outcome() for name, exercise in self.exercises.items()}
        return {name: exercises if name == "exercises" else getattr(self, name) for name in names}

    def summary(self) -> "Verdict":
        """Without laws and sources: all that a batch keeps, whatever they hold."""
        exercises = {name: replace(e, laws=()) for name, e in self.exercises.items()}
        return replace(self, exercises=exercises, notes=(), answers={}, own={}, outputs=[])


def tidy(number: float) -> float | int:
    """Points without rounding noise; whole ones as integers."""
    number = round(float(number), 6)
    return int(number) if number.is_integer() else number


def without(student: str, assignment, reason: str, sandbox: str = "", status: Status = Status.REFUSED) -> Verdict:
    """A verdict without exercises; `assignment` may be None where it is not known."""
    name, most = (assignment.name, tidy(assignment.points)) if assignment else (None, None)
    return Verdict(student, name, status, reason, sandbox, None, most)
