"""One worker process as seen from outside: a socket to it, its CPU time, its end. Everything it says is hostile."""

import array
import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

from .worker import frames

TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
START_SECONDS = 180
POLL = 0.1
PATIENCE = 10  # times the wall clock: then a worker ends that wants a processor for ever and gets none


class WorkerGone(Exception):
    """The worker ended, stopped itself or broke the protocol; the text says which."""


class WorkerSlow(WorkerGone):
    """The worker used up the time that it was given."""


class WorkerEnded(WorkerGone):
    """The submission used up what it was given as a whole: nothing more is asked of its workers."""


class Process:
    """`Process(start)` calls `start(fd)` for a subprocess and waits for its hello; `ask` sends a frame, gets one."""

    def __init__(self, start):
        self.link, other = socket.socketpair()
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.link.setblocking(False)
        self.pid, self.number, self.popen = 0, 0, None
        self.waited = 0.0  # seconds that it was waited for, though it had a processor or wanted none
        try:
            with other:
                self.popen = start(other.fileno())
            if self.popen.stderr:
                os.set_blocking(self.popen.stderr.fileno(), False)
            self.receive(START_SECONDS)
        except WorkerGone as error:
            said = self.said()
            self.close()
            raise WorkerGone(f"{error}: {said}" if said else str(error)) from error
        except BaseException:
            self.close()
            raise

    def ask(self, header: dict, arrays=None, cpu: float = 20, wall: float = 60):
        """One request, one answer `(header, arrays)`. Raises WorkerGone, WorkerSlow."""
        self.number += 1
        self.send(frames.encode(header | {"n": self.number}, arrays), wall)
        return self.receive(wall, cpu)

    def send(self, data: bytes, wall: float):
        clock, view = Clock(self, wall), memoryview(data)
        while view:
            clock.wait(select.POLLOUT)
            try:
                view = view[self.link.send(view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise WorkerGone("the process ended") from error

    def receive(self, wall: float, cpu: float = float("inf")):
        clock = Clock(self, wall, cpu)
        try:
            head, body = frames.sizes(self.read(frames.PREFIX.size, clock))
            header, arrays = frames.decode(self.read(head, clock), self.read(body, clock))
        except frames.FrameError as error:
            raise WorkerGone(f"the process sent {error}") from error
        if header.get("n") != self.number:
            raise WorkerGone("the process sent an answer to no question")
        return header, arrays

    def read(self, size: int, clock: "Clock") -> bytes:
        parts = []
        while size:
            clock.wait(select.POLLIN)
            try:
                part, ancillary, _, _ = self.link.recvmsg(min(size, 1 << 20), 256)
            except BlockingIOError:
                continue
            except OSError as error:
                raise WorkerGone("the process ended") from error
            self.look(ancillary)
            if not part:
                raise WorkerGone("the process ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def look(self, ancillary):
        """The kernel says who sends: the first sender is the worker. Files that it sends along are closed."""
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and not self.pid:
                self.pid = struct.unpack("iII", data[:12])[0]
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files = array.array("i", data[: len(data) // 4 * 4])
                for file in files:
                    os.close(file)

    def stat(self) -> list[str]:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split() if self.pid else []
        except OSError:
            return []

    def cpu(self) -> float:
        """Seconds of CPU used so far by all threads of the worker."""
        stat = self.stat()
        return (int(stat[11]) + int(stat[12])) / TICK if stat else 0.0

    def state(self) -> str:
        return (self.stat() or [""])[0]

    def said(self) -> str:
        """The last words of a worker that did not start."""
        try:
            self.popen.wait(2)
            return (self.popen.stderr.read(4000) or b"").decode(errors="replace").strip()[-500:]
        except (OSError, AttributeError, subprocess.TimeoutExpired):
            return ""

    def close(self):
        """End it, whatever it does."""
        self.link.close()
        if not self.popen:
            return
        for pid in filter(None, (self.pid, self.popen.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.popen.wait()
        if self.popen.stderr:
            self.popen.stderr.close()
        getattr(self.popen, "cleanup", lambda: None)()


class Clock:
    """The time that a worker has for one answer: `cpu` seconds of computing, `wall` seconds of waiting for it.

    While the worker wants a processor and has none, no time passes: a loaded machine costs nobody points. Yet after
    `PATIENCE` times the wall clock it ends, whatever it claims to want.
    """

    def __init__(self, process: Process, wall: float, cpu: float = float("inf")):
        self.process, self.wall, self.cpu = process, wall, cpu
        self.end, self.cpu_end = time.monotonic() + wall, process.cpu() + cpu
        self.last = time.monotonic() + PATIENCE * wall

    def wait(self, event: int):
        """Until the socket is ready. Raises WorkerSlow at the end, WorkerGone where the process stopped itself."""
        poll = select.poll()
        poll.register(self.process.link, event)
        while True:
            before = time.monotonic()
            ready = poll.poll(POLL * 1000)
            now, state = time.monotonic(), "" if ready else self.process.state()
            if state in ("R", "D"):
                self.end += now - before
            else:
                self.process.waited += now - before
            if now > min(self.end, self.last) or (not ready and self.process.cpu() > self.cpu_end):
                raise WorkerSlow(self.allowed())
            if state in ("T", "t"):
                raise WorkerGone("the process stopped itself")
            if ready:
                return

    def allowed(self) -> str:
        computing = f"{self.cpu:.0f} s of computing or " if self.cpu < float("inf") else ""
        return f"allowed are {computing}{self.wall:.0f} s of waiting"
