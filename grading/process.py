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

from .inside import frames

TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
START_SECONDS = 180
POLL = 0.1


class WorkerGone(Exception):
    """The worker ended, stopped itself or broke the protocol; the text says which."""


class WorkerSlow(WorkerGone):
    """The worker used up the time that it was given."""


class Process:
    """`Process(start)` calls `start(fd)` for a subprocess and waits for its hello; `ask` sends a frame, gets one."""

    def __init__(self, start):
        self.link, other = socket.socketpair()
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.link.setblocking(False)
        self.pid, self.number, self.popen = 0, 0, None
        try:
            with other:
                self.popen = start(other.fileno())
            os.set_blocking(self.popen.stderr.fileno(), False)
            self.receive(START_SECONDS, START_SECONDS)
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
        started = self.cpu()
        self.send(frames.encode(header | {"n": self.number}, arrays), wall)
        return self.receive(started + cpu, wall, cpu)

    def send(self, data: bytes, wall: float):
        end, view = time.monotonic() + wall, memoryview(data)
        while view:
            self.wait(select.POLLOUT, end, float("inf"), wall)
            try:
                view = view[self.link.send(view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise WorkerGone("the process ended") from error

    def receive(self, cpu_end: float, wall: float, cpu: float | None = None):
        end = time.monotonic() + wall
        try:
            head, body = frames.sizes(self.read(frames.PREFIX.size, end, cpu_end, cpu or wall))
            header, arrays = frames.decode(
                self.read(head, end, cpu_end, cpu or wall), self.read(body, end, cpu_end, cpu or wall)
            )
        except frames.FrameError as error:
            raise WorkerGone(f"the process sent {error}") from error
        if header.get("n") != self.number:
            raise WorkerGone("the process sent an answer to no question")
        return header, arrays

    def read(self, size: int, end: float, cpu_end: float, budget: float) -> bytes:
        parts = []
        while size:
            self.wait(select.POLLIN, end, cpu_end, budget)
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

    def wait(self, event: int, end: float, cpu_end: float, budget: float):
        """Until the socket is ready. Raises WorkerSlow at a deadline, WorkerGone where the process stopped itself."""
        poll = select.poll()
        poll.register(self.link, event)
        while not poll.poll(POLL * 1000):
            if self.cpu() > cpu_end:
                raise WorkerSlow(f"more than {budget:.0f} s of computing")
            if time.monotonic() > end:
                raise WorkerSlow("no answer within the time allowed")
            if self.state() in ("T", "t"):
                raise WorkerGone("the process stopped itself")
        if time.monotonic() > end:
            raise WorkerSlow("no answer within the time allowed")

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
