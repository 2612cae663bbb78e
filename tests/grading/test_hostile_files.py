"""Files that are made to cost time or memory before any of their code runs: each is a true verdict or one line of
reason, and the class goes on. Ctrl-C ends whatever is at work."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grading.course import CHECKOUT, Course
from grading.judging import pool
from grading.judging.verdict import Status, Verdict
from grading.notebook import limited, submission
from grading.notebook.limited import limited as in_child
from grading.notebook.parse import Refused
from grading.notebook.repair import Repaired

from . import classroom

NAME, BOOK = "00_flows_recap", "flows_recap.ipynb"
RELEASED = (CHECKOUT / "course" / NAME / BOOK).read_bytes()
NAMES = list(classroom.FLOWS.exercises)
DEFINED = "".join(f"def {name}(*a): return 1\n" for name in NAMES)


def with_cells(sources) -> bytes:
    notebook = json.loads(RELEASED)
    notebook["cells"] += [classroom.own(source, f"own-{n}") for n, source in enumerate(sources)]
    return classroom.data(notebook)


def terms(count: int) -> str:
    return DEFINED + "x = [" + ",".join("a+b*c" for _ in range(count)) + "]\n"


def quotes() -> bytes:
    return b'{"nbformat": 4, "cells": ["' + b'\\"' * 2_400_000


def definitions() -> bytes:
    return with_cells([terms(15_500)] * 45)


HOSTILE = {
    "4.8 MB of escaped quotes": quotes,
    "4.2 MB of definitions": definitions,
    "900 cells of 5 kB": lambda: with_cells([terms(800)] * 900),
    "1.9 MB of definitions": lambda: with_cells([terms(15_500)] * 20),
    "900 cells of 2 kB": lambda: with_cells([terms(270)] * 900),
    "an integer of 4 MB": lambda: b'{"nbformat": 4, "cells": [' + b"9" * 4_000_000 + b"]}",
    "a million brackets": lambda: b"[" * 1_000_000,
    "closed brackets": lambda: b'{"nbformat": 4, "cells": [' + b"[]," * 6_000_000 + b"[]]}",
    "two million cells": lambda: b'{"nbformat": 4, "cells": [' + b"{}," * 2_000_000 + b"{}]}",
    "a source of 15 million lines": lambda: (
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [' + b'"",' * 4_900_000 + b'""]}]}'
    ),
    "backslashes": lambda: b'"' + b"\\" * 15_000_001,
    "outputs of colours": lambda: with_outputs("\x1b]" * 2_000_000),
    "outputs of angle brackets": lambda: with_outputs("<" * 9_000_000, kind="execute_result"),
    "parentheses": lambda: with_cells(["(" * 90_000] * 20),
    "minus signs": lambda: with_cells(["x = " + "-" * 90_000 + "1"] * 20),
}


def with_outputs(text: str, kind: str = "stream") -> bytes:
    notebook = json.loads(RELEASED)
    shown = {"name": "stdout", "text": text} if kind == "stream" else {"data": {"text/plain": text}, "metadata": {}}
    for name in NAMES:
        answer = classroom.at(notebook, name)
        answer |= {"source": f"{name} = 1", "outputs": []}
    answer["outputs"] = [{"output_type": kind, **shown}]
    return json.dumps(notebook, ensure_ascii=False).encode()


REFUSED = {
    "4.8 MB of escaped quotes": "no valid JSON",
    "4.2 MB of definitions": "more than 2 MB of text",
    "900 cells of 5 kB": "more than 2 MB of text",
    "an integer of 4 MB": "no valid JSON",
    "a million brackets": "nested too deeply",
    "closed brackets": "too many parts",
    "two million cells": "too many parts",
    "a source of 15 million lines": "too many parts",
    "backslashes": "no valid JSON",
}


@pytest.mark.parametrize("name", REFUSED)
def test_reading_ends_in_one_line(name):
    with pytest.raises(Refused, match=REFUSED[name]):
        submission.prepare(RELEASED, HOSTILE[name]())


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - REFUSED.keys()))
def test_reading_ends_in_all_exercises(name):
    steps = submission.prepare(RELEASED, HOSTILE[name]()).repaired.steps
    assert {step.name for step in steps if step.op == "exercise"} == set(NAMES)


def spins() -> bytes:
    while True:
        pass


@pytest.mark.parametrize("work", [spins, lambda: bytes(2 * limited.MEMORY), lambda: os._exit(0)])
def test_what_does_not_finish_is_refused(work, monkeypatch):
    monkeypatch.setattr(limited, "CPU", 1)
    with pytest.raises(Refused, match="cannot be read within"):
        in_child(work)


def test_our_own_fault_is_not_the_students():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        in_child(lambda: bytes(1 // 0))


def test_a_child_that_never_answers_is_left(monkeypatch):
    monkeypatch.setattr(limited, "PATIENCE", 0.2)
    with pytest.raises(Refused, match="cannot be read within"):
        in_child(lambda: time.sleep(60))


# Through the command line


def room(folder: Path, **files: bytes) -> Course:
    (folder / "course").mkdir(parents=True)
    (folder / "course" / NAME).symlink_to(CHECKOUT / "course" / NAME)
    for student, data in files.items():
        path = folder / "grading" / "submitted" / student / NAME / BOOK
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    return Course(folder)


def grading(course: Course, command: str, *words) -> list[str]:
    judged = ["--secret", "s"] if command == "autograde" else []
    return [sys.executable, "-m", "grading", command, *map(str, words), "--course", str(course.root), *judged]


def honest() -> bytes:
    notebook = json.loads(RELEASED)
    classroom.at(notebook, NAMES[0])["source"] = classroom.RIGHT["batch_jacobian"]
    return classroom.data(notebook)


def test_two_hostile_files_and_the_third_student(tmp_path):
    """The class is graded, and the third's verdict is what it is alone, byte for byte."""
    alone, three = (
        room(tmp_path / "alone", cy=honest()),
        room(tmp_path / "three", ann=quotes(), bo=definitions(), cy=honest()),
    )
    assert subprocess.run(grading(alone, "autograde", "--quiet"), timeout=300).returncode == 0
    done = subprocess.run(
        grading(three, "autograde", "--json", tmp_path / "o.json", "--jobs", 2), capture_output=True, timeout=300
    )
    rows = {r["student"]: r for r in json.loads((tmp_path / "o.json").read_text())["submissions"]}
    assert [rows[s]["status"] for s in ("ann", "bo", "cy")] == ["refused", "refused", "graded"], done.stderr
    (mine,) = alone.verdicts.glob("*/*.json")
    assert (three.verdicts / NAME / mine.name).read_bytes() == mine.read_bytes()
    assert rows["cy"]["score"] > 0


