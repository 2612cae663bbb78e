"""Modes, owners, times and attributes of files outside: Landlock covers none of them, so the filter does."""

import contextlib
import fcntl
import os
import re
from pathlib import Path

import pytest

from grading.running import sandbox
from grading.running.sandbox.bwrap import NOBODY
from grading.running.session import Session
from grading.running.worker import seccomp

COLUMN, _ = seccomp.ARCHES[os.uname().machine]
# Each call of the families on the path or the file, as a C program would make it.
CALLS = {
    "chmod": "path, 0o777",
    "fchmod": "fd, 0o777",
    "fchmodat": "-100, path, 0o777, 0",
    "fchmodat2": "-100, path, 0o777, 0",
    "chown": "path, uid, gid",
    "fchown": "fd, uid, gid",
    "lchown": "path, uid, gid",
    "fchownat": "-100, path, uid, gid, 0",
    "utime": "path, long(1, 1)",
    "utimes": "path, long(1, 0, 1, 0)",
    "futimesat": "-100, path, long(1, 0, 1, 0)",
    "utimensat": "-100, path, long(1, 0, 1, 0), 0",
    "setxattr": "path, b'user.new', b'1', 1, 0",
    "lsetxattr": "path, b'user.new', b'1', 1, 0",
    "fsetxattr": "fd, b'user.new', b'1', 1, 0",
    "setxattrat": "-100, path, 0, b'user.new', long(value, 1), 16",
    "removexattr": "path, b'user.old'",
    "lremovexattr": "path, b'user.old'",
    "fremovexattr": "fd, b'user.old'",
    "removexattrat": "-100, path, 0, b'user.old'",
    "file_setattr": "-100, path, long(0x80, 0, 0, 0), 24, 0",
}
CODE = """import ctypes, os, struct
path, uid, gid = {path!r}, os.getuid(), {group}
content = ctypes.create_string_buffer(b'1'); value = ctypes.addressof(content)
def long(*words): return struct.pack(f'<{{len(words)}}Q', *words)
fd = os.open({readable!r}, os.O_RDONLY)
kernel = ctypes.CDLL(None, use_errno=True)
result = kernel.syscall({number}, {arguments})
print(result, ctypes.get_errno() if result else 0)
os.close(fd)
"""
IOCTLS = {"FS_IOC_SETFLAGS": 0x40086602, "FS_IOC_FSSETXATTR": 0x401C5820}


def state(path: Path) -> tuple:
    about = path.stat()
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    return about.st_mode, about.st_uid, about.st_gid, int(about.st_mtime), attributes, flags(path)


def flags(path: Path) -> bytes:
    """What chattr sets."""
    with path.open() as file, contextlib.suppress(OSError):
        return fcntl.ioctl(file, 0x80086601, bytes(8))
    return b""


@pytest.fixture(scope="module")
def landlocked(bundle):
    try:
        found = sandbox.ForkServerSandbox(sandbox.choose("landlock"))
    except sandbox.SandboxError as error:
        pytest.skip(str(error))
    with Session(lambda link: found.start(bundle, link), 1, 600) as session:
        yield session
    found.close()


@pytest.fixture(scope="module")
def bare(exposed):
    with Session(exposed, 1, 600) as session:
        yield session


@pytest.fixture
def victim(bundle):
    """A file in a folder that every sandbox lets a student read."""
    path = bundle.path / "victim"
    path.write_text("a gradebook")
    try:
        os.setxattr(path, "user.old", b"1")
    except OSError:
        pytest.skip("no attributes in the temporary folder's file system")
    yield path
    path.unlink()


def own(session: Session, path: Path):
    """Give a file to the very uid that a student's code has in a session."""
    if os.getuid() == 0:
        uid = int(session.cell("uid", "import os; print(os.getuid())")[1])
        os.chown(path, uid, uid)
    os.chmod(path, 0o4600)  # a change of owner clears the highest bit


def code(name: str, path: Path) -> str:
    number = seccomp.METADATA[name][COLUMN]
    arguments = CALLS[name].replace("path", "path.encode()")
    group = path.stat().st_gid
    return CODE.format(path=str(path), readable=str(path), number=number, arguments=arguments, group=group)


def has(name: str):
    if seccomp.METADATA[name][COLUMN] < 0:
        pytest.skip("this machine has no such call")


@pytest.mark.parametrize("name", CALLS)
def test_a_file_outside_is_as_before(landlocked, victim, name):
    has(name)
    own(landlocked, victim)
    before = state(victim)
    error, printed = landlocked.cell(name, code(name, victim))
    assert (error, printed) == ("", "0 0\n")
    assert state(victim) == before


@pytest.mark.parametrize("name", CALLS)
def test_without_a_sandbox_the_same_call_is_heard(bare, victim, name):
    has(name)
    own(bare, victim)
    before = state(victim)
    error, printed = bare.cell(name, code(name, victim))
    assert not error
    result, errno = map(int, printed.split())
    if errno in (38, 95) or (name == "file_setattr" and errno):  # a kernel or a file system without it
        pytest.skip(f"{name}: {os.strerror(errno)}")
    assert result == 0
    assert state(victim) != before


@pytest.mark.parametrize("name", IOCTLS)
def test_flags_of_a_file_that_can_be_read(landlocked, victim, name):
    own(landlocked, victim)
    ask = f"import fcntl; fcntl.ioctl(open({str(victim)!r}), {IOCTLS[name]}, bytes(32))"
    assert landlocked.cell(name, ask)[0].startswith("PermissionError: [Errno 1]")


def test_a_file_of_ones_own_is_copied_where_one_may_write(landlocked, shared_session):
    copy = "import shutil; shutil.copy({!r}, {!r})"
    assert landlocked.cell("copy", copy.format("/proc/cpuinfo", "/dev/null"))[0] == ""
    own = (
        copy.format("/proc/cpuinfo", "mine")
        + "\nimport os; os.chmod('mine', 0o640); print(oct(os.stat('mine').st_mode))"
    )
    assert shared_session.cell("copy", own) == ("", "0o100640\n")


def test_nothing_is_emptied(landlocked, victim):
    own(landlocked, victim)
    for ask in ("os.truncate({!r}, 0)", "os.open({!r}, os.O_RDONLY | os.O_TRUNC)", "os.open({!r}, os.O_WRONLY)"):
        error, _ = landlocked.cell("truncate", "import os; " + ask.format(str(victim)))
        assert re.match(r"PermissionError: \[Errno (1|13)\]", error), error
    assert victim.read_text() == "a gradebook"


def test_under_landlock_a_student_is_nobody(landlocked):
    """As root the worker is another uid than the grader; a capability stays only where this Python needs it."""
    _, printed = landlocked.cell("who", "import os; print(os.getuid(), os.geteuid(), os.getgid(), os.getgroups())")
    assert printed == (f"{NOBODY} {NOBODY} {NOBODY} []\n" if os.getuid() == 0 else printed)
    ask = """import ctypes, struct
head, sets = struct.pack('<II', 0x20080522, 0), ctypes.create_string_buffer(24)
ctypes.CDLL(None).capget(head, sets)
print(*struct.unpack('<6I', sets.raw))"""
    _, printed = landlocked.cell("capabilities", ask)
    effective, permitted, inheritable, *upper = map(int, printed.split())
    assert effective == permitted
    assert effective in (0, 4)
    assert (inheritable, *upper) == (0, 0, 0, 0)
