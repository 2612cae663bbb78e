"""One at a time writes in a course folder: the second says so and ends. A killed one leaves no lock behind."""

import fcntl
import os
from contextlib import contextmanager

from .course import Course


class Locked(RuntimeError):
    """Somebody else is at work."""


@contextmanager
def locked(course: Course):
    course.data.mkdir(parents=True, exist_ok=True)
    with open(course.data / "lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Locked(
                f"another grader is at work in {course.root} (process {file.read(20).strip()}); wait for it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
