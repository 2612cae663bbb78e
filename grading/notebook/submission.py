"""A `Submission`: one file, read once (`contents`) and taken apart once (`prepare`), in a child with limits.

All that follows, down to the pages, works on what they gave.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from ..assignments import Assignment
from . import outputs, parse
from .limited import limited
from .outputs import Output
from .parse import Cell, Refused
from .pictures import attached, pixels
from .reaches import reaches
from .repair import SETUP, Repair, Repaired, Step, frame
from .source import normal, parsed

MOST_PICTURES = 10_000_000  # bytes
MOST_PIXELS = 300_000_000  # of all of them: 25 photographs of 12 megapixels
NOTHING = "no .ipynb file was handed in"
NAMED = re.compile(r"attachment:(cell-\d+-\d+)")


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in, repaired; what it showed, by cell; `(type, base64)` of the pictures that its texts
    name; the digest of its file; whose it is, and the key that its verdict will have."""

    repaired: Repaired
    outputs: tuple[Output, ...] = ()
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)
    digest: str = ""
    student: str = ""
    assignment: str = ""
    key: str = ""


@dataclass(frozen=True)
class Sources:
    """The chosen answers and proofs by name, the student's own cells after each released one (-1: before all), and
    `(type, base64)` of the pictures that their texts name."""

    answers: dict[str, str]
    own: dict[int, list[Cell]]
    pictures: dict[str, tuple[str, str]]


def contents(files: Sequence[Path]) -> Iterator[tuple[bytes, str]]:
    """`(bytes, "")` of each file; of one that is refused, and where there is none, the reason twice."""
    for file in files:
        try:
            yield parse.read(file), ""
        except Refused as refusal:
            yield str(refusal).encode(), str(refusal)
    if not files:
        yield NOTHING.encode(), NOTHING


def digest(data: bytes) -> str:
    """Tells whether a file is the one that was graded."""
    return hashlib.sha256(data).hexdigest()


def prepare(released: bytes, data: bytes, student: str = "", assignment: str = "", key: str = "") -> Submission:
    """Raises Refused."""
    about = json.loads(limited(taken_apart, released, data))
    steps = tuple(Step(*step) for step in about["steps"])
    own = {int(place): [Cell(*cell) for cell in cells] for place, cells in about["own"].items()}
    unsolved, written = frozenset(about["unsolved"]), frozenset(about["written"])
    repaired = Repaired(steps, about["answers"], unsolved, written, own, tuple(about["reaches"]))
    found = (Output(cell, text, base64.b64decode(png), tuple(names)) for cell, text, png, names in about["outputs"])
    pictures = {name: tuple(picture) for name, picture in about["pictures"].items()}
    return Submission(repaired, tuple(found), pictures, digest(data), student, assignment, key)


def taken_apart(released: bytes, data: bytes) -> bytes:
    """In the child: the parts of a `Submission` as JSON."""
    notebook = parse.current(parse.parsed(data))
    repair = Repair(frame(released), parse.cells_of(notebook))
    made = repair.result()
    executed = ((s.name, normal(s.source)) for s in made.steps if s.op == "cell" and s.name != SETUP)
    about = {
        "reaches": reaches(executed),
        "steps": [astuple(step) for step in made.steps],
        "answers": made.answers,
        "unsolved": sorted(made.unsolved),
        "written": sorted(made.written),
        "own": {place: [(cell.kind, cell.source) for cell in cells] for place, cells in made.own.items()},
        "outputs": [
            (o.cell, o.text, base64.b64encode(o.png).decode(), o.exercises)
            for o in outputs.newest(outputs.shown(repair, notebook))
        ],
    }
    return json.dumps(about | {"pictures": named(repair.cells, made)}).encode()


def named(cells: list[Cell], made: Repaired) -> dict[str, tuple[str, str]]:
    """The pictures that a text for a person names, rebuilt; those of proofs come first, and as many as may be kept."""
    proofs = [made.answers[name] for name in sorted(made.written)]
    own = [cell.source for group in made.own.values() for cell in group if cell.kind != "code"]
    data = {name: value for cell in cells for name, value in cell.pictures}
    kept, left, room = {}, MOST_PICTURES, MOST_PIXELS
    for name in dict.fromkeys(NAMED.findall("\n".join(proofs + own))):
        kind, picture = attached(data.get(name, ""))
        if picture and len(picture) <= left and pixels(picture) <= room:
            kept[name] = (kind, base64.b64encode(picture).decode())
            left, room = left - len(picture), room - pixels(picture)
    return kept


def recognise(data: bytes, assignments: dict[str, Assignment]) -> Assignment:
    """The assignment that a notebook belongs to, by its cells' ids and the names that it defines. Raises Refused."""
    return assignments[limited(recognised, data, list(assignments.values())).decode()]


def recognised(data: bytes, assignments: list[Assignment]) -> bytes:
    cells = parse.cells(data)
    names = {name.removeprefix("check_") for cell in cells for name in (*cell.ids, cell.grade_id)}
    if not any(one.exercises.keys() <= names for one in assignments):  # its ids say it
        names |= {name for one in parsed([cell for cell in cells if cell.kind == "code"]) for name in one.defines}
    best = max(assignments, key=lambda a: len(names & a.exercises.keys()), default=None)
    if best is None or not names & best.exercises.keys():
        raise Refused("not a notebook of this course: it holds none of its exercises")
    return best.name.encode()
