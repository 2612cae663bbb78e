"""Which part of the grader may import which: the layers of pyproject.toml, and what enters the sandbox."""

import ast
import sys

import pytest
from importlinter.cli import lint_imports

from grading.course import CHECKOUT

WORKER = sorted((CHECKOUT / "grading" / "running" / "worker").glob("*.py"))
ALLOWED = {"torch", "numpy", "matplotlib", "worker", "IPython", "matplotlib_inline", "traitlets"}  # IPython brings two
ROOMS = {"dgmlib.checks.run", "dgmlib.data", "dgmlib.plotting"}


def test_arrows_point_one_way(capsys):
    assert lint_imports(config_filename=str(CHECKOUT / "pyproject.toml"), no_cache=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", WORKER, ids=lambda path: path.stem)
def test_the_worker_imports_what_the_sandbox_holds(path):
    for name in imported(ast.parse(path.read_text())):
        known = name.partition(".")[0] in ALLOWED | sys.stdlib_module_names
        assert known or any(name == room or name.startswith(f"{room}.") for room in ROOMS), name


def imported(tree: ast.Module) -> list[str]:
    """Absolute names; a relative import stays in the worker."""
    nodes = list(ast.walk(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return names + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
