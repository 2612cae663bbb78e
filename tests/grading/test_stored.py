"""Whatever a submission prints or raises: its verdict file and its feedback page take at most 200 kB each."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dgmlib.checks import ASSIGNMENTS
from dgmlib.checks.engine.verdict import Failure, LawResult
from grading.course import CHECKOUT
from grading.judging import filed, judge, store
from grading.judging.verdict import Status, Verdict, without
from grading.notebook import outputs
from grading.notebook.outputs import Output
from grading.notebook.submission import prepare
from grading.publishing import feedback

from . import classroom

MOST = 200_000
FLOWS = ASSIGNMENTS["00_flows_recap"]
RELEASED = (CHECKOUT / "course" / FLOWS.name / f"{FLOWS.notebook}.ipynb").read_bytes()
WORST = {
    "quotes": '"',
    "apostrophes": "'",
    "backslashes": "\\",
    "zeros": "\0",
    "lines": "\n",
    "emoji": "🙃",
    "halves": "\ud800",
}


def sizes(verdict: Verdict, own: dict | None = None) -> tuple[int, int]:
    """Bytes of the verdict file and of the feedback page."""
    return len(store.dumps(verdict)), len(feedback.student_page(verdict, {}, "Flows", own))


def law_result(law, text: str):
    return judge.law_result(LawResult(law.name, law.weight, Failure(text, text)))


@pytest.mark.parametrize("character", WORST)
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_law_and_note_as_long_as_can_be(name, character):
    text = f"your answer raised {WORST[character] * 2000}"

    made = without("ann", ASSIGNMENTS[name], "", "bwrap", Status.GRADED)
    exercises = {}
    for exercise in ASSIGNMENTS[name].exercises.values():
        said = [law_result(law, f"{n} {text}") for n, law in enumerate(exercise.laws)]
        exercises[exercise.name] = judge.Judge.report(SimpleNamespace(results={exercise.name: said}), exercise)
    made = replace(made, score=0, notes=(judge.clean(text),) * judge.NOTES, exercises=exercises)
    own = {n: [Output(cell, text="'" * outputs.LONGEST_TEXT) for cell in range(9)] for n in made.exercises}
    assert max(sizes(made)) <= MOST
    assert max(sizes(made, own)) <= MOST


@pytest.mark.parametrize("character", ["quotes", "zeros", "emoji"])
def test_a_notebook_that_floods(start, cage, character):
    words = f"chr({ord(WORST[character])}) * 10**5"
    flood = f"words = {words}\nprint(words)\nraise RuntimeError(words)"
    notebook = json.loads(RELEASED)
    for name in FLOWS.exercises:
        classroom.at(notebook, name)["source"] = f"def {name}(*given, **named):\n    raise RuntimeError({words})"
    stored = [{"output_type": "stream", "name": "stdout", "text": WORST[character] * 1000}]
    notebook["cells"] += [classroom.own(flood, f"own-{n}") | {"outputs": stored} for n in range(200)]
    data = classroom.data(notebook)
    prepared = prepare(RELEASED, data)
    verdict = judge.grade(prepared.repaired, "ann", FLOWS, "secret", start, cage.kind)
    assert verdict.graded
    assert len(verdict.notes) == judge.NOTES
    verdict, pictures = filed.keep(prepared, verdict)
    own = filed.outputs(None, verdict, list(FLOWS.exercises))
    assert own
    assert not any(pictures.values())
    assert max(sizes(verdict, own)) <= MOST
