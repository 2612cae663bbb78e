"""Grading on a Dask cluster: the same pure function, sent with a repaired notebook. This process alone writes.

Workers need the same version of this package and a working sandbox; give each `--nthreads 1`. The secret that draws the
graded cases travels with every submission: use a cluster that is yours, with TLS.
"""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from functools import cache

from dgmlib.checks import ASSIGNMENTS

from ..course import CourseError
from ..notebook import parse
from ..notebook.repair import Repaired
from ..notebook.submission import Files, Prepared, prepare
from ..running import sandbox
from . import judge, store
from .pool import DEADLINE, overdue
from .task import Grader, Task, hidden_folders

PATIENCE = "30s"
LEAVE = 60.0  # seconds in which a worker's last answer is fetched before its process ends
_one_at_a_time = threading.Lock()


def run(grader: Grader, tasks: list[Task], address: str) -> Iterator[dict]:
    """Results as they come. A worker that dies costs nothing: its submissions go to another."""
    client = connect(address)
    from distributed import as_completed

    waiting: dict = {}
    with client:
        try:
            for task in tasks:
                if result := grader.filed(task):
                    yield result
                    continue
                made, about = prepared(grader, task)
                if made is None:
                    yield about
                    continue
                words = (made.repaired, task.student, task.assignment, grader.secret, grader.sandbox.kind)
                future = client.submit(remote, store.version(), *words, key=f"grade-{about['key']}", retries=3)
                waiting[future] = (task, made, about)
            for future in as_completed(list(waiting), loop=client.loop):
                yield collected(grader, *waiting.pop(future), future)
        finally:
            client.cancel(list(waiting))


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


def prepared(grader: Grader, task: Task) -> tuple[Prepared | None, dict]:
    """The first of a task's files that is a notebook of its assignment, and its key; else the refusal."""
    assignment, files = ASSIGNMENTS[task.assignment], Files(task.files)
    refused = grader.refused(task.student, assignment, "no .ipynb file was handed in")
    for file in task.files:
        try:
            data = files.read(file)
            made = prepare(grader.released(assignment), data)
        except parse.Refused as refusal:
            refused = grader.refused(task.student, assignment, str(refusal))
            continue
        return made, {"key": grader.key(data, task), "files": files.digest()}
    return None, refused | {"seconds": 0.0, "files": files.digest()}


def collected(grader: Grader, task: Task, made: Prepared, about: dict, future) -> dict:
    """File what a worker sent."""
    if future.status != "finished":
        reason = f"the cluster gave no verdict: {future.exception()}".splitlines()[0]
        verdict = grader.refused(task.student, ASSIGNMENTS[task.assignment], reason, "failed")
        return verdict | {"seconds": 0.0, "files": about["files"]}
    verdict, seconds = future.result()
    future.release()
    verdict = grader.file(about["key"], verdict, made)
    return store.summary(verdict) | {"seconds": round(seconds, 2), "files": about["files"]}


def remote(version: str, *words) -> tuple[dict, float]:
    """On a worker: the verdict and its seconds. The judge uses global random state: one at a time in a process.

    A thread that hangs cannot be ended: after the deadline its process ends, and takes no other submission before.
    """
    if version != store.version():
        raise RuntimeError("this worker has another version of dgmlib; install the coordinator's")
    _one_at_a_time.acquire()
    answer = Future()
    threading.Thread(target=grade, args=(answer, *words), daemon=True).start()
    if wait([answer], DEADLINE).done:
        _one_at_a_time.release()
        return answer.result()
    threading.Timer(LEAVE, os._exit, (1,)).start()
    _, student, name, _, kind = words
    return judge.refused(student, ASSIGNMENTS[name], overdue(DEADLINE), kind, "failed"), DEADLINE


def grade(answer: Future, repaired: Repaired, student: str, name: str, secret: str, kind: str):
    """`answer`: the verdict and its seconds, or what was raised."""
    started = time.monotonic()
    try:
        verdict = judge.grade(repaired, student, ASSIGNMENTS[name], secret, starter(name, kind), kind)
        answer.set_result((verdict, time.monotonic() - started))
    except BaseException as error:
        answer.set_exception(error)


@cache
def starter(name: str, kind: str):
    """This worker's stage and fork server for an assignment."""
    import torch

    torch.set_num_threads(1)
    stage = sandbox.Bundle(tuple(ASSIGNMENTS[name].open_modules))
    warm = sandbox.ForkServerSandbox(sandbox.choose(kind))
    from ..course import CHECKOUT, Course

    return lambda link: warm.start(stage, link, hidden_folders(Course(CHECKOUT)))
