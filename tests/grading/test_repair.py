"""Whatever a student did to the notebook, the answers are found and released cells are the released ones."""

import pytest

from grading.notebook import parse
from grading.notebook.repair import Slot, frame, repair, worked
from grading.notebook.source import parsed

from . import classroom
from .classroom import NAMES, RIGHT, STUBS, at, own, place


def repaired(change):
    return repair(classroom.data(classroom.released()), parse.cells(classroom.edited(change)))


WORKED = """from torch.distributions import Normal
import no_such_module
from dgmlib.flows import LULinear

def helper(layer: LULinear):
    return Normal(0.0, 1.0)

print("computed once, by the student")
data = helper(None)"""


def test_what_worked_cells_define_is_there_and_what_they_compute_is_not():
    given = worked((Slot("fixed", "worked", "code", WORKED), Slot("fixed", "text", "markdown", "import os")))
    names = {}
    exec(given, names)
    assert {"Normal", "LULinear", "helper"} <= names.keys()
    assert not {"data", "os", "no_such_module"} & names.keys()
    assert "print" not in given


GIVEN = worked(tuple(frame(classroom.data(classroom.released()))))


def colab(notebook):
    """nbformat 4.0: no ids, no metadata."""
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"] = {"id": f"x{number}"}
    notebook["nbformat_minor"] = 0


def colab_keeping_ids(notebook):
    for cell in notebook["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}


def copied_then_edited(notebook):
    """The stub stays, the copy below the check holds the answer."""
    stub = at(notebook, NAMES[0])
    copy = dict(stub, id="copy", source=stub["source"])
    stub["source"] = STUBS[NAMES[0]]
    notebook["cells"].append(copy)


def retyped(notebook):
    cell = at(notebook, NAMES[0])
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def retyped_without_ids(notebook):
    retyped(notebook)
    colab(notebook)


def moved_to_the_end(notebook):
    notebook["cells"].append(notebook["cells"].pop(place(notebook, NAMES[0])))


def locked_cells_deleted(notebook):
    notebook["cells"] = [c for c in notebook["cells"] if c["id"] in NAMES]


def checks_deleted(notebook):
    notebook["cells"] = [c for c in notebook["cells"] if not c["id"].startswith("check_")]


def magics_above(notebook):
    colab(notebook)
    notebook["cells"][2]["source"] = "%%time\n" + notebook["cells"][2]["source"]


def reversed_order(notebook):
    notebook["cells"].reverse()


HONEST = [
    colab, colab_keeping_ids, copied_then_edited, retyped, retyped_without_ids, moved_to_the_end, locked_cells_deleted,
    checks_deleted, magics_above, reversed_order,
]  # fmt: skip


@pytest.mark.parametrize("change", HONEST, ids=lambda change: change.__name__)
def test_the_answers_are_found(change):
    found = repaired(change)
    assert {name: source.removeprefix("%%time\n") for name, source in found.answers.items()} == RIGHT
    assert found.unsolved == frozenset()
    ops = [(step.op, step.name) for step in found.steps]
    for name in NAMES:
        defined = next(i for i, step in enumerate(found.steps) if f"def {name}" in step.source)
        assert ops.index(("exercise", name)) > defined


def test_only_the_set_up_and_the_students_own_code_run():
    found = repaired(lambda notebook: notebook["cells"].append(own("mine = 2")))
    sources = [step.source for step in found.steps if step.op == "cell"]
    assert sources == [classroom.SETUP, GIVEN, *RIGHT.values(), "mine = 2"]


def test_an_edited_set_up_cell_runs_after_the_released_one():
    def change(notebook):
        at(notebook, "setup")["source"] += "import torch.nn.functional as F"

    sources = [step.source for step in repaired(change).steps if step.op == "cell"]
    assert sources[0] == classroom.SETUP
    assert sources[2].endswith("as F")


def test_a_check_cell_that_was_rewritten_does_not_run():
    def change(notebook):
        at(notebook, f"check_{NAMES[0]}")["source"] = "raise SystemExit"

    assert all("SystemExit" not in step.source for step in repaired(change).steps)


def test_of_two_answers_the_one_that_the_check_saw_counts():
    wrong = RIGHT[NAMES[0]].replace("jacrev", "jacfwd")

    def before_the_check(notebook):
        notebook["cells"].insert(place(notebook, NAMES[0]) + 1, own(wrong))

    def after_the_check(notebook):
        notebook["cells"].append(own(wrong))

    assert repaired(before_the_check).answers[NAMES[0]] == wrong
    assert repaired(after_the_check).answers[NAMES[0]] == RIGHT[NAMES[0]]


def test_stubs_are_unsolved_and_do_not_run():
    found = repair(classroom.data(classroom.released()), parse.cells(classroom.data(classroom.released())))
    assert found.unsolved == set(NAMES)
    assert [step.source for step in found.steps if step.op == "cell"] == [classroom.SETUP, GIVEN]


def test_own_cells_keep_their_place():
    def change(notebook):
        notebook["cells"].insert(0, own("first", "a"))
        notebook["cells"].insert(place(notebook, "worked") + 1, own("second", "b"))

    slots = frame(classroom.data(classroom.released()))
    worked = next(i for i, slot in enumerate(slots) if slot.name == "worked")
    assert {k: [c.source for c in v] for k, v in repaired(change).own.items()} == {-1: ["first"], worked: ["second"]}


@pytest.mark.parametrize("cells", [[], [own("print('another course')")]], ids=["none", "others"])
def test_a_notebook_of_another_course_is_refused(cells):
    with pytest.raises(parse.Refused, match="no cell of this assignment"):
        repaired(lambda notebook: notebook.update(cells=cells))


@pytest.mark.parametrize("source", ["(" * 5000, "-" * 90_000 + "1", "x = '\\d'", "\0", "a,\n" * 60_000])
def test_sources_that_parse_badly_do_no_harm(source):
    assert repaired(lambda notebook: notebook["cells"].append(own(source))).answers == RIGHT


@pytest.mark.parametrize("kind", ["markdown", "code"])
def test_a_cell_too_long_to_be_parsed_leaves_the_others_alone(kind):
    """A picture that Colab wrote into a text, numbers pasted into a cell: an answer by assignment is still found."""
    long = parse.Cell(kind, "# " + "7" * 300_000)
    assert [code.defines for code in parsed([long, parse.Cell("code", "f = lambda: 1")])] == [set(), {"f"}]
