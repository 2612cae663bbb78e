"""A real scheduler and real worker processes on this machine, one of them killed while it works."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from grading.course import CHECKOUT, Course
from grading.judging.verdict import without

from . import classroom

pytest.importorskip("distributed")

CLUSTER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        pids = [nanny.pid for nanny in cluster.workers.values()]
        print(cluster.scheduler_address, *pids, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def cluster(tmp_path):
    """`(address, worker pids)`."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    command = [sys.executable, str(script)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, text=True, start_new_session=True, **pipes)
    address, *pids = process.stdout.readline().split()
    yield address, [int(pid) for pid in pids]
    process.stdin.close()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.stdout.close()


def autograde(room: Course, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "grading", "autograde", "--course", str(room.root), "--secret", "s", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_worker_loses_nothing(tmp_path, cluster):
    room = Course(tmp_path)
    released = room.released / "00_flows_recap" / "flows_recap.ipynb"
    released.parent.mkdir(parents=True)
    released.write_bytes((CHECKOUT / "course" / "00_flows_recap" / "flows_recap.ipynb").read_bytes())
    for number in range(6):
        notebook = json.loads(released.read_text())
        classroom.at(notebook, "batch_jacobian")["source"] = classroom.RIGHT["batch_jacobian"] + f"\n# {number}"
        if number == 4:
            classroom.at(notebook, "batch_jacobian")["source"] = classroom.THIEF
        target = room.submitted / f"s{number}" / "00_flows_recap" / "flows_recap.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text("hello" if number == 5 else json.dumps(notebook))
    address, pids = cluster
    process = autograde(room, "--scheduler", address, "--json", str(tmp_path / "o.json"))
    time.sleep(8)
    os.kill(pids[0], signal.SIGKILL)
    printed, problems = process.communicate(timeout=300)
    assert process.returncode == 1, printed + problems
    assert "s5: 00_flows_recap: refused" in problems, printed + problems
    rows = json.loads((tmp_path / "o.json").read_text())["submissions"]
    assert {r["student"]: r["score"] for r in rows} == {f"s{n}": (2, 2, 2, 2, 0, None)[n] for n in range(6)}
    assert "s5: 00_flows_recap: refused" in problems
    sent = sorted(p.read_bytes() for p in room.verdicts.glob("*/*.json"))
    assert len(sent) == 6  # the refusal, too
    assert any(refused.encode() in verdict for verdict in sent for refused in classroom.REFUSED)
    for path in room.verdicts.glob("*/*.json"):
        path.unlink()
    autograde(room, "--jobs", "1").communicate(timeout=300)
    assert sorted(p.read_bytes() for p in room.verdicts.glob("*/*.json")) == sent


NO_STEPS = SimpleNamespace(steps=())


def test_a_hanging_grader_costs_its_own_submission_and_its_process(monkeypatch):
    """On a worker, here: the answer is there in time, the process ends after it, and takes nothing before."""
    from grading.judging import cluster as clusters
    from grading.judging import store

    hang, ended = threading.Event(), threading.Event()
    monkeypatch.setattr(clusters, "_one_at_a_time", threading.Lock())
    monkeypatch.setattr(clusters, "starter", lambda name, kind: print)
    monkeypatch.setattr(clusters, "DEADLINE", 0.2)
    monkeypatch.setattr(clusters, "LEAVE", 0.5)
    monkeypatch.setattr(clusters.os, "_exit", lambda code: ended.set())
    monkeypatch.setattr(clusters.judge, "grade", lambda *given: hang.wait(60))
    try:
        words = (NO_STEPS, "ann", classroom.FLOWS, "s", "bwrap")
        verdict = clusters.remote(store.version(), *words)
        assert (verdict.student, verdict.status) == ("ann", "failed")
        assert "at work for more than" in verdict.reason
        assert not clusters._one_at_a_time.acquire(timeout=0.1)
        assert ended.wait(10)
    finally:
        hang.set()


@pytest.mark.parametrize("error", [None, TimeoutError, SystemExit])
def test_what_is_said_in_time_frees_the_worker(monkeypatch, error):
    from grading.judging import cluster as clusters
    from grading.judging import store

    def grade(*given):
        if error:
            raise error
        return without("ann", classroom.FLOWS, "")

    monkeypatch.setattr(clusters, "starter", lambda name, kind: print)
    monkeypatch.setattr(clusters.judge, "grade", grade)
    words = (store.version(), NO_STEPS, "ann", classroom.FLOWS, "s", "bwrap")
    if error:
        with pytest.raises(error):
            clusters.remote(*words)
    else:
        assert clusters.remote(*words).student == "ann"
    assert clusters._one_at_a_time.acquire(timeout=1)
    clusters._one_at_a_time.release()


def test_no_scheduler_is_one_line(tmp_path, monkeypatch, capsys):
    from grading.course import CourseError
    from grading.judging import cluster as clusters

    monkeypatch.setattr(clusters, "PATIENCE", "1s")
    with pytest.raises(CourseError, match="no scheduler answers at"):
        clusters.connect("tcp://127.0.0.1:1")
