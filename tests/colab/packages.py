"""Colab's packages, installed once for each list of pins and Python, and kept outside the checkout."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PINS = Path(__file__).with_name("pins.txt")
TORCH = "torch==2.11.0"  # for Linux the index has the build for GPUs alone: 5 GB with its libraries
COLABS_PYTHON = "3.13"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dgm-colab"
NO_WHEEL = re.compile(r"No matching distribution found for ([\w.-]+==[\w.]+)")


def pins() -> dict[str, str]:
    lines = [line for line in PINS.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def installed(python: str, *more: str) -> Path:
    """A folder with all pins for this Python, and `more`. Raises OSError with pip's last line."""
    recipe = "\n".join([PINS.read_text(), version(python), *more, Path(__file__).read_text()])
    folder = CACHE / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as building:
            install(python, Path(building) / "site", [f"{name}=={pin}" for name, pin in pins().items()] + [*more])
            if not folder.is_dir():  # another run may have been faster
                (Path(building) / "site").rename(folder)
    return folder


def install(python: str, folder: Path, wanted: list[str]):
    """Install what is wanted; where this Python has no wheel of a version, any other version of that package."""
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--only-binary", ":all:", "--target"]
    done = subprocess.run([*pip, str(folder), *wanted], capture_output=True, text=True)
    missing = NO_WHEEL.search(done.stderr)
    if missing and missing[1] in wanted:
        shutil.rmtree(folder, ignore_errors=True)
        install(python, folder, [missing[1].split("==")[0] if one == missing[1] else one for one in wanted])
    elif done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1][:200])


def version(python: str) -> str:
    words = [python, "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()


def colabs_python() -> str | None:
    """A Python of Colab's version: ours, the PATH's or pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [sys.executable, shutil.which(f"python{COLABS_PYTHON}"), *pyenv.glob(f"{COLABS_PYTHON}.*/bin/python")]
    return next((str(python) for python in found if python and version(str(python)) == COLABS_PYTHON), None)


def torch_at_hand(folder: Path) -> Path:
    """Links to this environment's torch and to what it needs, so that it is not fetched again."""
    site = Path(sysconfig.get_paths()["purelib"])
    folder.mkdir()
    for name in needed("torch", set()):
        for top in {file.parts[0] for file in metadata.files(name) or ()} - {"..", "__pycache__"}:
            if (site / top).exists() and not (folder / top).exists():
                (folder / top).symlink_to(site / top)
    return folder


def needed(name: str, seen: set[str]) -> set[str]:
    """The package and all that it requires here."""
    seen.add(name)
    for requirement in map(Requirement, metadata.requires(name) or ()):
        if requirement.name not in seen and (not requirement.marker or requirement.marker.evaluate({"extra": ""})):
            needed(requirement.name, seen)
    return seen
