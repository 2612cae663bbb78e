"""Cells that look for what is not theirs and print what they find, `STOLEN`. Each finds it where there is no sandbox.

`@root` and the like are the places of the planted canaries (tests/grading/canaries.py).
"""
# ruff: noqa: E501

OPEN = "print('STOLEN', open('{}', 'rb').read(9))"
LIST = "import os; print('STOLEN', os.listdir('{}'))"
WALK = """import os, sys
for at, folders, files in os.walk(os.path.join(sys.prefix, 'share')):
    for name in files:
        if name in ('gradebook.db', 'secret', 'id_ed25519'): print('STOLEN', at, open(os.path.join(at, name)).read(9))"""
PROCESSES = """import os
for pid in filter(str.isdigit, os.listdir('/proc')):
    if b'pytest' in open(f'/proc/{pid}/cmdline', 'rb').read(): print('STOLEN', pid)"""
OURS = """import sys
for name in [m for m in sys.modules if m.startswith('dgmlib')]: del sys.modules[name]
sys.path.insert(0, '@checkout')
import {}
print('STOLEN', {}.__file__)"""
CONNECT = "import socket\nprint('STOLEN', socket.create_connection(('127.0.0.1', @port), 2).recv(9))"
DATAGRAM = "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @port))\nprint('STOLEN, a message left')"
UNIX = "import socket\nsocket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', '@datagrams')\nprint('STOLEN, a message left')"
WATCH = "import ctypes\nc = ctypes.CDLL(None)\nif c.inotify_add_watch(c.inotify_init(), b'@root/grading/submitted', 0xFFF) >= 0: print('STOLEN, the names to come')"
LEAVE = "import os\nopen('@root/open/message', 'w').write('for a classmate')\nprint('STOLEN, a message left')\nos.unlink('@root/open/message')"

THEFT = {
    "the solutions": OPEN.format("@root/solutions/00_flows_recap/flows_recap.ipynb"),
    "the gradebook": OPEN.format("@root/grading/gradebook.db"),
    "the secret": OPEN.format("@root/grading/secret"),
    "a classmate's work": OPEN.format("@root/grading/submitted/bob/00_flows_recap/flows_recap.ipynb"),
    "the list of classmates": LIST.format("@root/grading/submitted"),
    "a verdict": OPEN.format("@root/grading/verdicts/4f.json"),
    "the list of verdicts": LIST.format("@root/grading/verdicts"),
    "the history": OPEN.format("@root/.git/objects/ab/cdef"),
    "the checkout": LIST.format("@checkout/dgmlib"),
    "the checkout's history": LIST.format("@checkout/.git"),
    "the tests": LIST.format("@checkout/tests"),
    "a key in the home": OPEN.format("@root/home/.ssh/id_ed25519"),
    "passwords": OPEN.format("/etc/passwd"),
    "groups": OPEN.format("/etc/group"),
    "the folders of the machine": "import os\nif 'var' in os.listdir('/'): print('STOLEN')",
    "the folder of temporary files": LIST.format("/var/tmp"),
    "the grader's command line": OPEN.format("/proc/@pid/cmdline"),
    "the grader's status": OPEN.format("/proc/@pid/status"),
    "other processes": PROCESSES,
    "every file": WALK,
    "the library": OURS.format("dgmlib.flows", "dgmlib.flows"),
    "the references": OURS.format("dgmlib.checks.engine.exercise", "dgmlib.checks.engine.exercise"),
    "the grader": OURS.format("grading.notebook.parse", "grading.notebook.parse"),
    "the network": CONNECT,
    "a datagram": DATAGRAM,
    "a Unix socket": UNIX,
    "a listening port": "import socket\nprint('STOLEN', socket.create_server(('127.0.0.1', 0)))",
    "another's shared memory": OPEN.format("@shared"),
    "a watched folder": WATCH,
    "a message to a classmate": LEAVE,
}  # fmt: skip
