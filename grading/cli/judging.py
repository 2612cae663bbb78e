"""`autograde` and `check`: a class, and one file."""

import os
from contextlib import closing, contextmanager
from functools import cache, partial

import click

from ..course import Course, CourseError
from . import options

EXERCISE_FORM = ("assignment", "student", "status", "reason", "sandbox", "score", "max_score", "exercises")
BATCH_FORM = ("student", "assignment", "status", "reason", "score", "max_score", "sandbox", "seconds", "exercises")


@click.command()
@options.assignments
@click.option("--student", metavar="ID", help="Grade this student alone.")
@click.option("--changed", is_flag=True, help="Say what grading anew would change, and record nothing.")
@options.jobs
@click.option("--scheduler", metavar="ADDRESS", help="Grade on a Dask cluster: its scheduler's address.")
@options.judged
@options.shared
def autograde(assignments, student, changed, jobs, scheduler, secret, sandbox, course, output) -> int:
    """Grade what was collected, and record it."""
    from ..judging import handed_in, regraded, store
    from ..lock import locked

    with locked(course):
        store.sweep(course)
        tasks = submissions(course, assignments, student)
        beside = not scheduler and not handed_in.all_on_file(course, tasks)
        grader = make_grader(course, secret, sandbox, output, beside)
        from ..recording import record  # noqa: F401 - nbgrader: like torch, while the fork server starts

        recorder = cache(lambda: opened(course, tasks, changed))
        verdicts = batch(grader, tasks, jobs, scheduler, output, recorder)
        changes = [made for v in verdicts if (made := regraded.change(course, v))] if changed else []
    if changed:
        output.lines([str(change) for change in changes] or ["nothing that is recorded would change"])
        output.lines([f"{len(changes)} would change; autograde without --changed records them"] if changes else [])
    output.lines([] if changed else recorder().said)
    full = (store.whole(course, verdict) for verdict in verdicts)
    output.outcomes("submissions", (verdict.outcome(*BATCH_FORM) for verdict in full))
    tables(course, verdicts, output)
    failed = [f"{v.student}: {v.assignment}: {v.status}: {v.reason}" for v in verdicts if not v.graded]
    misnamed = [f"{name}: no possible name of a student: rename the folder" for name in course.misnamed()]
    output.problems(failed + misnamed)
    return 3 if any(v.course_fault for v in verdicts) else 1 if failed or misnamed else 0


def opened(course: Course, tasks: list, changed: bool):
    """The gradebook's recorder, or None where nothing is recorded: opened while the first submissions are graded, and
    their checks looked at. Raises CourseFault where the course cannot be graded."""
    from ..recording.record import Recorder
    from ..releasing import lint

    lint.released(course, sorted({task.assignment for task in tasks}))
    return None if changed else Recorder(course)


def tables(course: Course, verdicts: list, output):
    """What counts: points that a person gave, what is taken for lateness, and who is late, extended or excused."""
    from ..collecting import roster
    from ..recording.scores import by_hand, points

    people = roster.load(course)
    for name in dict.fromkeys(verdict.assignment for verdict in verdicts):
        mine, hands = [v for v in verdicts if v.assignment == name], by_hand(course, name)
        counted = {v.student: points(v, hands.get(v.student, {})) for v in mine if v.graded}
        output.scores(name, mine, counted, {who: roster.standing(entry, name) for who, entry in people.items()})


def submissions(course: Course, assignments, student: str | None) -> list:
    """What there is to grade, as tasks. Raises CourseError where there is nothing."""
    from ..judging.handed_in import handed_in

    tasks = handed_in(course, course.wanted(assignments), student)
    if not tasks:
        whose = f" by {student!r}" if student else ""
        raise CourseError(
            f"no submissions{whose} in {course.submitted}; put them in STUDENT/ASSIGNMENT/ or use collect"
        )
    return tasks


def make_grader(course: Course, secret: str | None, kind: str, output, beside: bool = True):
    """`beside`: a fork server imports torch while this process does."""
    from ..running import sandbox

    box = sandbox.ForkServerSandbox(sandbox.choose(kind))
    if box.kind == "none":
        output.problems(["students' code runs unprotected (--sandbox none)"])
    if beside:
        box.begin(course.hidden)
    from ..judging.task import Grader

    return Grader(course, course.secret() if secret is None else secret, box)


def batch(grader, tasks: list, jobs: int | None, scheduler: str | None, output, recorder) -> list:
    """Grade, and hand verdicts to the recorder, if any, as they come. Their summaries, by assignment and student."""
    from ..judging import task

    verdicts = []
    with (
        executor(grader, jobs or min(len(tasks), os.cpu_count() or 1), scheduler, recorder) as execute,
        closing(task.batch(grader, tasks, execute)) as coming,  # whatever ends this ends the graders, too
    ):
        for verdict in output.progress(coming, len(tasks)):
            verdicts.append(verdict)
            if open_one := recorder():
                open_one.add(verdict)
    if open_one := recorder():
        open_one.finish()
    return sorted(verdicts, key=lambda verdict: (verdict.assignment, verdict.student))


@contextmanager
def executor(grader, jobs: int, scheduler: str | None, meanwhile):
    """Where submissions are graded: a Dask cluster, or processes on this machine."""
    from ..judging import cluster, pool

    if scheduler:
        meanwhile()
        with cluster.connect(scheduler) as client:
            yield partial(cluster.run, grader, client)
    else:
        yield partial(pool.run, grader, jobs, meanwhile=meanwhile)


@click.command()
@click.argument("notebook", type=options.FILE)
@click.option("--student", metavar="ID", default="", help="Whose it is: graded cases are drawn for each student.")
@options.judged
@options.shared
def check(notebook, student, secret, sandbox, course, output) -> int:
    """Grade one file; touches no gradebook."""
    from ..judging.verdict import without
    from ..notebook import parse

    if not os.path.lexists(notebook):
        raise CourseError(f"no file {notebook}")
    try:
        data = parse.read(notebook)
        verdict = checked(make_grader(course, secret, sandbox, output), data, student)
    except parse.Refused as refusal:
        verdict = without(student, None, str(refusal))
    output.outcome(verdict.outcome(*EXERCISE_FORM))
    if not verdict.graded:
        output.problems([f"{notebook}: {verdict.status}: {verdict.reason}"])
        return 3 if verdict.course_fault else 1
    output.verdict(verdict)
    return 0


def checked(grader, data: bytes, student: str):
    """The verdict on one notebook, which goes nowhere. Raises Refused."""
    from ..judging.verdict import without
    from ..notebook.parse import Refused
    from ..notebook.submission import prepare, recognise

    assignment = recognise(data, grader.course.assignments)
    released = grader.course.released_notebook(assignment).read_bytes()
    try:
        submission = prepare(released, data, student, assignment.name)
    except Refused as refusal:
        return without(student, assignment, str(refusal), grader.sandbox.kind)
    grader.warm_up(assignment.name)
    return grader.grade(submission)


COMMANDS = (autograde, check)
