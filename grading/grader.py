"""From a submitted file to its verdict: what one worker of the pool, or `check`, does."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from dgmlib.checks import ASSIGNMENTS

from . import intake, judge, sandbox, verdicts
from .course import CHECKOUT, Course, CourseError
from .repair import defines


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
    stages: dict[str, sandbox.Stage] = field(default_factory=dict)

    def starter(self, assignment):
        """A function that starts a worker for this assignment."""
        if assignment.name not in self.stages:
            torch.set_num_threads(1)
            self.stages[assignment.name] = sandbox.Stage(tuple(assignment.open_modules))
        stage, hidden = self.stages[assignment.name], hidden_folders(self.course)
        return lambda link: self.sandbox.start(stage, link, hidden)

    def warm_up(self, assignment):
        """Start the fork server, so that workers which are forked from here share it."""
        self.starter(assignment)
        self.sandbox.server(self.stages[assignment.name], hidden_folders(self.course))

    def verdict(self, data: bytes, student: str, assignment) -> dict:
        """Run and judge; nothing is read from or written to disk but the released notebook."""
        released = self.course.released_notebook(assignment).read_bytes()
        start = self.starter(assignment)
        return judge.grade(data, student, assignment, self.secret, released, start, self.sandbox.kind)

    def task(self, task: Task) -> dict:
        """The verdict of a task, made and filed; its summary."""
        started = time.monotonic()
        assignment = ASSIGNMENTS[task.assignment]
        verdict = judge.refused(task.student, assignment, "no .ipynb file was handed in", self.sandbox.kind)
        for file in task.files:
            try:
                data = intake.read(file)
            except intake.Refused as refusal:
                verdict = judge.refused(task.student, assignment, str(refusal), self.sandbox.kind)
                continue
            verdict = self.verdict(data, task.student, assignment)
            key = self.key(data, task)
            verdicts.save(self.course, key, verdict)
            if verdict["status"] != "refused":
                verdict |= {"key": key, "file": str(file)}
                break
        return verdicts.summary(verdict) | {"seconds": round(time.monotonic() - started, 2)}

    def filed(self, task: Task) -> dict | None:
        """The summary on file for the newest of a task's notebooks; None where it has to be made."""
        for file in task.files[:1]:
            try:
                key = self.key(intake.read(file), task)
            except intake.Refused:
                return None
            if verdict := verdicts.load(self.course, key):
                return verdicts.summary(verdict) | {"key": key, "file": str(file), "seconds": 0.0}
        return None

    def key(self, data: bytes, task: Task) -> str:
        released = self.course.released_notebook(ASSIGNMENTS[task.assignment]).read_bytes()
        return verdicts.key(data, task.student, task.assignment, released, self.secret, self.sandbox.kind)


def hidden_folders(course: Course) -> tuple[Path, ...]:
    """What must not be seen, all of it, should it lie below a folder that the sandbox shows."""
    return CHECKOUT, course.root.resolve(), Path.home().resolve()


def tasks(course: Course, assignments: list[str], student: str | None = None) -> list[Task]:
    """What was handed in, by assignment and student; of several files the newest comes first."""
    found = []
    for name in assignments:
        stem = ASSIGNMENTS[name].notebook
        for who, files in course.submissions(name).items():
            if student in (None, who):
                files = sorted(files, key=lambda p: (p.lstat().st_mtime_ns, p.stem == stem, p.name), reverse=True)
                found.append(Task(who, name, tuple(files)))
    return found


def recognise(data: bytes):
    """The assignment that a notebook belongs to, by its cells' ids and the names that it defines. Raises Refused."""
    cells = intake.cells(data)
    names = {name.removeprefix("check_") for cell in cells for name in (*cell.ids, cell.grade_id)}
    names |= {name for cell in cells if cell.kind == "code" for name in defines(cell.source)}
    best = max(ASSIGNMENTS.values(), key=lambda a: len(names & a.exercises.keys()))
    if not names & best.exercises.keys():
        raise intake.Refused("not a notebook of this course: it holds none of its exercises")
    return best


def wanted(names: list[str]) -> list[str]:
    """Assignments by name; all of them where none is named. Raises CourseError."""
    for name in names:
        if name not in ASSIGNMENTS:
            raise CourseError(f"no assignment {name!r}; there are {', '.join(ASSIGNMENTS)}")
    return list(dict.fromkeys(names)) or list(ASSIGNMENTS)
