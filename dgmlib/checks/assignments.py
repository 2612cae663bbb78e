"""The assignments, one for each lecture section: every folder here but `run`, which knows no right values."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .exercise import Assignment, Exercise

FOLDERS = [found.name for found in iter_modules([str(Path(__file__).parent)]) if found.ispkg and found.name != "run"]
FOUND = [import_module(f"{__package__}.{folder}").ASSIGNMENT for folder in FOLDERS]
ASSIGNMENTS: dict[str, Assignment] = {found.name: found for found in sorted(FOUND, key=lambda found: found.name)}


def find(name: str) -> Exercise | None:
    """The exercise called `name`, or None."""
    for assignment in ASSIGNMENTS.values():
        if name in assignment.exercises:
            return assignment.exercises[name]
    return None
