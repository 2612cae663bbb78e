"""A plain process: with Landlock, seccomp and rlimits on itself, or (kind `none`) with rlimits alone."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..worker import landlock, seccomp
from . import view
from .bundle import Bundle
from .bwrap import NOBODY, PYTHON, environment, reachable

# Where /lib is no link to /usr/lib, which is among the trees then.
SYSTEM = ["/proc/cpuinfo", "/proc/meminfo", *(p for p in ("/lib", "/lib32", "/lib64") if not os.path.islink(p))]


@dataclass(frozen=True)
class Plain:
    kind: str
    how: str = "no sandbox: students' code runs as you"

    def start(self, bundle: Bundle, link: int, hidden: tuple[Path, ...] = (), program: str = "main"):
        """Start `worker/<program>.py` with the socket `link`, in a folder of its own that goes with it."""
        folder = Path(tempfile.mkdtemp(prefix="dgm-work-"))
        root, open_to_all = os.getuid() == 0, all(map(reachable, (sys.prefix, sys.base_prefix)))
        drop = root and (open_to_all or self.kind == "landlock")
        if drop:
            os.chown(folder, NOBODY, NOBODY)
        options = {
            "kind": self.kind,
            "uid": NOBODY if drop else None,
            "reads_all": not open_to_all,
            "drop_capabilities": root,
            "orphan": os.getpid(),
        }
        if self.kind == "landlock":
            trees, listable = view.open_trees(hidden)
            options |= {"readable": [str(bundle.path), *SYSTEM, *trees], "listable": listable}
        script = bundle.path / "worker" / f"{program}.py"
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
