"""A fork server in front of a sandbox: torch is imported once, each submission gets a fork in namespaces of its own.

Where that does not work (no nested user namespaces), or for a kind without walls, every worker starts cold.
"""

import atexit
import contextlib
import os
import select
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .bundle import Bundle

START_SECONDS = 180
WARMS = ("bwrap", "landlock")


class Forked:
    """A worker that the server forked, in the place of a Popen: the link's first sender is its process."""

    pid = 0
    stderr = None

    def wait(self, timeout=None):
        return 0


@dataclass
class Server:
    process: subprocess.Popen
    control: socket.socket
    answer: str

    def alive(self) -> bool:
        # Asks the kernel, not Popen: the pool's processes share a server that only one of them may wait for.
        with contextlib.suppress(OSError):
            return not select.select([self.control], [], [], 0)[0]
        return False

    def close(self):
        self.control.close()
        with contextlib.suppress(OSError):
            os.kill(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        getattr(self.process, "cleanup", lambda: None)()


@dataclass
class ForkServerSandbox:
    """The same as the sandbox that it wraps, and quicker."""

    cold: object
    servers: dict[Path, Server] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.cold.kind

    @property
    def how(self) -> str:
        return self.cold.how

    def start(self, stage: Bundle, link: int, hidden: tuple[Path, ...] = ()):
        if self.kind not in WARMS:
            return self.cold.start(stage, link, hidden)
        server = self.server(stage, hidden)
        if server.answer != "ready":
            return self.cold.start(stage, link, hidden)
        socket.send_fds(server.control, [b"fork"], [link])
        return Forked()

    def server(self, stage: Bundle, hidden: tuple[Path, ...] = ()) -> Server:
        """The stage's server, started at need."""
        server = self.servers.get(stage.path)
        if server is None or (server.answer == "ready" and not server.alive()):
            if server:
                server.close()
            self.servers[stage.path] = self.begin(stage, hidden)
        return self.servers[stage.path]

    def begin(self, stage: Bundle, hidden: tuple[Path, ...]) -> Server:
        control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            process = self.cold.start(stage, other.fileno(), hidden, "forkserver")
        control.settimeout(START_SECONDS)
        try:
            answer = control.recv(300).decode(errors="replace")
        except OSError:
            answer = ""
        server = Server(process, control, answer or "the fork server did not start")
        atexit.register(server.close)
        return server

    def close(self):
        for server in self.servers.values():
            server.close()
        self.servers.clear()
