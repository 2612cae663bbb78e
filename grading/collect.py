"""Take submissions over into grading/submitted/STUDENT/ASSIGNMENT/. A folder for now; archives come later."""

from pathlib import Path

from . import intake
from .course import STUDENT, Course, CourseError, write


def collect(course: Course, source: Path, assignment: str) -> tuple[list[str], list[str]]:
    """`(students, problems)`. A folder holds STUDENT.ipynb files or STUDENT folders; a student's newest file wins."""
    if not source.is_dir():
        what = "archives are not taken yet, unpack it first" if source.is_file() else "no such folder"
        raise CourseError(f"{source}: {what}")
    newest: dict[str, Path] = {}
    for path in sorted(source.rglob("*.ipynb")):
        student = path.stem if path.parent == source else path.relative_to(source).parts[0]
        if path.name.startswith(".") or ".ipynb_checkpoints" in path.parts:
            continue
        if student not in newest or path.lstat().st_mtime_ns > newest[student].lstat().st_mtime_ns:
            newest[student] = path
    if not newest:
        raise CourseError(f"{source}: no .ipynb file in it")
    taken, problems = [], []
    for student, path in newest.items():
        try:
            if not STUDENT.fullmatch(student) or student.startswith("."):
                raise intake.Refused("no possible name of a student")
            write(course.submitted / student / assignment / path.name, intake.read(path))
            taken.append(student)
        except intake.Refused as refusal:
            problems.append(f"{path}: {refusal}")
    return taken, problems
