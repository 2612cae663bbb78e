"""Find the answers in whatever a student hands in. The released notebook is the frame; only cell sources come through.

A submitted cell is recognised by its id, then nbgrader's grade_id, then (code) the name that it defines or (any) the
released text that it repeats. Released set-up, worked and check cells never run as submitted. Of several cells for one
answer the one in force at its check cell counts: the last before it that is not the stub; else the last at all.
Each cell is parsed once, so that the time it takes grows with the file and with nothing else.
"""

import ast
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from textwrap import indent

from .parse import Cell, Refused
from .safe_markdown import fenced
from .source import Code, parsed, python, squeezed

SETUP = "setup"
TEXT_MAGIC = re.compile(r"\s*%%(?:latex|markdown|html)\b[^\n]*\n", re.IGNORECASE)
COMMENT = re.compile(r"^[ \t]*#+(.*)$", re.MULTILINE)
FEW_WORDS = 4  # of a comment that only names what the code does
SHOWS_TEXT = {"HTML", "Image", "Latex", "Markdown", "Math", "md"}  # the last is marimo's
IMPORT, DEFINITION = ast.Import | ast.ImportFrom, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Slot:
    """A released cell: an `answer`, a written `proof`, a `check`, the `setup`, or `fixed` text or code. `formerly`:
    names that a graded one had in earlier releases."""

    role: str
    name: str
    kind: str
    source: str
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What the sandbox does next: execute a `cell`, or hand the answer called `name` to an `exercise`."""

    op: str
    name: str
    source: str = ""


@dataclass(frozen=True)
class Repaired:
    """`steps` to run, first the set-up and what worked cells define; `answers`: the chosen source by name;
    `unsolved`: answers left as they were; `written`: proofs with a text; `own`: the student's additional cells after
    each released one; `reaches`: what in them reaches into the checker (`grading.reaches`); `former`: the name by which
    an answer is defined, where that is one of an earlier release."""

    steps: tuple[Step, ...]
    answers: dict[str, str]
    unsolved: frozenset[str]
    written: frozenset[str]
    own: dict[int, list[Cell]]
    reaches: tuple[str, ...] = ()
    former: dict[str, str] = field(default_factory=dict)


def frame(released: bytes) -> list[Slot]:
    """The released notebook's cells and what each is for."""
    return [slot(cell) for cell in json.loads(released)["cells"]]


def slot(cell: dict) -> Slot:
    about = cell["metadata"].get("nbgrader", {})
    name, source = about.get("grade_id", ""), cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    if about.get("solution") and about.get("grade"):
        role = "proof"
    elif about.get("solution"):
        role = "answer"
    elif about.get("grade"):
        role = "check"
    else:
        role = "setup" if name == SETUP else "fixed"
    name = name.removeprefix("check_") if role == "check" else name or cell.get("id", "")
    return Slot(role, name, cell["cell_type"], source, tuple(cell["metadata"].get("dgmlib", {}).get("formerly", ())))


@cache
def worked(slots: tuple[Slot, ...]) -> str:
    """The imports and definitions of released worked cells, which an answer may use as a notebook lets it: each by
    itself, whatever it lacks. What these cells compute is not done again."""
    trees = [python(slot.source) for slot in slots if slot.role == "fixed" and slot.kind == "code"]
    found = [node for tree in trees if tree for node in tree.body if isinstance(node, IMPORT | DEFINITION)]
    return "".join(f"try:\n{indent(ast.unparse(node), '    ')}\nexcept Exception:\n    pass\n" for node in found)


def may_define(source: str, names: Iterable[str]) -> bool:
    """Whether it is worth parsing a text for them: few texts hold a definition."""
    one = "|".join(map(re.escape, names))
    return re.search(rf"\b(?:def|class)\s+(?:{one})\b|\b(?:{one})\s*=", source) is not None


