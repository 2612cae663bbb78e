"""What in a student's code reaches into the checker: listed for a person, worth no points either way.

Laws of form and cost are measured beside the student's code and can be forged there: by frames, the collector's list of
objects, a dispatch mode, a patched module. Found in the parsed code of the cells that run, by what names mean there.
What is put together out of strings at run time is not found; the means to run it (`exec`, a computed `getattr`) are.
"""

import ast
import re
from collections import deque
from collections.abc import Iterable, Iterator

from .source import LONGEST_PARSED, LONGEST_TRANSFORMED, MOST_PARSED, python, tree

MOST = 20
SETUP = {"torch": "torch", "nn": "torch.nn", "__builtins__": "__builtins__"}
# a module that nothing honest is done with; an attribute; everything below either
CLOSED = (
    "dgmlib.checks", "worker", "ctypes", "_ctypes", "cffi", "builtins", "__builtins__",
    "torch._C", "torch.library", "torch.overrides", "torch.utils._python_dispatch",
    "gc.callbacks", "gc.get_objects", "gc.get_referents", "gc.get_referrers",
    "inspect.currentframe", "inspect.getinnerframes", "inspect.getouterframes", "inspect.stack", "inspect.trace",
    "sys._current_frames", "sys._getframe", "sys.meta_path", "sys.modules", "sys.monitoring", "sys.path_hooks",
    "sys.setprofile", "sys.settrace", "threading.setprofile", "threading.settrace",
)  # fmt: skip
BELOW = tuple(f"{name}." for name in CLOSED)
OPEN = ("dgmlib.checks.check", "dgmlib.checks.yours")
HANDED_ON = ("gc", "inspect", "sys")  # harmless with an attribute, not as a whole
ATTRIBUTES = {
    "ag_frame", "cell_contents", "cr_frame", "f_back", "f_builtins", "f_globals", "f_locals", "gi_frame", "is_meta",
    "run_ast_nodes", "run_cell", "run_cell_async", "run_code", "tb_frame",
    "_version", "__closure__", "__globals__", "__subclasses__", "__torch_dispatch__", "__torch_function__",
}  # fmt: skip
COUNTERS = {"calls", "wrong_shape"}  # of the objects that a check hands out
RUNS_TEXT = {"eval", "exec", "__import__"}
# magics that run the Python behind them, after options
RUNS_LINE = re.compile(r"^(?:[\w, \t]+=)?[ \t]*%{1,2}(?:time|timeit|prun)\b(.*)$", re.MULTILINE)
MOST_MAGICS, LONGEST_MAGIC, MOST_WORDS = 50, 1000, 12


def reaches(cells: Iterable[tuple[str, str]]) -> list[str]:
    """`"cell 5, line 3: sys._getframe"` for each `(cell, source)`, in order and each name once a cell."""
    found, reader, left = [], Reader(), MOST_PARSED
    for name, source in cells:
        left -= len(source) if len(source) <= LONGEST_PARSED else 0
        if left < 0 or len(source) > LONGEST_PARSED:
            found.append(f"{name}: too long to be looked into")
        elif parsed := tree(source):
            found += of_cell(name, parsed, reader)
        elif len(source) > LONGEST_TRANSFORMED:
            found.append(f"{name}: too long to be looked into")
        if left >= 0 and len(source) <= LONGEST_PARSED:
            found += of_magics(name, source, reader)
    return found[:MOST]


def of_cell(name: str, parsed: ast.Module, reader: "Reader") -> list[str]:
    lines: dict[str, int] = {}
    try:
        reader.learn(parsed)
        for what, line in reader.read(parsed):
            lines.setdefault(what, line)
    except RecursionError:
        return [f"{name}: nested too deeply to be looked into"]
    return [f"{name}, line {line}: {what}" for what, line in lines.items()]


def of_magics(name: str, source: str, reader: "Reader") -> list[str]:
    """What `%time` and the like run: whatever end of the line is Python, as nobody knows where the options end."""
    magics = list(RUNS_LINE.finditer(source))
    if len(magics) > MOST_MAGICS or any(len(magic[1]) > LONGEST_MAGIC for magic in magics):
        return [f"{name}: magics too long to be looked into"]
    found = []
    for magic in magics:
        words = re.split(r"[ \t]+", magic[1].strip())
        ends = [" ".join(words[start:]) for start in range(min(len(words), MOST_WORDS))]
        for parsed in filter(None, map(python, ends)):
            line = source.count("\n", 0, magic.start())
            found += of_cell(name, ast.increment_lineno(parsed, line), reader)
    return list(dict.fromkeys(found))


