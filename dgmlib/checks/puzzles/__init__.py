"""Puzzles and steps to order, one file each: `check` knows them by name; no points, no assignment, no gradebook.

A file holds `PUZZLE`: `choice(...)`, `steps(...)` or another `Puzzle` of `engine.puzzle`, whose answer is a value; or, where
the answer is a function, an `Exercise` with `points=0` and laws of weight 0.
"""

from importlib import import_module
from pkgutil import iter_modules

from ..engine.exercise import Exercise
from ..engine.puzzle import Puzzle

FILES = sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_"))
PUZZLES: dict[str, Puzzle | Exercise] = {file: import_module(f"{__name__}.{file}").PUZZLE for file in FILES}
