"""A student of the demo class, read from a short file.

    # assignment: 00_flows_recap
    # about: what is special about this submission, in a few words
    # start: solutions        (or: release, the blank notebook)
    # saved by: colab         (or: jupyter)

    # %% LULinear: 1.5
    class LULinear(nn.Module): ...        the answer, and the points that it deserves

    # %%
    print("a cell of the student's own")  goes before the answer that follows

What a file does not write deserves all points from the solutions, none from the release.
"""

import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..judging.verdict import Verdict

STUDENTS = Path(__file__).parent / "students"
HEADER = re.compile(r"^# (assignment|about|start|saved by): (.+)$", re.MULTILINE)
# What Colab writes into every cell that ran, with a name and an account.
COLAB_RAN = {
    "status": "ok",
    "timestamp": 1700000000000,
    "user_tz": -180,
    "elapsed": 5,
    "user": {"displayName": "Grace Example", "userId": "01234567890123456789"},
}
CELL = re.compile(r"^# %%(?: (\w+): ([\d.]+))?$", re.MULTILINE)


@dataclass(frozen=True)
class Student:
    name: str
    header: dict[str, str]
    cells: tuple[tuple[str, float, str], ...]  # name (empty: the student's own), points, source

    @classmethod
    def read(cls, path: Path) -> "Student":
        text = path.read_text()
        parts = CELL.split(text)
        cells = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
        read = tuple((name or "", float(points or 0), source.strip()) for name, points, source in cells)
        return cls(path.stem, dict(HEADER.findall(parts[0])), read)

    @property
    def assignment(self) -> str:
        return self.header["assignment"]

    @property
    def about(self) -> str:
        return self.header["about"]

    def points(self) -> dict[str, float]:
        """What each exercise deserves."""
        from dgmlib.checks import ASSIGNMENTS

        full = self.header["start"] == "solutions"
        exercises = ASSIGNMENTS[self.assignment].exercises.values()
        deserved = {e.name: float(e.points) if full else 0.0 for e in exercises if not e.written}
        return deserved | {name: points for name, points, _ in self.cells if name}

    @property
    def deserved(self) -> float:
        return round(sum(self.points().values()), 6)

    def differences(self, result: Verdict) -> list[str]:
        """One line for each exercise with another score than its file says."""
        if not result.graded:
            return [f"{self.name}: {result.status}: {result.reason}"]
        got = {name: exercise.score for name, exercise in result.exercises.items()}
        points = self.points()
        return [f"{self.name}: {n} deserves {p:g}, got {got.get(n)}" for n, p in points.items() if got.get(n) != p]

    def notebook(self, released: dict, solved: dict) -> bytes:
        """What the student hands in."""
        made = copy.deepcopy(solved if self.header["start"] == "solutions" else released)
        own: list[str] = []
        for name, _, source in self.cells:
            if not name:
                own.append(source)
                continue
            place = next(i for i, cell in enumerate(made["cells"]) if cell["id"] == name)
            made["cells"][place]["source"] = source
            made["cells"][place:place] = [code_cell(text, f"own-{name}-{n}") for n, text in enumerate(own)]
            own = []
        made["cells"] += [code_cell(text, f"own-{n}") for n, text in enumerate(own)]
        return (
            json.dumps(as_colab(made) if self.header.get("saved by") == "colab" else made, indent=1) + "\n"
        ).encode()


def code_cell(source: str, name: str) -> dict:
    return {"cell_type": "code", "execution_count": None, "id": name, "metadata": {}, "outputs": [], "source": source}


def as_colab(notebook: dict) -> dict:
    """As Colab saves it at its worst: nbformat 4.0, no ids, no nbgrader metadata, its own in their place."""
    for number, cell in enumerate(notebook["cells"]):
        cell.pop("id", None)
        cell["metadata"] = {"id": f"x{number:011d}", "executionInfo": COLAB_RAN}
    metadata = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return notebook | {"nbformat": 4, "nbformat_minor": 0, "metadata": metadata}
