"""Graded inputs are worthless outside: what one attempt gives away is worth nothing in any other."""

import random
import re

import pytest

from grading.collecting import anonymise
from grading.judging import seeds, store
from grading.notebook.parse import cells
from grading.notebook.repair import repair

from . import classroom
from .classroom import NAMES, RIGHT, at, edited, own, place
from .test_judge import FULL, scores

RELEASED = classroom.data(classroom.released())
HONEST = "torch.func.vmap(torch.func.jacrev(f))(x)"

# Each carries x[0, 0] out of the first call, and how it is read from what the student is shown.
LEAK = "def batch_jacobian(f, x):\n    seen = f'{float(x[0, 0]):.4f}'\n    "
LETTERS = "''.join(chr(ord('a') + int(c)) if c.isdigit() else 'xm'[c == '-'] for c in seen)"
CHANNELS = {
    "an exception's words": (f"{LEAK}raise ValueError('SEEN' + seen + 'SEEN')", str),
    "an exception's type": (f"{LEAK}raise type('SEEN' + seen + 'SEEN', (Exception,), {{}})()", str),
    "letters": (
        f"{LEAK}raise ValueError('SEEN' + {LETTERS} + 'SEEN')",
        lambda word: "".join({"x": ".", "m": "-"}.get(c) or str(ord(c) - ord("a")) for c in word),
    ),
    "a returned number": (f"{LEAK}return torch.full((len(x), x.shape[1], x.shape[1]), float(seen))", str),
    "a returned shape": (
        f"{LEAK}return torch.zeros(0, round(1e4 * float(seen)) + 10**6)",
        lambda size: (int(size) - 10**6) / 1e4,
    ),
    "a later cell": (LEAK + "kept.append(seen)\n    return x", str),
}
SHOWN = re.compile(r"SEEN(.*?)SEEN|got (-?[\d.]+) at|got \(0, (\d+)\)")


def leaking(name: str) -> bytes:
    def change(notebook):
        at(notebook, NAMES[0])["source"] = f"kept = []\n{CHANNELS[name][0]}"
        if name == "a later cell":
            notebook["cells"].append(own("raise ValueError('SEEN' + kept[0] + 'SEEN')"))

    return edited(change)


def carried_out(verdict: dict, name: str) -> float:
    shown = str([verdict.exercises[NAMES[0]], verdict.notes])
    return float(CHANNELS[name][1](next(filter(None, SHOWN.search(shown).groups()))))


def replaying(number: float) -> bytes:
    """Right where the input is the one that was seen, and worth nothing else: it stands for any table of answers."""
    source = f"    return {HONEST} if abs(float(x[0, 0]) - {number}) < 1e-3 else torch.zeros(())"
    return edited(lambda n: at(n, NAMES[0]).update(source=f"def batch_jacobian(f, x):\n{source}"))


PRINTED = (
    "print('SEEN' + seen + 'SEEN')",
    "import sys\n    sys.stderr.write('SEEN' + seen + 'SEEN')",
    "import warnings\n    warnings.warn('SEEN' + seen + 'SEEN')",
    "import logging\n    logging.error('SEEN' + seen + 'SEEN')",
    "import os\n    os.write(1, b'SEEN' + seen.encode() + b'SEEN')",
)


@pytest.mark.parametrize("way", PRINTED)
def test_what_is_printed_is_shown_to_nobody(grade, way):
    """What a page shows as printed comes from the notebook that was handed in: it ran at home, on other inputs."""
    source = f"{LEAK}{way}\n    return {HONEST}"
    verdict = grade(edited(lambda n: at(n, NAMES[0]).update(source=source)))
    assert scores(verdict) == FULL
    assert "SEEN" not in store.dumps(verdict).decode()


@pytest.fixture
def old_seeds(monkeypatch):
    """Seeds as they were: the same for all that a student hands in."""
    whole = seeds.Seeds.__init__
    monkeypatch.setattr(seeds.Seeds, "__init__", lambda self, *who_and_what: whole(self, *who_and_what[:3], ()))


