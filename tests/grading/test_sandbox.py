"""What a student's code finds in the sandbox: its work folder, this Python, and nothing of ours."""

import errno
import shutil
import time
from pathlib import Path

import pytest

import dgmlib
import grading
from grading.running import sandbox
from grading.running.sandbox import bwrap, plain
from grading.running.session import Session

CHECKOUT = Path(grading.__file__).resolve().parent.parent

LIBC = "import ctypes, os; c = ctypes.CDLL(None, use_errno=True)\nif c.{} < 0: raise OSError(ctypes.get_errno(), 'no')"
DATAGRAM = "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', '@datagrams')"
CONNECT = "import socket; assert socket.create_connection(('127.0.0.1', @port), 1).recv(6)"
BUFFERS = "import socket; socket.socketpair()[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)"
OWNED = "import fcntl, os; fcntl.fcntl(os.pipe()[0], fcntl.{}, {})"
OURS = """import sys
for name in [m for m in sys.modules if m.startswith('dgmlib')]: del sys.modules[name]
sys.path.insert(0, '@checkout')
"""
IDLE = "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))"
SHARED = """import ctypes
c = ctypes.CDLL(None, use_errno=True); segment = c.shmget(0, 4096, 0o1600)
if segment < 0: raise OSError(ctypes.get_errno(), 'no')
c.shmctl(segment, 0, None)"""
RENAME = "import os; os.rename('@root/home', '@root/gone'); os.rename('@root/gone', '@root/home')"
HIDDEN = ("FileNotFoundError: [Errno 2]", "PermissionError: [Errno 13]")  # not there, or closed by Landlock
REFUSED = ("PermissionError: [Errno 1]",)  # by the filter
READ_ONLY = (*HIDDEN, "OSError: [Errno 30]")
CLOSED = (
    "ClosedInGrading: this part of dgmlib is closed while grading: write it yourself",
    "PermissionError: [Errno 13]",
)
NO_MODULE = ("ModuleNotFoundError: No module named", "PermissionError: [Errno 13]")

# name: what it asks for, and what it must hear.
DENIED = {
    "read the solutions": ("open('@root/solutions/00_flows_recap/flows_recap.ipynb')", HIDDEN),
    "list the checkout": ("import os; os.listdir('@checkout/grading')", HIDDEN),
    "read the history": ("open('@root/.git/objects/ab/cdef')", HIDDEN),
    "read the gradebook": ("open('@root/grading/gradebook.db')", HIDDEN),
    "read the secret": ("open('@root/grading/secret')", HIDDEN),
    "list classmates": ("import os; os.listdir('@root/grading/submitted')", HIDDEN),
    "read the home folder": ("open('@root/home/.ssh/id_ed25519')", HIDDEN),
    "read /etc/passwd": ("open('/etc/passwd')", HIDDEN),
    "read about another process": ("open('/proc/@pid/cmdline')", HIDDEN),
    "write into the checkout": ("open('@root/open/x', 'w')", READ_ONLY),
    "rename a folder": (RENAME, READ_ONLY),
    "call dgmlib.flows": (OURS + "import dgmlib.flows, torch; dgmlib.flows.LULinear(torch.eye(2))", CLOSED),
    "import the references": (OURS + "import dgmlib.checks.engine.exercise", NO_MODULE),
    "import the grader": (OURS + "import grading.notebook.parse", NO_MODULE),
    "open a connection": (CONNECT, REFUSED),
    "listen": ("import socket; socket.create_server(('127.0.0.1', 0))", REFUSED),
    "open a Unix socket": ("import socket; socket.socket(socket.AF_UNIX)", REFUSED),
    "send a datagram to a Unix socket": (DATAGRAM, REFUSED),
    "large socket buffers": (BUFFERS, REFUSED),
    "fork": ("import os; os.fork() or os._exit(0)", REFUSED),
    "start a program": ("import subprocess; subprocess.run(['/usr/bin/id'])", REFUSED),
    "posix_spawn": ("import os; os.posix_spawn('/usr/bin/id', ['id'], {})", REFUSED),
    "become a program": ("import os; os.execv('/usr/bin/id', ['id'])", REFUSED),
    "memfd_create": ("import os; os.memfd_create('x')", REFUSED),
    "signal everything": ("import os; os.kill(-1, 0)", REFUSED),
    "signal the parent": ("import os; os.kill(os.getppid(), 0)", REFUSED),
    "be told of a pipe by signals": (OWNED.format("F_SETOWN", "os.getppid()"), REFUSED),
    "choose that signal": (OWNED.format("F_SETSIG", "9"), REFUSED),
    "watch a folder": (LIBC.format("inotify_init()"), REFUSED),
    "unshare": (LIBC.format("unshare(0x200)"), REFUSED),
    "ptrace": (LIBC.format("ptrace(0, 0, 0, 0)"), REFUSED),
    "shared memory": (SHARED, REFUSED),
    "another scheduler": (f"import os; {IDLE}", REFUSED),
    "a lower priority": ("import os; os.setpriority(os.PRIO_PROCESS, 0, 10)", REFUSED),
}  # fmt: skip
ENDED = "this cell ended the process"  # another program took its place


