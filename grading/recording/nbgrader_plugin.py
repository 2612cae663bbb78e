"""nbgrader's own `autograde`, and formgrader's button, through the same judge in the same sandbox.

`nbgrader_config.py` puts `JudgeOutside` in the place of nbgrader's sanitizing steps and `RecordVerdict` in the place of
its execution: no cell runs in a kernel, and no score is read from an output.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from ..collecting import roster
from ..course import Course, CourseError
from ..judging import store
from ..judging.handed_in import Task
from ..judging.task import Grader, careful
from ..judging.verdict import Verdict
from ..lock import Locked, locked
from ..notebook import graded
from ..notebook.submission import Submission
from ..releasing import release
from ..releasing.colab import link
from ..running import sandbox
from . import record
from .midterm import SaveCells as SaveCells  # the step of that name of `nbgrader generate_assignment`


@cache
def grader(course: Course, kind: str) -> Grader:
    """One grader, with its fork server, for a whole run of nbgrader."""
    return Grader(course, course.secret(), sandbox.ForkServerSandbox(sandbox.choose(kind)))


def verdict(made: Grader, student: str, assignment: str, file: Path) -> Verdict:
    """The verdict on one file, from disk or made. Raises NbGraderException with the one line of a refusal."""
    task = Task(student, assignment, (file,))
    found = careful(made, task, lambda: made.prepare(task))
    found = made.file(found, made.grade(found)) if isinstance(found, Submission) else found
    if not found.graded:
        raise NbGraderException(f"{student}: {assignment}: {found.status}: {found.reason}")
    return found


class Step(NbGraderPreprocessor):
    """A step of an nbgrader command, which knows the course folder."""

    @property
    def course(self) -> Course:
        """The exporter is the parent, and the command the exporter's."""
        return Course(Path(self.parent.parent.coursedir.root))


class JudgeOutside(Step):
    """Grade the submitted file; hand on the repaired notebook with the verdict as its outputs."""

    sandbox = Unicode("auto", help="Where students' code runs: auto, bwrap, landlock or none.").tag(config=True)

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        file = Path(resources["metadata"]["path"]) / f"{resources['metadata']['name']}.ipynb"
        course = self.course
        try:
            assignment = course.assignment(about["assignment"])
            with locked(course):
                result = verdict(grader(course, self.sandbox), about["student"], about["assignment"], file)
        except (CourseError, Locked) as error:
            raise NbGraderException(str(error)) from None
        shown = nbformat.reads(record.Shown(course, assignment).notebook(store.whole(course, result)), as_version=4)
        shown.metadata.dgmlib.verdict = {"key": result.key, "seconds": result.seconds}
        return shown, resources


class RecordVerdict(Step):
    """Write the scores of the verdict that the notebook names into the gradebook, and where pages look."""

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        course, name, named = self.course, about["assignment"], nb.metadata.dgmlib.pop("verdict")
        result = store.load(course, name, named["key"])
        if result is None:
            raise NbGraderException(f"{about['student']}: the verdict {named['key']} is gone: run autograde again")
        result = replace(result, seconds=named["seconds"])
        with Gradebook(about["db_url"]) as gradebook:
            record.save(gradebook, course, course.assignment(name), result, roster.load(course))
        store.mark_recorded(course, result)
        return nb, resources


class WithoutRubrics(NbGraderPreprocessor):
    """The first step of `nbgrader generate_feedback`: what is for the grader alone stays out of students' pages."""

    def preprocess(self, nb, resources):
        nb.cells = [c for c in nb.cells if graded.FOR_THE_GRADER not in c.metadata.get("tags", [])]
        return nb, resources


class Link(Step):
    """The first step of `nbgrader generate_assignment`: the badge and the wheel's address."""

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        link(nb, self.course.root, about["assignment"], about["notebook"])
        return nb, resources


class Tidy(NbGraderPreprocessor):
    """The last step of `nbgrader generate_assignment`: the same bytes as `python -m grading release`."""

    def preprocess(self, nb, resources):
        release.tidy(nb)
        return nb, resources
