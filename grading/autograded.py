"""The notebook that formgrader shows: the released one around a student's answers, with the verdict as outputs."""

import json

from .repair import Repaired, frame

LONGEST_SOURCE = 20_000
LONGEST_ALL = 200_000


def notebook(released: bytes, repaired: Repaired, verdict: dict) -> bytes:
    """nbformat 4.5. Locked cells are the released ones; a student's additional cells stand where they stood."""
    frame_cells, slots = json.loads(released), frame(released)
    budget = Budget(LONGEST_ALL)
    cells = [own_cell(cell, f"own-0-{n}", budget) for n, cell in enumerate(repaired.own.get(-1, []), 1)]
    for place, (cell, slot) in enumerate(zip(frame_cells["cells"], slots, strict=True)):
        if slot.role in ("answer", "proof") and slot.name in repaired.answers:
            cell["source"] = budget.cut(repaired.answers[slot.name])
        if slot.role == "check" and slot.name in verdict["exercises"]:
            cell["outputs"] = [output(verdict["exercises"][slot.name])]
        cells.append(cell)
        own = repaired.own.get(place, [])
        cells += [own_cell(cell, f"own-{place + 1}-{n}", budget) for n, cell in enumerate(own, 1)]
    frame_cells["cells"] = cells
    return (json.dumps(frame_cells, indent=1, ensure_ascii=False) + "\n").encode()


class Budget:
    """Characters that a submission may still store."""

    def __init__(self, left: int):
        self.left = left

    def cut(self, text: str) -> str:
        kept = text[: min(self.left, LONGEST_SOURCE)]
        self.left -= len(kept)
        return kept if len(kept) == len(text) else kept + "\n# (cut: too long to store)"


def own_cell(cell, name: str, budget: Budget) -> dict:
    made = {"cell_type": cell.kind, "id": name, "metadata": {}, "source": budget.cut(cell.source)}
    return made | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})


def output(exercise: dict) -> dict:
    """The laws of one exercise as printed text."""
    lines = [f"{exercise['score']} of {exercise['max_score']} points"]
    for law in exercise["laws"]:
        lines.append(f"{'+' if law['passed'] else '-'} {law['law']} ({law['weight']}) {law['message']}".rstrip())
    return {"name": "stdout", "output_type": "stream", "text": "\n".join(lines) + "\n"}
