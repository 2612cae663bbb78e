"""What there is to grade."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..course import Course


@dataclass(frozen=True)
class Task:
    """One student's work on one assignment: the files handed in, the newest first."""

    student: str
    assignment: str
    files: tuple[Path, ...]


def handed_in(course: Course, names: Iterable[str], student: str | None = None) -> list[Task]:
    """By assignment and student."""
    return [
        Task(who, name, tuple(files))
        for name in names
        for who, files in course.submissions(name).items()
        if student in (None, who)
    ]


def all_on_file(course: Course, tasks: list[Task]) -> bool:
    """Whether the first assignment has as many verdicts as submissions: then most likely nothing of it is graded."""
    name = tasks[0].assignment
    return len(list((course.verdicts / name).glob("*.json"))) >= sum(task.assignment == name for task in tasks)
