"""Which folders a worker sees: the system's programs and libraries, this Python, and nothing of ours."""

import os
import sys
from pathlib import Path

# Of /usr, /usr/local and an environment. What else lies there, a checkout in /usr/src, does not enter.
PARTS = ("bin", "etc", "include", "lib", "lib32", "lib64", "libexec", "pyvenv.cfg", "sbin", "share", "ssl")
LINKERS = ("/etc/ld.so.cache", "/etc/alternatives")
OURS = ("dgmlib", "grading")


def prefixes() -> list[str]:
    return ["/usr", "/usr/local", sys.prefix, sys.base_prefix]


def plan(hidden: tuple[Path, ...] = ()) -> dict[str, bool]:
    """Paths, outermost first: True is shown with all below it, False is hidden with all below it.

    Each differs from the path above it. What of this Python lies in a hidden folder (a venv in a checkout) is shown.
    """
    shown = [f"{prefix}/{part}" for prefix in prefixes() for part in PARTS] + list(LINKERS)
    shown = [path for path in shown if os.path.exists(path)]
    closed = [place for folder in (*hidden, *libraries()) for place in places(folder, shown)]
    made: dict[str, bool] = {}
    for path, seen in sorted([(p, True) for p in shown] + [(p, False) for p in closed]):
        if seen != visible(path, made):
            made[path] = seen
    return made


def open_trees(hidden: tuple[Path, ...]) -> tuple[list[str], list[str]]:
    """For Landlock, which cannot close a folder below an open one: trees to read, and folders to list.

    Python lists the folders that it imports from, one that holds a hidden library too.
    """
    made = plan(hidden)
    closed = [Path(os.path.realpath(path)) for path, seen in made.items() if not seen]
    trees = [tree for path, seen in made.items() if seen for tree in around(Path(os.path.realpath(path)), closed)]
    imports = [path for path in sys.path if os.path.isdir(path) and visible(path, made)]
    return trees, [path for path in imports if any(c.is_relative_to(os.path.realpath(path)) for c in closed)]


def around(path: Path, closed: list[Path]) -> list[str]:
    """The largest trees in `path` that hold none of the closed folders."""
    if path in closed:
        return []
    if not any(p.is_relative_to(path) for p in closed):
        return [str(path)]
    return [tree for child in path.iterdir() for tree in around(child, closed)]


def visible(path: str, made: dict[str, bool]) -> bool:
    """What the nearest folder above says."""
    above = [other for other in made if Path(path).is_relative_to(other)]
    return made[max(above, key=len)] if above else False


def libraries() -> list[Path]:
    """Installed copies of what must not be seen."""
    return [Path(p) / name for p in sys.path if p.endswith("-packages") for name in OURS if (Path(p) / name).is_dir()]


def places(folder: Path, shown: list[str]) -> list[str]:
    """Every path by which a folder could be reached below the shown ones, through their links too."""
    if not folder.is_dir() or holds_packages(folder):
        return []
    real = Path(os.path.realpath(folder))
    found = {str(folder), str(real)}
    for path in shown:
        behind = os.path.realpath(path)
        if real.is_relative_to(behind):
            found.add(str(Path(path) / real.relative_to(behind)))
    return sorted(found)


def holds_packages(folder: Path) -> bool:
    """Whether it is where Python packages are installed: then the checkout is a package among others."""
    return os.path.realpath(folder) in [os.path.realpath(p) for p in sys.path if p.endswith("-packages")]