@pytest.mark.parametrize("name", CHANNELS)
def test_what_was_carried_out_is_worth_nothing(grade, name):
    number = carried_out(grade(leaking(name)), name)
    assert scores(grade(replaying(number)))["batch_jacobian"] == 0


def test_it_was_worth_points_where_inputs_do_not_hang_on_the_sources(grade, old_seeds):
    """The control: the replay does work, given the same inputs once more."""
    name = "an exception's words"
    number = carried_out(grade(leaking(name)), name)
    assert scores(grade(replaying(number)))["batch_jacobian"] > 0


HIDING = {
    "a comment": lambda n: at(n, NAMES[0]).update(source=RIGHT[NAMES[0]] + "  # 1"),
    "a comment in another cell": lambda n: n["cells"].append(own("# 1")),
    "a blank line": lambda n: at(n, NAMES[0]).update(source="\n" + RIGHT[NAMES[0]]),
    "blanks within a line": lambda n: at(n, NAMES[0]).update(source=RIGHT[NAMES[0]].replace("return", "return ")),
    "blanks at the end of a line": lambda n: at(n, NAMES[0]).update(source=RIGHT[NAMES[0]].replace("\n", " \n", 1)),
    "a string": lambda n: n["cells"].append(own("'1'")),
    "a magic": lambda n: n["cells"].append(own("%config x=1")),
    "the order of cells": lambda n: n["cells"].append(n["cells"].pop(place(n, NAMES[0]))),
    "a moved check cell": lambda n: n["cells"].append(n["cells"].pop(place(n, "check_" + NAMES[0]))),
    "a moved pair": lambda n: n["cells"].extend([n["cells"].pop(2), n["cells"].pop(2)]),
    "one cell in two": lambda n: n["cells"].insert(2, own("import math")),
}


def drawn(data: bytes, student: str = "ann") -> set[int]:
    """Every number that is drawn for a submission, as the judge draws it."""
    from grading.judging.judge import Judge

    judge = Judge(repair(RELEASED, cells(data)), student, classroom.TINY, "s")
    return {judge.seed(what) for what in ("session", *(f"inputs of {n}" for n in NAMES))}


@pytest.mark.parametrize("change", HIDING.values(), ids=HIDING)
def test_whatever_code_could_read_gives_other_inputs(change):
    """A comment could be read back by `inspect`, a line's number by a traceback, a check's place by counting calls."""
    assert drawn(edited(change)).isdisjoint(drawn(classroom.data(classroom.solved())))


def moved_to(other: str):
    """The answer in a cell of another role, and its own cell gone."""

    def change(notebook, said):
        at(notebook, other)["source"] = f"{RIGHT[NAMES[0]]}  # {said}"
        notebook["cells"].pop(place(notebook, NAMES[0]))

    return change


def stub_of_another(notebook, said):
    stub = at(classroom.released(), NAMES[1])["source"]
    at(notebook, NAMES[0])["source"] = f"{stub}  # {said}"


ONCE_MORE = {
    "in its check's cell": moved_to(f"check_{NAMES[0]}"),
    "in another check's cell": moved_to(f"check_{NAMES[1]}"),
    "another's stub in its place": stub_of_another,
}


@pytest.mark.parametrize("hidden", ONCE_MORE.values(), ids=ONCE_MORE)
def test_an_answer_that_runs_only_once_more_gives_other_inputs_too(hidden):
    """No step executes it in its place; what it says would reach the sandbox under unchanged draws."""
    one, other = (edited(lambda n, said=said: hidden(n, said)) for said in "12")
    steps = [s.op for s in repair(RELEASED, cells(one)).steps]
    assert steps.count("cell") == 3  # the set-up, what worked cells define, and the other answer
    assert drawn(one).isdisjoint(drawn(other))


