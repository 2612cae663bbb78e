"""The verdict on one submission: a pure function of its repaired cells, the student, the assignment and the secret.

The sandbox only computes; inputs are drawn and outputs are judged here. An exercise runs where its check cell stands,
as in the notebook. One that lacked a name there (cells out of order) is run once more after the last cell.
"""

import hashlib
import re
import warnings
from dataclasses import replace

import numpy as np
import torch

from dgmlib.checks import ASSIGNMENTS, CourseFault
from dgmlib.checks.engine.verdict import UNSOLVED

from ..assignments import Assignment
from ..notebook.repair import Repaired, Step
from ..notebook.source import normal
from ..plaintext import one_line
from ..running.session import CPU, Answer, SandboxFailed, Session
from .seeds import Seeds
from .verdict import ExerciseResult, LawResult, State, Status, Verdict, tidy, without

OWN_CELLS = 10  # how many of the student's own cells the budget of a submission allows for
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
LONGEST_MESSAGE = 600  # bytes; of all laws and notes together at most 200 kB on file
NOTES = 40


def grade(repaired: Repaired, student: str, assignment, secret: str, start, kind: str) -> Verdict:
    """The verdict. `start(fd)` starts a worker in a sandbox of `kind`. Never raises for what a student did."""
    judge = Judge(repaired, student, assignment, secret)
    try:
        exercises = judge.run(start)
    except (SandboxFailed, CourseFault) as failure:
        fault = isinstance(failure, CourseFault)
        return replace(without(student, assignment, str(failure), kind, Status.FAILED), course_fault=fault)
    return replace(
        without(student, assignment, "", kind, Status.GRADED),
        score=tidy(sum(e.score for e in exercises.values() if e.score is not None)),
        exercises=exercises,
        notes=tuple(judge.notes),
        crashes=tuple(sorted(judge.crashes)),
        written=judge.written(),
        reaches=tuple(clean(line) for line in repaired.reaches),
    )


def checks(assignment: Assignment):
    """The checks of a released notebook's exercises. Raises CourseFault where the two contradict each other."""
    known = ASSIGNMENTS.get(assignment.name)
    if known is None:
        raise CourseFault(f"{assignment.name}: released, but dgmlib.checks has no such assignment")
    for name, exercise in assignment.exercises.items():
        check = known.exercises.get(name)
        if check is None or (check.points, check.written) != (exercise.points, exercise.written):
            raise CourseFault(f"{assignment.name}: its notebook contradicts the check of {name}: release it again")
    return replace(known, exercises={name: known.exercises[name] for name in assignment.exercises})


