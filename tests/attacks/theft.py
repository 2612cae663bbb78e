"""Cells that look for what is not theirs. They print what they find; nothing of it may be found."""
# ruff: noqa: E501

from pathlib import Path

import grading

CHECKOUT = Path(grading.__file__).resolve().parent.parent
OPEN = "print('STOLEN', open({!r}, 'rb').read(9))"
LIST = "import os; print('STOLEN', os.listdir({!r}))"
WALK = """import os
for at, folders, files in os.walk('/'):
    folders[:] = [f for f in folders if f not in ('proc', 'usr', 'lib', 'lib64', 'site-packages', 'python3.11')]
    for name in files:
        if name.endswith(('.ipynb', '.db')) or name in ('secret', 'judge.py', 'exercise.py'): print('STOLEN', at, name)"""
PROCESSES = """import os
for pid in filter(str.isdigit, os.listdir('/proc')):
    if int(pid) not in (1, 2, os.getpid()): print('STOLEN', pid)
    if int(pid) != os.getpid(): print('STOLEN', open(f'/proc/{pid}/environ').read())"""
INHERITED = """import os
for fd in os.listdir('/proc/self/fd'):
    try: target = os.readlink(f'/proc/self/fd/{fd}')
    except OSError: continue
    if target.startswith('/') and 'null' not in target and 'proc' not in target: print('STOLEN', target)"""
MODULES = (
    "import sys\nprint(*['STOLEN ' + m for m in sys.modules if m.startswith(('grading', 'dgmlib.flows', 'nbgrader'))])"
)
CONNECT = "import socket\nprint('STOLEN', socket.create_connection(('1.1.1.1', 53), 2))"
RESOLVE = "import urllib.request\nprint('STOLEN', urllib.request.urlopen('http://example.com', timeout=2).read(9))"

THEFT = {
    "the solutions": OPEN.format(str(CHECKOUT / "solutions" / "00_flows_recap" / "flows_recap.ipynb")),
    "the gradebook": OPEN.format(str(CHECKOUT / "grading" / "gradebook.db")),
    "the secret": OPEN.format(str(CHECKOUT / "grading" / "secret")),
    "classmates": LIST.format(str(CHECKOUT / "grading" / "submitted")),
    "verdicts": LIST.format(str(CHECKOUT / "grading" / "verdicts")),
    "the checkout": LIST.format(str(CHECKOUT / "dgmlib")),
    "the tests": LIST.format(str(CHECKOUT / "tests")),
    "the home": LIST.format(str(Path.home() / ".ssh")),
    "passwords": OPEN.format("/etc/passwd"),
    "the host's name": OPEN.format("/etc/hostname"),
    "the root": LIST.format("/proc/1/root"),
    "the grader's memory": OPEN.format("/proc/1/mem"),
    "other processes": PROCESSES,
    "inherited files": INHERITED,
    "every file": WALK,
    "modules in memory": MODULES,
    "the environment": "import os\nprint(*['STOLEN ' + k for k in os.environ if 'SECRET' in k or 'TOKEN' in k or 'PYTEST' in k])",
    "the installed library": "import dgmlib.flows\nprint('STOLEN')",
    "the references": "import dgmlib.checks.engine.exercise\nprint('STOLEN')",
    "the network": CONNECT,
    "a name server": RESOLVE,
    "a listening port": "import socket\nprint('STOLEN', socket.create_server(('0.0.0.0', 8888)))",
    "the kernel's log": "import ctypes\nb = ctypes.create_string_buffer(99)\nif ctypes.CDLL(None).klogctl(3, b, 99) > 0: print('STOLEN', b.value)",
    "another's shared memory": "import os\nprint(*['STOLEN ' + f for f in os.listdir('/dev/shm')])",
}  # fmt: skip
