"""A seccomp filter, assembled here: what a process that runs a student's code may not ask of the kernel.

New threads are allowed, new processes and programs are not; no sockets, no memory outside RLIMIT_AS, no new
namespaces or mounts, no signal to another process, no say in its own scheduling. Everything else is left to the mounts,
rlimits and uid. Where Landlock takes the place of mounts, the filter also takes what Landlock does not cover: a file's
mode, owner, times and attributes.
"""

import ctypes
import os
import platform
import struct

ALLOW, NOTHING, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050000, 0x00050001, 0x00050026, 0x80000000
CLONE_THREAD = 0x00010000
LOAD, AND, JEQ, JSET, JGE, RET = 0x20, 0x54, 0x15, 0x45, 0x35, 0x06
NUMBER, ARCH, ARG0, ARG1, ARG2 = 0, 4, 16, 24, 32
# TIOCSTI, TIOCLINUX: typing into somebody's terminal; FIOSETOWN, SIOCSPGRP: signals to whom one likes;
# FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_SETVERSION: attributes of any file that can be read.
DENIED_IOCTLS = (0x5412, 0x541C, 0x8901, 0x8902, 0x40086602, 0x40046602, 0x401C5820, 0x40087602)
# F_SETOWN, F_SETSIG, F_SETOWN_EX: signals, SIGKILL too, to any process of the same uid; F_SETLEASE, F_NOTIFY.
DENIED_FCNTLS = (8, 10, 15, 1024, 1026)
SOCK_TYPE, SOCK_STREAM = 0xF, 1  # one end of a pair of datagram sockets may be sent to any address
ACCESS_OR_TRUNCATE, TRUNCATE = 0o1003, 0o1000  # before ABI 3, Landlock lets a file opened for reading be emptied

# name: (x86_64, aarch64); -1 where an architecture has none.
DENIED = {
    "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "shmctl": (31, 195), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "socket": (41, 198), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "tkill": (200, 130),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "acct": (163, 89), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162), "quotactl": (179, 60),
    "syslog": (103, 116), "personality": (135, 92), "modify_ldt": (154, -1), "ioperm": (173, -1),
    "iopl": (172, -1), "vhangup": (153, 58), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "setsockopt": (54, 208), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "inotify_init": (253, -1), "inotify_init1": (294, 26),
}  # fmt: skip
# What Landlock does not cover. Honest code asks for it (shutil.copy), so it succeeds and does nothing.
METADATA = {
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54),
    "utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}  # fmt: skip
CLONE, CLONE3, IOCTL, FCNTL, SOCKETPAIR = (56, 220), (435, 435), (16, 29), (72, 25), (53, 199)
OPEN, OPENAT, OPENAT2, FILE_TRUNCATE = (2, -1), (257, 56), (437, 437), (76, 45)
TO_ITSELF = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261), "sched_setaffinity": (203, 122)}
ARCHES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def instruction(code: int, value: int = 0, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, true, false, value & 0xFFFFFFFF)


def when(number: int, *block: bytes) -> list[bytes]:
    """`block` for the system call `number`; each of its paths must return."""
    return [instruction(JEQ, number, 0, len(block)), *block] if number >= 0 else []


def one_of(offset: int, values: tuple[int, ...], then: int, otherwise: int, mask: int | None = None) -> list[bytes]:
    """Return `then` where the argument at `offset` (its bits in `mask`) is one of `values`, else `otherwise`."""
    code = [instruction(LOAD, offset), *([] if mask is None else [instruction(AND, mask)])]
    for place, value in enumerate(values):
        code += [instruction(JEQ, value, len(values) - place, 0)]
    return [*code, instruction(RET, otherwise), instruction(RET, then)]


def program(pid: int, machine: str | None = None, landlock: bool = False) -> bytes:
    """The filter for process `pid`; `landlock`: in the place of mounts. Raises OSError where there is no table."""
    machine = machine or platform.machine()
    if machine not in ARCHES:
        raise OSError(f"no seccomp table for {machine}")
    column, audit = ARCHES[machine]
    code = [instruction(LOAD, ARCH), instruction(JEQ, audit, 1, 0), instruction(RET, KILL)]
    code += [instruction(LOAD, NUMBER)]
    if machine == "x86_64":  # the x32 numbers of the same calls
        code += [instruction(JGE, 0x40000000, 0, 1), instruction(RET, EPERM)]
    for numbers in DENIED.values():
        code += when(numbers[column], instruction(RET, EPERM))
    code += by_arguments(pid, column)
    if landlock:
        code += beside_landlock(column)
    return b"".join([*code, instruction(RET, ALLOW)])


def by_arguments(pid: int, column: int) -> list[bytes]:
    """Calls that are allowed in part."""
    code = when(CLONE3[column], instruction(RET, ENOSYS))
    thread = [instruction(LOAD, ARG0), instruction(JSET, CLONE_THREAD, 0, 1)]
    code += when(CLONE[column], *thread, instruction(RET, ALLOW), instruction(RET, EPERM))
    for name, numbers in TO_ITSELF.items():
        pids = (pid,) if "kill" in name else (0, pid)
        code += when(numbers[column], *one_of(ARG0, pids, ALLOW, EPERM))
    code += when(SOCKETPAIR[column], *one_of(ARG1, (SOCK_STREAM,), ALLOW, EPERM, SOCK_TYPE))
    code += when(FCNTL[column], *one_of(ARG1, DENIED_FCNTLS, EPERM, ALLOW))
    return code + when(IOCTL[column], *one_of(ARG1, DENIED_IOCTLS, EPERM, ALLOW))


def beside_landlock(column: int) -> list[bytes]:
    """Metadata, and the files that an old Landlock lets be emptied."""
    code = []
    for numbers in METADATA.values():
        code += when(numbers[column], instruction(RET, NOTHING))
    code += when(FILE_TRUNCATE[column], instruction(RET, EPERM)) + when(OPENAT2[column], instruction(RET, ENOSYS))
    for numbers, flags in ((OPEN, ARG1), (OPENAT, ARG2)):
        code += when(numbers[column], *one_of(flags, (TRUNCATE,), EPERM, ALLOW, ACCESS_OR_TRUNCATE))
    return code


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def install(landlock: bool = False):
    """Put the filter on every thread of this process, for good. Raises OSError."""
    code = program(os.getpid(), landlock=landlock)
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(38, 1, 0, 0, 0):  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
    # SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
    if kernel.syscall(number, 1, 1, ctypes.byref(Program(len(code) // 8, code))):
        raise OSError(ctypes.get_errno(), "the seccomp filter was refused")
