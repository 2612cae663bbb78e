"""course/ from solutions/: nbgrader's own preprocessors, no gradebook, the same bytes every time."""

import json
import logging
import re
from pathlib import Path

import nbformat
from nbgrader import preprocessors as nbgrader

from dgmlib.checks import ASSIGNMENTS

from ..course import Course, CourseError, write
from .colab import link

# As `nbgrader generate_assignment` has them, without the database.
STEPS = (
    nbgrader.LockCells,
    nbgrader.ClearSolutions,
    nbgrader.ClearOutput,
    nbgrader.CheckCellMetadata,
    nbgrader.ComputeChecksums,
    nbgrader.ClearHiddenTests,
    nbgrader.ClearMarkScheme,
    nbgrader.ComputeChecksums,
    nbgrader.CheckCellMetadata,
)
STUB = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
REGION = re.compile(
    r"^[^\n]*BEGIN (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)[^\n]*\n(.*?)^[^\n]*END (?:SOLUTION|HIDDEN)", re.M | re.S
)
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
HINT = re.compile(r"<details>.*?</details>", re.DOTALL)
SHORTEST_LEAK = 12


def wanted(course: Course, names: list[str]) -> list[str]:
    """Assignments by name; where none is named, all that have solutions here. Raises CourseError."""
    for name in names:
        if name not in ASSIGNMENTS:
            raise CourseError(f"no assignment {name!r}; there are {', '.join(ASSIGNMENTS)}")
    found = list(dict.fromkeys(names)) or [name for name in ASSIGNMENTS if (course.solutions / name).is_dir()]
    if not found:
        raise CourseError(f"no assignment in {course.solutions}")
    return found


def release(course: Course, name: str, check: bool = False) -> tuple[list[Path], list[str]]:
    """Release one assignment: `(files written, problems)`. With `check` a difference is a problem, and stays."""
    folder = course.solutions / name
    if not folder.is_dir():
        raise CourseError(f"{name}: no folder {folder}")
    notebooks = {p.name: released(p, name) for p in sorted(folder.glob("*.ipynb"))}
    if not notebooks:
        raise CourseError(f"{name}: no notebook in {folder}")
    target, written, problems = course.released / name, [], []
    for file in sorted(target.glob("*.ipynb")):
        if file.name not in notebooks:
            problems.append(f"{file}: has no notebook in solutions/{name}; remove it")
    for file, data in notebooks.items():
        path = target / file
        same = path.is_file() and path.read_bytes() == data
        if check and not same:
            problems.append(f"{path}: differs from a fresh release; run `python -m grading release {name}`")
        elif not same:
            write(path, data)
            written.append(path)
    return written, problems


def released(path: Path, assignment: str) -> bytes:
    """The bytes of one released notebook. Raises CourseError with the cell at fault."""
    notebook = read(path)
    secrets = solution_lines(notebook)
    named(notebook, path)
    link(notebook, path.parents[2], assignment, path.stem)
    notebook = processed(notebook, path, assignment)
    tidy(notebook)
    nbformat.validate(notebook)
    leaks(notebook, secrets, path)
    return (nbformat.writes(notebook) + "\n").encode()


def read(path: Path):
    """The notebook of a solution. Raises CourseError where a cell has no id: nbformat would invent one a run."""
    try:
        text = path.read_text(encoding="utf-8")
        unnamed = without_id(json.loads(text))
        notebook = None if unnamed else nbformat.reads(text, as_version=4)
    except (OSError, ValueError, AttributeError) as error:
        raise CourseError(f"{path}: no readable notebook ({str(error)[:100]})") from None
    if unnamed:
        raise CourseError(f"{path}: no id in cell {', '.join(unnamed)}; open and save the notebook in JupyterLab")
    return notebook


def tidy(notebook):
    """Nothing of the machine or the editor that the instructor used."""
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        kept = {key: value for key, value in sorted(cell.metadata.items()) if key not in ("execution", "collapsed")}
        cell.metadata = nbformat.from_dict(kept)


def without_id(raw: dict) -> list[str]:
    """The numbers of the cells that have neither a grade_id nor an id."""
    cells = enumerate(raw.get("cells", ()), 1)
    return [str(n) for n, c in cells if not (c.get("metadata", {}).get("nbgrader", {}).get("grade_id") or c.get("id"))]


def named(notebook, path: Path):
    """cell id = grade_id, wherever there is one; no two the same."""
    seen = set()
    for cell in notebook.cells:
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.id
        if cell.id in seen:
            raise CourseError(f"{path}: two cells have the id {cell.id!r}")
        seen.add(cell.id)


def processed(notebook, path: Path, assignment: str):
    """Run nbgrader's steps."""
    resources = {"nbgrader": {"assignment": assignment, "notebook": path.stem, "student": "."}}
    try:
        for step in STEPS:
            made = step(code_stub=STUB) if step is nbgrader.ClearSolutions else step()
            made.log.setLevel(logging.ERROR)
            notebook, resources = made.preprocess(notebook, resources)
    except Exception as error:
        raise CourseError(f"{path}: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from error
    return notebook


def solution_lines(notebook) -> set[str]:
    """The lines of all solution regions that are long enough to tell, but for those that a hint or other code shows."""
    regions = [m for cell in notebook.cells for m in REGION.findall(cell.source)]
    lines = {line.strip() for region in regions for line in region.splitlines()}
    code = [REGION.sub("", cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    hints = [hint for cell in notebook.cells if cell.cell_type == "markdown" for hint in HINT.findall(cell.source)]
    visible = "\n".join(code + hints)
    return {line for line in lines if len(line) >= SHORTEST_LEAK and line not in visible}


def leaks(notebook, secrets: set[str], path: Path):
    """Raises CourseError where a released cell repeats a line of a solution."""
    for cell in notebook.cells:
        for line in secrets:
            if line in cell.source:
                raise CourseError(f"{path}: released cell {cell.id!r} holds the solution's line {line!r}")
        if "BEGIN SOLUTION" in cell.source or cell.get("outputs"):
            raise CourseError(f"{path}: released cell {cell.id!r} still holds a solution mark or an output")
