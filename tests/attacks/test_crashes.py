"""Kill the grader at any moment and start it again: every submission is graded, and the same files lie there."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from grading.course import CHECKOUT, Course

from ..grading import classroom

STUDENTS = ("ann", "bob", "cid", "dee")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A class of four, one of whom crashes and one of whom hands in no notebook."""
    course = Course(tmp_path_factory.mktemp("crashes"))
    shutil.copytree(CHECKOUT / "course" / "00_flows_recap", course.released / "00_flows_recap")
    blank = json.loads((course.released / "00_flows_recap" / "flows_recap.ipynb").read_text())
    for student in STUDENTS:
        notebook = json.loads(json.dumps(blank))
        classroom.at(notebook, "batch_jacobian")["source"] = classroom.RIGHT["batch_jacobian"] + f"\n# {student}"
        if student == "bob":
            notebook["cells"].append(classroom.own("import os; os._exit(1)"))
        target = course.submitted / student / "00_flows_recap" / "flows_recap.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text("hello" if student == "cid" else json.dumps(notebook))
    return course


def start(course: Course, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "grading", "autograde", "--course", str(course.root), "--secret", "s", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def finish(course: Course, *words: str) -> str:
    process = start(course, *words)
    printed = process.communicate(timeout=300)[0]
    assert process.returncode == 1, printed  # cid has no verdict
    assert "cid: 00_flows_recap: refused" in printed
    return printed


def verdicts(course: Course) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in course.verdicts.iterdir()}


def children_of(group: int) -> list[str]:
    """Processes that still run in a killed grader's session."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(pid)) == group:
                found.append(pid)
        except OSError:
            continue
    return found


def test_killed_at_random_moments_nothing_is_lost(room, request):
    finish(room, "--jobs", "2")
    undisturbed = verdicts(room)
    assert len(undisturbed) == 3
    kills = 100 if request.config.getoption("--attacks") == "all" else 3
    moments = random.Random(1)
    killed = 0
    for _ in range(kills):
        shutil.rmtree(room.verdicts, ignore_errors=True)
        process = start(room, "--jobs", str(moments.choice((1, 2))))
        time.sleep(moments.uniform(1.0, 9.0))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        left = verdicts(room) if room.verdicts.exists() else {}
        assert all(undisturbed.get(name) == data for name, data in left.items() if not name.startswith("."))
    assert killed
    finish(room)
    assert verdicts(room) == undisturbed
    from grading.gradebook import opened, url

    with opened(url(room)) as book:
        scores = {s.student.id: s.score for s in book.assignment_submissions("00_flows_recap")}
    assert scores == {"ann": 2.0, "bob": 2.0, "dee": 2.0}


def test_nothing_survives_a_killed_grader(room):
    shutil.rmtree(room.verdicts, ignore_errors=True)
    process = start(room, "--jobs", "2")
    time.sleep(6)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    end = time.monotonic() + 20
    while children_of(process.pid) and time.monotonic() < end:
        time.sleep(0.2)
    assert children_of(process.pid) == []


def test_eight_workers_lose_nothing(room):
    shutil.rmtree(room.verdicts, ignore_errors=True)
    finish(room, "--jobs", "8")
    assert len(verdicts(room)) == 3


def test_a_full_disk_is_one_line_and_loses_nothing(room, monkeypatch):
    """No space for verdicts: the run ends with one line, and the next one grades."""
    import errno

    from grading import course as courses
    from grading import verdicts as files

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(OSError, match="No space left"):
        files.save(room, "x", {"status": "graded"})
    monkeypatch.undo()
    path = room.data / "whole"
    courses.write(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        courses.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in room.data.iterdir() if p.name.startswith(".")] == []
