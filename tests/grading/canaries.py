"""What there is to steal: a course folder with all that a grader keeps, a server that listens, files of somebody's.

It lies below this Python's own prefix, which every sandbox shows: the place where hiding it is hardest.
"""

import os
import shutil
import socket
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from grading.course import CHECKOUT

MARK = "CANARY-5b1f"
ALL = Path(sys.prefix) / "share" / "dgm-canaries"
FILES = (
    "solutions/00_flows_recap/flows_recap.ipynb", "grading/gradebook.db", "grading/secret", "home/.ssh/id_ed25519",
    "grading/submitted/bob/00_flows_recap/flows_recap.ipynb", "grading/verdicts/4f.json", ".git/objects/ab/cdef",
)  # fmt: skip


@dataclass
class Canaries:
    """`fill(code)` puts the places into an attack: @root, @port, @datagrams, @shared, @pid, @checkout."""

    root: Path = field(default_factory=lambda: folder(ALL))
    sockets: list = field(default_factory=list)

    def plant(self) -> "Canaries":
        for name in FILES:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{MARK} {name}")
        (self.root / "open").mkdir()
        for place in (self.root / "open", self.root):
            place.chmod(0o777)
        self.shared, self.datagrams = folder(Path("/dev/shm")) / "segment", folder(None) / "socket"
        self.shared.write_text(MARK)
        self.listen()
        return self

    def listen(self):
        tcp, unix = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        unix.bind(str(self.datagrams))
        self.datagrams.chmod(0o777)
        self.port, self.sockets = tcp.getsockname()[1], [tcp, unix]
        threading.Thread(target=answer, args=(tcp,), daemon=True).start()

    def fill(self, code: str) -> str:
        places = {"root": self.root, "port": self.port, "datagrams": self.datagrams, "shared": self.shared}
        for name, value in (places | {"pid": os.getpid(), "checkout": CHECKOUT}).items():
            code = code.replace(f"@{name}", str(value))
        return code

    @property
    def hidden(self) -> tuple[Path, ...]:
        return CHECKOUT, ALL  # those of tests that run beside this one, too

    def remove(self):
        for opened in self.sockets:
            opened.close()
        for made in (self.shared.parent, self.datagrams.parent, self.root):
            shutil.rmtree(made)


def folder(above: Path | None) -> Path:
    """A new one that everybody may read."""
    ALL.mkdir(exist_ok=True, mode=0o755)
    made = Path(tempfile.mkdtemp(prefix="dgm-canaries-", dir=above))
    made.chmod(0o755)
    return made


def answer(listening: socket.socket):
    """Says the mark to whoever connects, until the socket is closed."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.sendall(MARK.encode())
