"""The lone released notebook, in Colab: its first cell finds the one wheel, changes nothing else, and all runs."""

import json
import zipfile

import nbformat
import pytest

from dgmlib.checks import ASSIGNMENTS
from dgmlib.plotting.sliders import VIEW
from grading.releasing import colab

from . import packages
from .conftest import CHECKOUT

pytestmark = pytest.mark.xdist_group("colab")
RELEASED = [name for name in ASSIGNMENTS if (CHECKOUT / "course" / name).is_dir()]
SOME = [pytest.param(name, marks=[] if n in (0, 3) else [pytest.mark.slow]) for n, name in enumerate(RELEASED)]


def execute(machine, name: str, cells: int | None = None, **environment: str):
    """The notebook after it ran in the machine's one folder."""
    stem = ASSIGNMENTS[name].notebook
    notebook = nbformat.read(CHECKOUT / "course" / name / f"{stem}.ipynb", as_version=4)
    notebook.cells = notebook.cells[:cells]
    alone = machine.content / f"{stem}.ipynb"
    nbformat.write(notebook, alone)
    return machine.execute(alone, **environment)


def errors(notebook) -> list[str]:
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]


def printed(notebook) -> str:
    setup = next(cell for cell in notebook.cells if cell.id == "setup")
    return "".join(o.text for o in setup.outputs if o.output_type == "stream")


def test_the_packages_are_colabs(machine):
    found = machine.packages()
    differ = [f"{name}=={pin}" for name, pin in packages.pins().items() if found[name.replace("_", "-")] != pin]
    if differ:
        pytest.skip(f"this Python has no wheel of {', '.join(differ)}")
    assert "nbgrader" not in found


@pytest.mark.parametrize("name", SOME)
def test_the_lone_notebook_runs_and_only_dgmlib_is_new(machine, wheel, name):
    before = machine.packages()
    notebook = execute(machine, name, DGMLIB_WHEEL=str(wheel))
    assert errors(notebook) == []
    assert printed(notebook) == f"dgmlib: installed from {wheel}\n"
    after = machine.packages()
    assert after.pop("dgmlib") == colab.setting(CHECKOUT)[1]
    assert after == before
    cards = [json.dumps(cell.outputs) for cell in notebook.cells if cell.id.startswith("check_")]
    assert len(cards) == sum(not e.written for e in ASSIGNMENTS[name].exercises.values())
    assert all("not solved yet" in card for card in cards)
    assert [file.suffix for file in machine.content.iterdir()] == [".ipynb"]
    for cell in notebook.cells:
        if "plotting.sliders(" in cell.source:
            assert any({VIEW, "image/png"} <= set(output.get("data", {})) for output in cell.outputs), cell.id


def test_without_an_address_the_first_cell_says_what_to_set(machine):
    (said,) = errors(execute(machine, RELEASED[0], cells=2))
    assert (
        said
        == "ImportError: dgmlib is missing here: the instructor sets [tool.dgm] url in pyproject.toml, then releases"
    )


def test_the_wheel_holds_the_library_alone(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "dgmlib/checks/__init__.py" in names
    assert not [name for name in names if name.endswith((".ipynb", ".db", "secret"))]
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"dgmlib"}


def test_the_wheel_has_the_name_under_which_notebooks_fetch_it(wheel):
    assert colab.wheel("", colab.setting(CHECKOUT)[1]).rsplit("/", 1)[1] == wheel.name
