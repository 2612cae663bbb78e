"""What notebooks and checks say differently, a line each, before a student meets it."""

import json
import warnings
from collections import Counter
from pathlib import Path

import nbformat

from dgmlib.checks import ASSIGNMENTS, CourseFault
from dgmlib.checks.engine.card import SIGNS

from ..course import write
from ..judging import store
from .numbers import fill_file, places, title

UNFINISHED = "TODO"
PASSED = "references.json"


def released(course, names: list[str]):
    """Raises CourseFault with the faults of the checks, and of the notebooks that students got. That the references
    pass is found out once for each version of the code."""
    passed, version = passed_in(course), store.version()
    found = faults([name for name in names if passed.get(name) != version])
    for name in names:
        path = course.released_notebook(ASSIGNMENTS[name])
        found += lint(nbformat.read(path, as_version=4), path, ASSIGNMENTS[name], solved=False)
    stop(found)
    if (now := passed | dict.fromkeys(names, version)) != passed:
        write(course.verdicts / PASSED, json.dumps(now).encode())


def passed_in(course) -> dict[str, str]:
    """The version of the code in which an assignment's references were last seen to pass."""
    try:
        return dict(json.loads((course.verdicts / PASSED).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def stop(found: list[str]):
    if found:
        raise CourseFault("\n".join(found))


def sources(course, names: list[str], check: bool):
    """Raises CourseFault with the faults of the checks and of the solutions. The numbers of a solution become the
    checks' first, but with `check`."""
    found = faults(names)
    for name in names:
        path = course.solutions / name / f"{ASSIGNMENTS[name].notebook}.ipynb"
        if not path.is_file():
            continue  # `release` says what is there instead
        if not check:
            fill_file(path, ASSIGNMENTS[name])
        notebook = nbformat.read(path, as_version=4)
        found += lint(notebook, path, ASSIGNMENTS[name], solved=True)
        found += headings(notebook, path, ASSIGNMENTS[name]) + outputs(notebook, path)
    stop(found)


def lint(notebook: nbformat.NotebookNode, path: Path, assignment, solved: bool) -> list[str]:
    """The differences of one notebook; `solved` where it should hold solutions."""
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    found = []
    for exercise in assignment.exercises.values():
        needed = {exercise.name: proof_cell} if exercise.written else answer_and_check(exercise, solved)
        for grade_id, look in needed.items():
            said = f"has no cell {grade_id}" if grade_id not in cells else look(cells[grade_id], exercise)
            found += [f"{path}: {said}"] * bool(said)
        found += [f"{path}: {said}" for said in former(cells, exercise)]
    known = {name for e in assignment.exercises for name in (e, f"check_{e}")}
    unknown = [
        i
        for i, c in cells.items()
        if i not in known and (c.metadata.nbgrader.get("grade") or c.metadata.nbgrader.get("solution"))
    ]
    return found + [f"{path}: cell {i} belongs to no exercise of dgmlib/checks/exercises" for i in unknown]


def answer_and_check(exercise, solved: bool) -> dict:
    return {exercise.name: solved_answer if solved else answer_cell, f"check_{exercise.name}": check_cell}


def answer_cell(cell, exercise) -> str:
    about = cell.metadata.nbgrader
    return "" if about.solution and not about.grade else f"cell {exercise.name} is no autograded answer"


def solved_answer(cell, exercise) -> str:
    if said := answer_cell(cell, exercise):
        return said
    if "BEGIN SOLUTION" not in cell.source:
        return f"cell {exercise.name} has no BEGIN SOLUTION: students would lose its first line"
    return f"cell {exercise.name} says {UNFINISHED}" if UNFINISHED in cell.source else ""


def check_cell(cell, exercise) -> str:
    about, call = cell.metadata.nbgrader, f'check("{exercise.name}", {exercise.name})'
    if not about.grade or about.solution:
        return f"cell check_{exercise.name} is no autograded test"
    if float(about.get("points", 0)) != exercise.points:
        return f"cell check_{exercise.name} has {about.get('points', 0):g} points, the check {exercise.points:g}"
    return "" if call in cell.source else f"cell check_{exercise.name} does not call {call}"


def former(cells: dict, exercise) -> list[str]:
    """The names that an exercise had before stand with its points."""
    grade_id = exercise.name if exercise.written else f"check_{exercise.name}"
    says = tuple(cells[grade_id].metadata.get("dgmlib", {}).get("formerly", ())) if grade_id in cells else ()
    wrong = grade_id in cells and says != tuple(exercise.formerly)
    return [f"cell {grade_id} is formerly {says}, the check {exercise.formerly}: release it again"] * wrong


def proof_cell(cell, exercise) -> str:
    about = cell.metadata.nbgrader
    if not (about.grade and about.solution):
        return f"cell {exercise.name} is no manually graded answer"
    same = float(about.get("points", 0)) == exercise.points
    return (
        "" if same else f"cell {exercise.name} has {about.get('points', 0):g} points, the exercise {exercise.points:g}"
    )


def headings(notebook: nbformat.NotebookNode, path: Path, assignment) -> list[str]:
    """The counts in the title, and a heading with its points for each exercise: as `release` writes them."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    numbers = places(notebook, assignment)
    wanted = [title(assignment)] + [f"### Exercise {number} · `{name}`" for name, number in numbers.items()]
    return [f"{path}: no text says {line!r}" for line in wanted if line not in text]


def outputs(notebook: nbformat.NotebookNode, path: Path) -> list[str]:
    """What a solution shows, where it was run: no error, and a green card for each exercise."""
    found = []
    for cell in notebook.cells:
        shown = cell.get("outputs", [])
        cards = [output.data["text/plain"] for output in shown if "text/plain" in output.get("data", {})]
        found += [f"cell {cell.id} ended in {o.ename}" for o in shown if o.output_type == "error"]
        if cell.id.startswith("check_") and not all(card.startswith(SIGNS["solved"]) for card in cards):
            found.append(f"cell {cell.id} shows a card that is not green")
    return [f"{path}: {said}: mend it, then run the notebook" for said in found]


def faults(wanted: list[str]) -> list[str]:
    """Of the checks themselves: names that are not unique, a reference that raises or fails, an unfinished file."""
    names = Counter(name for assignment in ASSIGNMENTS.values() for name in assignment.exercises)
    found = [f"{name}: {n} exercises have this name" for name, n in names.items() if n > 1]
    exercises = [exercise for assignment in ASSIGNMENTS.values() for exercise in assignment.exercises.values()]
    former = Counter(old for exercise in exercises for old in exercise.formerly)
    found += [f"{old}: formerly of two exercises" for old, n in former.items() if n > 1]
    found += [
        f"{e.place}: formerly {old!r} is the name of an exercise"
        for e in exercises
        for old in e.formerly
        if old in names
    ]
    for assignment in wanted:
        for exercise in ASSIGNMENTS[assignment].exercises.values():
            found += [] if exercise.written else own_faults(exercise)
    return found


def own_faults(exercise) -> list[str]:
    words = [exercise.slide, *(m.message for m in exercise.mistakes)]
    found = [f"{exercise.place}: says {UNFINISHED}"] if any(UNFINISHED in word for word in words) else []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return found + exercise.own_faults()
    except CourseFault as fault:
        return [*found, str(fault)]
    except Exception as error:
        return [*found, f"{exercise.name}: its cases or its reference raised {type(error).__name__}: {error}"]
