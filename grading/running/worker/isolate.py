"""Namespaces of its own for a forked worker: what bubblewrap gives to a process, given to a child of one.

The fork server stands in bubblewrap's file system and runs no student's code. Its child enters new namespaces, covers
every place that can be written to with a private, sized tmpfs, keeps of /proc its own entry, and loses all privilege.
"""

import ctypes
import os
import sys
from contextlib import contextmanager

from . import limits

USER, MOUNTS, PIDS, IPC, NETWORK, HOST, CGROUP = (1 << bit for bit in (28, 17, 29, 27, 30, 26, 25))
NOSUID, NODEV, NOEXEC, BIND, MOVE, RECURSIVE, PRIVATE, READ_ONLY, REMOUNT = 2, 4, 8, 4096, 8192, 16384, 1 << 18, 1, 32
SIZE = 64 * 2**20
INODES = 4096  # each is a kilobyte of the kernel's memory, which no rlimit counts
WRITABLE = ("/dev/shm", "/tmp")
OPEN_PROC = ("cpuinfo", "meminfo", "stat", "version", "filesystems")
KERNEL = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str):
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = ""):
    words = [text.encode() or None for text in (source, target, kind)]
    check(KERNEL.mount(*words, flags, options.encode() or None), f"mount on {target}")


def enter_namespaces():
    """New namespaces. The caller forks afterwards: its child is the first process of the new pid namespace."""
    uid, gid = os.getuid(), os.getgid()
    KERNEL.prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: its own /proc entry is its own again after the change of uid
    check(KERNEL.unshare(USER | MOUNTS | PIDS | IPC | NETWORK | HOST | CGROUP), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {uid} 1"), ("gid_map", f"1000 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def mount_private_tmpfs():
    """Private mounts; called in the process that will run the student's code."""
    mount("none", "/", flags=RECURSIVE | PRIVATE)
    private = f"size={SIZE},nr_inodes={INODES},mode=1777"
    mount("tmpfs", "/dev/shm", "tmpfs", NOSUID | NODEV, private)
    with kept("/tmp", "/dev/shm"):
        mount("tmpfs", "/tmp", "tmpfs", NOSUID | NODEV, private)
    proc()
    os.makedirs("/tmp/work")
    os.chdir("/tmp/work")


@contextmanager
def kept(folder: str, aside: str):
    """What this Python needs of a folder that is about to be covered comes back: an environment may lie below /tmp."""
    wanted = {path for path in (sys.prefix, sys.base_prefix) if path.startswith(f"{folder}/")}
    outermost = sorted(path for path in wanted if not any(path.startswith(f"{other}/") for other in wanted))
    for number, path in enumerate(outermost):
        os.mkdir(f"{aside}/{number}")
        mount(path, f"{aside}/{number}", flags=BIND | RECURSIVE)
    yield
    for number, path in enumerate(outermost):
        os.makedirs(path)
        mount(f"{aside}/{number}", path, flags=MOVE)
        mount("none", path, flags=REMOUNT | BIND | READ_ONLY | NOSUID | NODEV)  # the folder itself is the server's
        os.rmdir(f"{aside}/{number}")


def proc():
    """/proc with this process and a few harmless files alone: a new one may not be mounted under bubblewrap's."""
    made = "/tmp/proc"
    os.mkdir(made)
    mount("tmpfs", made, "tmpfs", NOSUID | NODEV | NOEXEC, "size=65536,mode=0755")
    os.mkdir(f"{made}/self")
    mount(f"/proc/{os.readlink('/proc/self')}", f"{made}/self", flags=BIND)
    for name in OPEN_PROC:
        with open(f"{made}/{name}", "w"):
            pass
        mount(f"/proc/{name}", f"{made}/{name}", flags=BIND)
    mount("none", made, flags=REMOUNT | BIND | READ_ONLY | NOSUID | NODEV | NOEXEC)
    mount(made, "/proc", flags=MOVE)
    os.rmdir(made)


def bound_inodes():
    """The same bound where bubblewrap made the mounts, which has no option for it."""
    for folder in WRITABLE:
        mount("none", folder, flags=REMOUNT | NOSUID | NODEV, options=f"size={SIZE},nr_inodes={INODES}")


def drop_capabilities():
    """No capability is left in the new user namespace."""
    limits.give_up_capabilities()
