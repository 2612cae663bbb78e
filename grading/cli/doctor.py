"""`doctor`: what works on this machine, what does not, what to do."""

import importlib.util
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import click

from ..course import Course
from . import options

NEEDED = ("sandbox", "nbgrader", "course", "formgrader", "disk")
MOST_NAMED = 10


@click.command()
@options.shared
def doctor(course, output) -> int:
    """Say what works on this machine, what does not, what to do."""
    found = findings(course)
    output.findings(found)
    output.outcome({"findings": [{"what": what, "works": works, "line": line} for what, works, line in found]})
    return 0 if all(works for what, works, _ in found if what in NEEDED) else 1


def findings(course: Course) -> list[tuple[str, bool, str]]:
    """`(what, works, line)` for each thing that grading needs or could use."""
    from ..running import sandbox

    found = [("python", True, f"{platform.python_version()} at {sys.executable}")]
    found += [(kind, works is not None, line) for kind, (works, line) in sandbox.survey().items()]
    return [*found, worker(), nbgrader(), released(course), shown(course), disk(course)]


def worker() -> tuple[str, bool, str]:
    """Start a real worker in the sandbox that `auto` would take."""
    from ..running import sandbox
    from ..running.process import Process

    bundle = None
    try:
        chosen = sandbox.choose("auto")
        bundle = sandbox.Bundle().fill()
        Process(lambda link: chosen.start(bundle, link)).close()
        return "sandbox", True, f"a worker starts in {chosen.kind}: {chosen.how}"
    except (RuntimeError, OSError, ValueError) as error:
        return "sandbox", False, str(error)
    except Exception as error:
        return "sandbox", False, f"a worker does not start: {error}"
    finally:
        if bundle:
            bundle.close()


def nbgrader() -> tuple[str, bool, str]:
    if importlib.util.find_spec("nbgrader") is None:
        return "nbgrader", False, "not installed: pip install 'dgmlib[grading]'"
    path = str(Path(sys.executable).parent)
    if importlib.util.find_spec("jupyter_server_mathjax") is None:
        return "nbgrader", False, "formulas stay as typed in formgrader: pip install jupyter-server-mathjax"
    if not shutil.which("alembic", path=path) and not shutil.which("alembic"):
        return "nbgrader", False, "alembic is missing, and nbgrader makes its database with it: pip install alembic"
    return "nbgrader", True, "installed, with alembic and MathJax"


def released(course: Course) -> tuple[str, bool, str]:
    names = sorted(p.parent.name for p in course.released.glob("*/*.ipynb"))
    if not names:
        return "course", False, f"nothing released in {course.released}: run `python -m grading release`"
    return "course", True, f"released in {course.root}: {', '.join(names)}"


def shown(course: Course) -> tuple[str, bool, str]:
    """The notebooks that formgrader opens: one of an older version may hold a student's text that runs there."""
    from ..notebook.graded import WRITER_VERSION, writer

    files = sorted(course.autograded.glob("*/*/*.ipynb"))
    old = [file for file in files if not file.is_file() or writer(file.read_bytes()) != WRITER_VERSION]
    if not old:
        return "formgrader", True, f"{len(files)} notebooks to read, all of this version"
    named = ", ".join(f"{file.parts[-3]}/{file.parts[-2]}" for file in old[:MOST_NAMED])
    more = f" and {len(old) - MOST_NAMED} more" if len(old) > MOST_NAMED else ""
    advice = "run `python -m grading autograde` before you open formgrader, which may run what students wrote in them"
    return "formgrader", False, f"written by another version: {named}{more}: {advice}"


def disk(course: Course) -> tuple[str, bool, str]:
    free = min(shutil.disk_usage(folder).free for folder in (course.root, tempfile.gettempdir()))
    return "disk", free > 500e6, f"{free / 1e9:.1f} GB free"


COMMANDS = (doctor,)
