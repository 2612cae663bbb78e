"""Kill the grader at any moment and start it again: every submission is graded, and the same files lie there."""

import errno
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from grading import course as courses
from grading.course import CHECKOUT, Course

from ..grading import classroom

STUDENTS = ("ann", "bob", "cid", "dee")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A class of four, one of whom crashes and one of whom hands in no notebook: his refusal is filed as well."""
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
    assert process.returncode == 1, printed  # cid is refused
    assert "cid: 00_flows_recap: refused" in printed
    return printed


def verdicts(course: Course) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in course.verdicts.glob("*/*.json")}


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
    assert len(undisturbed) == 4
    kills = 60 if request.config.getoption("--attacks") == "all" else 3
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
    from grading.recording.gradebook import opened, url

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
    assert len(verdicts(room)) == 4


FULL_DISK = """
mount -t tmpfs -o size=8k none {verdicts}
{grade}; echo "exit $?"
cp -r {verdicts} {kept}
mount -o remount,size=1m {verdicts}
{grade}; echo "exit $?"
cp -r {verdicts} {after}
"""


@pytest.mark.slow  # tests/grading/test_full_disk.py fills one for all commands, every time
def test_a_full_disk_is_one_line_a_student_and_loses_nothing(room, tmp_path):
    """The verdicts on a disk of two pages, in a mount namespace of its own; then there is room again."""
    namespace = ["unshare", "--mount", "--user", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*namespace, "mount", "-t", "tmpfs", "none", "/mnt"]).returncode:
        pytest.skip("no mount namespace on this machine")
    shutil.rmtree(room.verdicts, ignore_errors=True)
    room.verdicts.mkdir()
    words = ["-m", "grading", "autograde", "--course", str(room.root), "--secret", "s", "--sandbox", "none", "--quiet"]
    kept, after = tmp_path / "kept", tmp_path / "after"
    grade = shlex.join([sys.executable, *words, "--jobs", "1"])
    script = FULL_DISK.format(verdicts=room.verdicts, grade=grade, kept=kept, after=after)
    done = subprocess.run([*namespace, "sh", "-c", script], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["exit 1", "exit 1"], done.stderr  # cid is refused
    full = [line for line in done.stderr.splitlines() if "No space left on device" in line]
    assert len(full) >= 1
    assert "Traceback" not in done.stderr
    written = {p.name: p.read_bytes() for p in kept.glob("*/*.json")}
    whole = {p.name: p.read_bytes() for p in after.glob("*/*.json")}
    assert len(whole) == 4 > len(written)
    assert written.items() <= whole.items()


def test_what_is_written_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "whole"
    courses.write(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        courses.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["whole"]
