"""Many submissions at once: forked workers here, the same pure function for each. Verdict files are the result.

A worker that dies costs nothing: its submission goes to another. One that hangs is ended, and its submission said.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing.connection import wait

from ..running.worker import limits
from .task import ASSIGNMENTS, Grader, Task

DEADLINE = 3600.0  # seconds for one submission: its own budgets end it long before
GRACE = 1.0  # seconds that a worker has to end what it started
TRIES = 3
FORK = multiprocessing.get_context("fork")


def run(grader: Grader, tasks: list[Task], jobs: int) -> Iterator[dict]:
    """Results as they come; closing the iterator ends all workers."""
    left = []
    for task in tasks:
        if result := grader.filed(task):
            yield result
        else:
            left.append(task)
    for name in {task.assignment for task in left}:
        grader.warm_up(ASSIGNMENTS[name])
    with Workers(grader) as workers:
        yield from workers.results(left, jobs)


class Worker:
    """A forked process that grades one task after another."""

    def __init__(self, grader: Grader):
        self.link, other = FORK.Pipe()
        self.process = FORK.Process(target=serve, args=(grader, other, os.getpid()), daemon=True)
        self.process.start()
        other.close()
        self.task: Task | None = None
        self.end = float("inf")

    def give(self, task: Task):
        self.task, self.end = task, time.monotonic() + DEADLINE
        with contextlib.suppress(OSError):  # one that died meanwhile is noticed when its answer is waited for
            self.link.send(task)

    def kill(self):
        self.process.join(GRACE)
        self.process.kill()
        self.process.join()
        self.link.close()


class Workers:
    """Workers, started at need and ended together."""

    def __init__(self, grader: Grader):
        self.grader, self.idle, self.busy = grader, [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(self.busy + self.idle)

    def end(self, workers: list[Worker]):
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.kill()

    def results(self, tasks: list[Task], jobs: int) -> Iterator[dict]:
        waiting, tries = deque(tasks), Counter()
        while waiting or self.busy:
            while waiting and len(self.busy) < jobs:
                self.start(waiting.popleft())
            for worker in self.settled():
                task, result = worker.task, self.answer(worker)
                tries[task] += 1
                if result is None and tries[task] < TRIES:
                    waiting.append(task)
                else:
                    yield result or lost(self.grader, task)

    def start(self, task: Task):
        worker = self.idle.pop() if self.idle else Worker(self.grader)
        self.busy.append(worker)
        worker.give(task)

    def settled(self) -> list[Worker]:
        """Those that said something, died, or have been at work for too long; waits for the first."""
        first = min(worker.end for worker in self.busy)
        ready = wait([worker.link for worker in self.busy], max(0.0, first - time.monotonic()))
        return [w for w in self.busy if w.link in ready or w.end < time.monotonic()]

    def answer(self, worker: Worker) -> dict | None:
        """A worker's result; None where it died."""
        self.busy.remove(worker)
        try:
            if worker.link.poll():
                result = worker.link.recv()
                self.idle.append(worker)
                return result
        except (EOFError, OSError):
            self.end([worker])
            return None
        self.end([worker])
        return lost(self.grader, worker.task, overdue(DEADLINE))


def overdue(seconds: float) -> str:
    return f"its grader was at work for more than {seconds / 60:.0f} minutes"


def ended(*_):
    raise SystemExit


def serve(grader: Grader, link, parent: int):
    """In the worker. Ctrl-C reaches it too, and is the coordinator's to answer; what it started ends with it."""
    limits.end_with(parent)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, ended)
    with contextlib.suppress(EOFError):
        while True:
            link.send(careful(grader, link.recv()))


def careful(grader: Grader, task: Task) -> dict:
    """A submission never stops the batch: what is our own fault is said, and the next one comes."""
    try:
        return grader.task(task)
    except OSError as error:
        return lost(grader, task, f"{error.strerror or error}: run autograde again when that is mended")
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return lost(grader, task, reason)


def lost(grader: Grader, task: Task, reason: str = "its grader was killed, again and again") -> dict:
    return grader.refused(task.student, ASSIGNMENTS[task.assignment], reason, "failed") | {"seconds": 0.0}
