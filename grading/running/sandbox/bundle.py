"""The few files that enter the sandbox, laid out in a temporary folder: `/dgm` inside."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import dgmlib

LIBRARY = Path(dgmlib.__file__).parent
WORKER = Path(__file__).parent.parent / "worker"

STUB = '''"""While grading, a check does nothing: the judge is outside."""


def check(name, answer=None):
    return None


def yours(name, otherwise):
    return otherwise, "dgmlib's"
'''
PREFIX = "dgm-bundle-"


class Bundle:
    """`Bundle().path` holds `worker`, enough to start one; once filled, fonts and `dgmlib` without its references.
    Removed at exit."""

    def __init__(self):
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        atexit.register(self.close)
        shutil.copytree(WORKER, self.path / "worker", ignore=shutil.ignore_patterns("__pycache__"))
        self.open_to_all()

    def fill(self, open_modules: tuple[str, ...] = (), library: Path = LIBRARY) -> "Bundle":
        """Add the library, as far as an assignment opens it. Raises ValueError for a module that it lacks."""
        from dgmlib.checks.run.closed import ALWAYS_OPEN, closed  # torch: imported while a fork server starts

        target = self.path / "dgmlib"
        (target / "checks").mkdir(parents=True)
        shut = closed(open_modules, [str(library)])
        (target / "__init__.py").write_text(f'"""dgmlib, as far as this assignment opens it."""\n\nCLOSED = {shut!r}\n')
        for name in (*ALWAYS_OPEN, *open_modules):
            if name != "checks":  # of the checks only `run`
                copy(library, target, name)
        (target / "checks" / "__init__.py").write_text(STUB)
        copy(library, target, "checks.run")
        self.add_fonts()
        self.open_to_all()
        return self

    def add_fonts(self):
        """Matplotlib's font list, all at once: making it takes a second in every new home."""
        if not (self.path / "mpl").exists():
            fonts()(self.path / "fonts")
            self.open_to_all()
            (self.path / "fonts").rename(self.path / "mpl")

    def open_to_all(self):
        """Whatever the modes of the checkout: another user reads it."""
        for at, _, files in os.walk(self.path):
            os.chmod(at, 0o755)
            for file in files:
                os.chmod(os.path.join(at, file), 0o644)

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def copy(library: Path, target: Path, name: str):
    """Copy module or package `a.b` from one library folder to the other; `__init__` of a parent stays behind."""
    relative = Path(*name.split("."))
    if (library / relative).is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(library / relative, target / relative, ignore=ignored, dirs_exist_ok=True)
    elif (file := (library / relative).with_suffix(".py")).is_file():
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, (target / relative).with_suffix(".py"))


def fonts():
    """Gives a function that copies matplotlib's font list."""
    import matplotlib

    def lists():
        return list(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))

    if not (cached := lists()):
        import matplotlib.font_manager  # makes it

        cached = lists()

    def put(folder: Path):
        folder.mkdir()
        for file in cached:
            shutil.copyfile(file, folder / file.name)

    return put


def sweep():
    """Remove the bundles of graders that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)
