"""What works on this machine, what does not, what to do."""

import importlib.util
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from . import sandbox
from .course import Course
from .process import Process

NEEDED = ("sandbox", "nbgrader", "course", "disk")


def findings(course: Course) -> list[tuple[str, bool, str]]:
    """`(what, works, line)` for each thing that grading needs or could use."""
    found = [("python", True, f"{platform.python_version()} at {sys.executable}")]
    found += [(kind, works is not None, line) for kind, (works, line) in sandbox.survey().items()]
    return [*found, worker(), nbgrader(), released(course), disk(course)]


def worker() -> tuple[str, bool, str]:
    """Start a real worker in the sandbox that `auto` would take."""
    stage = None
    try:
        chosen = sandbox.choose("auto")
        stage = sandbox.Stage()
        Process(lambda link: chosen.start(stage, link)).close()
        return "sandbox", True, f"a worker starts in {chosen.kind}: {chosen.how}"
    except (RuntimeError, OSError, ValueError) as error:
        return "sandbox", False, str(error)
    except Exception as error:
        return "sandbox", False, f"a worker does not start: {error}"
    finally:
        if stage:
            stage.close()


def nbgrader() -> tuple[str, bool, str]:
    if importlib.util.find_spec("nbgrader") is None:
        return "nbgrader", False, "not installed: pip install 'dgmlib[grading]'"
    path = str(Path(sys.executable).parent)
    if not shutil.which("alembic", path=path) and not shutil.which("alembic"):
        return "nbgrader", False, "alembic is missing, and nbgrader makes its database with it: pip install alembic"
    return "nbgrader", True, "installed, with alembic"


def released(course: Course) -> tuple[str, bool, str]:
    names = sorted(p.parent.name for p in course.released.glob("*/*.ipynb"))
    if not names:
        return "course", False, f"nothing released in {course.released}: run `python -m grading release`"
    return "course", True, f"released in {course.root}: {', '.join(names)}"


def disk(course: Course) -> tuple[str, bool, str]:
    free = min(shutil.disk_usage(folder).free for folder in (course.root, tempfile.gettempdir()))
    return "disk", free > 500e6, f"{free / 1e9:.1f} GB free"
