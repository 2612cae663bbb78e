"""nbgrader's own `autograde`, and formgrader's button, through the same judge in the same sandbox.

`nbgrader_config.py` puts `JudgeOutside` in the place of nbgrader's sanitizing steps and `RecordVerdict` in the place of
its execution: no cell runs in a kernel, and no score is read from an output.
"""

from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from dgmlib.checks import ASSIGNMENTS

from ..collecting import roster
from ..course import Course
from ..judging import results, store
from ..judging.task import Grader, Task
from ..lock import Locked, locked
from ..notebook import graded
from ..releasing import release
from ..releasing.colab import link
from ..running import sandbox
from . import proofs, record


@cache
def grader(course: Course, kind: str) -> Grader:
    """One grader, with its fork server, for a whole run of nbgrader."""
    return Grader(course, course.secret(), sandbox.ForkServerSandbox(sandbox.choose(kind)))


def verdict(made: Grader, student: str, assignment: str, file: Path) -> dict:
    """The verdict on one file, from disk or made. Raises NbGraderException with the one line of a refusal."""
    task = Task(student, assignment, (file,))
    result = made.filed(task) or made.task(task)
    if result["status"] != "graded":
        raise NbGraderException(f"{student}: {assignment}: {result['status']}: {result['reason']}")
    return result


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
        if about["assignment"] not in ASSIGNMENTS:
            raise NbGraderException(f"no assignment {about['assignment']!r} in dgmlib.checks")
        file = Path(resources["metadata"]["path"]) / f"{resources['metadata']['name']}.ipynb"
        course, assignment = self.course, ASSIGNMENTS[about["assignment"]]
        try:
            with locked(course):
                result = verdict(grader(course, self.sandbox), about["student"], about["assignment"], file)
        except Locked as error:
            raise NbGraderException(str(error)) from None
        shown = nbformat.reads(record.Shown(course, assignment).notebook(store.whole(course, result)), as_version=4)
        shown.metadata.dgmlib.verdict = {"key": result["key"], "seconds": result["seconds"], "files": result["files"]}
        return shown, resources


class RecordVerdict(Step):
    """Write the scores of the verdict that the notebook names into the gradebook, and where pages look."""

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        course, named = self.course, nb.metadata.dgmlib.pop("verdict")
        result = store.load(course, named["key"])
        if result is None:
            raise NbGraderException(f"{about['student']}: the verdict {named['key']} is gone: run autograde again")
        result |= named
        person = roster.person(roster.load(course), about["student"])
        rewritten = proofs.rewritten(proofs.load(course, about["assignment"]), result)
        with Gradebook(about["db_url"]) as gradebook:
            record.save(gradebook, ASSIGNMENTS[about["assignment"]], result, person, rewritten)
        proofs.remember(course, about["assignment"], [result])
        results.remember(course, [result])
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
