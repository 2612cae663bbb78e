"""From a submitted file to its verdict: what one worker of the pool, or `check`, does."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from dgmlib.checks import ASSIGNMENTS

from ..course import CHECKOUT, Course, CourseError
from ..notebook import parse
from ..notebook.submission import Files, Prepared, prepare
from ..running import sandbox
from . import filed, judge, store


@dataclass(frozen=True)
class Task:
    """One student's work on one assignment: the files handed in, the newest first."""

    student: str
    assignment: str
    files: tuple[Path, ...]


@dataclass
class Grader:
    """Grades for one course folder, with one secret, in one sandbox. Keeps a stage for each assignment."""

    course: Course
    secret: str
    sandbox: object
    stages: dict[str, sandbox.Bundle] = field(default_factory=dict)

    def starter(self, assignment):
        """A function that starts a worker for this assignment."""
        if assignment.name not in self.stages:
            torch.set_num_threads(1)
            self.stages[assignment.name] = sandbox.Bundle(tuple(assignment.open_modules))
        stage, hidden = self.stages[assignment.name], hidden_folders(self.course)
        return lambda link: self.sandbox.start(stage, link, hidden)

    def warm_up(self, assignment):
        """Start the fork server, so that workers which are forked from here share it."""
        self.starter(assignment)
        self.sandbox.server(self.stages[assignment.name], hidden_folders(self.course))

    def verdict(self, data: bytes, student: str, assignment) -> dict:
        """Repair, run and judge; nothing is read from or written to disk but the released notebook."""
        return self.graded(data, student, assignment)[0]

    def graded(self, data: bytes, student: str, assignment) -> tuple[dict, Prepared | None]:
        """The verdict, and what it was made of; None where it was refused."""
        try:
            prepared = prepare(self.released(assignment), data)
        except parse.Refused as refusal:
            return self.refused(student, assignment, str(refusal)), None
        start = self.starter(assignment)
        return judge.grade(prepared.repaired, student, assignment, self.secret, start, self.sandbox.kind), prepared

    def released(self, assignment) -> bytes:
        return self.course.released_notebook(assignment).read_bytes()

    def refused(self, student: str, assignment, reason: str, status: str = "refused") -> dict:
        return judge.refused(student, assignment, reason, self.sandbox.kind, status)

    def task(self, task: Task) -> dict:
        """The verdict of a task, made and filed; its summary. Each file is read once."""
        started, files, assignment = time.monotonic(), Files(task.files), ASSIGNMENTS[task.assignment]
        verdict = self.refused(task.student, assignment, "no .ipynb file was handed in")
        for file in task.files:
            try:
                data = files.read(file)
            except parse.Refused as refusal:
                verdict = self.refused(task.student, assignment, str(refusal))
                continue
            verdict, prepared = self.graded(data, task.student, assignment)
            if prepared:
                verdict = self.file(self.key(data, task), verdict, prepared)
                break
        return store.summary(verdict) | {"seconds": round(time.monotonic() - started, 2), "files": files.digest()}

    def file(self, key: str, verdict: dict, prepared: Prepared) -> dict:
        """Put a verdict on file, with what a person will read."""
        kept, pictures = filed.keep(prepared, verdict)
        store.save(self.course, key, verdict | kept, pictures)
        return verdict | {"key": key}

    def filed(self, task: Task) -> dict | None:
        """The summary on file for the newest of a task's notebooks; None where it has to be made."""
        files = Files(task.files)
        for file in task.files[:1]:
            try:
                key = self.key(files.read(file), task)
            except parse.Refused:
                return None
            if verdict := store.load(self.course, key):
                return store.summary(verdict) | {"seconds": 0.0, "files": files.digest()}
        return None

    def key(self, data: bytes, task: Task) -> str:
        released = self.released(ASSIGNMENTS[task.assignment])
        return store.key(data, task.student, task.assignment, released, self.secret, self.sandbox.kind)


def hidden_folders(course: Course) -> tuple[Path, ...]:
    """What must not be seen, all of it, should it lie below a folder that the sandbox shows."""
    return CHECKOUT, course.root.resolve(), Path.home().resolve()


def handed_in(course: Course, assignments: list[str], student: str | None = None) -> list[Task]:
    """What was handed in, by assignment and student; of several files the newest comes first."""
    found = []
    for name in assignments:
        stem = ASSIGNMENTS[name].notebook
        for who, files in course.submissions(name).items():
            if student in (None, who):
                files = sorted(files, key=lambda p: (p.lstat().st_mtime_ns, p.stem == stem, p.name), reverse=True)
                found.append(Task(who, name, tuple(files)))
    return found


def wanted(names: list[str]) -> list[str]:
    """Assignments by name; all of them where none is named. Raises CourseError."""
    for name in names:
        if name not in ASSIGNMENTS:
            raise CourseError(f"no assignment {name!r}; there are {', '.join(ASSIGNMENTS)}")
    return list(dict.fromkeys(names)) or list(ASSIGNMENTS)
