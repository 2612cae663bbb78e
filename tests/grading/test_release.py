"""The release refuses to show a line of a solution; hints and other code may come near it."""

import pytest
from nbformat import v4

from grading import release

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
