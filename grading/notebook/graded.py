"""The notebook that formgrader shows: the released one around a student's answers, with the verdict as outputs.

What a student wrote is text here: safe_markdown.py says how. Below a written proof stands its rubric, for the grader
alone: nbgrader's own feedback leaves out what has the tag.
"""

import json

from .repair import Repaired, Slot, frame
from .safe_markdown import fenced, safe
from .submission import Sources

WRITER_VERSION = 3  # raise it where this file or safe_markdown.py writes other notebooks: older ones are then made anew
LONGEST_SOURCE = 20_000
LONGEST_ALL = 200_000
FOR_THE_GRADER = "for-the-grader"


def rubrics(course, assignment) -> dict[str, str]:
    """The instructor's text of each written proof, the rubric first. Empty where `solutions/` is not here."""
    path = course.solutions / assignment.name / f"{assignment.notebook}.ipynb"
    try:
        slots = frame(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {s.name: rubric_first(s.source) for s in slots if s.role == "proof"}


def rubric_first(text: str) -> str:
    answer, heading, rubric = text.partition("**Rubric**")
    return f"{heading}{rubric.rstrip()}\n\n{answer.strip()}".strip()


def notebook(
    released: bytes, repaired: Repaired | Sources, said: dict[str, str], rubrics: dict[str, str] | None = None
) -> bytes:
    """nbformat 4.5; below each check what is `said` of it. Locked cells are the released ones; a student's additional
    cells stand where they stood. What a person has to read, the proofs, comes first."""
    frame_cells, slots, rubrics = json.loads(released), frame(released), rubrics or {}
    budget, pictures = Budget(LONGEST_ALL), repaired.pictures if isinstance(repaired, Sources) else {}
    proofs = {s.name: budget.cut(repaired.answers[s.name]) for s in slots if is_written(s, repaired)}  # before any code
    groups = [[own_cell(cell, f"own-0-{n}", budget, pictures) for n, cell in enumerate(repaired.own.get(-1, []), 1)]]
    for place, (cell, slot) in enumerate(zip(frame_cells["cells"], slots, strict=True)):
        if slot.role in ("answer", "proof") and slot.name in repaired.answers:
            source = proofs[slot.name] if slot.name in proofs else budget.cut(repaired.answers[slot.name])
            cell |= written(cell["cell_type"], source, pictures)
        if slot.role == "check" and slot.name in said:
            cell["outputs"] = [output(said[slot.name])]
        group = [cell]
        if slot.role == "proof" and slot.name in rubrics:
            group.append(rubric_cell(slot.name, rubrics[slot.name]))
        own = repaired.own.get(place, [])
        group += [own_cell(cell, f"own-{place + 1}-{n}", budget, pictures) for n, cell in enumerate(own, 1)]
        groups.append(group)
    frame_cells["cells"] = [cell for group in proofs_first(groups, slots) for cell in group]
    frame_cells["metadata"]["dgmlib"] = {"writer": WRITER_VERSION}
    return (json.dumps(frame_cells, indent=1, ensure_ascii=False) + "\n").encode()


def is_written(slot: Slot, repaired: Repaired | Sources) -> bool:
    return slot.role == "proof" and slot.name in repaired.answers


def proofs_first(groups: list[list[dict]], slots: list[Slot]) -> list[list[dict]]:
    """The cells before the title and the title, each proof with the text that asks for it, then all others."""
    proofs = [place for place, slot in enumerate(slots) if slot.role == "proof"]
    asked = [p for place in proofs for p in ((place - 1, place) if slots[place - 1].kind == "markdown" else (place,))]
    order = [*range(min(1, len(slots))), *asked]
    order += [place for place in range(len(slots)) if place not in order]
    return [groups[0], *(groups[place + 1] for place in dict.fromkeys(order))]


def writer(notebook: bytes) -> int | None:
    """The version that wrote a notebook; None for one that no version wrote, or that is none."""
    try:
        return json.loads(notebook)["metadata"]["dgmlib"]["writer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class Budget:
    """Characters that a submission may still store."""

    def __init__(self, left: int):
        self.left = left

    def cut(self, text: str) -> str:
        kept = text[: min(self.left, LONGEST_SOURCE)]
        self.left -= len(kept)
        return kept if len(kept) == len(text) else kept + "\n# (cut: too long to store)"


def rubric_cell(name: str, rubric: str) -> dict:
    """Between two rules: in a quotation formgrader shows no tables."""
    about = {"cell_type": "markdown", "id": f"rubric-{name}"[:64], "metadata": {"tags": [FOR_THE_GRADER]}}
    return about | {"source": f"---\n\n#### For the grader: rubric\n\n{rubric}\n\n---"}


def written(kind: str, source: str, pictures: dict[str, tuple[str, str]]) -> dict:
    """A student's source as a person may open it: code stays code, else it is text with the pictures that it names."""
    if kind != "markdown":
        return {"source": source if kind == "code" else fenced(source)}
    named = {name: {kind: data} for name, (kind, data) in pictures.items() if f"attachment:{name}" in source}
    return {"source": safe(source, frozenset(named))} | ({"attachments": named} if named else {})


def own_cell(cell, name: str, budget: Budget, pictures: dict[str, tuple[str, str]]) -> dict:
    """A raw cell becomes a code block: nothing shows raw cells as text."""
    kind = "code" if cell.kind == "code" else "markdown"
    made = {"cell_type": kind, "id": name, "metadata": {}, **written(cell.kind, budget.cut(cell.source), pictures)}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def output(text: str) -> dict:
    return {"name": "stdout", "output_type": "stream", "text": text}
