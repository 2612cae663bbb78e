"""Each attack is graded next to an honest classmate: it gets what it deserves, and the classmate's bytes stay."""

import time

import numpy as np
import pytest

from grading.judging import store
from grading.notebook import graded, parse
from grading.notebook.repair import repair
from grading.running import session as sessions

from ..grading import classroom
from ..grading.classroom import NAMES, STUBS, at, edited, own
from .forgery import EARNS_WITHOUT_A_SANDBOX, FORGERY
from .malformed import HONEST, MALFORMED
from .sabotage import SABOTAGE
from .theft import THEFT

FULL = {"batch_jacobian": 2, "autoregressive_forward": 3}
# What these break stays broken in their own process.
SELF_HARM = {
    "__torch_dispatch__", "patched comparisons", "patched run", "outputs are the inputs", "patched encoder",
    "a patched worker", "a forged message", "a memory flood", "a tensor flood", "a memory map", "a thread bomb",
    "builtins gone", "an import hook", "a garbage bomb", "junk on the link", "an endless stream", "deep recursion",
    "an open file flood", "a trace on every line", "a patched clock", "a signal handler", "a printed gigabyte",
    "an input transformer", "a patched run_cell", "the shell's names", "a shell of its own",
}  # fmt: skip
# Forgeries that break the link on which their mark would come.
SEEN_OTHERWISE = {"a forged message": "no frame"}
BYTES_STORED = 200_000


@pytest.fixture(scope="module")
def honest(grade):
    """The classmate's verdict before any attack."""
    submission = classroom.data(classroom.solved())
    before = store.dumps(grade(submission, student="bob"))

    def unchanged():
        assert store.dumps(grade(submission, student="bob")) == before

    return unchanged


def forged(code: str) -> bytes:
    return edited(lambda notebook: at(notebook, NAMES[0]).update(source=f"{code}\nprint('FORGED')"))


def cell_above_a_stub(code: str) -> bytes:
    def change(notebook):
        at(notebook, NAMES[0])["source"] = STUBS[NAMES[0]]
        notebook["cells"].insert(2, own(code))

    return edited(change)


def earned(verdict: dict, name: str) -> dict:
    """The scores of an attack; what it may have broken of its own counts as earned."""
    assert verdict.status == "graded", verdict.reason
    scores = {exercise: e.score for exercise, e in verdict.exercises.items()}
    if name in SELF_HARM:
        assert 0 <= scores["autoregressive_forward"] <= 3
        scores["autoregressive_forward"] = 3
    return scores


@pytest.mark.attack
@pytest.mark.parametrize("name", FORGERY)
def test_forgery(name, grade, honest, printed, canaries):
    submission = forged(canaries.fill(FORGERY[name]))
    verdict = grade(submission)
    assert earned(verdict, name) == FULL | {"batch_jacobian": 0}
    assert "FORGED" in "".join(printed) or (name in SEEN_OTHERWISE and SEEN_OTHERWISE[name] in str(verdict.notes))
    stored(submission, verdict)
    honest()


@pytest.mark.parametrize("name", EARNS_WITHOUT_A_SANDBOX)
def test_without_a_sandbox_a_forgery_earns(name, exposed, canaries):
    """The control: the reference is there to be taken."""
    exercise = classroom.TINY.exercises["batch_jacobian"]
    inputs = exercise.inputs(np.random.default_rng(1))
    with sessions.Session(exposed, 1, 600) as session:
        session.cell("setup", classroom.SETUP)
        session.cell("answer", canaries.fill(FORGERY[name]))
        outputs = session.exercise("batch_jacobian", 1, inputs, exercise.request).arrays
    values = [law for law in exercise.judge(inputs, outputs, exercise.expected(inputs)) if law.passed]
    assert values


@pytest.fixture
def printed(monkeypatch):
    """What all cells print."""
    texts = []
    cell = sessions.Session.cell

    def watched(session, *words):
        error, text = cell(session, *words)
        texts.append(text)
        return error, text

    monkeypatch.setattr(sessions.Session, "cell", watched)
    return texts


@pytest.mark.parametrize("name", THEFT)
def test_without_a_sandbox_a_thief_steals(exposed, canaries, name):
    """The control: there is something to steal, and this is how."""
    with sessions.Session(exposed, 1, 600) as session:
        error, text = session.cell(name, canaries.fill(THEFT[name]))
    assert "STOLEN" in text, error


@pytest.mark.attack
@pytest.mark.parametrize("name", THEFT)
def test_theft(name, grade, honest, printed, canaries):
    code = "print('the thief was here')\n" + canaries.fill(THEFT[name])
    assert earned(grade(cell_above_a_stub(code)), name) == FULL | {"batch_jacobian": 0}
    assert "the thief was here" in "".join(printed)
    assert "STOLEN" not in "".join(printed)
    honest()


@pytest.mark.attack
@pytest.mark.parametrize("name", SABOTAGE)
def test_sabotage(name, grade, honest):
    started, submission = time.monotonic(), cell_above_a_stub(SABOTAGE[name])
    verdict = grade(submission)
    assert earned(verdict, name) == FULL | {"batch_jacobian": 0}
    assert time.monotonic() - started < 60
    stored(submission, verdict)
    honest()


def stored(submission: bytes, verdict: dict):
    """What is kept of a submission stays small."""
    released = classroom.data(classroom.released())
    repaired = repair(released, parse.cells(submission))
    assert len(graded.notebook(released, repaired, {})) < BYTES_STORED
    assert len(store.dumps(verdict)) < BYTES_STORED


@pytest.mark.attack
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name, grade):
    verdict = grade(MALFORMED[name])
    assert verdict.status == "refused"
    assert verdict.reason
    assert "\n" not in verdict.reason


@pytest.mark.parametrize("name", HONEST)
def test_honest_and_untidy(name, grade):
    assert earned(grade(HONEST[name]), name) == FULL


def test_the_bank_is_as_large_as_promised():
    assert len(FORGERY) + len(THEFT) + len(SABOTAGE) >= 60
    assert len(MALFORMED) >= 15
    assert len(HONEST) >= 12
    assert not SELF_HARM - (FORGERY.keys() | SABOTAGE.keys())