def ask(session, canaries, name: str) -> str:
    return session.cell(name, canaries.fill(DENIED[name][0]))[0]


@pytest.mark.parametrize("name", DENIED)
def test_without_a_sandbox_it_works(exposed, canaries, name):
    """The control: what is called denied below is possible on this machine."""
    with Session(exposed, 1, 600) as session:
        error = ask(session, canaries, name)
    assert error.startswith(ENDED) if name == "become a program" else error == ""


@pytest.mark.parametrize("name", DENIED)
def test_denied(shared_session, canaries, name):
    error = ask(shared_session, canaries, name)
    assert error.startswith(DENIED[name][1]), error or "it worked"


def other(kind: str, bundle, hidden: tuple, warm: bool):
    """A session in another sandbox than the tests' own."""
    try:
        found = sandbox.choose(kind)
    except sandbox.SandboxError as error:
        pytest.skip(str(error))
    found = sandbox.ForkServerSandbox(found) if warm else found
    with Session(lambda link: found.start(bundle, link, hidden), 1, 600) as session:
        yield session
    if warm:
        found.close()


@pytest.fixture(scope="module")
def cold(bundle, canaries):
    yield from other("bwrap", bundle, canaries.hidden, warm=False)


@pytest.fixture(scope="module")
def landlocked(bundle, canaries):
    yield from other("landlock", bundle, canaries.hidden, warm=True)


@pytest.mark.parametrize("name", DENIED)
def test_denied_to_a_cold_worker(cold, canaries, name):
    error = ask(cold, canaries, name)
    assert error.startswith(DENIED[name][1]), error or "it worked"


@pytest.mark.parametrize("name", DENIED)
def test_denied_by_landlock(landlocked, canaries, name):
    error = ask(landlocked, canaries, name)
    assert error.startswith(DENIED[name][1]), error or "it worked"


