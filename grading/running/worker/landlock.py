"""Landlock by three system calls: from here on this process reads listed trees alone and writes nowhere."""

import ctypes
import os
import struct

CREATE, ADD, RESTRICT = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
# Handled rights by ABI: files (13), + refer, + truncate, + ioctl on devices.
FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
NETWORK = 3  # bind and connect, ABI 4
SCOPES = 3  # abstract Unix sockets and signals, ABI 6
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def kernel():
    return ctypes.CDLL(None, use_errno=True)


def abi() -> int:
    """Landlock's version on this kernel; 0 where there is none."""
    return max(0, kernel().syscall(CREATE, None, ctypes.c_size_t(0), 1))


def restrict(readable: list[str], listable: list[str]):
    """Allow reading below `readable` and listing below `listable`; nothing else. Raises OSError."""
    version, call = abi(), kernel().syscall
    if not version:
        raise OSError("this kernel has no Landlock")
    words = (FILES[min(version, 5)], NETWORK if version >= 4 else 0, SCOPES if version >= 6 else 0)
    attributes = struct.pack("<QQQ", *words)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = call(CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused a rule set")
    for path in readable:
        allow(ruleset, path, EXECUTE | READ_FILE | READ_DIR)
    for path in listable:
        allow(ruleset, path, READ_DIR)
    for path in DEVICES:
        allow(ruleset, path, READ_FILE | WRITE_FILE)
    kernel().prctl(38, 1, 0, 0, 0)
    if call(RESTRICT, ruleset, 0):
        raise OSError(ctypes.get_errno(), "Landlock refused to restrict this process")
    os.close(ruleset)


def allow(ruleset: int, path: str, rights: int):
    """One rule; a path that is not there needs none."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= ~READ_DIR
    kernel().syscall(ADD, ruleset, 1, struct.pack("<Qi", rights, place), 0)
    os.close(place)
