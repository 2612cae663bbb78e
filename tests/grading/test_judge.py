"""Verdicts: deserved, deterministic, and never decided by the student's code."""

import pytest

from grading.judging import store

from . import classroom
from .classroom import NAMES, RIGHT, at, edited, own, place


def scores(verdict: dict) -> dict[str, float]:
    assert verdict.status == "graded", verdict.reason
    return {name: exercise.score for name, exercise in verdict.exercises.items()}


FULL = {"batch_jacobian": 2, "autoregressive_forward": 3}


def test_right_answers_get_all_points_and_stubs_none(grade):
    solved = grade(classroom.data(classroom.solved()))
    assert scores(solved) == FULL
    assert (solved.score, solved.max_score, solved.sandbox) == (5, 5, "bwrap")
    blank = grade(classroom.data(classroom.released()))
    assert scores(blank) == dict.fromkeys(FULL, 0)
    messages = {law.message for e in blank.exercises.values() for law in e.laws}
    assert messages == {"not solved yet"}


def test_the_same_submission_gives_the_same_bytes_and_another_secret_the_same_score(grade):
    noisy = edited(
        lambda notebook: notebook["cells"].append(own("import random; print(random.random(), object())\n1/0"))
    )
    first = grade(noisy)
    assert {store.dumps(grade(noisy)) for _ in range(19)} == {store.dumps(first)}
    assert scores(grade(noisy, secret="another")) == scores(first) == FULL


def untidy_scratch(notebook):
    notebook["cells"].insert(2, own("import sys, warnings\nwarnings.warn('w')\nprint('e', file=sys.stderr)\nundefined"))


def helper_below(notebook):
    """Cells out of order: the answer needs a name that a later cell defines."""
    at(notebook, NAMES[0])["source"] = "def batch_jacobian(f, x):\n    return helper(f)(x)"
    notebook["cells"].append(own("def helper(f):\n    return torch.func.vmap(torch.func.jacrev(f))"))


def helper_redefined(notebook):
    at(notebook, NAMES[0])["source"] = "def batch_jacobian(f, x):\n    return helper(f)(x)"
    notebook["cells"].insert(2, own("def helper(f):\n    return torch.func.vmap(torch.func.jacrev(f))", "a"))
    notebook["cells"].append(own("def helper(x, mu):\n    return x - mu", "b"))


def answer_broken_later(notebook):
    notebook["cells"].append(own("batch_jacobian = None"))


def check_deleted(notebook):
    notebook["cells"] = [c for c in notebook["cells"] if not c["id"].startswith("check_")]


def type_changed(notebook):
    at(notebook, NAMES[1])["cell_type"] = "raw"


def metadata_lost(notebook):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        del cell["id"]


def kernel_changed(notebook):
    notebook["metadata"] = {"kernelspec": {"name": "julia-1.9", "display_name": "Julia"}}


def a_class_of_its_own(notebook):
    body = "    def __call__(self, f, x):\n        return torch.func.vmap(torch.func.jacrev(f))(x)"
    at(notebook, NAMES[0])["source"] = f"class J:\n{body}\nbatch_jacobian = J()"


HONEST = [
    untidy_scratch, helper_below, helper_redefined, answer_broken_later, check_deleted, type_changed, metadata_lost,
    kernel_changed, a_class_of_its_own,
]  # fmt: skip


@pytest.mark.parametrize("change", HONEST, ids=lambda change: change.__name__)
def test_honest_and_untidy_keeps_all_points(grade, change):
    assert scores(grade(edited(change))) == FULL


EQUAL = """class Equal(torch.Tensor):
    def __eq__(self, other): return True
    def __torch_function__(self, *a, **k): return True
def batch_jacobian(f, x):
    return torch.zeros(len(x), x.shape[1], x.shape[1]).as_subclass(Equal)"""
FRAMES = """import sys
def batch_jacobian(f, x):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, dict) and "expected" in value: return value["expected"]
        frame = frame.f_back
    return torch.zeros(len(x), x.shape[1], x.shape[1])"""
PATCHED = """import torch, torch.testing
torch.testing.assert_close = lambda *a, **k: None
torch.allclose = torch.equal = lambda *a, **k: True
import dgmlib.checks.run as run
def forged(name, answer, inputs): return dict(inputs, **{"small/value": torch.zeros(2)})
run.run = forged
def batch_jacobian(f, x): return torch.zeros(1)"""
REFERENCE = """def batch_jacobian(f, x):
    from dgmlib.checks import ASSIGNMENTS
    return ASSIGNMENTS["00_flows_recap"].exercises["batch_jacobian"].reference(f, x)"""
