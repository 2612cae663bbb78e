"""Crashes, hangs and lies of a worker cost what they touch, and nothing else."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from grading.running import process
from grading.running import session as sessions
from grading.running.session import Session

from .classroom import RIGHT, SETUP, TINY, data, own, solved

EXERCISE = TINY.exercises["batch_jacobian"]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(sessions, "CPU", 1.5)


def right(session) -> bool:
    """Whether the session still grades a right answer."""
    for source in (SETUP, RIGHT["batch_jacobian"]):
        assert session.cell("fine", source)[0] == ""
    inputs = EXERCISE.inputs(np.random.default_rng(1))
    answer = session.exercise("batch_jacobian", 1, inputs, EXERCISE.request)
    assert answer.arrays is not None, answer.reason
    return all(law.passed for law in EXERCISE.judge(inputs, answer.arrays, EXERCISE.expected(inputs)))


EVERY_FILE = "import array, json, os, socket, struct\nfor fd in range(3, 50):\n    try: {}\n    except OSError: pass"
WRITE = "os.write(fd, struct.pack('<4sIQ', b'DGM1', {}, {}) + {})"
FORGED = """json.dumps({'n': 99, 'arrays': []}).encode()"""
RIGHTS = "socket.socket(fileno=os.dup(fd)).sendmsg([b'D'], [(1, 1, array.array('i', [0] * 5))])"

ANOTHER = """import ctypes, threading
def compute():
    while True: pass
threading.Thread(target=compute, daemon=True).start()
ctypes.CDLL(None).syscall({"x86_64": 60}.get(__import__("os").uname().machine, 93), 0)  # ends this thread alone"""

FATAL = {
    "exit": ("import os; os._exit(0)", "ended the process"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "ended the process"),
    "abort": ("import os; os.abort()", "ended the process"),
    "kill": ("import os; os.kill(os.getpid(), 9)", "ended the process"),
    "stop": ("import os; os.kill(os.getpid(), 19)", "stopped itself"),
    "loop": ("while True: pass", "took too long"),
    "uninterruptible": ("try:\n    while True: pass\nexcept BaseException:\n    while True: pass", "took too long"),
    "loop in C": ("sum(range(10**12))", "took too long"),
    "sleep": ("import time; time.sleep(10**6)", "took too long"),
    "another thread computes": (ANOTHER, "took too long"),
    "close the link": (EVERY_FILE.format("os.close(fd)"), "ended the process"),
    "junk on the link": (EVERY_FILE.format("os.write(fd, b'x' * 1000)"), "no frame"),
    "a forged answer": (EVERY_FILE.format(WRITE.format(f"len({FORGED})", 0, FORGED)), "no question"),
    "a gigantic frame": (EVERY_FILE.format(WRITE.format(10, "2**60", "b''")), "at most"),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_ends_a_cell_costs_that_cell(start, name):
    source, reason = FATAL[name]
    with Session(start, 1, 600) as session:
        session.cell("before", "kept = 1")
        error, _ = session.cell(name, source)
        assert reason in error
        assert session.cell("after", "assert kept == 1")[0] == ""
        assert right(session)


HARMLESS = {
    "exit politely": "import sys; sys.exit(0)",
    "exit()": "exit()",
    "output flood": "for _ in range(10**5): print('x' * 100)",
    "stderr flood": "import os\nfor _ in range(1000): os.write(2, b'x' * 10000)",
    "an exception that cannot be shown": "class E(Exception):\n    def __str__(self): raise self\nraise E()",
    "a syntax error": "def f(:",
    "stdout closed": "import sys; sys.stdout.close()",
    "stdout replaced": "import sys; sys.stdout = None; print(1)",
    "builtins gone": "import builtins; del builtins.print",
    "a memory flood": "x = [bytearray(10**9) for _ in range(100)]",
    "a disk flood": "for i in range(1000): open(f'{i}', 'wb').write(bytes(10**6))",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_harms_nobody(start, name):
    with Session(start, 1, 600) as session:
        error, printed = session.cell(name, HARMLESS[name])
        assert len(error) < 2000
        assert len(printed) <= 8000
        assert right(session)


def test_a_hanging_answer_costs_that_exercise(session):
    session.cell("setup", SETUP)
    session.cell("answer", "def batch_jacobian(f, x):\n    while True: pass")
    answer = session.exercise("batch_jacobian", 1, EXERCISE.inputs(np.random.default_rng(1)), EXERCISE.request)
    assert answer.arrays is None
    assert "took too long: allowed are" in answer.reason
    assert right(session)


def test_a_missing_answer_is_missing(session):
    assert session.exercise("batch_jacobian", 1, {}, EXERCISE.request).reason == "missing"


def test_the_budget_of_a_submission_ends_it(start):
    with Session(start, 1, 2.0) as session:
        errors = [session.cell("loop", "while True: pass")[0] for _ in range(4)]
    assert "allowed are" in errors[0]
    assert "used up" in errors[-1]


def test_sleeping_uses_up_the_budget_too(start):
    with Session(start, 1, 2.0) as session:
        errors = [session.cell("sleep", "import time; time.sleep(1.5)")[0] for _ in range(6)]
        assert session.spent < 2.5
    assert errors[0] == ""
    assert "used up" in errors[-1]


def test_the_last_request_may_not_outlive_the_budget(start):
    with Session(start, 1, 1.0) as session:
        assert "allowed are 1 s of computing" in session.cell("loop", "while True: pass")[0]
        assert session.spent == pytest.approx(1.0, abs=0.2)


def test_after_three_hangs_nothing_more_is_run(start):
    with Session(start, 1, 600) as session:
        errors = [session.cell(f"loop {n}", "while True: pass")[0] for n in range(5)]
        answer = session.exercise("batch_jacobian", 1, {}, EXERCISE.request)
    assert ["took too long: allowed are" in error for error in errors] == [True] * 3 + [False] * 2
    assert errors[3] == "this cell was not run: 3 cells or answers of this submission took too long"
    assert answer.reason == "your answer was not run: 3 cells or answers of this submission took too long"


def test_every_exercise_after_three_hangs_says_so_in_one_line(grade):
    notebook = solved()
    for number in range(3):
        notebook["cells"].insert(2, own("while True: pass", f"own-{number}"))
    verdict = grade(data(notebook))
    assert verdict.graded
    for exercise in verdict.exercises.values():
        messages = {law.message for law in exercise.laws}
        assert messages == {"your answer was not run: 3 cells or answers of this submission took too long"}


def test_a_worker_that_wants_a_processor_for_ever_ends_too(session, monkeypatch):
    monkeypatch.setattr(process, "PATIENCE", 1)
    monkeypatch.setattr(process.Process, "state", lambda self: "R")
    assert "took too long" in session.cell("starved", "import time; time.sleep(10**6)")[0]


def test_files_that_are_sent_along_are_closed(session):
    session.cell("first", "1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    session.cell("send", EVERY_FILE.format(RIGHTS))
    assert right(session)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_sandbox_that_does_not_start_is_no_fault_of_the_student(monkeypatch):
    def start(link):
        return subprocess.Popen(["/bin/sh", "-c", "echo no luck >&2; exit 1"], stderr=subprocess.PIPE)

    monkeypatch.setattr(process, "START_SECONDS", 5)
    with Session(start, 1, 60) as session, pytest.raises(sessions.SandboxFailed, match="no luck"):
        session.cell("x", "1")
