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

from dgmlib.checks import CourseFault

from ..notebook.repair import Repaired, Step, normal
from ..plaintext import one_line
from ..running.session import CPU, Answer, SandboxFailed, Session
from .seeds import Seeds

OWN_CELLS = 10  # how many of the student's own cells the budget of a submission allows for
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
LONGEST_MESSAGE = 600  # bytes; of all laws and notes together at most 200 kB on file
NOTES = 40


def grade(repaired: Repaired, student: str, assignment, secret: str, start, kind: str) -> dict:
    """The verdict. `start(fd)` starts a worker in a sandbox of `kind`. Never raises for what a student did."""
    judge = Judge(repaired, student, assignment, secret)
    try:
        exercises = judge.run(start)
    except (SandboxFailed, CourseFault) as failure:
        return refused(student, assignment, str(failure), kind, "failed")
    verdict = refused(student, assignment, "", kind, "graded")
    score = sum(e["score"] for e in exercises.values() if e["score"] is not None)
    return verdict | {
        "score": tidy(score),
        "exercises": exercises,
        "notes": judge.notes,
        "written": judge.written(),
        "reaches": [clean(line) for line in repaired.reaches],
    }


def refused(student: str, assignment, reason: str, kind: str, status: str = "refused") -> dict:
    """A verdict without exercises; `assignment` may be None where it is not known."""
    return {
        "assignment": assignment.name if assignment else None,
        "student": student,
        "status": status,
        "reason": reason,
        "sandbox": kind,
        "score": None,
        "max_score": tidy(sum(e.points for e in assignment.exercises.values())) if assignment else None,
        "exercises": {},
        "notes": [],
        "written": {},
        "reaches": [],
    }


class Judge:
    """One submission's exercises, run and judged."""

    def __init__(self, repaired: Repaired, student: str, assignment, secret: str):
        self.repaired, self.assignment = repaired, assignment
        self.steps = [replace(step, source=normal(step.source)) for step in repaired.steps]
        asked = (part for step in self.steps for part in (step.op, "" if step.op == "cell" else step.name, step.source))
        once_more = (self.source(step.name) for step in self.steps if step.op == "exercise")
        self.seed = Seeds(secret, student, assignment.name, (*asked, *once_more))
        self.tried: dict[str, Answer] = {}
        self.results: dict[str, list] = {}
        self.notes: list[str] = []

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
        if error and len(self.notes) < NOTES:
            self.notes.append(clean(f"{step.name}: {error}"))

    def exercise(self, session: Session, name: str):
        exercise = self.assignment.exercises[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = exercise.inputs(np.random.default_rng(self.seed(f"inputs of {name}")))
            answer = session.exercise(name, self.seed(f"run of {name}") % 2**63, inputs, exercise.request)
            self.tried[name] = answer
            self.results[name] = self.judged(exercise, inputs, answer)

    def judged(self, exercise, inputs: dict, answer: Answer) -> list:
        """The laws. Outputs are hostile: what the judge cannot use fails every law, with the reason."""
        if answer.arrays is None:
            return exercise.failed(self.why_missing(exercise.name) if answer.reason == "missing" else answer.reason)
        cases = {key.split("/", 1)[0] for key in inputs}
        outputs = {k: v for k, v in answer.arrays.items() if "/" in k and k.split("/", 1)[0] in cases}
        expected = exercise.expected(inputs)
        try:
            return exercise.judge(inputs, outputs, expected)
        except CourseFault:
            raise
        except Exception as error:
            return exercise.failed(f"what your answer returned could not be judged ({type(error).__name__})")

    def why_missing(self, name: str) -> str:
        if name in self.repaired.unsolved:
            return "not solved yet"
        return f"no {name} after its cell ran: {self.notes[-1] if self.notes else 'it is not defined'}"

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

    def report(self, exercise) -> dict:
        if exercise.written:
            return {"score": None, "max_score": tidy(exercise.points), "laws": []}
        results = self.results.get(exercise.name) or exercise.failed("its cell is missing from the released notebook")
        laws = [
            {"law": r.law, "passed": bool(r.passed), "weight": tidy(r.weight), "message": clean(r.message)}
            for r in results
        ]
        return {"score": tidy(points(results)), "max_score": tidy(exercise.points), "laws": laws}


def points(results: list) -> float:
    return sum(r.weight for r in results if r.passed)


def tidy(number: float) -> float | int:
    """Points without rounding noise; whole ones as integers."""
    number = round(float(number), 6)
    return int(number) if number.is_integer() else number


def clean(message: str) -> str:
    """One line without what differs between two runs, and no longer in a file than it may be: no control characters."""
    line = one_line(ADDRESS.sub("", message))
    return line.encode()[:LONGEST_MESSAGE].decode(errors="ignore")