class Repair:
    """`Repair(slots, cells).result()`."""

    def __init__(self, slots: list[Slot], cells: list[Cell]):
        self.slots, self.cells = slots, cells
        self.former = {old: s.name for s in slots for old in s.formerly}
        self.by_id = {("check_" if s.role == "check" else "") + s.name: s for s in slots if s.name}
        old = {f"{start}{old}": f"{start}{new}" for old, new in self.former.items() for start in ("", "check_")}
        self.by_id = {name: self.by_id[new] for name, new in old.items() if new in self.by_id} | self.by_id
        self.by_text = {squeezed(s.source): s for s in slots if s.source.strip() and s.role != "answer"}
        self.answers = [s for s in slots if s.role == "answer"]
        self.stubs = {s.name: self.stub(s) for s in self.answers}
        self.slot_of = [self.recognise(cell) for cell in cells]
        self.code = parsed(cells)
        self.runs = [self.is_code(at) for at in range(len(cells))]
        self.chosen = {s.name: self.choose(s.name) for s in self.answers}

    def recognise(self, cell: Cell) -> Slot | None:
        for key in (*cell.ids, cell.grade_id):
            if key in self.by_id:
                return self.by_id[key]
        return self.by_text.get(squeezed(cell.source))

    def is_code(self, at: int) -> bool:
        """Code, or an answer that was retyped as text."""
        slot = self.slot_of[at]
        if self.cells[at].kind == "code" or (slot is not None and slot.role == "answer"):
            return True
        names = {*self.stubs, *self.former}
        return slot is None and may_define(self.cells[at].source, names) and bool(names & self.code[at].defines)

    def stub(self, slot: Slot) -> list[Code]:
        """As it is released, and with the names that it had before."""
        old = [old for old, new in self.former.items() if new == slot.name]
        return [Code(re.sub(rf"\b{slot.name}\b", name, slot.source)) for name in (slot.name, *old)]

    def is_stub(self, at: int, name: str) -> bool:
        return any(map(self.code[at].says, self.stubs[name]))

    def candidates(self, name: str) -> list[int]:
        """Cells that may hold an answer: those that define it; else those that sit in its place."""
        places = [i for i, s in enumerate(self.slot_of) if s and (s.role, s.name) == ("answer", name)]
        definers = [i for i, code in enumerate(self.code) if self.runs[i] and self.called(name, code)]
        edited = [i for i in definers if not self.is_stub(i, name)]
        return edited or [i for i in places if not self.is_stub(i, name) and self.cells[i].source.strip()]

    def called(self, name: str, code: Code) -> str:
        """The name by which a cell defines an answer: its own or, from an earlier release, a former one."""
        names = [name, *(old for old, new in self.former.items() if new == name)]
        return next((known for known in names if known in code.defines), "")

    def check_place(self, name: str) -> int:
        """Where the student has the last check of an answer; -1 where it was deleted."""
        return max((i for i, s in enumerate(self.slot_of) if s and (s.role, s.name) == ("check", name)), default=-1)

    def choose(self, name: str) -> int | None:
        candidates = self.candidates(name)
        before = [i for i in candidates if i < self.check_place(name)]
        return (before or candidates or [None])[-1]

    def result(self) -> Repaired:
        """The steps in the student's order. Raises Refused where nothing of the released notebook is left."""
        chosen = self.chosen
        if not any(self.slot_of) and not any(at is not None for at in chosen.values()):
            raise Refused("holds no cell of this assignment's notebook")
        due: dict[int, list[str]] = {}
        for name, at in chosen.items():
            due.setdefault(max(at if at is not None else -1, self.check_place(name)), []).append(name)
        steps = [Step("cell", SETUP, s.source) for s in self.slots if s.role == "setup"]
        steps += [Step("cell", SETUP, source) for source in [worked(tuple(self.slots))] if source]
        steps += [Step("exercise", name) for name in due.get(-1, [])]
        for i, cell in enumerate(self.cells):
            if self.executed(i, cell):
                steps.append(Step("cell", f"cell {i + 1}", cell.source))
                steps += [Step("cell", f"cell {i + 1}", line) for line in self.renamed(i)]
            steps += [Step("exercise", name) for name in due.get(i, [])]
        sources = {name: self.cells[at].source for name, at in chosen.items() if at is not None}
        texts = {s.name: self.written(s) for s in self.slots if s.role == "proof"}
        written = frozenset(name for name, text in texts.items() if text is not None)
        sources |= {name: texts[name] for name in written}
        unsolved = frozenset(name for name, at in chosen.items() if at is None)
        said = {name: self.called(name, self.code[at]) for name, at in chosen.items() if at is not None}
        former = {name: old for name, old in said.items() if old not in ("", name)}
        return Repaired(tuple(steps), sources, unsolved, written, self.own(set(chosen.values())), former=former)

    def executed(self, at: int, cell: Cell) -> bool:
        """The student's own code, edited released code, and answers that are more than the stub."""
        slot = self.slot_of[at]
        if not cell.source.strip() or not self.runs[at] or (slot and slot.role in ("check", "proof")):
            return False
        if slot and slot.role in ("setup", "fixed"):
            return squeezed(cell.source) != squeezed(slot.source)
        return not any(self.is_stub(at, name) for name in self.stubs)

    def renamed(self, at: int) -> list[str]:
        """What gives the answers of a cell the names that they have now."""
        names = ((new, self.called(new, self.code[at])) for new in dict.fromkeys(self.former.values()))
        return [f"{new} = {said}" for new, said in names if said not in ("", new)]

    def written(self, slot: Slot) -> str | None:
        """A proof: the last copy of its cell that was written on, and what else stands in its place for a person."""
        at = [i for i, s in enumerate(self.slot_of) if s is slot]
        edited = [i for i in at if self.cells[i].source.strip() and self.changed(i, slot)]
        drawn = [i for i in at if not self.changed(i, slot) and self.cells[i].kind == "code" and self.cells[i].pictures]
        texts = [for_a_person(self.cells[i]) for i in edited[-1:] or drawn[-1:]]
        return "\n\n".join(texts + self.beside(slot, code_alone=bool(edited))) or None

    def changed(self, at: int, slot: Slot) -> bool:
        return squeezed(self.cells[at].source) != squeezed(slot.source)

    def beside(self, slot: Slot, code_alone: bool) -> list[str]:
        """What a person reads of the student's own cells around a proof's place, or of a proof that lost its id."""
        place = self.slots.index(slot)
        around, last, found = self.slots[max(place - 1, 0) : place + 1], None, []
        for at, (cell, recognised) in enumerate(zip(self.cells, self.slot_of, strict=True)):
            last = recognised or last
            mine = recognised is None and last in around and at not in self.chosen.values() and cell.source.strip()
            if mine and (says_something(cell, self.code[at]) if cell.kind == "code" else not code_alone):
                found.append(for_a_person(cell))
        return found

    def own(self, chosen: set) -> dict[int, list[Cell]]:
        """The student's additional cells, by the index of the released cell that they follow (-1: before all)."""
        places = {id(s): i for i, s in enumerate(self.slots)}
        own: dict[int, list[Cell]] = {}
        last = -1
        for i, cell in enumerate(self.cells):
            slot = self.slot_of[i]
            if slot is not None:
                last = places[id(slot)]
            elif i not in chosen and cell.source.strip():
                own.setdefault(last, []).append(cell)
        return own


