"""A plain process: with Landlock, seccomp and rlimits on itself, or (kind `none`) with rlimits alone."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..inside import landlock, seccomp
from .bwrap import NOBODY, PYTHON, environment, masked, reachable, readable
from .stage import Stage


@dataclass(frozen=True)
class Plain:
    kind: str
    how: str = "no sandbox: students' code runs as you"

    def start(self, stage: Stage, link: int, hidden: tuple[Path, ...] = (), program: str = "worker"):
        """Start `inside/<program>.py` with the socket `link`, in a folder of its own that goes with it."""
        folder = Path(tempfile.mkdtemp(prefix="dgm-work-"))
        drop = os.getuid() == 0 and all(map(reachable, (sys.prefix, sys.base_prefix)))
        if drop:
            os.chown(folder, NOBODY, NOBODY)
        options = {
            "kind": self.kind,
            "uid": NOBODY if drop else None,
            "powerless": os.getuid() == 0,
            "orphan": os.getpid(),
        }
        if self.kind == "landlock":
            options |= {"readable": open_trees(stage, hidden), "listable": readable()}
        script = stage.path / "inside" / f"{program}.py"
        process = subprocess.Popen(
            [*PYTHON, str(script), str(link), json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(str(folder)),
            cwd=folder,
            pass_fds=(link,),
            start_new_session=True,
        )
        process.cleanup = lambda: shutil.rmtree(folder, ignore_errors=True)
        return process


def open_trees(stage: Stage, hidden: tuple[Path, ...]) -> list[str]:
    """Landlock cannot hide a folder below an open one: where something is to be hidden, open its siblings instead."""
    trees = [str(stage.path), "/lib", "/lib64", "/proc/cpuinfo", "/proc/meminfo", "/etc/ld.so.cache"]
    for path in readable():
        trees += around(Path(path), [Path(p) for p in masked([path], hidden)])
    return trees


def around(path: Path, closed: list[Path]) -> list[str]:
    if path in closed:
        return []
    if not any(p.is_relative_to(path) for p in closed):
        return [str(path)]
    return [tree for child in path.iterdir() for tree in around(child, closed)]


def find_landlock() -> tuple[Plain | None, str]:
    """Landlock where this kernel has it and seccomp has a table for this machine."""
    if not landlock.abi():
        return None, "this kernel has no Landlock"
    try:
        seccomp.program(1)
    except OSError as error:
        return None, str(error)
    return Plain(
        "landlock", f"Landlock ABI {landlock.abi()} with seccomp"
    ), f"Landlock ABI {landlock.abi()} with seccomp"
