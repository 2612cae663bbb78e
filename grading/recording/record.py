"""nbgrader's gradebook, written from verdicts by one process. Assignments are registered as nbgrader would."""

import getpass
import logging
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import nbformat
from nbgrader.api import MissingEntry

from ..collecting import roster
from ..course import Course, write
from ..judging import regraded, store
from ..judging.filed import sources
from ..judging.verdict import ExerciseResult, Verdict
from ..notebook.graded import notebook, rubrics
from ..plaintext import one_line
from . import late, midterm
from .gradebook import RecordError, opened, url

PATIENCE = 30.0  # seconds for a locked gradebook
EVERY = 1.0
EXCHANGE = ("timestamp.txt", "submission_secret.txt")  # by which nbgrader's exchange gives feedback back
WORD = re.compile(rb"[\w :.+=/-]{1,200}\s{0,2}")


@dataclass
class Recorder:
    """Records verdicts as they come, some at a time. While somebody else writes they wait, at most until `finish`."""

    course: Course
    waiting: list[Verdict] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # what became of the gradebook's cells, where the notebook changed
    last: float = 0.0

    def add(self, verdict: Verdict):
        self.waiting.append(verdict)
        if time.monotonic() > self.last + EVERY:
            with suppress(RecordError):
                self.finish(patience=0.0)

    def finish(self, patience: float | None = None):
        """Raises RecordError where the gradebook stays locked."""
        for name in {verdict.assignment for verdict in self.waiting}:
            mine = [verdict for verdict in self.waiting if verdict.assignment == name]
            changes = [made for verdict in mine if (made := regraded.change(self.course, verdict))]
            wait = PATIENCE if patience is None else patience
            self.said += record(self.course, self.course.assignment(name), mine, patience=wait)
            audit(self.course, changes)
            for verdict in (verdict for verdict in mine if verdict.graded):
                store.mark_recorded(self.course, verdict)
            self.waiting = [verdict for verdict in self.waiting if verdict.assignment != name]
        self.last = time.monotonic()


def audit(course: Course, changes: list):
    """A line for each score that grading anew replaced, and for each cell that a new release changed: when, who did it,
    whose, old, new. Nothing removes a line."""
    if changes:
        who, when = getpass.getuser(), datetime.now().astimezone().isoformat(timespec="seconds")
        with open(course.data / "audit.log", "a", encoding="utf-8") as log:
            log.writelines(f"{when} {who}: {one_line(str(change))}\n" for change in changes)


def record(
    course: Course, assignment, verdicts: list[Verdict], db_url: str | None = None, patience: float = PATIENCE
) -> list[str]:
    """Write graded verdicts into the gradebook and `autograded/`; tries again while somebody else writes. A line for
    each cell of the gradebook that a new release changed."""
    end = time.monotonic() + patience
    course.data.mkdir(parents=True, exist_ok=True)
    verdicts, people, said = [verdict for verdict in verdicts if verdict.graded], roster.load(course), []
    while True:
        try:
            with opened(db_url or url(course)) as gradebook:
                said += register(gradebook, course, assignment)
                for verdict in verdicts:
                    save(gradebook, course, assignment, verdict, people)
                break
        except RecordError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
    shown = Shown(course, assignment)
    for verdict in verdicts:
        shown.write(verdict.student, store.whole(course, verdict))
    return said


class Shown:
    """The notebooks for a person, `autograded/`: made of what is filed with the verdicts, by today's code."""

    def __init__(self, course: Course, assignment):
        self.course, self.assignment = course, assignment
        self.released, self.texts = course.released_notebook(assignment).read_bytes(), rubrics(course, assignment)

    def notebook(self, verdict: Verdict) -> bytes:
        said = {name: printed(exercise) for name, exercise in verdict.exercises.items()}
        return notebook(self.released, sources(self.course, verdict), said, self.texts)

    def write(self, student: str, verdict: Verdict):
        """One that is there already in the same words stays as it is."""
        file = self.course.autograded / student / self.assignment.name / f"{self.assignment.notebook}.ipynb"
        data = self.notebook(verdict)
        if not file.is_file() or file.read_bytes() != data:
            write(file, data)
        for name in EXCHANGE:
            with suppress(OSError):
                said = (self.course.submitted / student / self.assignment.name / name).read_bytes()
                if WORD.fullmatch(said):
                    write(file.with_name(name), said)