LIBRARY = """import importlib, sys
def batch_jacobian(f, x):
    for name in ("dgmlib.checks.engine.exercise", "dgmlib.checks.exercises.flows_recap", "grading.judging.judge"):
        try: importlib.import_module(name)
        except ImportError: continue
        return torch.func.vmap(torch.func.jacrev(f))(x)
    raise RuntimeError"""
EXITS = "def batch_jacobian(f, x):\n    import os; os._exit(0)"
CRASHES = "def batch_jacobian(f, x):\n    import ctypes; ctypes.string_at(0)"
HUGE = "def batch_jacobian(f, x):\n    return torch.zeros(10**9)"
OBJECTS = "def batch_jacobian(f, x):\n    return object()"
NAN = "def batch_jacobian(f, x):\n    return torch.full((len(x), x.shape[1], x.shape[1]), float('nan'))"
STATIC = "batch_jacobian = 'full marks please'"
RAISES = "def batch_jacobian(f, x):\n    raise type('E', (Exception,), {'__str__': lambda s: 1/0})()"
PUBLISHED = """import os, struct, json
def batch_jacobian(f, x):
    head = json.dumps({"n": 2, "score": 2, "passed": True, "arrays": []}).encode()
    for fd in range(3, 20):
        try: os.write(fd, struct.pack("<4sIQ", b"DGM1", len(head), 0) + head)
        except OSError: pass
    return torch.zeros(1)"""
HOSTILE = {
    "always equal": EQUAL,
    "walks frames": FRAMES,
    "patches torch and the checks": PATCHED,
    "calls the reference": REFERENCE,
    "imports the judge": LIBRARY,
    "exits": EXITS,
    "crashes": CRASHES,
    "huge": HUGE,
    "an object": OBJECTS,
    "nan": NAN,
    "no function": STATIC,
    "an exception that bites": RAISES,
    "publishes a result": PUBLISHED,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_get_nothing_and_touch_nothing_else(grade, name):
    def change(notebook):
        at(notebook, NAMES[0])["source"] = HOSTILE[name]

    verdict = grade(edited(change))
    expected = {"batch_jacobian": 0, "autoregressive_forward": 3}
    if name == "patches torch and the checks":  # it patched its own other answers away
        expected["autoregressive_forward"] = scores(verdict)["autoregressive_forward"]
    assert scores(verdict) == expected
    assert all("\n" not in law.message for e in verdict.exercises.values() for law in e.laws)


def skip_tags(notebook):
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]


def inflated_points(notebook):
    for cell in notebook["cells"]:
        if "points" in cell["metadata"].get("nbgrader", {}):
            cell["metadata"]["nbgrader"]["points"] = 1e6


def output_forged(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "1000"}, "metadata": {}}]


def check_replaced(notebook):
    at(notebook, f"check_{NAMES[0]}")["source"] = "1000"


def set_up_replaced(notebook):
    at(notebook, "setup")["source"] = "check = lambda *a: 1000"


def copied_check(notebook):
    notebook["cells"].insert(place(notebook, f"check_{NAMES[0]}"), dict(at(notebook, f"check_{NAMES[0]}")))


@pytest.mark.parametrize(
    "change",
    [skip_tags, inflated_points, output_forged, check_replaced, set_up_replaced, copied_check],
    ids=lambda c: c.__name__,
)
def test_a_forged_notebook_around_a_stub_gets_nothing(grade, change):
    def forged(notebook):
        at(notebook, NAMES[0])["source"] = classroom.STUBS[NAMES[0]]
        change(notebook)

    assert scores(grade(edited(forged))) == FULL | {"batch_jacobian": 0}


def test_an_honest_classmate_is_not_touched(grade):
    honest = classroom.data(classroom.solved())
    before = store.dumps(grade(honest, student="bob"))
    grade(edited(lambda notebook: notebook["cells"].append(own("import os; os._exit(1)"))))
    assert store.dumps(grade(honest, student="bob")) == before


def test_no_notebook_is_refused(grade):
    assert grade(b"hello").status == "refused"
    assert RIGHT
