"""An assignment is a folder of `exercises`; each file in it whose name has no underscore in front is an exercise."""

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import dgmlib

from ..run.closed import closed
from .exercise import Exercise

CHECKOUT = Path(__file__).parents[3]
GRADE_ID = re.compile(rb'"grade_id": *"([^"]+)"')


@dataclass(frozen=True)
class Assignment:
    """One notebook: its exercises in order, the modules of dgmlib that its sandbox leaves open, and what students know
    the course's unit by."""

    name: str
    notebook: str
    exercises: dict[str, Exercise]
    open_modules: tuple[str, ...] = ()
    lecture: str = "Lecture 3"

    @property
    def closed(self) -> tuple[str, ...]:
        """The modules of dgmlib that an answer must not call, in a notebook's check as in the sandbox."""
        return closed(self.open_modules, dgmlib.__path__)

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())

    def today(self, name: str) -> str:
        """The name of an exercise as it is now, where it had another."""
        return next((new for new, e in self.exercises.items() if name in e.formerly), name)


def assignment(package: str, name: str, **options) -> Assignment:
    """The assignment of the folder with this `__name__`, which is the notebook's name too. Raises ValueError."""
    folder = import_module(package)
    files = sorted(found.name for found in iter_modules(folder.__path__) if not found.name.startswith("_"))
    exercises = {file: exercise(f"{package}.{file}") for file in files}
    notebook = package.rpartition(".")[2]
    ordered = sorted(files, key=in_notebook(name, notebook))
    return Assignment(name, notebook, {file: exercises[file] for file in ordered}, **options)


def exercise(module: str) -> Exercise:
    found = getattr(import_module(module), "EXERCISE", None)
    if not isinstance(found, Exercise):
        raise ValueError(f"{module} has no EXERCISE; a module that is none has an underscore in front of its name")
    if found.name != module.rpartition(".")[2]:
        raise ValueError(
            f"{module}: its exercise is called {found.name!r}; name it as the file: Exercise(__name__, ...)"
        )
    return found


def in_notebook(name: str, notebook: str):
    """The key that sorts exercises as the notebook of the checkout has them; where there is none, by name."""
    file = CHECKOUT / "solutions" / name / f"{notebook}.ipynb"
    ids = [found.decode() for found in GRADE_ID.findall(file.read_bytes())] if file.is_file() else []
    place = {grade_id: at for at, grade_id in reversed([*enumerate(ids)])}
    return lambda exercise: (place.get(exercise, len(ids)), exercise)
