"""A cell's source: its text without what editors change, and what is found in it, parsed once and within bounds."""

import ast
import re
import warnings
from functools import cached_property
from itertools import accumulate

from .parse import Cell

LONGEST_PARSED = 100_000  # characters of a cell
MOST_PARSED = 250_000  # of all cells: more than any honest notebook has
LONGEST_TRANSFORMED = 20_000  # of a cell that is no Python until IPython has rewritten it
NAMED = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)


def normal(source: str) -> str:
    """A cell as it is executed: lines end in a line feed, and no white space stands behind the last of them."""
    return source.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def squeezed(source: str) -> str:
    """A text without its white space: editors change that."""
    return "".join(source.split())


class Code:
    """What is known of a cell's source, found out once and when it is asked for: most cells are text of ours, and none
    asks. One longer than `most` is not parsed."""

    def __init__(self, source: str, most: int = LONGEST_PARSED):
        self.source, self.most = source, most

    @cached_property
    def tree(self) -> ast.Module | None:
        return tree(self.source) if len(self.source) <= self.most else None

    @cached_property
    def defines(self) -> set[str]:
        """The names that its top level binds by def, class, or assignment."""
        if self.tree is None:
            return set(NAMED.findall(self.source))
        body = self.tree.body
        names = {n.name for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)}
        assigned = [t for n in body if isinstance(n, ast.Assign) for t in n.targets]
        return names | {t.id for t in assigned if isinstance(t, ast.Name)}

    def says(self, other: "Code") -> bool:
        """Whether two cells differ in comments and layout alone."""
        if self.tree is None or other.tree is None:
            return self.tree is other.tree and squeezed(self.source) == squeezed(other.source)
        return same(self.tree, other.tree)


def parsed(cells: list[Cell]) -> list[Code]:
    """Every cell's code, as far as `MOST_PARSED` goes. One that is too long is not parsed, and takes nothing of it: a
    picture that was pasted into a text leaves the answers behind it alone."""
    sizes = (len(cell.source) for cell in cells)
    ends = accumulate((size if size <= LONGEST_PARSED else 0 for size in sizes), initial=0)
    return [Code(cell.source, MOST_PARSED - before) for cell, before in zip(cells, ends, strict=False)]


def same(one, other) -> bool:
    """Whether two trees are equal; the first difference ends it, so it takes no longer than the smaller one is."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        return all(same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def tree(source: str) -> ast.Module | None:
    """The parsed cell without magics; None where it is no Python, or too long for an honest cell."""
    if len(source) > LONGEST_PARSED:
        return None
    lines = ["" if line.startswith(("%", "!")) else line for line in source.split("\n")]
    return python("\n".join(lines)) or (python(rewritten(source)) if len(source) <= LONGEST_TRANSFORMED else None)


def python(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def rewritten(source: str) -> str:
    """As IPython rewrites a cell: indented as a whole, pasted with its prompts, `x = !ls`."""
    from IPython.core.inputtransformer2 import TransformerManager  # few need it

    try:
        return TransformerManager().transform_cell(source)
    except (SyntaxError, ValueError, RecursionError):
        return source