class Judge:
    """One submission's exercises, run and judged."""

    def __init__(self, repaired: Repaired, student: str, assignment, secret: str):
        self.repaired, self.assignment = repaired, assignment
        self.steps = [replace(step, source=normal(step.source)) for step in repaired.steps]
        asked = (part for step in self.steps for part in (step.op, "" if step.op == "cell" else step.name, step.source))
        once_more = (self.source(step.name) for step in self.steps if step.op == "exercise")
        self.seed = Seeds(secret, student, assignment.name, (*asked, *once_more))
        self.tried: dict[str, Answer] = {}
        self.results: dict[str, list[LawResult]] = {}
        self.notes: list[str] = []
        self.crashes: set[str] = set()

    def run(self, start) -> dict:
        exercises = self.assignment.exercises
        cells = sum(step.op == "cell" for step in self.steps)
        own = max(0, cells - len(exercises) - 1)
        budget = CPU * (1 + 2 * len(exercises) + min(own, OWN_CELLS))
        with Session(start, self.seed("session") % 2**63, budget) as session:
            for place, step in enumerate(self.steps):
                if step.op == "cell":
                    self.cell(session, place, step)
                elif step.name in exercises:
                    self.exercise(session, step.name)
            for name in [name for name in self.tried if self.lacked_a_name(name)]:
                self.again(session, name)
        return {name: self.report(exercise) for name, exercise in exercises.items()}

    def cell(self, session: Session, place: int, step: Step):
        """In the sandbox a cell bears its place among what is executed: its number would count text cells, too."""
        error, _ = session.cell(f"cell {place}", step.source)
        self.note_crash(session, step.name)
        if error and len(self.notes) < NOTES:
            self.notes.append(clean(f"{step.name}: {error}"))

    def exercise(self, session: Session, name: str):
        exercise = self.assignment.exercises[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = exercise.inputs(np.random.default_rng(self.seed(f"inputs of {name}")))
            answer = session.exercise(name, self.seed(f"run of {name}") % 2**63, inputs, exercise.request)
            self.note_crash(session, name)
            self.tried[name] = answer
            self.results[name] = self.judged(exercise, inputs, answer)

    def note_crash(self, session: Session, name: str):
        if session.crash:
            self.crashes.add(f"{name} {session.crash}")

    def judged(self, exercise, inputs: dict, answer: Answer) -> list:
        """The laws. Outputs are hostile: what the judge cannot use fails every law, with the reason."""
        if answer.arrays is None:
            return failed(exercise, *self.why_missing(exercise.name, answer))
        cases = {key.split("/", 1)[0] for key in inputs}
        outputs = {k: v for k, v in answer.arrays.items() if "/" in k and k.split("/", 1)[0] in cases}
        expected = exercise.expected(inputs)
        try:
            return [law_result(result) for result in exercise.judge(inputs, outputs, expected)]
        except CourseFault:
            raise
        except Exception as error:
            said = f"what your answer returned could not be judged ({type(error).__name__})"
            return failed(exercise, State.FAILED, said)

    def why_missing(self, name: str, answer: Answer) -> tuple[State, str, str]:
        """The state, our words and theirs, where no arrays came."""
        if answer.reason != "missing":
            return State.CRASHED if answer.crashed else State.FAILED, answer.reason, answer.raised
        if name in self.repaired.unsolved:
            return State.UNSOLVED, UNSOLVED.ours, ""
        note = self.notes[-1] if self.notes else "it is not defined"
        return State.UNDEFINED, f"no {name} after its cell ran:", note

    def lacked_a_name(self, name: str) -> bool:
        answer = self.tried[name]
        if answer.arrays is None:
            return answer.reason == "missing" and name not in self.repaired.unsolved
        texts = (
            bytes(v.reshape(-1)[:200].tolist())
            for k, v in answer.arrays.items()
            if "/error" in k and v.dtype == torch.uint8
        )
        return any(b"NameError" in text for text in texts)

    def again(self, session: Session, name: str):
        """Once more with all names defined; the better of the two counts."""
        before = self.results[name]
        if self.tried[name].arrays is None:
            session.cell(f"{name}, once more", self.source(name))
            if old := self.repaired.former.get(name):
                session.cell(f"{name}, once more", f"{name} = {old}")
        self.exercise(session, name)
        self.results[name] = max(before, self.results[name], key=points)

    def source(self, name: str) -> str:
        """The chosen answer. It may stand in a cell that is not executed in its place: one that was a check's."""
        return normal(self.repaired.answers.get(name, ""))

    def written(self) -> dict[str, str]:
        """The proofs that a person has something to read of, each with a hash of its words."""
        proofs = [n for n, e in self.assignment.exercises.items() if e.written and n in self.repaired.written]
        words = {name: " ".join(self.repaired.answers[name].split()) for name in proofs}
        return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in words.items()}

    def report(self, exercise) -> ExerciseResult:
        if exercise.written:
            return ExerciseResult(None, tidy(exercise.points), (), exercise.slide)
        laws = self.results.get(exercise.name) or failed(
            exercise, State.UNDEFINED, "its cell is missing from the released notebook"
        )
        return ExerciseResult(tidy(points(laws)), tidy(exercise.points), tuple(laws), exercise.slide)


def law_result(result) -> LawResult:
    """What the check says of a law, cleaned: parts of it are a student's words."""
    said = result.failure
    if said is None:
        return LawResult(result.law, tidy(result.weight), State.PASSED)
    return failure(result.law, result.weight, State(said.state), said.ours, said.theirs, said.mistake)


def failure(law: str, weight: float, state: State, ours: str, theirs: str, mistake: str = "") -> LawResult:
    """One that is no longer in a file than a message may be; a student's words give way to ours."""
    ours, mistake = clean(ours), clean(mistake)
    room = LONGEST_MESSAGE - len(f"{ours}{mistake}".encode())
    return LawResult(law, tidy(weight), state, ours, clean(theirs, max(0, room)), mistake)


def failed(exercise, state: State, ours: str, theirs: str = "") -> list[LawResult]:
    """Every law failed for one reason: not solved, a crash, a hang."""
    return [failure(law.name, law.weight, state, ours, theirs) for law in exercise.laws]


def points(results: list) -> float:
    return sum(r.weight for r in results if r.passed)


def clean(message: str, longest: int = LONGEST_MESSAGE) -> str:
    """One line without what differs between two runs, and no longer in a file than it may be: no control characters."""
    line = one_line(ADDRESS.sub("", message))
    return line.encode()[:longest].decode(errors="ignore")
