"""A gradebook that holds submissions follows a notebook whose exercises change: renamed, added, weighted, retired.

nbgrader refuses that: it would have the gradebook thrown away, and a person's points with it. Here a renamed cell keeps
its rows; a retired one is taken out with what a person gave for it kept aside, and gets it back if it ever returns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from nbgrader.api import BaseCell, Comment, Grade, GradeCell, MissingEntry, Notebook, SolutionCell, SourceCell, TaskCell
from nbgrader.preprocessors import SaveCells as NbgraderSaveCells
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, inspect, select

CHECK = "check_"
RETIRED = Table(
    "dgm_retired_grades",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("assignment", String(128), nullable=False),
    Column("exercise", String(128), nullable=False),
    Column("student", String(128), nullable=False),
    Column("manual_score", Float),
    Column("extra_credit", Float),
    Column("comment", Text),
)


@dataclass(frozen=True)
class Change:
    """What became of one exercise. `hands`: a person's points for it, by student."""

    exercise: str
    what: str
    hands: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        points = ", ".join(f"{student} {score:g}" for student, score in sorted(self.hands.items()))
        return f"{self.exercise}: {self.what}" + f"; points by hand: {points}" * bool(points)


class SaveCells(NbgraderSaveCells):
    """nbgrader's step of this name, for a gradebook with submissions too. `changes` says what it did to them."""

    def preprocess(self, nb, resources):
        self.former, self.changes = former(nb), []
        return super().preprocess(nb, resources)

    def _create_notebook(self, nb):
        try:
            notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        except MissingEntry:
            notebook = None
        if notebook is not None and notebook.submissions:
            self.changes = self.follow(notebook)
            for change in self.changes:
                self.log.warning("%s: %s", self.assignment_id, change)
        super()._create_notebook(nb)

    def follow(self, notebook: Notebook) -> list[Change]:
        """All or nothing: one transaction."""
        session = self.gradebook.db
        try:
            new = {
                GradeCell: self.new_grade_cells,
                SolutionCell: self.new_solution_cells,
                TaskCell: self.new_task_cells,
                SourceCell: self.new_source_cells,
            }
            changes = Follow(session, notebook, new, self.former).changes()
            session.commit()
            return changes
        except BaseException:
            session.rollback()
            raise


def former(notebook) -> dict[str, str]:
    """Today's name of every exercise that had another: `{old: new}`, as the released notebook says it."""
    about = [(cell.metadata["nbgrader"], cell.metadata.get("dgmlib", {})) for cell in notebook.cells if graded(cell)]
    return {old: a["grade_id"].removeprefix(CHECK) for a, own in about for old in own.get("formerly", ())}


