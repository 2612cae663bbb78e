"""What a released notebook says of its assignment: exercises in order, their points, which a person grades."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Exercise:
    """`written`: a proof in words, graded by a person. `formerly`: names that it had in earlier releases."""

    name: str
    points: float
    written: bool
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """`notebook` is the file's name without its ending, `title` its first heading."""

    name: str
    notebook: str
    title: str
    exercises: dict[str, Exercise]

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())

    def today(self, name: str) -> str:
        """The name of an exercise as it is now, where it had another."""
        return next((new for new, e in self.exercises.items() if name in e.formerly), name)


def released(folder: Path) -> dict[str, Assignment]:
    """The assignments in `course/`, by name; what is no notebook with exercises is none."""
    found = [read(file, file.stat().st_mtime_ns) for file in sorted(folder.glob("*/*.ipynb"))]
    return {assignment.name: assignment for assignment in found if assignment}


@cache
def read(file: Path, _changed: int) -> Assignment | None:
    try:
        cells = json.loads(file.read_bytes())["cells"]
        exercises = [exercise(cell["metadata"]) for cell in cells if graded(cell)]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    heads = [line[2:].strip() for text in texts for line in text.splitlines() if line.startswith("# ")]
    name = file.parent.name
    title = heads[0] if heads else name.replace("_", " ")
    return Assignment(name, file.stem, title, {e.name: e for e in exercises}) if exercises else None


def graded(cell: dict) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("grade"))


def exercise(metadata: dict) -> Exercise:
    about, formerly = metadata["nbgrader"], metadata.get("dgmlib", {}).get("formerly", ())
    name = about["grade_id"].removeprefix("check_")
    return Exercise(name, float(about["points"]), bool(about["solution"]), tuple(formerly))
