"""A notebook's IPython without a kernel: cells run as Jupyter runs them. Programs and `%pip` do nothing here."""

import ast
import asyncio
import builtins
import contextlib
import getpass
import io
import os
import random
import sys
import traceback
from itertools import pairwise

import numpy as np
import torch
from IPython.core.compilerop import CachingCompiler
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import needs_local_scope
from IPython.utils.text import SList
from matplotlib_inline.config import InlineBackend
from torch.utils.data import DataLoader
from traitlets.config import Config

from . import rest

KEPT_TEXT = 8000
TURN = 0.05  # seconds that tasks get between two cells: while Jupyter runs all cells they get no more
SILENT = (
    "pip", "conda", "mamba", "micromamba", "uv", "clear", "less", "more", "man", "page", "edit", "debug",
    "connect_info", "qtconsole", "autosave",
)  # fmt: skip
OUTPUTS = ("--out", "--err")


class Capped(io.TextIOBase):
    """A text stream that keeps the beginning and forgets the rest."""

    encoding = "utf-8"

    def __init__(self):
        self.kept = []
        self.left = KEPT_TEXT

    def write(self, text):
        if self.left > 0:
            self.kept.append(str(text)[: self.left])
            self.left -= len(self.kept[-1])
        return len(text)

    def writable(self):
        return True

    def flush(self):
        pass

    def close(self):
        pass

    def value(self) -> str:
        return "".join(self.kept)


class Compiler(CachingCompiler):
    """Names the code of a cell after the cell: a traceback and `inspect` find it there."""

    cell = ""

    def get_code_name(self, raw_code, transformed_code, number):
        name, self.cell = self.cell, ""
        return name or super().get_code_name(raw_code, transformed_code, number)


class Notebook(InteractiveShell):
    """IPython's shell; `run(source, name)` executes one cell and gives `(error, printed text)`."""

    compiler_class = Compiler
    loop = None

    def __init__(self):
        config = Config()
        config.HistoryManager.enabled = False  # its thread would not survive the fork
        super().__init__(config=config)
        type(self)._instance = InteractiveShell._instance = self
        self.configurables.append(InlineBackend.instance(parent=self))
        self.displayhook.write_output_prompt = self.displayhook.write_format_data = nothing
        self.set_hook("show_in_pager", nothing, 0)
        self.silence()

    def silence(self):
        """Magics that start a program, ask somebody or show something do nothing."""
        for name in SILENT:
            self.register_magic_function(nothing, "line", name)
        scripts = self.magics_manager.registry["ScriptMagics"]
        scripts.shebang = self.script
        self.register_magic_function(self.script, "cell", "script")
        self.measure = self.find_line_magic("timeit")
        self.register_magic_function(self.timed_once, "line_cell", "timeit")

    @needs_local_scope
    def timed_once(self, line, cell=None, local_ns=None):
        """`%timeit` without numbers of its own runs its statement once: nobody reads what it measures."""
        once = "" if {"-n", "-r"} & {word[:2] for word in line.split()} else "-n1 -r1 "
        return self.measure(once + line, cell, local_ns)

    def script(self, line, cell=""):
        """`%%bash --out text` gives an empty text."""
        words = line.split()
        self.user_ns.update({name: "" for option, name in pairwise(words) if option in OUTPUTS})

    def system(self, command):
        self.user_ns["_exit_code"] = 0

    system_raw = system_piped = system

    def getoutput(self, command, split=True, depth=0):
        return SList() if split else ""

    def enable_gui(self, gui=None):
        pass

    def enable_matplotlib(self, gui=None):
        return gui or "inline", "agg"

    def ask_exit(self):
        pass

    def showtraceback(self, exc_tuple=None, *rest, **options):
        """Kept for `sys.last_value`; nobody reads it here."""
        self._get_exc_info(exc_tuple)

    def showsyntaxerror(self, *rest, **options):
        pass

    showindentationerror = showsyntaxerror

    def _format_exception_for_storage(self, *rest, **options):
        return {}

    def run(self, source: str, name: str) -> tuple[str, str]:
        """What the sandbox's own errors keep from a cell is not lost: its definitions run once more alone."""
        filename = f"<{name}>"
        text = Capped()
        sys.stdout = sys.stderr = text
        builtins.input = getpass.getpass = refuse_input
        try:
            error = self.execute(source, filename)
            if error is None:
                return "", text.value()
            said = described(error, filename)
            if rest.is_ours(error):
                first = next(iter(lines(error, filename)), 0)
                for node in rest.definitions(self.transform_cell(source), first):
                    self.run_alone(node, filename)
                said += rest.NOTE
            return said, text.value()
        except BaseException as error:
            return described(error, filename), text.value()

    def execute(self, source: str, filename: str) -> BaseException | None:
        """Run one cell within the event loop, as a kernel does."""
        if self.loop is None or self.loop.is_closed():
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(self.cell(source, filename))

    async def cell(self, source: str, filename: str) -> BaseException | None:
        transformed, failed = source, None
        try:
            transformed = self.transform_cell(source)
        except Exception:
            failed = sys.exc_info()
        self.compile.cell = filename
        result = await self.run_cell_async(
            source, store_history=True, transformed_cell=transformed, preprocessing_exc_tuple=failed
        )
        self.events.trigger("post_execute")
        self.events.trigger("post_run_cell", result)
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=TURN)
        return result.error_before_exec or result.error_in_exec

    def run_alone(self, node: ast.stmt, filename: str):
        """One statement of a cell that failed; what it needs may be missing."""
        with self.builtin_trap, self.display_trap, contextlib.suppress(Exception):
            exec(self.compile(ast.Module([node], []), filename, "exec"), self.user_ns)

    @property
    def names(self) -> dict:
        return self.user_ns


def nothing(*things, **options):
    pass


def refuse_input(prompt=""):
    raise StdinNotImplementedError("input() does not work while grading")


def in_process(loader, original=DataLoader._get_iterator):
    """A DataLoader without workers, whatever it was asked for: they would be processes."""
    loader.num_workers = loader.timeout = 0
    return original(loader)


def shell() -> Notebook:
    """The one shell of this process, made with what else has to hold before a student's first cell."""
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    DataLoader._get_iterator = in_process
    if "" not in sys.path:
        sys.path.insert(0, "")  # a file that a cell wrote can be imported
    return Notebook()


def described(error: BaseException, filename: str) -> str:
    """`NameError: name 'x' is not defined (line 3)`, whatever the exception's own methods do."""
    try:
        text = traceback.format_exception_only(type(error), error)[-1].strip()[:1000]
    except BaseException:
        text = "an exception that cannot be shown"
    found = lines(error, filename)
    return text + (f" (line {found[-1]})" if found else "")


def lines(error: BaseException, filename: str) -> list[int]:
    """The lines of a cell that an error came through, the outermost first."""
    return [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == filename]


def seed(value: int):
    random.seed(value)
    np.random.seed(value % 2**32)  # noqa: NPY002 - whatever a student's code draws from
    torch.manual_seed(value % 2**63)
