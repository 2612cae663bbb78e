"""A course folder of one's own: the notebooks, solved and released, and nbgrader's configuration."""

import shutil
from pathlib import Path

from ..course import CHECKOUT, Course, CourseError

PARTS = ("course", "solutions", "nbgrader_config.py")
BUNDLED = Path(__file__).parents[1] / "bundled"  # of the course's wheel; a checkout has them at its top


def init(folder: Path) -> Course:
    """Copy the course into `folder`, which is new or empty. Raises CourseError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} is there already, and not empty; name a new folder")
    source = BUNDLED if BUNDLED.is_dir() else CHECKOUT
    folder.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        else:
            shutil.copyfile(source / name, folder / name)
    return Course(folder)