THREADS = """import threading
e = threading.Event()
try:
    for _ in range(2000): threading.Thread(target=e.wait, daemon=True).start()
finally: e.set()"""
LARGE = """import os
try: open('big', 'wb').write(bytes(200_000_000))
finally: os.unlink('big')"""
# These hold without a sandbox, too: they are the process's own.
LIMITS = {
    "more memory than allowed": ("bytearray(6 * 2**30)", "MemoryError"),
    "raise a limit": ("import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1))", "ValueError: not allowed to raise"),
    "a large file": (LARGE, "OSError: [Errno 2"),  # 27, too large, or 28, no space left
    "500 files": ("files = [open('/dev/null') for _ in range(500)]", "OSError: [Errno 24]"),
    "2000 threads": (THREADS, "RuntimeError: can't start new thread"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limited(shared_session, name):
    source, expected = LIMITS[name]
    error, _ = shared_session.cell(name, source)
    assert error.startswith(expected), error or "it worked"


OPEN_FILES = """import os
for fd in range(256):
    try: print(fd, os.readlink(f'/proc/self/fd/{fd}').split(':')[0])
    except OSError: pass"""


def test_a_worker_holds_nothing_of_the_graders(session):
    """Its files, its variables, its modules: each list is complete."""
    _, files = session.cell("files", OPEN_FILES)
    loop = ["anon_inode", "socket", "socket"]  # the event loop's own
    assert sorted(line.split()[1] for line in files.splitlines()) == sorted(["/dev/null"] * 3 + ["socket", *loop])
    _, names = session.cell("variables", "import os; print(*sorted(os.environ))")
    known = {"HOME", "TMPDIR", "MPLCONFIGDIR", "PWD", *bwrap.ENVIRONMENT}
    known |= {"TORCHDYNAMO_DISABLE"}  # the worker's: an answer may be compiled, and nothing is
    known |= {"LC_CTYPE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "TORCHINDUCTOR_CACHE_DIR"}  # torch sets its own
    assert {"HOME", "USER"} <= set(names.split()) <= known
    _, modules = session.cell("modules", "import sys; print(*sorted({m.split('.')[0] for m in sys.modules}))")
    assert {"torch", "worker", "dgmlib"} <= set(modules.split())
    assert not {"grading", "nbgrader", "pytest", "sqlalchemy"} & set(modules.split())
    _, modules = session.cell("library", "import sys; print(*(m for m in sys.modules if m.startswith('dgmlib.')))")
    assert "dgmlib.checks.run" in modules.split()
    assert not {"dgmlib.flows", "dgmlib.kl", "dgmlib.checks.engine", "dgmlib.checks.exercises"} & set(modules.split())


OPTIMISER = """import torch
w = torch.ones(3, requires_grad=True)
(w * w).sum().backward()
torch.optim.Adam([w]).step()"""
WORKS = {
    "threads": "import threading; t = threading.Thread(target=print); t.start(); t.join()",
    "a file of its own": "import torch; torch.save(torch.ones(2), 'w.pt'); torch.load('w.pt')",
    "plots": "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show(); plt.savefig('x.png')",
    "magics": "%matplotlib inline\n%time x = 1\nassert x == 1\n!pip install something",
    "cell magics": "%%time\ny = 2",
    "await": "import asyncio\nawait asyncio.sleep(0)",
    "an event loop with threads": "import asyncio\nawait asyncio.to_thread(sum, [1, 2])",
    "an optimiser step": OPTIMISER,
    "a pool of threads": "from concurrent.futures import ThreadPoolExecutor as P\nwith P(4) as p: [*p.map(abs, [-1])]",
    "autograd": "import torch; x = torch.ones(3, requires_grad=True); (x * x).sum().backward()",
    "parallel loaders": "import torch; list(torch.utils.data.DataLoader(torch.arange(4)))",
    "scikit-learn": "import sklearn.datasets; sklearn.datasets.load_digits()",
    "data and figures": "from dgmlib import data, plotting; from dgmlib.checks import check, yours; check('x', 1)",
    "guesses": "from dgmlib.guesses import Guesses; Guesses().compare('How many?', 2, 3)",
    "display": "display(1)\nget_ipython().run_line_magic('timeit', '1')",
}


@pytest.mark.parametrize("name", WORKS)
def test_works(shared_session, name):
    assert shared_session.cell(name, WORKS[name])[0] == ""


def test_the_worker_is_nobody(shared_session):
    code = "import os\nprint(os.getuid(), [l for l in open('/proc/self/status') if l[:6] in ('CapEff', 'Seccom')])"
    _, printed = shared_session.cell("who", code)
    assert "CapEff:\\t0000000000000000" in printed
    assert "Seccomp:\\t2" in printed
    assert not printed.startswith("0 ")


def test_under_bwrap_the_machine_has_no_name(shared_session, cage):
    if cage.kind != "bwrap":
        pytest.skip("bubblewrap does not work here")
    _, printed = shared_session.cell("name", "import os, socket; print(os.uname().nodename, socket.gethostname())")
    assert printed.split() == ["sandbox", "sandbox"]


def test_the_bundle_holds_no_references(bundle):
    files = {str(p.relative_to(bundle.path)) for p in bundle.path.rglob("*.py")}
    assert "dgmlib/data.py" in files
    assert "dgmlib/checks/run/__init__.py" in files
    assert not [f for f in files if "flows/" in f or f.startswith(("dgmlib/checks/exercises", "dgmlib/checks/engine"))]
    assert (bundle.path / "dgmlib/__init__.py").read_text() != Path(dgmlib.__file__).read_text()


def test_open_modules_enter(tmp_path):
    bundle = sandbox.Bundle().fill(("kl",))
    assert (bundle.path / "dgmlib" / "kl.py").is_file()
    bundle.close()
    with pytest.raises(ValueError, match="no module 'nothing'"):
        sandbox.Bundle().fill(("nothing",))


def test_another_user_reads_a_stage_whoever_may_read_the_checkout(tmp_path):
    library = tmp_path / "dgmlib"
    shutil.copytree(Path(dgmlib.__file__).parent, library)
    for path in library.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    bundle = sandbox.Bundle().fill(("kl",), library)
    assert all(path.stat().st_mode & 0o004 for path in bundle.path.rglob("*"))
    bundle.close()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="expected one of auto"):
        sandbox.choose("docker")


def test_without_any_sandbox_auto_refuses_and_says_what_to_do(monkeypatch):
    monkeypatch.setattr(bwrap, "binaries", list)
    monkeypatch.setattr(plain.landlock, "abi", lambda: 0)
    with pytest.raises(sandbox.SandboxError, match=r"no bubblewrap installed.*no Landlock.*To do: install bubblewrap"):
        sandbox.choose("auto")
    assert sandbox.choose("none").kind == "none"


def test_landlock_is_the_second_choice(monkeypatch):
    monkeypatch.setattr(bwrap, "binaries", lambda: [("a broken", "/bin/false")])
    assert sandbox.choose("auto").kind == "landlock"


INODES = """import os
made = 0
try:
    for number in range(20_000):
        os.mknod(f'/tmp/{number}'); made += 1
except OSError as error: print(made, error.errno)
for number in range(made): os.unlink(f'/tmp/{number}')"""


@pytest.mark.parametrize("kind", ["shared_session", "cold"])
def test_inodes_are_bounded(kind, request):
    session = request.getfixturevalue(kind)
    _, printed = session.cell("inodes", INODES)
    made, error = map(int, printed.split())
    assert made < 4096
    assert error == errno.ENOSPC


def test_what_is_imported_early_needs_no_library_yet():
    box, early = (
        sandbox.choose("bwrap"),
        "import sys; sys.path[:0] = ['/dgm']; from worker import main; main.import_{}()",
    )
    for what, ends in (("libraries", 0), ("course", 1)):
        ran = box.run([*bwrap.PYTHON, "-c", early.format(what)], sandbox.Bundle().path, (CHECKOUT,))
        said = ran.communicate(timeout=120)[1].decode()
        assert (ran.returncode, "No module named 'dgmlib'" in said) == (ends, bool(ends)), said


def test_a_fork_server_that_was_begun_early_serves_the_first_bundle():
    made = sandbox.ForkServerSandbox(sandbox.choose("auto"))
    made.begin()
    made.begin()
    (begun,) = made.servers.values()
    assert "answer" not in vars(begun)  # nobody waited
    bundle, other = made.bundle(("kl",)), made.bundle()
    assert made.server(bundle) is begun
    assert begun.answer == "ready"
    with Session(lambda link: made.start(bundle, link), 1, 600) as session:
        assert session.cell("open", "import dgmlib.kl; print(dgmlib.kl.__name__)") == ("", "dgmlib.kl\n")
    late = made.server(other)
    assert late is not begun
    assert vars(late)["answer"] == "ready"  # waited for here: it answers once, and forked processes share it
    begun.process.kill()
    begun.process.wait()
    end = time.monotonic() + 30
    while begun.alive() and time.monotonic() < end:  # what stood in bubblewrap ends a moment after it
        time.sleep(0.01)
    assert made.server(bundle) is not begun
    made.close()
