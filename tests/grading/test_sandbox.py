"""What a student's code finds in the sandbox: its work folder, this Python, and nothing of ours."""

import errno
from pathlib import Path

import pytest

import dgmlib
import grading
from grading import sandbox
from grading.sandbox import bwrap, plain
from grading.session import Session

CHECKOUT = Path(grading.__file__).resolve().parent.parent

LIBC = "import ctypes, os; c = ctypes.CDLL(None, use_errno=True)\nif c.{} < 0: raise OSError(ctypes.get_errno(), '')"
NO_OURS = "import sys; assert not [m for m in sys.modules if m.startswith('grading')]; raise LookupError"
NO_VARIABLES = "import os; assert not {'PYTHONPATH', 'OLDPWD', 'SSH_AUTH_SOCK'} & set(os.environ); raise LookupError"
THREADS = """import threading
e = threading.Event()
try:
    for _ in range(2000): threading.Thread(target=e.wait, daemon=True).start()
finally: e.set()"""
LARGE = """import os
try: open('big', 'wb').write(bytes(200_000_000))
finally: os.unlink('big')"""
SOLUTION = CHECKOUT / "solutions" / "00_flows_recap" / "flows_recap.ipynb"

DENIED = {
    "read the solutions": f"open({str(SOLUTION)!r})",
    "list the checkout": f"import os; os.listdir({str(CHECKOUT / 'grading')!r})",
    "read the gradebook": f"open({str(CHECKOUT / 'grading' / 'gradebook.db')!r})",
    "read the home folder": f"import os; os.listdir({str(Path.home() / '.cache')!r})",
    "read /etc/passwd": "open('/etc/passwd')",
    "read another process": "open('/proc/1/environ').read() and 1/0; raise PermissionError",
    "write to /usr": "open('/usr/x', 'w')",
    "write to the stage": "import dgmlib; open(dgmlib.__file__, 'a')",
    "write to a kernel setting": "open('/proc/sys/kernel/core_pattern', 'w')",
    "import dgmlib.flows": "import dgmlib.flows",
    "import the references": "import dgmlib.checks.engine.exercise",
    "import the grader": "import grading.judge",
    "open a connection": "import socket; socket.create_connection(('127.0.0.1', 80), 1)",
    "open a Unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "open a vsock": "import socket; socket.socket(40, 1)",
    "fork": "import os; os.fork()",
    "start a program": "import subprocess; subprocess.run(['/usr/bin/id'])",
    "posix_spawn": "import os; os.posix_spawn('/usr/bin/id', ['id'], {})",
    "become a program": "import os; os.execv('/usr/bin/id', ['id'])",
    "memfd_create": "import os; os.memfd_create('x')",
    "kill everything": "import os; os.kill(-1, 9)",
    "kill the parent": "import os; os.kill(os.getppid(), 9)",
    "unshare": LIBC.format("unshare(0x10000000)"),
    "ptrace": LIBC.format("ptrace(0, 0, 0, 0)"),
    "shared memory": LIBC.format("shmget(0, 4096, 0o1600)"),
    "keyctl": LIBC.format("syscall(250, 0, 0)"),
    "io_uring": LIBC.format("syscall(425, 8, 0)"),
    "more memory than allowed": "bytearray(6 * 2**30)",
    "raise a limit": "import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1))",
    "a large file": LARGE,
    "500 files": "files = [open('/dev/null') for _ in range(500)]",
    "2000 threads": THREADS,
    "find the grader's modules": NO_OURS,
    "environment": NO_VARIABLES,
}
EXPECTED = (
    "PermissionError", "FileNotFoundError", "ModuleNotFoundError", "OSError", "MemoryError", "RuntimeError",
    "LookupError", "BlockingIOError", "ValueError", "NotADirectoryError",
)  # fmt: skip


@pytest.mark.parametrize("name", DENIED)
def test_denied(shared_session, name):
    error, _ = shared_session.cell(name, DENIED[name])
    assert error.startswith(EXPECTED), error or "it worked"


def other(kind: str, stage, warm: bool):
    """A session in another sandbox than the tests' own."""
    try:
        found = sandbox.choose(kind)
    except sandbox.SandboxError as error:
        pytest.skip(str(error))
    found = sandbox.Warm(found) if warm else found
    with Session(lambda link: found.start(stage, link), 1, 600) as session:
        yield session
    if warm:
        found.close()


@pytest.fixture(scope="module")
def cold(stage):
    yield from other("bwrap", stage, warm=False)


@pytest.fixture(scope="module")
def landlocked(stage):
    yield from other("landlock", stage, warm=True)


@pytest.mark.parametrize("name", DENIED)
def test_denied_to_a_cold_worker(cold, name):
    error, _ = cold.cell(name, DENIED[name])
    assert error.startswith(EXPECTED), error or "it worked"


@pytest.mark.parametrize("name", DENIED)
def test_denied_by_landlock(landlocked, name):
    error, _ = landlocked.cell(name, DENIED[name])
    assert error.startswith(EXPECTED), error or "it worked"


WORKS = {
    "threads": "import threading; t = threading.Thread(target=print); t.start(); t.join()",
    "a file of its own": "import torch; torch.save(torch.ones(2), 'w.pt'); torch.load('w.pt')",
    "plots": "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show(); plt.savefig('x.png')",
    "magics": "%matplotlib inline\n%time x = 1\nassert x == 1\n!pip install something",
    "cell magics": "%%time\ny = 2",
    "await": "import asyncio\nawait asyncio.sleep(0)",
    "autograd": "import torch; x = torch.ones(3, requires_grad=True); (x * x).sum().backward()",
    "parallel loaders": "import torch; list(torch.utils.data.DataLoader(torch.arange(4)))",
    "scikit-learn": "import sklearn.datasets; sklearn.datasets.load_digits()",
    "data and figures": "from dgmlib import data, plotting; from dgmlib.checks import check; check('x', 1)",
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


def test_the_stage_holds_no_references(stage):
    files = {str(p.relative_to(stage.path)) for p in stage.path.rglob("*.py")}
    assert "dgmlib/data.py" in files
    assert "dgmlib/checks/run/__init__.py" in files
    assert not [f for f in files if "flows/" in f or f.startswith(("dgmlib/checks/exercises", "dgmlib/checks/engine"))]
    assert (stage.path / "dgmlib/__init__.py").read_text() != Path(dgmlib.__file__).read_text()


def test_open_modules_enter(tmp_path):
    stage = sandbox.Stage(("kl",))
    assert (stage.path / "dgmlib" / "kl.py").is_file()
    stage.close()
    with pytest.raises(ValueError, match="no module 'nothing'"):
        sandbox.Stage(("nothing",))


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
