"""Every attempt is kept, in `attempts/STUDENT/ASSIGNMENT/`; the newest that can be read is in `submitted/`.

Attempts are first staged, nameless, beside their place, so that a download which is refused, or a disk that is full,
leaves all as it was, and no more than one file is held in memory.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..course import Course, listed, write
from ..notebook import parse, submission
from .archive import File
from .examine import readable

CLOCK = 2.0  # seconds that a zip's clock may differ
STAGED = ".staged-"


@dataclass(frozen=True)
class Attempt:
    """A notebook that was handed in, `staged`. `broken`: why it will be refused, should it be all that there is."""

    file: File
    staged: Path
    digest: str
    order: tuple[int, ...] = ()
    late: bool = False
    broken: str = ""

    @property
    def rank(self) -> tuple:
        return not self.broken, self.order, self.file.time, self.file.name


@contextmanager
def stage(course: Course) -> Iterator[Path]:
    """A folder for what comes; what a killed collect left is removed."""
    course.data.mkdir(parents=True, exist_ok=True)
    for left in course.data.glob(f"{STAGED}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=STAGED, dir=course.data) as folder:
        yield Path(folder)


def staged(folder: Path, data: bytes) -> tuple[Path, str]:
    """Where these bytes lie, once, and their digest."""
    digest = submission.digest(data)
    path = folder / digest
    if not path.exists():
        path.write_bytes(data)
    return path, digest


def keep(course: Course, student: str, assignment: str, attempt: Attempt):
    """Put an attempt beside the others."""
    put(attempt.staged.read_bytes(), attempt.digest, attempts_of(course, student, assignment), attempt.file.time)


def put(data: bytes, digest: str, folder: Path, when: float):
    """A file named by its time and its content, once."""
    name = digest[:12]
    if not any(folder.glob(f"*_{name}.ipynb")):
        path = folder / f"{time.strftime('%Y-%m-%dT%H-%M-%S', time.localtime(when))}_{name}.ipynb"
        write(path, data)
        os.utime(path, (when, when))


def attempts_of(course: Course, student: str, assignment: str) -> Path:
    return course.data / "attempts" / student / assignment


def store(course: Course, student: str, assignment: str, best: Attempt) -> str:
    """new, newer, unchanged, older (which is not taken), or broken (which takes no good one's place)."""
    folder = course.submitted / student / assignment
    before = [p for p in listed(folder) if p.suffix == ".ipynb" and p.is_file()] if folder.is_dir() else []
    if any(digest(path) == best.digest for path in before):
        return "unchanged"
    good = [path for path in before if readable(path, course.assignment(assignment).name, course)]
    if best.broken and good:
        return "broken"
    if any(beats(path, best) for path in good or (before if best.broken else [])):
        return "older"
    for path in before:
        kept(course, student, assignment, path)
    target = folder / f"{course.assignment(assignment).notebook}.ipynb"
    write(target, best.staged.read_bytes())
    os.utime(target, (best.file.time, best.file.time))
    return "newer" if before else "new"


def beats(path: Path, best: Attempt) -> bool:
    """Whether what is there stays: it is newer, or as old, where the order of two downloads must not matter."""
    apart = path.lstat().st_mtime - best.file.time
    return apart > CLOCK or (abs(apart) <= CLOCK and digest(path) > best.digest)


def kept(course: Course, student: str, assignment: str, path: Path):
    """An attempt of what is about to be replaced, which somebody may have put there by hand."""
    with suppress(parse.Refused):
        data = parse.read(path)
        put(data, submission.digest(data), attempts_of(course, student, assignment), path.lstat().st_mtime)


def digest(path: Path) -> str:
    try:
        return submission.digest(parse.read(path))
    except parse.Refused:
        return ""
