"""Work on a student's bytes in a child process with limits: what does not end within them is refused in one line.

The child is a fork that reads and parses, and runs nothing of what it was given. What it found comes back as bytes.
"""

import contextlib
import faulthandler
import gc
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable

from ..running.worker import limits
from .parse import Refused

CPU = 5  # seconds
MEMORY = 2**30  # bytes over what the grader holds itself
PATIENCE = 600  # seconds that a crowded machine may take for them
MOST_SAID = 64 * 2**20
FOUND, REFUSED, FAULT = b"=", b"!", b"?"
BEYOND = (
    f"cannot be read within {CPU} s and 1 GB of memory: clear all outputs, take out what is no work of yours and hand "
    "it in again"
)


def limited(work: Callable[..., bytes], *given) -> bytes:
    """`work(*given)` in a child. Raises Refused where it does, and where it needs too much time or memory."""
    source, sink = os.pipe()
    parent = os.getpid()
    with warnings.catch_warnings():  # of forking beside threads: the child takes no lock of theirs
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        child(parent, sink, work, given)
    os.close(sink)
    try:
        said = received(source)
    finally:
        os.close(source)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    kind, words = said[:1], said[1:]
    if kind == FAULT:
        raise RuntimeError(words.decode())
    if kind != FOUND:
        raise Refused(words.decode() or BEYOND)
    return words


def received(source: int) -> bytes:
    """All that the child says until it ends; nothing where it takes too long."""
    parts, size, end, poll = [], 0, time.monotonic() + PATIENCE, select.poll()
    poll.register(source, select.POLLIN)
    while size <= MOST_SAID and poll.poll(max(0.0, end - time.monotonic()) * 1000):
        part = os.read(source, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    return b""


def child(parent: int, sink: int, work: Callable[..., bytes], given):
    try:
        restrict(parent)
        said = FOUND + work(*given)
    except Refused as refusal:
        said = REFUSED + str(refusal).encode(errors="replace")
    except (MemoryError, RecursionError):
        said = REFUSED + BEYOND.encode()
    except BaseException as error:
        said = FAULT + f"{type(error).__name__}: {error}".encode(errors="replace")
    try:
        with open(sink, "wb") as file:
            file.write(said)
    finally:
        os._exit(0)


def restrict(parent: int):
    """From here on this process ends with its parent, with its share of time, or with a signal."""
    gc.disable()
    faulthandler.disable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform.startswith("linux"):
        limits.end_with(parent)
        memory = limits.address_space() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
