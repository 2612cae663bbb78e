"""nbgrader's gradebook, written from verdicts by one process. Assignments are registered as nbgrader would."""

import time

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import SaveCells

from ..collecting import roster
from ..course import Course, write
from ..judging import store
from ..judging.filed import sources
from ..notebook.graded import notebook, rubrics
from . import proofs
from .gradebook import RecordError, opened, url

PATIENCE = 30.0


def record(course: Course, assignment, results: list[dict], db_url: str | None = None, patience: float = PATIENCE):
    """Write graded results into the gradebook and `autograded/`; tries again while somebody else writes."""
    end = time.monotonic() + patience
    course.data.mkdir(parents=True, exist_ok=True)
    results, people = [r for r in results if r["status"] == "graded"], roster.load(course)
    seen = proofs.load(course, assignment.name)
    while True:
        try:
            with opened(db_url or url(course)) as gradebook:
                register(gradebook, course, assignment)
                for result in results:
                    person = roster.person(people, result["student"])
                    save(gradebook, assignment, result, person, proofs.rewritten(seen, result))
                break
        except RecordError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
    proofs.remember(course, assignment.name, results)
    shown = Shown(course, assignment)
    for result in results:
        shown.write(result["student"], store.whole(course, result))


class Shown:
    """The notebooks for a person, `autograded/`: made of what is filed with the verdicts, by today's code."""

    def __init__(self, course: Course, assignment):
        self.course, self.assignment = course, assignment
        self.released, self.texts = course.released_notebook(assignment).read_bytes(), rubrics(course, assignment)

    def notebook(self, verdict: dict) -> bytes:
        return notebook(self.released, sources(self.course, verdict), verdict, self.texts)

    def write(self, student: str, verdict: dict):
        """One that is there already in the same words stays as it is."""
        file = self.course.autograded / student / self.assignment.name / f"{self.assignment.notebook}.ipynb"
        data = self.notebook(verdict)
        if not file.is_file() or file.read_bytes() != data:
            write(file, data)


def register(gradebook, course: Course, assignment):
    """The assignment, its notebook and cells, as `nbgrader generate_assignment` writes them."""
    path = course.released_notebook(assignment)
    cells = nbformat.read(path, as_version=4)
    if known(gradebook, assignment, cells):
        return
    gradebook.update_or_create_assignment(assignment.name)
    resources = {
        "assignment": assignment.name,
        "notebook": assignment.notebook,
        "db_url": gradebook.engine.url.render_as_string(hide_password=False),
    }
    try:
        SaveCells().preprocess(cells, {"nbgrader": resources})
    except RuntimeError as error:
        raise RecordError(
            f"{assignment.name}: the released notebook has other cells than the gradebook, which holds submissions "
            "already; move the gradebook away and run autograde again"
        ) from error


def known(gradebook, assignment, cells) -> bool:
    """Whether the gradebook holds exactly these graded cells."""
    try:
        recorded = gradebook.find_notebook(assignment.notebook, assignment.name)
    except MissingEntry:
        return False
    about = [c.metadata.nbgrader for c in cells.cells if c.metadata.get("nbgrader", {}).get("grade")]
    return {c.name: float(c.max_score) for c in recorded.grade_cells} == {a.grade_id: float(a.points) for a in about}


def save(gradebook, assignment, result: dict, person: dict[str, str], rewritten: set[str]):
    """One student's scores, and who that is: `roster.person`.

    A person's own score stays, and asks for another look where the automatic one changed or the proof was rewritten.
    """
    enrol(gradebook, result["student"], person)
    submission = gradebook.update_or_create_submission(assignment.name, result["student"])
    for recorded in submission.notebooks:
        for grade in recorded.grades:
            name = grade.cell.name.removeprefix("check_")
            exercise = result["exercises"].get(name)
            if exercise is not None:
                put(grade, score(name, exercise, result), name in rewritten)
    gradebook.db.commit()


def enrol(gradebook, student: str, person: dict[str, str]):
    """Add a student, or what the gradebook lacks of one; half a name is somebody's choice, and left as it is."""
    try:
        found = gradebook.find_student(student)
    except MissingEntry:
        gradebook.add_student(student, **person)
        return
    named = found.first_name or found.last_name
    for key, value in person.items():
        if not (found.email if key == "email" else named):
            setattr(found, key, value)


def score(name: str, exercise: dict, result: dict) -> float | None:
    """Points; None for a proof that waits for a person, 0 for one that was left as it was."""
    if exercise["score"] is None:
        return None if name in result["written"] else 0.0
    return exercise["score"]


def put(grade, points: float | None, rewritten: bool):
    changed = rewritten or grade.auto_score != points
    grade.auto_score = points
    if grade.manual_score is None:
        grade.needs_manual_grade = points is None
    elif changed:
        grade.needs_manual_grade = True
