"""What each command does, in a few lines each; imported when a command runs, so that --help is quick."""

import os
import time
from contextlib import closing

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import console
from ..collecting.collect import Collected
from ..collecting.collect import collect as take_over
from ..course import Course, CourseError
from ..judging import cluster, judge, pool, results, store
from ..judging.results import remember
from ..judging.task import ASSIGNMENTS, Grader, handed_in, wanted
from ..lock import locked
from ..notebook import parse
from ..notebook.submission import recognise
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

    names = wanted(options.assignments) if options.assignments else with_solutions(course)
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


def with_solutions(course: Course) -> list[str]:
    names = [name for name in ASSIGNMENTS if (course.solutions / name).is_dir()]
    if not names:
        raise CourseError(f"no assignment in {course.solutions}")
    return names


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
        assignment = recognise(data)
        verdict = make_grader(options, course).verdict(data, options.student, assignment)
    except parse.Refused as refusal:
        verdict = judge.refused(options.student, None, str(refusal), "")
    console.outcome(options, {key: verdict[key] for key in EXERCISE_FORM})
    if verdict["status"] != "graded":
        console.problems([f"{options.notebook}: {verdict['status']}: {verdict['reason']}"])
        return 1
    console.verdict(options, verdict)
    return 0


def autograde(options, course: Course) -> int:
    with locked(course):
        store.sweep(course)
        results = batch(options, course)
    full = (store.whole(course, r) for r in results)
    console.outcomes(options, "submissions", ({key: r[key] for key in BATCH_FORM} for r in full))
    console.table(options, results)
    without = [r for r in results if r["status"] != "graded"]
    console.problems([f"{r['student']}: {r['assignment']}: {r['status']}: {r['reason']}" for r in without])
    misnamed = course.misnamed()
    console.problems([f"{name}: no possible name of a student: rename the folder" for name in misnamed])
    return 1 if without or misnamed else 0


def batch(options, course: Course) -> list[dict]:
    """Grade, then record. The results, by assignment and student."""
    names = wanted(options.assignments)
    tasks = handed_in(course, names, options.student)
    if not tasks:
        whose = f" by {options.student!r}" if options.student else ""
        raise CourseError(
            f"no submissions{whose} in {course.submitted}; put them in STUDENT/ASSIGNMENT/ or use collect"
        )
    from ..releasing import lint

    lint.released(course, sorted({task.assignment for task in tasks}))
    jobs = options.jobs or min(len(tasks), os.cpu_count() or 1)
    made = make_grader(options, course)
    coming = cluster.run(made, tasks, options.scheduler) if options.scheduler else pool.run(made, tasks, jobs)
    with closing(coming):  # whatever ends this ends the graders at work, too
        results = list(console.progress(options, coming, len(tasks)))
    results.sort(key=lambda r: (r["assignment"], r["student"]))
    remember(course, results)
    from ..recording import record

    for name in {task.assignment for task in tasks}:
        record.record(course, ASSIGNMENTS[name], [r for r in results if r["assignment"] == name])
    return results


def collect(options, course: Course) -> int:
    (name,) = wanted([options.assignment])
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