class Reader:
    """Knows what names mean: what the set-up cell and the student's imports, anywhere, make of them."""

    def __init__(self):
        self.names = dict(SETUP)

    def learn(self, parsed: ast.Module):
        for node in statements(parsed):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    self.names |= {alias.asname: alias.name} if alias.asname else {top: top}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def read(self, parsed: ast.Module) -> Iterator[tuple[str, int]]:
        """`(what, line)`, of a walk that comes to every node after its parent."""
        bases, asked = set(), set()
        for node in ast.walk(parsed):
            if isinstance(node, ast.Attribute):
                bases.add(id(node.value))
            elif isinstance(node, ast.Compare) and is_membership(node):  # "google.colab" in sys.modules
                asked.update(map(id, node.comparators))
            if id(node) not in asked:
                for what in self.of(node, id(node) in bases):
                    yield what, getattr(node, "lineno", 1)

    def of(self, node: ast.AST, is_base: bool) -> list[str]:
        match node:
            case ast.Import():
                return [alias.name for alias in node.names if closed(alias.name)]
            case ast.ImportFrom(level=0):
                return [path for a in node.names if closed(path := f"{node.module}.{a.name}")]
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                return self.replaced(node) or self.attribute(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Name(ctx=ast.Load()) if not is_base:
                path = self.path(node)
                return [path] if closed(path) or path in HANDED_ON else []
            case ast.Call(func=ast.Name(id=name)):
                return self.call(name, node)
            case ast.Call(func=ast.Attribute(attr="import_module")):
                return self.imported(node)
            case ast.FunctionDef(name=name) if name in ATTRIBUTES:
                return [name]
            case ast.Compare() if any(
                isinstance(c, ast.Constant) and c.value == "meta" for c in [node.left, *node.comparators]
            ):
                return ["the device meta"]
        return []

    def path(self, node: ast.AST) -> str:
        """What an imported name or its attribute is, "torch.utils"; empty for anything else."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, "")
        if isinstance(node, ast.Attribute) and (base := self.path(node.value)):
            return f"{base}.{node.attr}"
        return ""

    def attribute(self, node: ast.Attribute) -> list[str]:
        path = self.path(node)
        if closed(path) and (isinstance(node.value, ast.Name) or not closed(path.rpartition(".")[0])):
            return [path]
        return [node.attr] if node.attr in ATTRIBUTES else []

    def replaced(self, node: ast.Attribute) -> list[str]:
        """A counter of a check's object, or a part of torch, that is written."""
        own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        if node.attr in COUNTERS and not own:
            return [f"{node.attr} is written"]
        path = self.path(node)
        return [f"{path} is written"] if path.startswith("torch.") and "backends" not in path else []

    def call(self, name: str, node: ast.Call) -> list[str]:
        if name in RUNS_TEXT and name not in self.names:
            return [name]
        if name not in ("getattr", "setattr", "delattr") or len(node.args) < 2:
            return []
        base, attribute = self.path(node.args[0]), node.args[1]
        if isinstance(attribute, ast.Constant) and isinstance(attribute.value, str):
            made = ast.Attribute(node.args[0], attribute.value, ast.Load() if name == "getattr" else ast.Store())
            return self.of(made, False)
        return [f"{base}, by a computed name"] if base else []

    def imported(self, node: ast.Call) -> list[str]:
        """`importlib.import_module("gc")` imports as `import gc` does."""
        name = node.args[0] if node.args else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return [name.value] if closed(name.value) or name.value in HANDED_ON else []
        return ["a module by a computed name"]


def statements(parsed: ast.Module) -> Iterator[ast.AST]:
    """All of them, also inside others, from the outer to the inner ones."""
    waiting: deque[ast.AST] = deque([parsed])
    while waiting:
        node = waiting.popleft()
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting += getattr(node, part, ())
        yield node


def is_membership(node: ast.Compare) -> bool:
    return all(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops)


def closed(path: str) -> bool:
    """Whether a dotted name is one of the closed ones, or below one. `dgmlib.checks` holds `check` and `yours`."""
    if not path or path == "dgmlib.checks" or path in OPEN:
        return False
    return path in CLOSED or path.startswith(BELOW)
