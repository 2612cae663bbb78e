"""What each command does, in a few lines each; imported when a command runs, so that --help is quick."""

import os
from contextlib import closing

from . import cluster, grader, intake, judge, pool, sandbox, show, verdicts
from . import doctor as health
from .course import Course, CourseError
from .desk import collect, export, feedback, report  # noqa: F401
from .lock import locked
from .results import store as keep
from .submission import recognise

EXERCISE_FORM = ("assignment", "student", "status", "reason", "sandbox", "score", "max_score", "exercises")
BATCH_FORM = ("student", "assignment", "status", "reason", "score", "max_score", "sandbox", "seconds", "exercises")


def release(options, course: Course) -> int:
    from . import lint
    from .release import release as release_one  # nbgrader takes seconds to import: only where it is needed

    names = grader.wanted(options.assignments) if options.assignments else with_solutions(course)
    lint.sources(course, names, options.check)
    written, problems = [], []
    for name in names:
        files, faults = release_one(course, name, options.check)
        written += files
        problems += faults
    show.lines(options, [f"released {path}" for path in written] or ([] if problems else ["course/ is up to date"]))
    show.problems(problems)
    show.outcome(options, {"written": [str(p) for p in written], "problems": problems})
    return 1 if problems else 0


def new(options, course: Course) -> int:
    from .new import new as write_new

    files = write_new(course, options.assignment, options.exercise, options.arguments)
    show.lines(options, [f"written {path}" for path in files])
    show.outcome(options, {"written": [str(path) for path in files]})
    return 0


def with_solutions(course: Course) -> list[str]:
    names = [name for name in grader.ASSIGNMENTS if (course.solutions / name).is_dir()]
    if not names:
        raise CourseError(f"no assignment in {course.solutions}")
    return names


def make_grader(options, course: Course) -> grader.Grader:
    chosen = sandbox.choose(options.sandbox)
    if chosen.kind == "none":
        show.problems(["students' code runs unprotected (--sandbox none)"])
    secret = options.secret if options.secret is not None else course.secret()
    return grader.Grader(course, secret, sandbox.Warm(chosen))


def check(options, course: Course) -> int:
    if not os.path.lexists(options.notebook):
        raise CourseError(f"no file {options.notebook}")
    try:
        data = intake.read(options.notebook)
        assignment = recognise(data)
        verdict = make_grader(options, course).verdict(data, options.student, assignment)
    except intake.Refused as refusal:
        verdict = judge.refused(options.student, None, str(refusal), "")
    show.outcome(options, {key: verdict[key] for key in EXERCISE_FORM})
    if verdict["status"] != "graded":
        show.problems([f"{options.notebook}: {verdict['status']}: {verdict['reason']}"])
        return 1
    show.verdict(options, verdict)
    return 0


def autograde(options, course: Course) -> int:
    with locked(course):
        verdicts.sweep(course)
        results = batch(options, course)
    full = (verdicts.whole(course, r) for r in results)
    show.outcomes(options, "submissions", ({key: r[key] for key in BATCH_FORM} for r in full))
    show.table(options, results)
    without = [r for r in results if r["status"] != "graded"]
    show.problems([f"{r['student']}: {r['assignment']}: {r['status']}: {r['reason']}" for r in without])
    misnamed = course.misnamed()
    show.problems([f"{name}: no possible name of a student: rename the folder" for name in misnamed])
    return 1 if without or misnamed else 0


def batch(options, course: Course) -> list[dict]:
    """Grade, then record. The results, by assignment and student."""
    names = grader.wanted(options.assignments)
    tasks = grader.tasks(course, names, options.student)
    if not tasks:
        whose = f" by {options.student!r}" if options.student else ""
        raise CourseError(
            f"no submissions{whose} in {course.submitted}; put them in STUDENT/ASSIGNMENT/ or use collect"
        )
    from . import lint

    lint.released(course, sorted({task.assignment for task in tasks}))
    jobs = options.jobs or min(len(tasks), os.cpu_count() or 1)
    made = make_grader(options, course)
    coming = cluster.run(made, tasks, options.scheduler) if options.scheduler else pool.run(made, tasks, jobs)
    with closing(coming):  # whatever ends this ends the graders at work, too
        results = list(show.progress(options, coming, len(tasks)))
    results.sort(key=lambda r: (r["assignment"], r["student"]))
    keep(course, results)
    from . import record

    for name in {task.assignment for task in tasks}:
        record.record(course, grader.ASSIGNMENTS[name], [r for r in results if r["assignment"] == name])
    return results


def doctor(options, course: Course) -> int:
    findings = health.findings(course)
    show.findings(options, findings)
    show.outcome(options, {"findings": [{"what": w, "works": ok, "line": line} for w, ok, line in findings]})
    return 0 if all(ok for what, ok, _ in findings if what in health.NEEDED) else 1


def demo(options, course: Course) -> int:
    from .demo import demo as run_demo

    return run_demo(options, course)
