"""What stands once, in the checks: `release` writes points, counts, places, former names into a solution's notebook."""

import re
from pathlib import Path

import nbformat

from ..course import CourseError

TITLE = re.compile(r"\b[\d.]+ points? · \d+ exercises?\b")


def fill(notebook: nbformat.NotebookNode, assignment) -> bool:
    """Write the numbers of `assignment` into the notebook; whether any was another."""
    before = nbformat.writes(notebook)
    numbers = places(notebook, assignment)
    titled = False
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        exercise = assignment.exercises.get(about.get("grade_id", "").removeprefix("check_"))
        if exercise and about.get("grade"):
            about["points"] = exercise.points
            if exercise.formerly:
                cell.metadata["dgmlib"] = {"formerly": list(exercise.formerly)}
            else:
                cell.metadata.pop("dgmlib", None)
        if cell.cell_type == "markdown":
            if not titled and TITLE.search(cell.source):
                cell.source, titled = TITLE.sub(title(assignment), cell.source, count=1), True
            for name, exercise in assignment.exercises.items():
                cell.source = heading(cell.source, name, numbers[name], exercise.points)
    return nbformat.writes(notebook) != before


def places(notebook: nbformat.NotebookNode, assignment) -> dict[str, int]:
    """The number of each exercise: its place among the cells of this notebook; one that has none comes last."""
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    found = [name for name in ids if name in assignment.exercises]
    return {name: number for number, name in enumerate(dict.fromkeys([*found, *assignment.exercises]), 1)}


def title(assignment) -> str:
    return f"{amount(assignment.points, 'point')} · {amount(len(assignment.exercises), 'exercise')}"


def heading(text: str, name: str, number: int, points: float) -> str:
    """The heading of an exercise with its number, and the line below it with its points."""
    pattern = rf"(### Exercise )\d+( · `{re.escape(name)}`[^\n]*\n\*\*)[\d.]+ points?( ·)"
    return re.sub(pattern, lambda m: f"{m[1]}{number}{m[2]}{amount(points, 'point')}{m[3]}", text)


def amount(number: float, what: str) -> str:
    return f"{number:g} {what}" + "s" * (number != 1)


def fill_file(path: Path, assignment) -> bool:
    """The same for a file, and for the text that jupytext keeps beside it; whether it was written."""
    notebook = nbformat.read(path, as_version=4)
    if not fill(notebook, assignment):
        return False
    nbformat.write(notebook, path)
    sync(path)
    return True


def sync(path: Path, pair: bool = False):
    """The text beside a notebook follows it; with `pair` it is made where there is none."""
    if pair or path.with_suffix(".py").is_file():
        try:
            from jupytext.cli import jupytext
        except ImportError:
            raise CourseError(f"{path.stem}.py is kept by jupytext: install it, then run make sync") from None
        jupytext(["--sync", "--quiet", str(path)])
