"""From a submitted file to its verdict, in three steps: prepare, grade, file.

`prepare` reads, and looks for the verdict on file; `grade` is a pure function and may run anywhere; `file` writes.
The pool and the cluster differ in where `grade` runs, and `check` stops after it.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

import torch

from ..assignments import Assignment
from ..course import Course
from ..notebook.parse import Refused
from ..notebook.submission import Submission, contents, digest, prepare
from ..running.preloads import preloads
from ..running.sandbox import Bundle
from . import filed, judge, store
from .handed_in import Task
from .verdict import Status, Verdict, without


class Sandbox(Protocol):
    """Where workers run: `kind` names it, `bundle` lays out what enters, `server` makes workers start quickly, `start`
    starts one that speaks through the socket `link`."""

    @property
    def kind(self) -> str: ...

    def bundle(self, open_modules: tuple[str, ...] = ()) -> Bundle: ...

    def server(self, bundle: Bundle, hidden: tuple = ()): ...

    def start(self, bundle: Bundle, link: int, hidden: tuple = (), preloads: tuple[str, ...] = ()): ...


@dataclass
class Grader:
    """Grades for one course folder, with one secret, in one sandbox. Keeps a bundle for each assignment."""

    course: Course
    secret: str
    sandbox: Sandbox
    bundles: dict[str, Bundle] = field(default_factory=dict)

    def prepare(self, task: Task) -> Submission | Verdict:
        """The newest of a task's files that is a notebook of its assignment; its verdict where that is on file, and
        the newest's refusal where none is one. Each file is read once, and each refusal filed."""
        assignment = self.course.assignment(task.assignment)
        judge.checks(assignment)  # or the course is at fault, before a worker is asked
        released = self.course.released_notebook(assignment).read_bytes()
        refusals = []
        for data, refusal in contents(task.files):
            key = store.key(data, task.student, task.assignment, released, self.secret, self.sandbox.kind)
            verdict = store.load(self.course, task.assignment, key)
            if verdict and verdict.graded:
                return replace(verdict.summary(), seconds=0.0)
            try:
                if not refusal:
                    return prepare(released, data, task.student, task.assignment, key)
            except Refused as refused:
                refusal = str(refused)
            about = {"seconds": 0.0, "key": key, "file": digest(data), "version": store.made_by(released)}
            refusals.append(replace(self.without(task, refusal), **about))
            store.save(self.course, refusals[-1])
        return refusals[0]

    def grade(self, submission: Submission) -> Verdict:
        """Run and judge; nothing is read from or written to disk."""
        started, assignment = time.monotonic(), self.course.assignment(submission.assignment)
        start, kind = self.starter(assignment, preloads(submission.repaired.steps)), self.sandbox.kind
        checks, secret = judge.checks(assignment), self.secret
        verdict = judge.grade(submission.repaired, submission.student, checks, secret, start, kind)
        return replace(verdict, seconds=round(time.monotonic() - started, 2))

    def file(self, submission: Submission, verdict: Verdict) -> Verdict:
        """Put a verdict on file, with what a person will read; its summary."""
        released = self.course.released_notebook(self.course.assignment(submission.assignment)).read_bytes()
        made_by = store.made_by(released)
        verdict = replace(verdict, key=submission.key, file=submission.digest, version=made_by)
        if verdict.graded:
            verdict, pictures = filed.keep(submission, verdict)
            store.save(self.course, verdict, pictures)
        else:
            store.save(self.course, verdict)
        return verdict.summary()

    def without(self, task: Task | Submission, reason: str, status: Status = Status.REFUSED) -> Verdict:
        return without(task.student, self.course.assignment(task.assignment), reason, self.sandbox.kind, status)

    def failed(self, task: Task | Submission, reason: str) -> Verdict:
        return replace(self.without(task, reason, Status.FAILED), seconds=0.0)

    def starter(self, assignment: Assignment, wanted: tuple[str, ...] = ()):
        """A function that starts a worker for this assignment, with what it will want imported."""
        bundle, hidden = self.bundle(assignment), self.course.hidden
        return lambda link: self.sandbox.start(bundle, link, hidden, wanted)

    def bundle(self, assignment: Assignment) -> Bundle:
        if assignment.name not in self.bundles:
            torch.set_num_threads(1)
            self.bundles[assignment.name] = self.sandbox.bundle(tuple(judge.checks(assignment).open_modules))
        return self.bundles[assignment.name]

    def warm_up(self, name: str):
        """Have what workers that are forked from here share: the fork server, and what drawing a case imports."""
        assignment = self.course.assignment(name)
        bundle = self.bundle(assignment)
        with suppress(Exception):  # a check that is at fault is said where it is graded
            for exercise in judge.checks(assignment).exercises.values():
                if not exercise.written:
                    exercise.draw(0)
        self.sandbox.server(bundle, self.course.hidden)


Execute = Callable[[Iterable[Submission]], Generator[tuple[Submission, Verdict]]]


def batch(grader: Grader, tasks: list[Task], execute: Execute) -> Iterator[Verdict]:
    """Verdicts as they come, one assignment after the other; each is on file when it comes."""
    for _, group in groupby(tasks, lambda task: task.assignment):
        ready: list[Verdict] = []
        with closing(execute(waiting(grader, group, ready))) as coming:
            for submission, verdict in coming:
                ready.append(careful(grader, submission, lambda s=submission, v=verdict: grader.file(s, v)))
                while ready:
                    yield ready.pop(0)
        yield from ready


def waiting(grader: Grader, tasks: Iterable[Task], ready: list[Verdict]) -> Iterator[Submission]:
    """The tasks that want grading; the verdicts of others go to `ready`."""
    for task in tasks:
        found = careful(grader, task, lambda t=task: grader.prepare(t))
        if isinstance(found, Submission):
            yield found
        else:
            ready.append(found)


def careful(grader: Grader, task: Task | Submission, step: Callable):
    """A submission never stops the batch: what is our own fault is said, and the next one comes."""
    try:
        return step()
    except OSError as error:
        return grader.failed(task, f"{error.strerror or error}: run autograde again when that is mended")
    except Exception as error:
        return grader.failed(task, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
