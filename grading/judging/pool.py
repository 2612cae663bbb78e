"""Many submissions at once: forked workers here, the same pure function for each. Verdict files are the result.

A worker that dies costs nothing: its submission goes to another. One that hangs is ended, and its submission said.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait

from ..running.worker import limits
from .task import Grader, Work, careful
from .verdict import Verdict

DEADLINE = 3600.0  # seconds for one submission: its own budgets end it long before
GRACE = 1.0  # seconds that a worker has to end what it started
TRIES = 3
FORK = multiprocessing.get_context("fork")


def run(grader: Grader, jobs: int, works: Iterable[Work]) -> Iterator[tuple[Work, Verdict]]:
    """Verdicts as they come; closing the iterator ends all workers."""
    with Workers(grader) as workers:
        yield from workers.results(iter(works), jobs)


class Worker:
    """A forked process that grades one task after another."""

    def __init__(self, grader: Grader):
        self.link, other = FORK.Pipe()
        self.process = FORK.Process(target=serve, args=(grader, other, os.getpid()), daemon=True)
        self.process.start()
        other.close()
        self.work: Work | None = None
        self.end = float("inf")

    def give(self, work: Work):
        self.work, self.end = work, time.monotonic() + DEADLINE
        with contextlib.suppress(OSError):  # one that died meanwhile is noticed when its answer is waited for
            self.link.send(work)

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

    def results(self, works: Iterator[Work], jobs: int) -> Iterator[tuple[Work, Verdict]]:
        again, tries = deque(), Counter()
        while True:
            while len(self.busy) < jobs and (work := again.popleft() if again else next(works, None)):
                self.start(work)
            if not self.busy:
                return
            for worker in self.settled():
                work, verdict = worker.work, self.answer(worker)
                tries[work.task] += 1
                if verdict is None and tries[work.task] < TRIES:
                    again.append(work)
                else:
                    yield work, verdict or self.grader.failed(work.task, "its grader was killed, again and again")

    def start(self, work: Work):
        if not self.idle and not self.busy:
            self.grader.warm_up(work.task.assignment)
        worker = self.idle.pop() if self.idle else Worker(self.grader)
        self.busy.append(worker)
        worker.give(work)

    def settled(self) -> list[Worker]:
        """Those that said something, died, or have been at work for too long; waits for the first."""
        first = min(worker.end for worker in self.busy)
        ready = wait([worker.link for worker in self.busy], max(0.0, first - time.monotonic()))
        return [w for w in self.busy if w.link in ready or w.end < time.monotonic()]

    def answer(self, worker: Worker) -> Verdict | None:
        """A worker's verdict; None where it died."""
        self.busy.remove(worker)
        try:
            if worker.link.poll():
                verdict = worker.link.recv()
                self.idle.append(worker)
                return verdict
        except (EOFError, OSError):
            self.end([worker])
            return None
        self.end([worker])
        return self.grader.failed(worker.work.task, overdue(DEADLINE))


def ended(*_):
    raise SystemExit


def serve(grader: Grader, link, parent: int):
    """In the worker. Ctrl-C reaches it too, and is the coordinator's to answer; what it started ends with it."""
    limits.end_with(parent)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, ended)
    with contextlib.suppress(EOFError):
        while True:
            work = link.recv()
            link.send(careful(grader, work.task, lambda: grader.grade(work)))  # noqa: B023 - called at once


def overdue(seconds: float) -> str:
    return f"its grader was at work for more than {seconds / 60:.0f} minutes"
