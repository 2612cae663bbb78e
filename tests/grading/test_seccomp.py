"""The filter against a plain list of what is meant, with libseccomp's own numbers: each call, on both machines."""

# ruff: noqa: SIM905 - words are read more easily than a list of strings

import ctypes
import struct

import pytest

from grading.running.worker import seccomp

PID = 4321
ALLOWED, DENIED, MISSING, NOTHING, KILLED = "allowed", "EPERM", "ENOSYS", "does nothing", "killed"
ACTIONS = {0x7FFF0000: ALLOWED, 0x00050001: DENIED, 0x00050026: MISSING, 0x00050000: NOTHING, 0x80000000: KILLED}
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NEVER = """
fork vfork execve execveat memfd_create memfd_secret shmget shmat shmctl semget msgget mq_open
add_key request_key keyctl ptrace process_vm_readv process_vm_writev kcmp io_uring_setup io_uring_enter
io_uring_register socket connect bind listen setsockopt unshare setns mount umount2 pivot_root chroot open_tree
move_mount fsopen fsconfig fsmount fspick mount_setattr bpf perf_event_open userfaultfd name_to_handle_at
open_by_handle_at fanotify_init inotify_init inotify_init1 pidfd_open pidfd_getfd pidfd_send_signal rt_sigqueueinfo
rt_tgsigqueueinfo tkill kexec_load kexec_file_load init_module finit_module delete_module swapon swapoff reboot acct
settimeofday clock_settime adjtimex sethostname setdomainname quotactl syslog personality modify_ldt ioperm iopl
vhangup setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr
""".split()
METADATA = """
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat
setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat file_setattr
""".split()
# name: [(arguments, outcome)]
IN_PART = {
    "clone": [((0x11,), DENIED), ((0x10000000,), DENIED), ((0x3D0F00,), ALLOWED)],
    "clone3": [((), MISSING)],
    "kill": [((PID, 9), ALLOWED), ((0, 9), DENIED), ((-1, 9), DENIED), ((1, 9), DENIED)],
    "tgkill": [((PID, PID, 9), ALLOWED), ((1, 1, 9), DENIED)],
    "prlimit64": [((0,), ALLOWED), ((PID,), ALLOWED), ((1,), DENIED)],
    "sched_setaffinity": [((0,), ALLOWED), ((PID,), ALLOWED), ((1,), DENIED)],
    "socketpair": [((1, 1), ALLOWED), ((1, 0x80801), ALLOWED), ((1, 2), DENIED), ((1, 3), DENIED)],
    "fcntl": [((0, 1), ALLOWED), ((0, 1031), ALLOWED), ((0, 8), DENIED), ((0, 10), DENIED), ((0, 15), DENIED)],
    "ioctl": [((0, 0x5401), ALLOWED), ((0, 0x5412), DENIED), ((0, 0x541C), DENIED), ((0, 0x8901), DENIED),
              ((0, 0x40086602), DENIED), ((0, 0x401C5820), DENIED)],
}  # fmt: skip
UNDER_LANDLOCK = {name: [((), NOTHING)] for name in METADATA} | {
    "truncate": [((), DENIED)],
    "openat2": [((), MISSING)],
    "open": [((0, 0), ALLOWED), ((0, 0o1000), DENIED), ((0, 0o1001), ALLOWED), ((0, 0o102), ALLOWED)],
    "openat": [((0, 0, 0), ALLOWED), ((0, 0, 0o1000), DENIED), ((0, 0, 0o2001000), DENIED), ((0, 0, 0o1101), ALLOWED)],
}
NEWEST = ("setxattrat", "removexattrat", "file_setattr", "fchmodat2")  # Debian's libseccomp may be older than these


def outcome(code: bytes, number: int, arch: int, arguments=()) -> str:
    """What the kernel's interpreter of classic BPF makes of one call."""
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *(a & 2**64 - 1 for a in words))
    at, register = 0, 0
    while True:
        kind, true, false, value = struct.unpack_from("<HBBI", code, at * 8)
        at += 1
        if kind == 0x20:
            register = struct.unpack_from("<I", data, value)[0]
        elif kind == 0x54:
            register &= value
        elif kind == 0x06:
            return ACTIONS[value]
        else:
            holds = {0x15: register == value, 0x45: register & value != 0, 0x35: register >= value}[kind]
            at += true if holds else false


