"""What each command does, in a few lines each; imported when a command runs, so that --help is quick."""

import os
import time
from contextlib import closing, contextmanager
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import console
from ..collecting.collect import Collected
from ..collecting.collect import collect as take_over
from ..course import Course, CourseError
from ..judging import cluster, pool, results, store
from ..judging.task import Grader, Task, Work, handed_in
from ..judging.task import batch as graded
from ..judging.verdict import Verdict, without
from ..lock import locked
from ..notebook import parse
from ..notebook.submission import prepare, recognise
from ..plaintext import one_line
from ..running import sandbox
from . import doctor as health

LOOKS = {"new": "green", "newer": "green", "unchanged": "dim", "older": "yellow", "nothing": "red"}
MOST_SKIPPED = 20
EXERCISE_FORM = ("assignment", "student", "status", "reason", "sandbox", "score", "max_score", "exercises")
BATCH_FORM = ("student", "assignment", "status", "reason", "score", "max_score", "sandbox", "seconds", "exercises")


def release(options, course: Course) -> int:
    from ..releasing import lint
    from ..releasing.release import release as release_one  # nbgrader takes seconds to import: only where it is needed
    from ..releasing.release import wanted

    names = wanted(course, options.assignments)
    lint.sources(course, names, options.check)
    written, problems = [], []
    for name in names:
        files, faults = release_one(course, name, options.check)
        written += files
        problems += faults
    console.lines(options, [f"released {path}" for path in written] or ([] if problems else ["course/ is up to date"]))
    console.problems(problems)
    console.outcome(options, {"written": [str(p) for p in written], "problems": problems})
    return 1 if problems else 0


def new(options, course: Course) -> int:
    from ..releasing.new import new as write_new

    files = write_new(course, options.assignment, options.exercise, options.arguments)
    console.lines(options, [f"written {path}" for path in files])
    console.outcome(options, {"written": [str(path) for path in files]})
    return 0


def make_grader(options, course: Course) -> Grader:
    chosen = sandbox.choose(options.sandbox)
    if chosen.kind == "none":
        console.problems(["students' code runs unprotected (--sandbox none)"])
    secret = options.secret if options.secret is not None else course.secret()
    return Grader(course, secret, sandbox.ForkServerSandbox(chosen))


def check(options, course: Course) -> int:
    if not os.path.lexists(options.notebook):
        raise CourseError(f"no file {options.notebook}")
    try:
        data = parse.read(options.notebook)
        verdict = checked(make_grader(options, course), data, options.student)
    except parse.Refused as refusal:
        verdict = without(options.student, None, str(refusal))
    console.outcome(options, verdict.outcome(*EXERCISE_FORM))
    if not verdict.graded:
        console.problems([f"{options.notebook}: {verdict.status}: {verdict.reason}"])
        return 1
    console.verdict(options, verdict)
    return 0


def checked(grader: Grader, data: bytes, student: str) -> Verdict:
    """The verdict on one notebook, which goes nowhere. Raises Refused."""
    assignment = recognise(data, grader.course.assignments)
    task = Task(student, assignment.name, ())
    try:
        return grader.grade(Work(task, prepare(grader.course.released_notebook(assignment).read_bytes(), data)))
    except parse.Refused as refusal:
        return grader.without(task, str(refusal))


def autograde(options, course: Course) -> int:
    with locked(course):
        store.sweep(course)
        verdicts = batch(options, course)
    full = (store.whole(course, verdict) for verdict in verdicts)
    console.outcomes(options, "submissions", (verdict.outcome(*BATCH_FORM) for verdict in full))
    console.table(options, verdicts)
    failed = [f"{v.student}: {v.assignment}: {v.status}: {v.reason}" for v in verdicts if not v.graded]
    misnamed = [f"{name}: no possible name of a student: rename the folder" for name in course.misnamed()]
    console.problems(failed + misnamed)
    return 1 if failed or misnamed else 0


