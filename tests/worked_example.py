"""Follows a page of instructions word for word: each fenced block is a step, and the sentence above it says which."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import v4

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
KINDS = {
    "Markdown": {},
    "Autograded answer": {"grade": False, "solution": True, "locked": False},
    "Autograded tests": {"grade": True, "solution": False, "locked": True},
}
PYTHON = 'python() { "$PYTHON" "$@"; }\n'  # the page says `python`; this one is meant


class WrongPage(Exception):
    """A step that can't be followed, or a promise that does not hold."""


def steps(page: str) -> list[tuple[str, str, str]]:
    """`(sentence, language, block)` of every fenced block; the sentence is the paragraph right above it."""
    found, end = [], 0
    for fence in FENCE.finditer(page):
        above = page[end : fence.start()].strip().rpartition("\n\n")[2]
        found.append((" ".join(above.split()), fence[1], fence[2]))
        end = fence.end()
    return found


def copy_checkout(checkout: Path, target: Path):
    """The checkout as it lies here: what git tracks or would, and nothing that it ignores."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (checkout / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(checkout / name, target / name)


@dataclass
class Follower:
    """Performs steps below `root`; remembers the last cell it wrote and what the last command printed."""

    root: Path
    notebook: str = ""
    cell: str = ""
    printed: str = ""
    done: list[str] = field(default_factory=list)

    def follow(self, sentence: str, language: str, block: str):
        """Perform one step. Raises WrongPage."""
        if language == "sh":
            self.printed = self.run(block)
        elif language == "text":
            self.expect(block)
        else:
            self.edit(sentence, block)
        self.done.append(sentence or block)

    def run(self, script: str) -> str:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "DGM"))}
        own = {"PYTHON": sys.executable, "PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(
            ["sh", "-e", "-c", PYTHON + script], cwd=self.root, env=kept | own, capture_output=True, text=True
        )
        if ran.returncode:
            raise WrongPage(f"{script}\n{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def expect(self, text: str):
        """`...` stands for anything."""
        pattern = re.escape(text.strip()).replace(re.escape("..."), ".*")
        if not re.fullmatch(pattern, self.printed.strip(), re.S):
            raise WrongPage(f"the page promises\n{text}\nand it printed\n{self.printed}")

    def edit(self, sentence: str, block: str):
        for pattern, action in SENTENCES.items():
            if said := re.fullmatch(pattern, sentence):
                return action(self, block, **said.groupdict())
        raise WrongPage(f"no step begins like this: {sentence!r}")

    def create(self, block: str, path: str):
        if (self.root / path).exists():
            raise WrongPage(f"{path} is there already")
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(block)

    def replace(self, block: str, path: str):
        """A file that is there already, anew."""
        if not (self.root / path).exists():
            raise WrongPage(f"{path} is not there")
        (self.root / path).write_text(block)

    def append(self, block: str, path: str):
        """A top-level definition, two empty lines below the last one."""
        with open(self.root / path, "a") as file:
            file.write(f"\n\n{block}")

    def change(self, block: str, path: str):
        """A diff in hunks, each of which fits one place of a file, or of one cell."""
        for hunk in block.split("@@\n"):
            old, new = ("".join(line[1:] for line in hunk.splitlines(True) if line[0] in " " + s) for s in "-+")
            if path.endswith(".ipynb"):
                self.change_cell(path, old.strip(), new.strip())
            else:
                text = (self.root / path).read_text()
                (self.root / path).write_text(replaced(text, old, new))

    def change_cell(self, path: str, old: str, new: str):
        notebook = self.read(path)
        cells = [cell for cell in notebook.cells if old in cell.source]
        if len(cells) != 1:
            raise WrongPage(f"{path}: {len(cells)} cells hold {old!r}")
        cells[0].source = replaced(cells[0].source, old, new)
        self.write(path, notebook)

    def begin(self, block: str, path: str, model: str):
        """A new notebook: a first cell, and the set-up cell of another."""
        setup = self.read(model)
        setup.cells = [v4.new_markdown_cell(block.strip()), setup.cells[place(setup, "setup")]]
        (self.root / path).parent.mkdir(exist_ok=True)
        self.write(path, setup)

    def now(self, block: str, path: str, id: str, points: str | None):
        """An existing cell gets this source, and these points if any are named."""
        notebook = self.read(path)
        cell = notebook.cells[place(notebook, id)]
        cell.source = block.strip()
        if points:
            cell.metadata.nbgrader.points = int(points)
        self.write(path, notebook)

    def add(self, block: str, kind: str, path: str = "", after: str = "", id: str | None = None, points=None):
        """A new cell below another one; without a path below the one that was added last."""
        path, after = path or self.notebook, after or self.cell
        notebook = self.read(path)
        made = (v4.new_markdown_cell if kind == "Markdown" else v4.new_code_cell)(block.strip())
        if id:
            made.metadata.nbgrader = {"grade_id": id, "schema_version": 3, "task": False, **KINDS[kind]}
        if points:
            made.metadata.nbgrader.points = int(points)
        notebook.cells.insert(place(notebook, after) + 1, made)
        self.write(path, notebook)
        self.notebook, self.cell = path, made.id

    def read(self, path: str):
        return nbformat.read(self.root / path, as_version=4)

    def write(self, path: str, notebook):
        nbformat.write(notebook, self.root / path)


def replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise WrongPage(f"{text.count(old)} places hold {old!r}")
    return text.replace(old, new)


def place(notebook, id: str) -> int:
    """The number of the cell with a grade_id, or else with an id."""
    for number, cell in enumerate(notebook.cells):
        if id in (cell.metadata.get("nbgrader", {}).get("grade_id"), cell.id):
            return number
    raise WrongPage(f"no cell is called {id!r}")


FILE, BOOK = r"`(?P<path>[^`]+)`", r"`(?P<path>[^`]+\.ipynb)`"
SPOT = rf"(?:In {BOOK}, below `(?P<after>\w+)`|Below it), an? "
POINTS = r"(?P<points>\d+) points?"
SENTENCES = {
    rf"{FILE}, a new file:": Follower.create,
    rf"{FILE}, now:": Follower.replace,
    rf"At the end of {FILE}:": Follower.append,
    rf"In {FILE}:": Follower.change,
    rf"{BOOK}, a new notebook: .*cell `setup` of `(?P<model>[^`]+)`.*:": Follower.begin,
    rf"In {BOOK}, cell `(?P<id>\w+)`, now(?: with {POINTS}.*)?:": Follower.now,
    rf"{SPOT}\*(?P<kind>Markdown)\* cell:": Follower.add,
    rf"{SPOT}\*(?P<kind>[\w ]+)\* cell with the id `(?P<id>\w+)`(?: and {POINTS})?:": Follower.add,
}
