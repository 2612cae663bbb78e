"""The title invites cells of one's own: no locked cell reads a name that a student types there."""

import ast
import builtins
import re
import symtable
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from dgmlib.checks import ASSIGNMENTS

from .run_all import run_all
from .scratch_examples import EXAMPLES

ROOT = Path(__file__).parent.parent
EVERY = pytest.mark.parametrize("assignment", ASSIGNMENTS.values(), ids=lambda a: a.name)
REGION = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.M)
# Beside the arguments of the exercises and names of one or two letters: what the texts call things.
WORDS = """base best bound cov covariance density draw elbo evidence event exact flow gap grid heads history images
labels layer log_det log_evidence loss mean model needs noise path posterior prior responsibilities right rows sample
samples start std target theta total value"""
TYPED = set(WORDS.split())
CLOSE = """def close(got, expected):
    torch.testing.assert_close(got.detach(), torch.as_tensor(expected, dtype=got.dtype), atol=6e-4, rtol=0)
"""


def cells(folder: str, assignment) -> list:
    return nbformat.read(ROOT / folder / assignment.name / f"{assignment.notebook}.ipynb", as_version=4).cells


def answers(assignment) -> dict[str, str]:
    """The solution of each exercise, as a student would have it."""
    about = [(cell, cell.metadata.get("nbgrader", {})) for cell in cells("solutions", assignment)]
    return {n["grade_id"]: REGION.sub("", c.source) for c, n in about if n.get("solution") and c.cell_type == "code"}


def arguments(source: str) -> set[str]:
    """The names of the arguments of all functions in a cell."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return {arg.arg for f in functions for arg in f.args.args} - {"self"}


def read_from_elsewhere(source: str) -> set[str]:
    """The global names that a cell reads and doesn't make itself; those that its functions read, made here or not."""
    table = symtable.symtable(source, "cell", "exec")
    made = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    read = {s.get_name() for s in table.get_symbols() if s.is_referenced()} - made
    inner = list(table.get_children())
    while inner:
        scope = inner.pop()
        inner += scope.get_children()
        at_once = made if scope.get_name().endswith(("comp", "genexpr")) else set()
        read |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()} - at_once
    return read - set(dir(builtins))


def typed(assignment) -> set[str]:
    return TYPED.union(*map(arguments, answers(assignment).values())) - set(assignment.exercises)


@EVERY
def test_no_locked_cell_reads_a_name_that_a_student_types(assignment):
    for cell in cells("solutions", assignment):
        if cell.cell_type == "code" and not cell.metadata.nbgrader["solution"]:
            read = {name for name in read_from_elsewhere(cell.source) if name in typed(assignment) or len(name) < 3}
            assert read <= {"nn"}, f"{cell.id} reads {read}"


@pytest.mark.slow
@EVERY
def test_examples_and_nothing_typed_into_scratch_cells_break_no_locked_cell(assignment, tmp_path):
    """After each check its example, then None for every name of TYPED and every argument; the cells below must run."""
    nothing = " = ".join([*sorted(typed(assignment)), *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "None"])
    book, right = v4.new_notebook(), answers(assignment)
    for cell in cells("course", assignment):
        cell.source = right.get(cell.id, cell.source)
        book.cells.append(cell)
        if cell.id.startswith("check_"):
            example = EXAMPLES[cell.id.removeprefix("check_")]
            book.cells.append(v4.new_code_cell(f"{CLOSE}{example}\n{nothing}"))
    run_all(book, tmp_path)
