"""Grading on a Dask cluster: the same pure function, sent with its bytes. Only this process writes anything.

Workers need the same version of this package and a working sandbox; give each `--nthreads 1`. The secret that draws the
graded cases travels with every submission: use a cluster that is yours, with TLS.
"""

import threading
import time
from collections.abc import Iterator
from functools import cache

from dgmlib.checks import ASSIGNMENTS

from . import intake, judge, sandbox, verdicts
from .course import CourseError
from .grader import Grader, Task, hidden_folders
from .repair import repair

PATIENCE = "30s"
_one_at_a_time = threading.Lock()


def run(grader: Grader, tasks: list[Task], address: str) -> Iterator[dict]:
    """Results as they come. A worker that dies costs nothing: its submissions go to another."""
    client = connect(address)
    from distributed import as_completed

    with client:
        waiting = {}
        for task in tasks:
            if result := grader.filed(task):
                yield result
                continue
            made = prepared(grader, task)
            if "status" in made:
                yield made | {"seconds": 0.0}
                continue
            words = (made["data"], task.student, task.assignment, grader.secret, made["released"], grader.sandbox.kind)
            future = client.submit(remote, verdicts.version(), *words, key=f"grade-{made['key']}", retries=3)
            waiting[future] = (task, {k: made[k] for k in ("key", "file")})
        for future in as_completed(list(waiting), loop=client.loop):
            task, made = waiting.pop(future)
            yield collected(grader, task, made, future)


def connect(address: str):
    """A client of the scheduler at `address`. Raises CourseError."""
    try:
        from distributed import Client
    except ImportError:
        raise CourseError("--scheduler needs Dask: pip install distributed") from None
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CourseError(f"--scheduler: no scheduler answers at {address} ({line})") from None


def prepared(grader: Grader, task: Task) -> dict:
    """The first of a task's files that is a notebook of its assignment; else the refusal."""
    assignment = ASSIGNMENTS[task.assignment]
    refused = judge.refused(task.student, assignment, "no .ipynb file was handed in", grader.sandbox.kind)
    released = grader.course.released_notebook(assignment).read_bytes()
    for file in task.files:
        try:
            data = intake.read(file)
            repair(released, intake.cells(data))
        except intake.Refused as refusal:
            refused = judge.refused(task.student, assignment, str(refusal), grader.sandbox.kind)
            continue
        return {"data": data, "released": released, "file": str(file), "key": grader.key(data, task)}
    return refused


def collected(grader: Grader, task: Task, made: dict, future) -> dict:
    """File what a worker sent."""
    if future.status != "finished":
        reason = f"the cluster gave no verdict: {future.exception()}".splitlines()[0]
        verdict = judge.refused(task.student, ASSIGNMENTS[task.assignment], reason, grader.sandbox.kind, "failed")
        return verdict | {"seconds": 0.0}
    verdict, seconds = future.result()
    future.release()
    verdicts.save(grader.course, made["key"], verdict)
    return verdicts.summary(verdict) | {"key": made["key"], "file": made["file"], "seconds": round(seconds, 2)}


def remote(version: str, data: bytes, student: str, name: str, secret: str, released: bytes, kind: str):
    """On a worker: the verdict and its seconds. The judge uses global random state: one at a time in a process."""
    if version != verdicts.version():
        raise RuntimeError("this worker has another version of dgmlib; install the coordinator's")
    with _one_at_a_time:
        started = time.monotonic()
        verdict = judge.grade(data, student, ASSIGNMENTS[name], secret, released, starter(name, kind), kind)
        return verdict, time.monotonic() - started


@cache
def starter(name: str, kind: str):
    """This worker's stage and fork server for an assignment."""
    import torch

    torch.set_num_threads(1)
    stage = sandbox.Stage(tuple(ASSIGNMENTS[name].open_modules))
    warm = sandbox.Warm(sandbox.choose(kind))
    from .course import CHECKOUT, Course

    return lambda link: warm.start(stage, link, hidden_folders(Course(CHECKOUT)))
