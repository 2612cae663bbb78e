"""rlimits and the way from root to nobody. Hard limits: nobody raises them again without privilege."""

import ctypes
import os
import resource
import struct

GIB = 2**30


def address_space() -> int:
    """Bytes of address space that this process holds now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def limit(memory: int = 4 * GIB, cpu: int = 3600, used: int | None = None):
    """Memory over what the imports took; file sizes, files, processes and core dumps; CPU as a last resort."""
    wanted = {
        resource.RLIMIT_AS: (used or address_space()) + memory,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: 64 * 2**20,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    if kernel() >= (5, 14):  # counted by user namespace; before, by user over the whole machine
        wanted[resource.RLIMIT_NPROC] = 256
    for what, value in wanted.items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def kernel() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(filter(str.isdigit, minor)) or 0)


READS_ALL = 1 << 2  # CAP_DAC_READ_SEARCH


def drop(uid: int, reads_all: bool = False):
    """From root to `uid`, for good: no groups, no capabilities but, where `reads_all`, the one that reads everything.

    That one is for Landlock alone, which says what may be read: this Python may lie where nobody else can reach it.
    """
    kernel = ctypes.CDLL(None, use_errno=True)
    if reads_all:
        kernel.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if reads_all:
        give_up_capabilities(READS_ALL)


def give_up_capabilities(kept: int = 0):
    """No capability but those in the mask `kept`, now or later."""
    kernel = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        kernel.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; beyond the last one it fails
    sets = struct.pack("<IIIIII", kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable; then the upper halves
    if kernel.capset(struct.pack("<II", 0x20080522, 0), sets):
        raise OSError(ctypes.get_errno(), "capabilities were not given up")


def end_with(parent: int):
    """Die when the grader does."""
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() != parent:
        os._exit(1)
