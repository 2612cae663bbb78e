"""nbgrader's own `autograde`, and formgrader's button, through the same judge in the same sandbox.

`nbgrader_config.py` puts `JudgeOutside` in the place of nbgrader's sanitizing steps and `RecordVerdict` in the place of
its execution: no cell runs in a kernel, and no score is read from an output.
"""

import os
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

_verdicts: dict[tuple[str, str], dict] = {}


@cache
def grader(kind: str) -> Grader:
    """One grader, with its fork server, for a whole run of nbgrader."""
    course = Course.at(os.environ.get("DGM_COURSE"))
    return Grader(course, course.secret(), sandbox.ForkServerSandbox(sandbox.choose(kind)))


def verdict(student: str, assignment: str, file: Path, kind: str) -> dict:
    """The verdict on one file, from disk or made. Raises NbGraderException with the one line of a refusal."""
    made = grader(kind)
    task = Task(student, assignment, (file,))
    result = made.filed(task) or made.task(task)
    if result["status"] != "graded":
        raise NbGraderException(f"{student}: {assignment}: {result['status']}: {result['reason']}")
    return result


class JudgeOutside(NbGraderPreprocessor):
    """Grade the submitted file; hand on the repaired notebook with the verdict as its outputs."""

    sandbox = Unicode("auto", help="Where students' code runs: auto, bwrap, landlock or none.").tag(config=True)

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        if about["assignment"] not in ASSIGNMENTS:
            raise NbGraderException(f"no assignment {about['assignment']!r} in dgmlib.checks")
        file = Path(resources["metadata"]["path"]) / f"{resources['metadata']['name']}.ipynb"
        course, assignment = grader(self.sandbox).course, ASSIGNMENTS[about["assignment"]]
        try:
            with locked(course):
                result = verdict(about["student"], about["assignment"], file, self.sandbox)
        except Locked as error:
            raise NbGraderException(str(error)) from None
        _verdicts[about["student"], about["assignment"]] = result
        shown = record.Shown(course, assignment).notebook(store.whole(course, result))
        return nbformat.reads(shown, as_version=4), resources


class RecordVerdict(NbGraderPreprocessor):
    """Write the verdict's scores into the gradebook, and where feedback, report and export look."""

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        result = _verdicts[about["student"], about["assignment"]]
        course = Course.at(os.environ.get("DGM_COURSE"))
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


class Link(NbGraderPreprocessor):
    """The first step of `nbgrader generate_assignment`: the badge and the wheel's address."""

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        link(nb, Course.at(os.environ.get("DGM_COURSE")).root, about["assignment"], about["notebook"])
        return nb, resources


class Tidy(NbGraderPreprocessor):
    """The last step of `nbgrader generate_assignment`: the same bytes as `python -m grading release`."""

    def preprocess(self, nb, resources):
        release.tidy(nb)
        return nb, resources
