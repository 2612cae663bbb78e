"""`python -m grading new`: the skeleton of an exercise, and of its assignment where there is none.

It works as it is, with the sum of its arguments for an answer. What to write says TODO; `release` refuses what is left.
"""

import keyword
from pathlib import Path
from string import Template

import nbformat
from nbformat import v4

import dgmlib.checks.exercises
from dgmlib.checks import ASSIGNMENTS

from ..course import Course, CourseError
from .numbers import sync

CHECK = '''"""`$name`: TODO."""

from ...engine import Exercise, Mistake, interface_laws, normal, shapes, single, value


def arrays(rng, n):
    return {
$arrays
    }


def cases(rng):
    """Random inputs by case; the first is the general one, in float64."""
    given = arrays(rng, 5)
    return {"value": given, "float32": single(given), "one row": arrays(rng, 1)}


def reference($args):
    return $sum  # TODO


MISTAKES = (Mistake("TODO: what is wrong, what the formula wants.", lambda *arguments: -reference(*arguments)),)

EXERCISE = Exercise(
    __name__,
    points=1,
    slide="TODO: the slide's title",
    call="$args",
    returns="result",
    cases=cases,
    reference=reference,
    laws=(value("value", "TODO: the formula."), shapes(0.125, ["one row"]), *interface_laws()),
    mistakes=MISTAKES,
)
'''
BANK = '''"""Answers to `$name`: right ones, and wrong ones that are no known mistake."""

from . import right, wrong

NAME = "$name"


@right(NAME)
def ${name}_plain($args):
    return $sum


@wrong(NAME, law="dtype", says="float32")
def ${name}_double($args):
    return ($sum).double()
'''
ASSIGNMENT = '''"""$folder: TODO."""

from ...engine import assignment

ASSIGNMENT = assignment(__name__, "$folder")
'''
TEXT = """### Exercise 0 · `$name`
**1 point · ●○○ · 5 minutes**

TODO: the formula.

`$name($args)`: TODO, shapes and what comes back.

*Example.* TODO."""
ANSWER = '''def $name($typed) -> Tensor:
    """TODO."""
    ### BEGIN SOLUTION
    return $sum
    ### END SOLUTION'''
TITLE = "# TODO\n\n**The question.** TODO\n\n0 points · 0 exercises · about 10 minutes"
KINDS = {"answer": {"grade": False, "solution": True, "locked": False}, "check": {"grade": True, "solution": False}}


def new(course: Course, assignment: str, name: str, arguments: str) -> list[Path]:
    """Write the files of a new exercise and its cells; the paths. Raises CourseError."""
    arguments = [argument.strip() for argument in arguments.split(",")]
    for word in (name, *arguments):
        if not word.isidentifier() or keyword.iskeyword(word):
            more = "; how it is handed over, ':float', is for the check's `call`" if ":" in word else ""
            raise CourseError(f"{word!r} is no name in Python: give the exercise's and its arguments', 'x, mu'{more}")
    if taken := [a.name for a in ASSIGNMENTS.values() if name in a.exercises]:
        raise CourseError(f"{name} is an exercise of {taken[0]} already; names are unique in the course")
    exercises = Path(dgmlib.checks.exercises.__file__).parent
    if not exercises.is_relative_to(course.root):
        raise CourseError(f"new writes into a checkout; the library in use lies in {exercises}")
    known = ASSIGNMENTS.get(assignment)
    stem = known.notebook if known else assignment.partition("_")[2]
    if not stem.isidentifier():
        raise CourseError(f"{assignment!r}: an assignment is called like 05_vae: a number and its notebook's name")
    notebook, folder = course.solutions / assignment / f"{stem}.ipynb", exercises / stem
    texts = {folder / f"{name}.py": CHECK, course.root / "tests" / "banks" / f"{name}.py": BANK}
    if not (folder / "__init__.py").is_file():
        texts = {folder / "__init__.py": ASSIGNMENT, **texts}
    if there := [path for path in texts if path.exists()]:
        raise CourseError(f"{there[0]} is there already")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(filled(text, name, arguments, assignment), encoding="utf-8")
    add_cells(course, notebook, name, arguments)
    return [*texts, notebook]


def filled(text: str, name: str, arguments: list[str], folder: str = "") -> str:
    arrays = "\n".join(f'        "{argument}": normal(rng, n),' for argument in arguments)
    typed = ", ".join(f"{a}: Tensor" for a in arguments)
    words = {"name": name, "args": ", ".join(arguments), "sum": " + ".join(arguments), "typed": typed, "folder": folder}
    return Template(text).substitute(words, arrays=arrays)


def add_cells(course: Course, path: Path, name: str, arguments: list[str]):
    """Text, answer and check at the notebook's end; a new notebook takes the set-up cell of another."""
    notebook = nbformat.read(path, as_version=4) if path.is_file() else begun(course, path)
    check = v4.new_code_cell(f'check("{name}", {name})', id=f"check_{name}")
    answer = v4.new_code_cell(filled(ANSWER, name, arguments), id=name)
    for cell, kind, more in ((answer, "answer", {}), (check, "check", {"locked": True, "points": 1})):
        cell.metadata.nbgrader = {"grade_id": cell.id, "schema_version": 3, "task": False, **KINDS[kind], **more}
    notebook.cells += [v4.new_markdown_cell(filled(TEXT, name, arguments), id=f"about_{name}"), answer, check]
    nbformat.write(notebook, path)
    sync(path, pair=True)


def begun(course: Course, path: Path) -> nbformat.NotebookNode:
    """A notebook with a title and the set-up cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for model in sorted(course.solutions.glob("*/*.ipynb")):
        notebook = nbformat.read(model, as_version=4)
        setup = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "setup"]
        if setup:
            notebook.cells = [v4.new_markdown_cell(TITLE, id="title"), *setup]
            return notebook
    raise CourseError(f"no notebook in {course.solutions} has a cell 'setup' to copy")