def batch(options, course: Course) -> list[Verdict]:
    """Grade, and record as verdicts come. Their summaries, by assignment and student."""
    from ..recording.record import Recorder
    from ..releasing import lint

    tasks = handed_in(course, course.wanted(options.assignments), options.student)
    if not tasks:
        whose = f" by {options.student!r}" if options.student else ""
        raise CourseError(
            f"no submissions{whose} in {course.submitted}; put them in STUDENT/ASSIGNMENT/ or use collect"
        )
    lint.released(course, sorted({task.assignment for task in tasks}))
    grader, recorder, verdicts = make_grader(options, course), Recorder(course), []
    with executor(grader, options, len(tasks)) as execute, closing(graded(grader, tasks, execute)) as coming:
        for verdict in console.progress(options, coming, len(tasks)):  # whatever ends this ends the graders, too
            recorder.add(verdict)
            verdicts.append(verdict)
    recorder.finish()
    return sorted(verdicts, key=lambda verdict: (verdict.assignment, verdict.student))


@contextmanager
def executor(grader: Grader, options, tasks: int):
    """Where submissions are graded: a Dask cluster, or processes on this machine."""
    if options.scheduler:
        with cluster.connect(options.scheduler) as client:
            yield partial(cluster.run, grader, client)
    else:
        yield partial(pool.run, grader, options.jobs or min(tasks, os.cpu_count() or 1))


def collect(options, course: Course) -> int:
    name = course.assignment(options.assignment).name
    with locked(course):
        made = take_over(course, options.source, name)
    taken = [row["student"] for row in made.students if row["status"] != "nothing"]
    if not options.quiet:
        Console().print(collected_table(name, made))
        lines = [f"skipped: {file}: {reason}" for file, reason in made.skipped]
        more = len(lines) - MOST_SKIPPED
        console.lines(options, lines[:MOST_SKIPPED] + ([f"... and {more} more: see --json"] if more > 0 else []))
        console.lines(options, [f"missing: {', '.join(made.missing)}"] if made.missing else [])
        console.lines(options, [f"collected {len(taken)} submissions of {name} into {course.submitted}"])
    console.problems(made.problems)
    skipped = [{"file": file, "reason": reason} for file, reason in made.skipped]
    data = {"platform": made.platform, "students": made.students, "skipped": skipped, "missing": made.missing}
    console.outcome(options, {"collected": taken, **data, "problems": made.problems})
    return 1 if made.problems else 0


def collected_table(name: str, made: Collected) -> Table:
    table = Table(title=f"{name}, from {made.platform}")
    for column in ("student", "status", "late", "attempts", "handed in", "file"):
        table.add_column(
            column,
            justify="right" if column == "attempts" else "left",
            no_wrap=column not in ("student", "file"),
            min_width=12 if column == "student" else None,
        )
    for row in made.students:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["time"])) if row["time"] else ""
        status = f"[{LOOKS[row['status']]}]{row['status']}[/]"
        late = "late" if row["late"] else ""
        file = row["file"].rsplit("/", 1)[-1]
        table.add_row(Text(one_line(row["student"])), status, late, str(row["attempts"]), when, Text(one_line(file)))
    return table


def feedback(options, course: Course) -> int:
    from ..publishing.feedback import feedback as write_pages

    return finish(options, course, write_pages)


def report(options, course: Course) -> int:
    from ..publishing.report import report as write_pages

    return finish(options, course, write_pages)


def export(options, course: Course) -> int:
    from ..publishing.export import FORMS

    return finish(options, course, FORMS[options.form])


def finish(options, course: Course, make) -> int:
    """Make what is asked from the verdicts. Exit 1 where a submission has none."""
    found = results.wanted(course, options.assignments)
    written, notes = make(course, found)
    console.lines(options, [f"wrote {path}" for path in written[:10]])
    if len(written) > 10:
        console.lines(options, [f"... and {len(written) - 10} more"])
    notes, problems = notes + results.unprotected(found), results.problems(found)
    console.problems(notes + problems)
    console.outcome(options, {"written": [str(path) for path in written], "notes": notes, "problems": problems})
    return 1 if problems else 0


def doctor(options, course: Course) -> int:
    findings = health.findings(course)
    console.findings(options, findings)
    console.outcome(options, {"findings": [{"what": w, "works": ok, "line": line} for w, ok, line in findings]})
    return 0 if all(ok for what, ok, _ in findings if what in health.NEEDED) else 1


def demo(options, course: Course) -> int:
    from ..demo import demo as run_demo

    return run_demo(options, course)
