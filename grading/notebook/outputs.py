"""What a submitted notebook last showed: printed text and PNG figures, by the exercise that they belong to.

All of it is hostile. HTML, SVG, scripts and widgets are never looked at; pictures.py rebuilds a PNG.
"""

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from . import parse, pictures
from .repair import Repair
from .source import Code

LONGEST_TEXT = 1500
LARGEST_FIGURE = 100_000
MOST_OUTPUTS = 100
LARGEST_SIDE = 4000
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)?", re.DOTALL)
CARD = re.compile(r"[✓✗○] \w+: ")  # the check card, which the page says better
OBJECT = re.compile(r"\[?(?:<[^<>]*>[,\s]*)+\]?")  # <Figure size 640x480 with 1 Axes>


@dataclass(frozen=True)
class Output:
    """One output of a cell, counted from 1: a text, or a PNG; neither where there was no room to keep it.
    `exercises`: those that it may belong to."""

    cell: int
    text: str = ""
    png: bytes = b""
    exercises: tuple[str, ...] = ()


def shown(repair: Repair, notebook: dict) -> list[Output]:
    """What the cells of a submitted notebook showed, in its order, where it belongs to an exercise."""
    found = []
    for at, (cell, entry, names) in enumerate(zip(repair.cells, notebook["cells"], owners(repair), strict=True), 1):
        if names and cell.kind == "code":
            found += of_cell(at, entry.get("outputs"), tuple(sorted(names)))
    return found


def by_exercise(found: list[Output], names: list[str]) -> dict[str, list[Output]]:
    """For each of `names` what its cells showed; a cell counts once."""
    belong = [(next((name for name in names if name in output.exercises), None), output) for output in found]
    return {name: mine for name in names if (mine := [output for owner, output in belong if owner == name])}


def newest(found: list[Output]) -> list[Output]:
    """The last of them, without pictures that no page has room for."""
    kept = found[-MOST_OUTPUTS:]
    return [replace(output, png=b"") if len(output.png) > LARGEST_FIGURE else output for output in kept]


def owners(repair: Repair) -> Iterator[set[str]]:
    """The exercises of each submitted cell that may show something: its own for an answer, those that it calls, else
    where a student put it."""
    answers, chosen = repair.chosen.keys(), repair.chosen
    places, here = headed(repair.slots), ""
    for at, (cell, code, slot) in enumerate(zip(repair.cells, repair.code, repair.slot_of, strict=True)):
        here = places[id(slot)] if slot else here
        if at in chosen.values():
            yield {name for name, place in chosen.items() if place == at}
        elif cell.kind != "code" or (slot and slot.role in ("check", "setup", "proof")):
            yield set()
        else:
            yield calls(code) & answers or (set() if slot and slot.role == "fixed" else {here} - {""})


def headed(slots: list) -> dict[int, str]:
    """Below which exercise each released cell stands; the text right above an answer belongs to it."""
    places, here = {}, ""
    for slot, after in zip(slots, [*slots[1:], slots[-1]], strict=True):
        named = slot if slot.role in ("answer", "proof") else after if slot.kind == "markdown" else None
        here = named.name if named and named.role in ("answer", "proof") else here
        places[id(slot)] = here
    return places


def calls(code: Code) -> set[str]:
    """The bare names that a cell uses."""
    return {node.id for node in ast.walk(code.tree) if isinstance(node, ast.Name)} if code.tree else set()


def of_cell(number: int, stored, exercises: tuple[str, ...]) -> list[Output]:
    """What one cell printed as one text, then its figures."""
    bundles = [output for output in stored if isinstance(output, dict)] if isinstance(stored, list) else []
    words = plain("".join(printed(output) for output in bundles))
    figures = [png(parse.mapping(output.get("data")).get("image/png")) for output in bundles]
    texts = [Output(number, words, exercises=exercises)] if words else []
    return texts + [Output(number, png=figure, exercises=exercises) for figure in figures if figure]


def printed(output: dict) -> str:
    """Standard output, or the text of a result that is no figure, widget or check card."""
    if output.get("output_type") == "stream":
        return joined(output.get("text")) if output.get("name") == "stdout" else ""
    data = parse.mapping(output.get("data"))
    words = joined(data.get("text/plain"))
    richer = any(kind.startswith(("image/", "application/vnd.")) for kind in data)
    return "" if richer or CARD.match(words) or OBJECT.fullmatch(words) else words + "\n"


def joined(value) -> str:
    """nbformat's text: a string or a list of strings; anything else is none."""
    lines = value if isinstance(value, list) else [value]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else ""


def plain(words: str) -> str:
    """Without colours, and of a line that a progress bar wrote anew only the last state; cut where it is long."""
    lines = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in ANSI.sub("", words).split("\n"))
    words = "\n".join(lines).strip("\n")
    words = words if len(words) <= LONGEST_TEXT else words[:LONGEST_TEXT] + "…"
    return words.encode(errors="replace").decode().expandtabs(4)


def png(value) -> bytes:
    """A figure that a page shows: a PNG of nothing but its picture; empty where it is none, or too large."""
    kind, data = pictures.attached(value)
    fits = kind == "image/png" and max(struct.unpack_from(">II", data, 16)) <= LARGEST_SIDE
    return data if fits else b""
