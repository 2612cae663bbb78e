"""The examples of docs/ run, and every name that the page lists is there."""

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "library.md"
EXAMPLES = re.findall(r"## (.+?)\n\n```python\n(.+?)```", PAGE.read_text(), re.S)
ROWS = re.findall(r"^\| `(dgmlib\.\w+)` \|[^|]*\| (.+) \|$", PAGE.read_text(), re.M)


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_example_runs_and_prints(title, code, capsys):
    exec(compile(code, title, "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize(("module", "names"), ROWS, ids=[module for module, _ in ROWS])
def test_listed_names_exist(module, names):
    for name in re.findall(r"`(\w+)[`(]", names):
        assert hasattr(importlib.import_module(module), name), f"{module} has no {name}"
