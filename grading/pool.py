"""Many submissions at once: forked workers here, the same pure function for each. Verdict files are the result."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from . import judge
from .grader import ASSIGNMENTS, Grader, Task
from .inside import limits

TRIES = 3
_grader: Grader | None = None


def run(grader: Grader, tasks: list[Task], jobs: int) -> Iterator[dict]:
    """Results as they come. A worker that is killed costs nothing: what it had not filed is done again."""
    left, tries = [], 0
    for task in tasks:
        if result := grader.filed(task):
            yield result
        else:
            left.append(task)
    while left:
        try:
            for task, result in parallel(grader, left, jobs):
                yield result
                left.remove(task)
        except BrokenProcessPool:
            tries += 1
            if tries == TRIES:
                yield from (lost(grader, task) for task in left)
                return


def parallel(grader: Grader, tasks: list[Task], jobs: int):
    if jobs <= 1 or len(tasks) == 1:
        for task in tasks:
            yield task, careful(grader, task)
        return
    global _grader
    _grader = grader  # inherited by the fork
    for name in {task.assignment for task in tasks}:
        grader.warm_up(ASSIGNMENTS[name])
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, limits.end_with, (os.getpid(),)) as pool:
        waiting = {pool.submit(one, task): task for task in tasks}
        for future in as_completed(list(waiting)):
            yield waiting.pop(future), future.result()


def one(task: Task) -> dict:
    return careful(_grader, task)


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
    failed = judge.refused(task.student, ASSIGNMENTS[task.assignment], reason, grader.sandbox.kind, "failed")
    return failed | {"seconds": 0.0}
