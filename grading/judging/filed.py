"""What is kept of a submission beside its verdict: the sources that a person reads, and what the notebook showed.

`keep` chooses, within what a verdict file may take; `sources` and `outputs` are what pages are made of, so that nobody
reads the submission again.
"""

import base64
import json
from dataclasses import replace

from ..course import Course
from ..notebook.outputs import Output, by_exercise
from ..notebook.parse import Cell
from ..notebook.pictures import pixels
from ..notebook.submission import Sources, Submission
from . import store
from .verdict import Verdict

LONGEST_SOURCE = 20_000  # bytes, as JSON
LONGEST_FILE = 190_000
ROW = 120  # bytes around what a row says
MOST_FIGURES = 200_000
MOST_PIXELS = 100_000_000  # of these figures: a browser holds four bytes of each, however small its file is
CUT = "\n# (cut: too long to store)"


class Budget:
    """Bytes that a submission may still store."""

    def __init__(self, left: int):
        self.left = left

    def fits(self, size: int) -> bool:
        """Whether there is room for so much, which is then taken."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def cut(self, text: str) -> str:
        """As much of a text as there is room for."""
        room = min(self.left, LONGEST_SOURCE)
        kept = text if stored(text) <= room else shortened(text, room - stored(CUT)) + CUT
        self.left -= stored(kept) + ROW
        return kept


def stored(text: str) -> int:
    """Bytes in a file of JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def shortened(text: str, room: int) -> str:
    """The longest start whose JSON takes no more than `room` bytes, found by halving."""
    low, high = 0, min(len(text), max(0, room))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if stored(text[:middle]) <= room else (low, middle - 1)
    return text[:low]


def keep(submission: Submission, verdict: Verdict) -> tuple[Verdict, dict]:
    """`(the verdict with what is filed, its pictures)`; answers before a student's other cells and outputs."""
    budget, room = Budget(LONGEST_FILE - len(store.dumps(verdict))), Budget(MOST_FIGURES)
    canvas = Budget(MOST_PIXELS)
    answers = {name: budget.cut(source) for name, source in submission.repaired.answers.items()}
    own = {
        str(place): [(cell.kind, budget.cut(cell.source)) for cell in cells if budget.fits(ROW)]
        for place, cells in submission.repaired.own.items()
        if budget.fits(ROW)
    }
    outputs, figures = {}, []
    for place in by_need(submission.outputs, verdict):
        output = submission.outputs[place]
        about = {"cell": output.cell, "exercises": " ".join(output.exercises), "text": "", "picture": None}
        picture = base64.b64encode(output.png).decode()
        if not budget.fits(ROW + stored(about["exercises"])):
            break
        if budget.fits(stored(output.text)):
            about["text"] = output.text
        if picture and canvas.fits(pixels(output.png)) and room.fits(len(picture)):
            about["picture"] = len(figures)
            figures.append(picture)
        outputs[place] = about
    shown = [outputs[at] for at in sorted(outputs)]
    whole = replace(verdict, answers=answers, own=own, outputs=shown, pictures=len(submission.pictures))
    return whole, {"figures": figures, "attached": submission.pictures}


def by_need(outputs: tuple[Output, ...], verdict: Verdict) -> list[int]:
    """First what belongs to an exercise that lost points, of it the last: a page shows these."""
    lost = {name for name, exercise in verdict.exercises.items() if exercise.short}
    return sorted(range(len(outputs)), key=lambda at: (not lost & set(outputs[at].exercises), -at))


def sources(course: Course, verdict: Verdict) -> Sources:
    """What a person reads of the submission that this verdict is about."""
    drawn = store.pictures(course, verdict, "attached") if verdict.pictures else {}
    own = {int(place): [Cell(*cell) for cell in cells] for place, cells in verdict.own.items()}
    return Sources(verdict.answers, own, {name: tuple(picture) for name, picture in drawn.items()})


def outputs(course: Course, verdict: Verdict, names: list[str]) -> dict[str, list[Output]]:
    """What the graded notebook showed for each of `names`."""
    rows = verdict.outputs
    named = any(row["picture"] is not None for row in rows)
    drawn = store.pictures(course, verdict, "figures") if named else {}
    pngs = dict(enumerate(base64.b64decode(picture) for picture in drawn))
    found = [
        Output(row["cell"], row["text"], pngs.get(row["picture"], b""), tuple(row["exercises"].split())) for row in rows
    ]
    return by_exercise(found, names)