def test_another_student_and_another_exercise_get_other_inputs():
    mine = drawn(classroom.data(classroom.solved()))
    assert len(mine) == 1 + len(NAMES)
    assert mine.isdisjoint(drawn(classroom.data(classroom.solved()), "bob"))


@pytest.mark.parametrize(("one", "other"), [(("ab", "c"), ("a", "bc")), (("a",), ("a", "")), (("a\0b",), ("a", "b"))])
def test_parts_do_not_run_into_each_other(one, other):
    assert seeds.Seeds("s", "ann", "x", one)("y") != seeds.Seeds("s", "ann", "x", other)("y")


def rerun(notebook):
    """Outputs, counts, ids as another Jupyter makes them."""
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell |= {"execution_count": number, "outputs": [{"output_type": "stream", "name": "stdout", "text": "hi"}]}
        if cell["id"] == "own":
            cell["id"] = f"{random.getrandbits(32):08x}"
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.12.1"}


def colab(notebook):
    about = {"user": {"displayName": "Ann", "userId": "1"}, "timestamp": 1, "elapsed": 3, "status": "ok"}
    notebook |= {"nbformat_minor": 0}
    notebook["metadata"] |= {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for cell in notebook["cells"]:
        cell["metadata"] |= {"id": cell.pop("id"), "executionInfo": about, "outputId": "x"}


def as_lists(notebook):
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


def windows(notebook):
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def old_mac(notebook):
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r")


def blank_ends(notebook):
    for cell in notebook["cells"]:
        cell["source"] += "\n\n  \n"


def text_edited(notebook):
    at(notebook, "title")["source"] = "# Mine"


SAME = [rerun, colab, as_lists, windows, old_mac, blank_ends, text_edited]


def with_a_note() -> dict:
    """A solved notebook, one answer wrong, with an own cell that shows random numbers in its error."""
    notebook = classroom.solved()
    at(notebook, NAMES[0])["source"] = (
        "def batch_jacobian(f, x):\n    return 2 * torch.func.vmap(torch.func.jacrev(f))(x)"
    )
    notebook["cells"].append(
        own("raise ValueError(float(torch.rand(())), batch_jacobian(torch.sin, torch.rand(2, 2)))")
    )
    return notebook


@pytest.fixture(scope="module")
def plain_verdict(grade):
    made = grade(classroom.data(with_a_note()))
    assert scores(made) == {**FULL, NAMES[0]: 0}
    assert made.notes
    return store.dumps(made)


@pytest.mark.parametrize("change", SAME, ids=lambda change: change.__name__)
def test_what_an_editor_changes_changes_no_byte(grade, plain_verdict, change):
    notebook = with_a_note()
    change(notebook)
    assert store.dumps(grade(classroom.data(notebook))) == plain_verdict


def test_collect_changes_no_byte(grade, plain_verdict):
    notebook = with_a_note()
    colab(notebook)
    data = anonymise.removed(classroom.data(notebook))
    assert data != classroom.data(notebook)
    assert store.dumps(grade(data)) == plain_verdict


def test_a_text_cell_in_front_moves_no_draw():
    """Colab puts its badge there."""
    badge = edited(lambda n: n["cells"].insert(0, classroom.cell("view-in-github", "badge", "markdown")))
    assert drawn(badge) == drawn(classroom.data(classroom.solved()))


def test_a_cell_cannot_tell_how_many_texts_stand_before_it(grade):
    """Its number in the notebook would be such a channel."""

    def change(texts):
        def put(notebook):
            notebook["cells"] += [classroom.cell(f"t{n}", f"text {n}", "markdown") for n in range(texts)]
            notebook["cells"].append(own("import sys\nraise ValueError(sys._getframe().f_code.co_filename)"))

        return put

    said = [grade(edited(change(texts))).notes[0].partition(": ")[2] for texts in (0, 7)]
    assert said[0] == said[1]
