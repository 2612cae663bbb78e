"""Many submissions at once: forked workers here, the same pure function for each. Verdict files are the result.

A worker that dies costs nothing: its submission goes to another. One that hangs is ended, and its submission said.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import wait

from ..notebook.submission import Submission
from ..running.worker import limits
from .task import Grader, careful
from .verdict import Verdict

DEADLINE = 3600.0  # seconds for one submission: its own budgets end it long before
GRACE = 1.0  # seconds that a worker has to end what it started
TRIES = 3
KILLED = "its grader was killed, again and again"
FORK = multiprocessing.get_context("fork")


def nothing():
    pass


def run(
    grader: Grader, jobs: int, submissions: Iterable[Submission], meanwhile: Callable[[], object] = nothing
) -> Generator[tuple[Submission, Verdict]]:
    """Verdicts as they come; closing the iterator ends all. When the first are at work, `meanwhile` is called."""
    with Workers(grader) as workers:
        yield from workers.results(iter(submissions), jobs, meanwhile)


class Worker:
    """A forked process that grades one task after another."""

    submission: Submission  # the last that it was given

    def __init__(self, grader: Grader):
        self.link, other = FORK.Pipe()
        self.process = FORK.Process(target=serve, args=(grader, other, os.getpid()), daemon=True)
        self.process.start()
        other.close()
        self.end = float("inf")

    def give(self, submission: Submission):
        self.submission, self.end = submission, time.monotonic() + DEADLINE
        with contextlib.suppress(OSError):  # one that died meanwhile is noticed when its answer is waited for
            self.link.send(submission)

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

    def results(
        self, submissions: Iterator[Submission], jobs: int, meanwhile: Callable[[], object]
    ) -> Iterator[tuple[Submission, Verdict]]:
        again, tries = deque(), Counter()
        while True:
            while len(self.busy) < jobs and (submission := again.popleft() if again else next(submissions, None)):
                self.start(submission)
            if not self.busy:
                return
            meanwhile, _ = nothing, meanwhile()
            for worker in self.settled():
                submission, verdict = worker.submission, self.answer(worker)
                tries[submission.key] += 1
                if verdict is None and tries[submission.key] < TRIES:
                    again.append(submission)
                else:
                    yield submission, verdict or self.grader.failed(submission, KILLED)

    def start(self, submission: Submission):
        if not self.idle and not self.busy:
            self.grader.warm_up(submission.assignment)
        worker = self.idle.pop() if self.idle else Worker(self.grader)
        self.busy.append(worker)
        worker.give(submission)

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
        return self.grader.failed(worker.submission, overdue(DEADLINE))


def ended(*_):
    raise SystemExit


def serve(grader: Grader, link, parent: int):
    """In the worker. Ctrl-C reaches it too, and is the coordinator's to answer; what it started ends with it."""
    limits.end_with(parent)
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, ended)
    with contextlib.suppress(EOFError):
        while True:
            submission = link.recv()
            link.send(careful(grader, submission, lambda: grader.grade(submission)))  # noqa: B023 - called at once


def overdue(seconds: float) -> str:
    return f"its grader was at work for more than {seconds / 60:.0f} minutes"
