"""An autograder for Gradescope: a zip with setup.sh, run_autograder, the grader and one released notebook.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/. The zip holds references, checks and a secret,
and no student's work.
"""

import zipfile
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

from packaging.requirements import Requirement

import dgmlib

from ..course import Course, CourseError
from ..judging.seeds import keyed

GRADING = Path(__file__).parents[1]
AUTOGRADER = Path(__file__).parent / "autograder"
DATA = ("publishing/templates",)  # of grading, beside its modules
EXECUTABLE = 0o100755 << 16


def pack(course: Course, name: str, target: Path) -> Path:
    """Write the zip; a whole one or none. Raises CourseError."""
    assignment = course.assignment(name)
    notebook = course.released_notebook(assignment)
    secret = keyed(course.secret().encode(), [b"gradescope", name.encode()]).hex()
    temporary = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as made:
            for file in ("setup.sh", "run_autograder"):
                entry = zipfile.ZipInfo(file, (2000, 1, 1, 0, 0, 0))
                entry.external_attr, entry.compress_type = EXECUTABLE, zipfile.ZIP_DEFLATED
                made.writestr(entry, (AUTOGRADER / file).read_bytes())
            made.writestr("requirements.txt", "\n".join(requirements()) + "\n")
            made.writestr("grading/secret", secret)
            made.write(notebook, f"course/{name}/{notebook.name}")
            for file, place in program():
                made.write(file, place)
        temporary.replace(target)
    except OSError as error:
        raise CourseError(f"{target}: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return target


def requirements() -> list[str]:
    """What grading needs, at the versions installed here."""
    asked = [Requirement(line) for line in requires("dgmlib") or ()]
    needed = [r for r in asked if r.marker is None or r.marker.evaluate({"extra": "grading"})]
    return sorted({f"{r.name}=={version(r.name).partition('+')[0]}" for r in needed})


def program() -> Iterator[tuple[Path, str]]:
    """The modules of `grading` and `dgmlib` with their templates, and their places in the zip."""
    for package in (GRADING, Path(dgmlib.__file__).parent):
        folders = [package, *(file.parent for file in package.rglob("*/__init__.py"))]
        files = [file for folder in folders for file in folder.glob("*.py")]
        files += [f for part in DATA if package == GRADING for f in (package / part).rglob("*") if f.is_file()]
        yield from ((file, f"{package.name}/{file.relative_to(package).as_posix()}") for file in sorted(set(files)))
