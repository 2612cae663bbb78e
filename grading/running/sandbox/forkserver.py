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
from functools import cached_property
from pathlib import Path
from typing import Any

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

    @cached_property
    def answer(self) -> str:
        """ "ready", or why not: waits for it."""
        try:
            answer = self.control.recv(300).decode(errors="replace")
        except OSError:
            answer = ""
        return answer or "the fork server did not start"

    def filled(self):
        """Tell it that its bundle is; one that died is noticed when its answer is waited for."""
        with contextlib.suppress(OSError):
            self.control.send(b"filled")

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

    cold: Any
    servers: dict[Path, Server] = field(default_factory=dict)
    begun: Bundle | None = None  # whose server is starting while nobody knows yet what is to fill it

    @property
    def kind(self) -> str:
        return self.cold.kind

    @property
    def how(self) -> str:
        return self.cold.how

    def start(self, bundle: Bundle, link: int, hidden: tuple[Path, ...] = (), preloads: tuple[str, ...] = ()):
        """`preloads`: what the worker will want imported, by the names of `worker.main.PRELOADS`."""
        server = self.server(bundle, hidden)
        if server is None or server.answer != "ready":
            return self.cold.start(bundle, link, hidden)
        socket.send_fds(server.control, [" ".join(("fork", *preloads)).encode()], [link])
        return Forked()

    def begin(self, hidden: tuple[Path, ...] = ()):
        """Start the server of the bundle that is asked for next; it imports for seconds, as its grader does."""
        if self.begun is None and self.kind in WARMS:
            self.begun = Bundle()
            self.launch(self.begun, hidden)
            self.begun.add_fonts()  # it wants them once torch is imported

    def bundle(self, open_modules: tuple[str, ...] = ()) -> Bundle:
        """What enters, for its server if one was begun. Raises ValueError for a module that dgmlib lacks."""
        made, self.begun = (self.begun or Bundle()).fill(open_modules), None
        if server := self.servers.get(made.path):
            server.filled()
        return made

    def server(self, bundle: Bundle, hidden: tuple[Path, ...] = ()) -> Server | None:
        """A filled bundle's server, started at need; None for a kind without walls. Waited for, since it answers once:
        processes that are forked from here share it."""
        server = self.servers.get(bundle.path)
        if server and server.answer == "ready" and not server.alive():
            self.servers.pop(bundle.path).close()
            server = None
        if server is None and self.kind in WARMS:
            server = self.launch(bundle, hidden)
            server.filled()
        return server if server and server.answer else None

    def launch(self, bundle: Bundle, hidden: tuple[Path, ...]) -> Server:
        control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            process = self.cold.start(bundle, other.fileno(), hidden, "forkserver")
        control.settimeout(START_SECONDS)
        server = self.servers[bundle.path] = Server(process, control)
        atexit.register(server.close)
        return server

    def close(self):
        for server in self.servers.values():
            server.close()
        self.servers.clear()
