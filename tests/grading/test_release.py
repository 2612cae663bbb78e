"""The release refuses to show a line of a solution, and a cell without an id; hints may come near an answer."""

import json

import nbformat
import pytest
from nbformat import v4

from grading.course import CourseError
from grading.releasing import release

LINE = "return (log_joint - log_q).mean(dim=0)"


def lines(*cells) -> set[str]:
    solution = f"def f(log_joint, log_q):\n    ### BEGIN SOLUTION\n    {LINE}\n    ### END SOLUTION"
    return release.solution_lines(v4.new_notebook(cells=[v4.new_code_cell(solution), *cells]))


@pytest.mark.parametrize(
    ("cell", "secret"),
    [
        (v4.new_markdown_cell(f"So write `{LINE}`."), True),
        (v4.new_markdown_cell(f"<details><summary>Hint</summary>\n\n`{LINE}`\n</details>"), False),
        (v4.new_code_cell(f"def other(log_joint, log_q):\n    {LINE}"), False),
    ],
)
def test_plain_text_does_not_excuse_a_line(cell, secret):
    assert (LINE in lines(cell)) == secret


@pytest.mark.parametrize("minor", [4, 5])
def test_a_cell_without_an_id_is_refused(tmp_path, minor):
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), v4.new_markdown_cell("Text")])
    raw = json.loads(nbformat.writes(notebook)) | {"nbformat_minor": minor}
    del raw["cells"][1]["id"]
    path = tmp_path / "solutions" / "00_a" / "a.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(raw))
    with pytest.raises(CourseError, match=r"a\.ipynb: no id in cell 2; open"):
        release.released(path, "00_a")


def test_a_grade_id_is_an_id(tmp_path):
    cell = v4.new_code_cell("1", metadata={"nbgrader": {"grade_id": "one"}})
    del cell["id"]
    assert release.without_id({"cells": [cell]}) == []
