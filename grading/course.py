"""A course folder: where its notebooks, submissions, verdicts and gradebook are."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import assignments
from .assignments import Assignment
from .plaintext import HARMFUL

CHECKOUT = Path(__file__).resolve().parent.parent
STUDENT = re.compile(rf"(?:(?!{HARMFUL.pattern})[^/\\]){{1,120}}")


class CourseError(ValueError):
    """A wrong path or name: one line that says what to do."""


@dataclass(frozen=True)
class Course:
    """`Course(root)`; `solutions/`, `course/` and `grading/` below `root`. Folders are made at need."""

    root: Path

    @classmethod
    def at(cls, folder: str | None) -> "Course":
        """The one in `folder`; else this checkout, or where that is none, the working directory. Raises CourseError."""
        root = Path(folder).resolve() if folder else CHECKOUT if is_course(CHECKOUT) else Path.cwd()
        if not root.is_dir():
            raise CourseError(f"--course: no folder {root}")
        if not is_course(root):
            advice = "give the folder that does, or make one: python -m grading init FOLDER"
            raise CourseError(f"--course: {root} holds neither course/ nor solutions/; {advice}")
        return cls(root)

    @property
    def solutions(self) -> Path:
        return self.root / "solutions"

    @property
    def released(self) -> Path:
        return self.root / "course"

    @property
    def data(self) -> Path:
        return self.root / "grading"

    @property
    def submitted(self) -> Path:
        return self.data / "submitted"

    @property
    def verdicts(self) -> Path:
        return self.data / "verdicts"

    @property
    def autograded(self) -> Path:
        return self.data / "autograded"

    @property
    def gradebook(self) -> Path:
        return self.data / "gradebook.db"

    @property
    def hidden(self) -> tuple[Path, ...]:
        """What no sandbox shows, should it lie below a folder that one shows."""
        return CHECKOUT, self.root.resolve(), Path.home().resolve()

    @cached_property
    def secret_file(self) -> Path:
        return self.data / "secret"

    def secret(self) -> str:
        """The course's secret, made at need and readable by its owner alone."""
        self.data.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(self.secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if secret := self.secret_file.read_text().strip():
                return secret
            raise CourseError(f"{self.secret_file} is empty; remove it and a new secret is made") from None
        try:
            with os.fdopen(handle, "w") as file:
                file.write(os.urandom(32).hex())
        except OSError:  # a full disk leaves no empty one behind
            self.secret_file.unlink()
            raise
        return self.secret_file.read_text().strip()

    @property
    def assignments(self) -> dict[str, Assignment]:
        """What is released, by name."""
        return assignments.released(self.released)

    def assignment(self, name: str) -> Assignment:
        """Raises CourseError where it is not released."""
        released = self.assignments
        if name not in released and (self.solutions / name).is_dir():
            raise CourseError(f"{name} is not released: run `python -m grading release {name}`")
        if name not in released:
            raise CourseError(f"no assignment {name!r}; there are {', '.join(released) or 'none in course/'}")
        return released[name]

    def wanted(self, names: list[str]) -> dict[str, Assignment]:
        """Assignments by name; all of them where none is named. Raises CourseError."""
        return {name: self.assignment(name) for name in names} or self.assignments

    def released_notebook(self, assignment) -> Path:
        return self.released / assignment.name / f"{assignment.notebook}.ipynb"

    def solved_notebook(self, assignment) -> Path:
        return self.solutions / assignment.name / f"{assignment.notebook}.ipynb"

    def submissions(self, assignment: str) -> dict[str, list[Path]]:
        """Every student's files for an assignment, the newest first; `.ipynb` alone, hidden files left out."""
        found, stem = {}, self.assignment(assignment).notebook
        for folder in sorted(self.submitted.glob(f"*/{assignment}")):
            if STUDENT.fullmatch(student := folder.parent.name) and not student.startswith("."):
                files = [p for p in listed(folder) if p.suffix == ".ipynb" and p.name[0] != "."]
                found[student] = sorted(files, key=lambda p: (changed(p), p.stem == stem, p.name), reverse=True)
        return found

    def misnamed(self) -> list[str]:
        """Folders among the submissions whose name cannot be a student's; one that must not be shown by its place."""
        paths = enumerate(sorted(listed(self.submitted)), 1)
        wrong = [(n, path.name) for n, path in paths if path.is_dir() and not STUDENT.fullmatch(path.name)]
        return [f"entry {n} of {self.submitted}" if HARMFUL.search(name) else repr(name) for n, name in wrong]


def is_course(folder: Path) -> bool:
    return (folder / "course").is_dir() or (folder / "solutions").is_dir()


def listed(folder: Path) -> list[Path]:
    """A folder's entries; none where it is a link or cannot be read."""
    try:
        return [] if folder.is_symlink() or folder.parent.is_symlink() else list(folder.iterdir())
    except OSError:
        return []


def changed(path: Path) -> int:
    """When, in nanoseconds; a file that went meanwhile is the oldest."""
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def write(path: Path, data: bytes | Iterable[str]):
    """Write a file whole or not at all: temporary file, fsync, rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else (part.encode() for part in data))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