def graded(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


class Follow:
    """One notebook's rows, made to fit its `new` cells: `{kind: {name: what nbgrader stores}}`."""

    def __init__(self, session, notebook: Notebook, new: dict[type, dict[str, dict]], names: dict[str, str]):
        self.session, self.notebook, self.new, self.names = session, notebook, new, names
        self.assignment = notebook.assignment.name

    def changes(self) -> list[Change]:
        RETIRED.create(self.session.connection(), checkfirst=True)
        return [*self.rename(), *self.retire(), *self.weigh(), *self.add(), *self.give_back()]

    def cells(self, kind: type) -> dict:
        rows = self.session.query(kind).filter(kind.notebook_id == self.notebook.id)
        return {cell.name: cell for cell in rows}

    def rename(self) -> Iterator[Change]:
        """A row keeps its grades and comments under the new name; so do those of one that was retired before."""
        for kind, wanted in self.new.items():
            held = self.cells(kind)
            for old, new in self.names.items():
                for prefix in ("", CHECK):
                    cell = held.get(prefix + old)
                    if cell and prefix + new in wanted and prefix + new not in held and prefix + old not in wanted:
                        cell.name = prefix + new
                        if kind in (GradeCell, TaskCell):
                            yield Change(new, f"was {old}, and keeps its points", hands(cell))
        self.session.flush()
        for old, new in self.names.items():
            self.session.execute(RETIRED.update().where(*self.of(old)).values(exercise=new))

    def retire(self) -> Iterator[Change]:
        """Rows of a cell that is gone are removed, what a person gave in them is kept."""
        for kind, wanted in self.new.items():
            for name, cell in self.cells(kind).items():
                if name in wanted:
                    continue
                if kind in (GradeCell, TaskCell):
                    yield Change(name.removeprefix(CHECK), "retired, counts 0", hands(cell))
                if kind is not SourceCell:
                    self.keep(cell)
                self.session.delete(cell)
        self.session.flush()

    def keep(self, cell: BaseCell):
        exercise = cell.name.removeprefix(CHECK)
        for grade in list(cell.grades):
            given = {"manual_score": grade.manual_score, "extra_credit": grade.extra_credit}
            if grade.manual_score is not None or grade.extra_credit:
                self.put_aside(exercise, grade.notebook.student.id, **given)
            self.session.delete(grade)
        for comment in list(cell.comments):
            if comment.manual_comment:
                self.put_aside(exercise, comment.notebook.student.id, comment=comment.manual_comment)
            self.session.delete(comment)
        self.session.flush()

    def put_aside(self, exercise: str, student: str, **values):
        changed = self.session.execute(
            RETIRED.update().where(*self.of(exercise), RETIRED.c.student == student).values(**values)
        )
        if not changed.rowcount:
            about = {"assignment": self.assignment, "exercise": exercise, "student": student}
            self.session.execute(RETIRED.insert().values(**about, **values))

    def of(self, exercise: str) -> tuple:
        return RETIRED.c.assignment == self.assignment, RETIRED.c.exercise == exercise

    def weigh(self) -> Iterator[Change]:
        """New points: what a person gave is out of the old ones, and asks for another look."""
        for kind in (GradeCell, TaskCell):
            for name, cell in self.cells(kind).items():
                points = self.new[kind][name]["max_score"]
                if cell.max_score != points:
                    given = hands(cell)
                    what = f"{cell.max_score:g} points are now {points:g}" + "; look again" * bool(given)
                    yield Change(name.removeprefix(CHECK), what, given)
                    for grade in cell.grades:
                        grade.needs_manual_grade |= grade.manual_score is not None
                    cell.max_score = points

    def add(self) -> list[Change]:
        """New cells, with a row for each submission."""
        for name in self.missing(SourceCell):
            self.session.add(SourceCell(name=name, notebook=self.notebook, **self.new[SourceCell][name]))
        new = [(kind, name) for kind in (GradeCell, SolutionCell, TaskCell) for name in self.missing(kind)]
        for kind, name in new:
            info = {key: value for key, value in self.new[kind][name].items() if key in ("max_score", "cell_type")}
            cell = kind(name=name, notebook=self.notebook, **info)
            self.session.add(cell)
            for submission in self.notebook.submissions:
                if kind is not GradeCell:
                    self.session.add(Comment(cell=cell, notebook=submission))
                if kind is not SolutionCell:
                    self.session.add(Grade(cell=cell, notebook=submission))
        self.session.flush()
        names = dict.fromkeys(name.removeprefix(CHECK) for kind, name in new if kind is not SolutionCell)
        return [Change(name, "added") for name in names]

    def give_back(self) -> Iterator[Change]:
        """What was kept of an exercise that is here again; a person's newer points stay, and the older are said."""
        live = {name.removeprefix(CHECK) for name in (*self.new[GradeCell], *self.new[TaskCell])}
        for exercise in sorted(kept(self.session, self.assignment) & live):
            rows = {row.student: row for row in self.session.execute(RETIRED.select().where(*self.of(exercise)))}
            given, older = {}, {}
            for submission in self.notebook.submissions:
                row = rows.get(submission.student.id)
                for grade in submission.grades if row else ():
                    if grade.name.removeprefix(CHECK) != exercise:
                        continue
                    if row.manual_score is not None:
                        (given if grade.manual_score is None else older)[row.student] = row.manual_score
                    if grade.manual_score is None:
                        grade.manual_score, grade.extra_credit = row.manual_score, row.extra_credit
                        grade.needs_manual_grade = row.manual_score is not None
                for comment in submission.comments if row else ():
                    if comment.name == exercise and not comment.manual_comment:
                        comment.manual_comment = row.comment
            self.session.execute(RETIRED.delete().where(*self.of(exercise)))
            yield Change(exercise, "has again what a person gave for it; look again", given)
            if older:
                yield Change(exercise, "newer points by hand stay in the place of older ones", older)

    def missing(self, kind: type) -> list[str]:
        held = self.cells(kind)
        return [name for name in self.new[kind] if name not in held]


def kept(session, assignment: str) -> set[str]:
    """The retired exercises of which a person's points or words are kept."""
    if not inspect(session.connection()).has_table(RETIRED.name):
        return set()
    return set(session.execute(select(RETIRED.c.exercise).where(RETIRED.c.assignment == assignment)).scalars())


def hands(cell: BaseCell) -> dict[str, float]:
    return {g.notebook.student.id: g.manual_score for g in cell.grades if g.manual_score is not None}


def retired(gradebook, assignment: str) -> dict[str, dict[str, tuple[float | None, float, str]]]:
    """What a person gave for exercises that count no longer: `{student: {exercise: (points, extra, comment)}}`."""
    if not kept(gradebook.db, assignment):
        return {}
    found: dict[str, dict] = {}
    for row in gradebook.db.execute(RETIRED.select().where(RETIRED.c.assignment == assignment).order_by(RETIRED.c.id)):
        given = row.manual_score, row.extra_credit or 0.0, row.comment or ""
        found.setdefault(row.student, {})[row.exercise] = given
    return found