def printed(exercise: ExerciseResult) -> str:
    """The laws of one exercise as text."""
    lines = [f"{exercise.score} of {exercise.max_score} points"]
    lines += [f"{'+' if law.passed else '-'} {law.law} ({law.weight}) {law.message}".rstrip() for law in exercise.laws]
    return "\n".join(lines) + "\n"


def register(gradebook, course: Course, assignment) -> list[str]:
    """The assignment, its notebook and cells, as `nbgrader generate_assignment` writes them; a line for each cell that
    changed under submissions."""
    path = course.released_notebook(assignment)
    cells = nbformat.read(path, as_version=4)
    if known(gradebook, assignment, cells):
        return []
    gradebook.update_or_create_assignment(assignment.name)
    resources = {
        "assignment": assignment.name,
        "notebook": assignment.notebook,
        "db_url": gradebook.engine.url.render_as_string(hide_password=False),
    }
    step = midterm.SaveCells()
    step.log.setLevel(logging.ERROR)  # what it says comes back
    step.preprocess(cells, {"nbgrader": resources})
    said = [f"{assignment.name}: {change}{moved(course, assignment, change)}" for change in step.changes]
    audit(course, said)
    return said


def moved(course: Course, assignment, change: midterm.Change) -> str:
    """Where an exercise is that is here no longer; a person's points do not go with it."""
    there = [name for name, a in course.assignments.items() if a.today(change.exercise) in a.exercises]
    elsewhere = [name for name in there if name != assignment.name]
    return f"; it is in {', '.join(elsewhere)} now" if elsewhere and assignment.name not in there else ""


def known(gradebook, assignment, cells) -> bool:
    """Whether the gradebook holds exactly these graded cells, and nothing is kept that belongs to one of them."""
    try:
        recorded = gradebook.find_notebook(assignment.notebook, assignment.name)
    except MissingEntry:
        return False
    about = [c.metadata.nbgrader for c in cells.cells if midterm.graded(c)]
    live = {a.grade_id.removeprefix(midterm.CHECK) for a in about} | midterm.former(cells).keys()
    if live & midterm.kept(gradebook.db, assignment.name):
        return False
    return {c.name: float(c.max_score) for c in recorded.grade_cells} == {a.grade_id: float(a.points) for a in about}


def save(gradebook, course: Course, assignment, verdict: Verdict, people: dict[str, dict]):
    """One student's scores, when they were handed in, and who that is: of the roster's `people`.

    A person's own score stays, and asks for another look where the automatic one changed or the proof was rewritten.
    """
    enrol(gradebook, verdict.student, roster.person(people, verdict.student))
    anew = rewritten(course, verdict)
    submission = gradebook.update_or_create_submission(assignment.name, verdict.student)
    for recorded in submission.notebooks:
        for grade in recorded.grades:
            name = grade.cell.name.removeprefix("check_")
            exercise = verdict.exercises.get(name)
            if exercise is not None:
                put(grade, score(name, exercise, verdict), name in anew)
    gradebook.db.commit()
    late.put(course, submission, people.get(verdict.student, {}))
    gradebook.db.commit()


def rewritten(course: Course, verdict: Verdict) -> set[str]:
    """The proofs whose words are others than those of the verdict that the gradebook holds."""
    before = store.recorded(course, verdict.assignment, verdict.student)
    words = before.written if before else {}
    return {name for name, hashed in verdict.written.items() if words.get(name, hashed) != hashed}


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


def score(name: str, exercise: ExerciseResult, verdict: Verdict) -> float | None:
    """Points; None for a proof that waits for a person, 0 for one that was left as it was."""
    if exercise.score is None:
        return None if name in verdict.written else 0.0
    return exercise.score


def put(grade, points: float | None, rewritten: bool):
    changed = rewritten or grade.auto_score != points
    grade.auto_score = points
    if grade.manual_score is None:
        grade.needs_manual_grade = points is None
    elif changed:
        grade.needs_manual_grade = True
