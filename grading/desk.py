"""The teaching assistant's commands before and after grading: collect, feedback, report, export."""

import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import grader, results, show
from .collect import Collected
from .collect import collect as take_over
from .course import Course
from .lock import locked
from .plaintext import one_line

LOOKS = {"new": "green", "newer": "green", "unchanged": "dim", "older": "yellow", "nothing": "red"}
MOST_SKIPPED = 20


def collect(options, course: Course) -> int:
    (name,) = grader.wanted([options.assignment])
    with locked(course):
        made = take_over(course, options.source, name)
    taken = [row["student"] for row in made.students if row["status"] != "nothing"]
    if not options.quiet:
        Console().print(collected_table(name, made))
        lines = [f"skipped: {file}: {reason}" for file, reason in made.skipped]
        more = len(lines) - MOST_SKIPPED
        show.lines(options, lines[:MOST_SKIPPED] + ([f"... and {more} more: see --json"] if more > 0 else []))
        show.lines(options, [f"missing: {', '.join(made.missing)}"] if made.missing else [])
        show.lines(options, [f"collected {len(taken)} submissions of {name} into {course.submitted}"])
    show.problems(made.problems)
    skipped = [{"file": file, "reason": reason} for file, reason in made.skipped]
    data = {"platform": made.platform, "students": made.students, "skipped": skipped, "missing": made.missing}
    show.outcome(options, {"collected": taken, **data, "problems": made.problems})
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
    from .feedback import feedback as write_pages

    return finish(options, course, write_pages)


def report(options, course: Course) -> int:
    from .report import report as write_pages

    return finish(options, course, write_pages)


def export(options, course: Course) -> int:
    from .export import FORMS

    return finish(options, course, FORMS[options.form])


def finish(options, course: Course, make) -> int:
    """Make what is asked from the verdicts. Exit 1 where a submission has none."""
    found = results.wanted(course, options.assignments)
    written, notes = make(course, found)
    show.lines(options, [f"wrote {path}" for path in written[:10]])
    if len(written) > 10:
        show.lines(options, [f"... and {len(written) - 10} more"])
    notes, problems = notes + results.unprotected(found), results.problems(found)
    show.problems(notes + problems)
    show.outcome(options, {"written": [str(path) for path in written], "notes": notes, "problems": problems})
    return 1 if problems else 0