class Numbers:
    """libseccomp: names of system calls, and their numbers on each machine."""

    def __init__(self, library):
        self.library = library
        library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p

    def name(self, arch: int, number: int) -> str:
        found = self.library.seccomp_syscall_resolve_num_arch(arch, number)
        return ctypes.string_at(found).decode() if found else ""

    def number(self, arch: int, name: str) -> int:
        """-1 where libseccomp knows no such call on this machine."""
        return max(-1, self.library.seccomp_syscall_resolve_name_arch(arch, name.encode()))


@pytest.fixture(scope="module")
def numbers():
    try:
        return Numbers(ctypes.CDLL("libseccomp.so.2"))
    except OSError:
        pytest.skip("no libseccomp.so.2 here (apt install libseccomp2)")


def intent(landlock: bool) -> dict:
    return {name: [((), DENIED)] for name in NEVER} | IN_PART | (UNDER_LANDLOCK if landlock else {})


@pytest.mark.parametrize("machine", ARCHES)
@pytest.mark.parametrize("landlock", [False, True])
def test_every_call_of_the_machine_is_treated_as_meant(numbers, machine, landlock):
    code, arch, meant = seccomp.program(PID, machine, landlock), ARCHES[machine], intent(landlock)
    seen = set()
    for number in range(700):
        name = numbers.name(arch, number)
        if not name and number in (452, 463, 466, 469):
            continue  # newer than this libseccomp; their numbers are below
        for arguments, expected in meant.get(name, [((), ALLOWED)]):
            assert outcome(code, number, arch, arguments) == expected, (name or number, arguments)
        seen.add(name)
    missing = set(meant) - seen - set(NEWEST)
    assert not [name for name in missing if numbers.number(arch, name) >= 0]
    if machine == "x86_64":
        assert not missing - {"memfd_secret"}


@pytest.mark.parametrize("machine", ARCHES)
@pytest.mark.parametrize("table", [seccomp.DENIED, seccomp.METADATA, seccomp.TO_ITSELF])
def test_each_number_of_our_tables_is_libseccomps(numbers, machine, table):
    column, arch = seccomp.ARCHES[machine][0], ARCHES[machine]
    for name, ours in table.items():
        theirs = numbers.number(arch, name)
        assert ours[column] == theirs or (theirs < 0 and name in NEWEST), name


def test_the_newest_calls_have_their_numbers():
    """The same on every machine since 5.1; from the kernel's own tables."""
    kernel = {"fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469}
    for machine, arch in ARCHES.items():
        code = seccomp.program(PID, machine, landlock=True)
        assert {name: outcome(code, number, arch) for name, number in kernel.items()} == dict.fromkeys(kernel, NOTHING)


def test_x32_and_foreign_calls_are_never_taken_for_others():
    code = seccomp.program(PID, "x86_64")
    assert {outcome(code, 0x40000000 + number, ARCHES["x86_64"]) for number in range(600)} == {DENIED}
    for foreign in (0x40000003, ARCHES["aarch64"]):  # i386 by int 0x80, and the other machine
        assert outcome(code, 1, foreign) == KILLED
    assert outcome(seccomp.program(PID, "aarch64"), 1, 0x40000028) == KILLED


@pytest.mark.parametrize("machine", ARCHES)
def test_the_filter_is_well_formed(machine):
    code = seccomp.program(PID, machine, landlock=True)
    instructions = [struct.unpack_from("<HBBI", code, at) for at in range(0, len(code), 8)]
    assert len(instructions) < 4096
    for at, (kind, true, false, _) in enumerate(instructions):
        if kind in (seccomp.JEQ, seccomp.JSET, seccomp.JGE):
            assert at + 1 + max(true, false) < len(instructions)
    assert instructions[-1][0] == seccomp.RET


def test_a_machine_without_a_table_is_refused():
    with pytest.raises(OSError, match="no seccomp table for riscv64"):
        seccomp.program(PID, "riscv64")
