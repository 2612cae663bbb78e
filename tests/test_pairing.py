"""solutions/ as text: NAME.py says what NAME.ipynb holds, and a change to it keeps ids, metadata and outputs."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from jupytext.cli import jupytext

import grading

CHECKOUT = Path(grading.__file__).resolve().parent.parent
NOTEBOOKS = sorted((CHECKOUT / "solutions").glob("*/*.ipynb"))
EVERY = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def pair(notebook, tmp_path) -> Path:
    """The notebook alone, in a folder under the project's settings; synchronised once."""
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    copy = tmp_path / notebook.relative_to(CHECKOUT)
    copy.parent.mkdir(parents=True)
    shutil.copy(notebook, copy)
    sync(copy)
    return copy


def sync(path: Path):
    assert jupytext(["--sync", "--quiet", str(path)]) in (None, 0)


@EVERY
def test_the_pair_says_the_same(notebook, pair):
    written = notebook.with_suffix(".py").read_text()
    assert written == pair.with_suffix(".py").read_text(), f"{notebook.stem}: run `make sync`"


def test_a_text_has_its_notebook_and_course_has_no_text():
    assert [path.with_suffix(".ipynb") for path in sorted((CHECKOUT / "solutions").glob("*/*.py"))] == NOTEBOOKS
    assert not list((CHECKOUT / "course").rglob("*.py"))


@EVERY
def test_editing_the_text_changes_that_cell_alone(notebook, pair):
    before = nbformat.read(pair, as_version=4)
    changed = next(cell for cell in before.cells if cell.id == "part_2" or cell.id.startswith("read_"))
    line = max(changed.source.splitlines(), key=len)
    text = pair.with_suffix(".py")
    assert text.read_text().count(line) == 1
    text.write_text(text.read_text().replace(line, f"{line} And one word more."))
    os.utime(pair, (1e9, 1e9))  # the younger of the two is the one that was edited
    sync(text)
    changed.source = changed.source.replace(line, f"{line} And one word more.")
    assert nbformat.read(pair, as_version=4) == before


@EVERY
def test_ids_are_the_grade_ids(notebook):
    """A cell inserted in the text gets an id of jupytext's: give it its own before the release."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        assert cell.id == cell.metadata.get("nbgrader", {}).get("grade_id", cell.id)
        assert not re.fullmatch(r"[0-9a-f]{8}", cell.id), cell.source[:60]