def for_a_person(cell: Cell) -> str:
    """A cell of a proof as text: of code the words of `%%latex` and `%%markdown`, else itself; then what it showed."""
    if cell.kind != "code":
        return cell.source
    magic = TEXT_MAGIC.match(cell.source)
    words = cell.source[magic.end() :].strip() if magic else fenced(cell.source.strip("\n"))
    return "\n\n".join([words, *(f"![](attachment:{name})" for name, _ in cell.pictures)])


def says_something(cell: Cell, code: Code) -> bool:
    """Whether a code cell is there to be read: it showed a picture, or holds text, words in comments or no Python."""
    if cell.pictures or TEXT_MAGIC.match(cell.source) or code.tree is None:
        return True
    comments = " ".join(COMMENT.findall(cell.source)).split()
    return len(comments) >= FEW_WORDS or any(map(is_text, code.tree.body))


def is_text(node: ast.stmt) -> bool:
    """A string, or a call that shows one: `Markdown(...)`, `display(Latex(...))`."""
    match node:
        case ast.Expr(value=ast.Constant(value=str()) | ast.JoinedStr()) | ast.Assign(value=ast.Constant(value=str())):
            return True
        case ast.Expr(value=ast.Call()) | ast.Assign(value=ast.Call()):
            names = {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(node.value)}
            return not names.isdisjoint(SHOWS_TEXT)
    return False


def repair(released: bytes, cells: list[Cell]) -> Repaired:
    """Submitted cells put in order of execution around the released notebook. Raises Refused."""
    return Repair(frame(released), cells).result()