def test_collecting_hostile_files(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for student, data in {"ann": quotes(), "bo": definitions(), "cy": honest()}.items():
        (source / f"{student}.ipynb").write_bytes(data)
    course = room(tmp_path / "room")
    done = subprocess.run(grading(course, "collect", source, NAME), capture_output=True, timeout=300)
    assert set(course.submissions(NAME)) == {"ann", "bo", "cy"}, done.stderr
    assert b"Traceback" not in done.stderr


def descendants(pid: int) -> list[int]:
    """None of a process that ends while it is looked at."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def command_line(pid: int) -> str:
    """Empty where it is gone, or is a zombie that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def heeding_ctrl_c(words: list):
    """A process as a terminal starts it: what runs behind `&` or nohup inherits that SIGINT is ignored."""
    return subprocess.Popen(
        words,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


HANG = "open('hangs', 'w').close()\nwhile True: pass"


@pytest.mark.parametrize(("command", "whole_group"), [("autograde", False), ("autograde", True), ("check", False)])
def test_ctrl_c_ends_it(tmp_path, command, whole_group):
    """One line, no child left, no traceback; what was filed stays."""
    course = room(tmp_path, ann=with_cells([HANG]), bo=with_cells([HANG]))
    file = course.submitted / "ann" / NAME / BOOK
    words = grading(course, command, *([file] if command == "check" else ["--jobs", 2]))
    with heeding_ctrl_c(words) as process:
        children = at_work(process)
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        started = time.monotonic()
        errors = process.communicate(timeout=60)[1].decode()
    took = time.monotonic() - started
    assert process.returncode == 130
    assert errors.splitlines() == ["grading: stopped; what has a verdict keeps it, run the same command to go on"]
    gone_by = time.monotonic() + 10
    while any(map(command_line, children)) and time.monotonic() < gone_by:
        time.sleep(0.1)
    assert not any(map(command_line, children))
    assert took < 30


def test_ctrl_c_ends_collect(tmp_path):
    """While it reads: one line, no child left; what was taken over is whole, and the rest comes the next time."""
    source, course = tmp_path / "source", room(tmp_path / "room")
    source.mkdir()
    notebook = json.loads(with_cells([terms(15_500)] * 20))
    slow = classroom.data(notebook | {"cells": notebook["cells"][-20:]})  # known by what its cells define alone
    for number in range(60):
        (source / f"s{number}.ipynb").write_bytes(slow)
    words = grading(course, "collect", source, NAME)
    with heeding_ctrl_c(words) as process:
        children = at_work(process, of=0, seconds=0.1)
        os.killpg(process.pid, signal.SIGINT)
        errors = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert errors.splitlines() == ["grading: stopped; what has a verdict keeps it, run the same command to go on"]
    assert not any(map(command_line, children))
    assert [path for path in course.submitted.rglob("*") if path.is_file() and path.stat().st_size < len(slow)] == []


def at_work(process, of: int = 2, seconds: float = 4) -> list[int]:
    """Its children, once one of them, `of` the first that only serve, has computed for a while."""
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        children = descendants(process.pid)
        if any(spent(child) > seconds for child in children[of:]):
            return children
        time.sleep(0.05)
    raise AssertionError("nothing was at work")


def spent(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# The pool


class Slow:
    """A grader that hangs, kills its worker, or answers."""

    def warm_up(self, assignment):
        pass

    def failed(self, task, reason):
        return Verdict(task.student, task.assignment, Status.FAILED, reason)

    def grade(self, submission):
        if submission.student == "hangs":
            time.sleep(600)
        if submission.student == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        return Verdict(submission.student, submission.assignment, Status.GRADED)


def test_a_hanging_and_a_dying_grader_cost_their_own_submission_alone(monkeypatch):
    monkeypatch.setattr(pool, "DEADLINE", 2.0)
    monkeypatch.setattr(pool, "GRACE", 0.2)
    students = ["hangs", "ann", "dies", "bo", "cy"]
    empty = Repaired((), {}, frozenset(), frozenset(), {})
    given = [submission.Submission(empty, student=student, assignment=NAME, key=student) for student in students]
    found = {one.student: verdict for one, verdict in pool.run(Slow(), 2, given)}
    assert {s: found[s].status for s in students} == dict.fromkeys(students, "graded") | {
        "hangs": "failed",
        "dies": "failed",
    }
    assert "at work for more than" in found["hangs"].reason
    assert "killed, again and again" in found["dies"].reason
