"""Grading on a Dask cluster: the same pure function, sent with a repaired notebook. This process alone writes.

Workers need the same version of this package and a working sandbox; give each `--nthreads 1`. The secret that draws the
graded cases travels with every submission: use a cluster that is yours, with TLS.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import cache, partial

from ..assignments import Assignment
from ..course import CHECKOUT, Course, CourseError
from ..notebook.repair import Repaired
from ..notebook.submission import Submission
from ..running import sandbox
from ..running.preloads import preloads
from . import judge, store
from .pool import DEADLINE, overdue
from .task import Grader
from .verdict import Status, Verdict, without

PATIENCE = "30s"
LEAVE = 60.0  # seconds in which a worker's last answer is fetched before its process ends
_one_at_a_time = threading.Lock()


def run(grader: Grader, client, submissions: Iterable[Submission]) -> Iterator[tuple[Submission, Verdict]]:
    """Verdicts as they come. A worker that dies costs nothing: its submissions go to another."""
    from distributed import as_completed

    sent: dict = {}
    try:
        for submission in submissions:
            words = (submission.repaired, submission.student, grader.course.assignment(submission.assignment))
            about = (store.version(), *words, grader.secret, grader.sandbox.kind)
            sent[client.submit(remote, *about, key=f"grade-{submission.key}", retries=3)] = submission
        for future in as_completed(list(sent), loop=client.loop):
            yield (submission := sent.pop(future)), received(grader, submission, future)
    finally:
        client.cancel(list(sent))


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


def received(grader: Grader, submission: Submission, future) -> Verdict:
    if future.status != "finished":
        return grader.failed(submission, f"the cluster gave no verdict: {future.exception()}".splitlines()[0])
    verdict = future.result()
    future.release()
    return verdict


def remote(version: str, repaired: Repaired, student: str, assignment: Assignment, secret: str, kind: str) -> Verdict:
    """On a worker: the verdict. The judge uses global random state: one at a time in a process.

    A thread that hangs cannot be ended: after the deadline its process ends, and takes no other submission before.
    """
    if version != store.version():
        raise RuntimeError("this worker has another version of dgmlib; install the coordinator's")
    _one_at_a_time.acquire()
    answer = Future()
    words = answer, repaired, student, assignment, secret, kind
    threading.Thread(target=grade, args=words, daemon=True).start()
    if wait([answer], DEADLINE).done:
        _one_at_a_time.release()
        return answer.result()
    threading.Timer(LEAVE, os._exit, (1,)).start()
    return replace(without(student, assignment, overdue(DEADLINE), kind, Status.FAILED), seconds=DEADLINE)


def grade(answer: Future, repaired: Repaired, student: str, assignment: Assignment, secret: str, kind: str):
    """`answer`: the verdict, or what was raised."""
    started = time.monotonic()
    try:
        checks = judge.checks(assignment)
        start = starter(tuple(checks.open_modules), kind)
        verdict = judge.grade(repaired, student, checks, secret, partial(start, preloads(repaired.steps)), kind)
        answer.set_result(replace(verdict, seconds=round(time.monotonic() - started, 2)))
    except BaseException as error:
        answer.set_exception(error)


@cache
def starter(open_modules: tuple[str, ...], kind: str):
    """This worker's bundle and fork server for an assignment."""
    import torch

    torch.set_num_threads(1)
    warm = sandbox.ForkServerSandbox(sandbox.choose(kind))
    bundle = warm.bundle(open_modules)
    return lambda wanted, link: warm.start(bundle, link, Course(CHECKOUT).hidden, wanted)
