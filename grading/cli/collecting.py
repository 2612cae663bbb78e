"""`collect`: from what a platform hands out to `submitted/`."""

import time
from collections import Counter

import click

from . import options

LOOKS = {"new": "green", "newer": "green", "unchanged": "dim", "older": "yellow", "nothing": "red"}
MOST_SKIPPED = 5
MOST_ROWS = 20


@click.command()
@click.argument("source", metavar="ARCHIVE_OR_FOLDER", type=options.FILE)
@click.argument("assignment")
@click.option("--roster", "listed", metavar="FILE", type=options.FILE, help="The class, as for the command roster.")
@options.shared
def collect(source, assignment, listed, course, output) -> int:
    """Take over a download or a folder of submissions."""
    from ..collecting import classlist
    from ..collecting import collect as collecting
    from ..lock import locked

    name = course.assignment(assignment).name
    with locked(course):
        asked = classlist.take(course, listed, name)[1] if listed else []
        collected = collecting.collect(course, source, name)
    collected.problems[:0] = asked
    taken = [row["student"] for row in collected.students if row["status"] != "nothing"]
    output.table(table(name, collected))
    output.lines(shortened([f"skipped: {file}: {reason}" for file, reason in collected.skipped], MOST_SKIPPED))
    output.lines([f"missing: {', '.join(collected.missing)}"] if collected.missing else [])
    counts = Counter(row["status"] for row in collected.students)
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    output.lines([f"collected {len(taken)} submissions of {name} into {course.submitted} ({said})"])
    output.problems(collected.problems)
    skipped = [{"file": file, "reason": reason} for file, reason in collected.skipped]
    about = {"platform": collected.platform, "students": collected.students, "skipped": skipped}
    output.outcome({"collected": taken, **about, "missing": collected.missing, "problems": collected.problems})
    return 1 if collected.problems else 0


def shortened(lines: list[str], most: int) -> list[str]:
    return lines[:most] + ([f"... and {len(lines) - most} more: see --json"] if len(lines) > most else [])


@click.command()
@click.argument("listed", metavar="FILE", type=options.FILE)
@options.shared
def roster(listed, course, output) -> int:
    """The class, from an LMS's own gradebook export or a CSV."""
    from ..collecting import classlist
    from ..lock import locked

    with locked(course):
        students, problems = classlist.take(course, listed)
    output.lines([f"{len(students)} students in the roster of {course.root}"])
    output.problems(problems)
    output.outcome({"students": students, "problems": problems})
    return 1 if problems else 0


def table(name: str, collected):
    """Those of whom there is something to say, where the whole class is no more than a screen."""
    from rich.table import Table
    from rich.text import Text

    from ..plaintext import one_line

    table = Table(title=f"{name}, from {collected.platform}")
    for column in ("student", "status", "late", "attempts", "handed in", "file"):
        table.add_column(
            column,
            justify="right" if column == "attempts" else "left",
            no_wrap=column not in ("student", "file"),
            min_width=12 if column == "student" else None,
        )
    unusual = [row for row in collected.students if row["late"] or row["status"] in ("nothing", "older")]
    rows = collected.students if len(collected.students) <= MOST_ROWS else unusual[:MOST_ROWS]
    for row in rows:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["time"])) if row["time"] else ""
        status = f"[{LOOKS[row['status']]}]{row['status']}[/]"
        late = "late" if row["late"] else ""
        file = row["file"].rsplit("/", 1)[-1]
        table.add_row(Text(one_line(row["student"])), status, late, str(row["attempts"]), when, Text(one_line(file)))
    return table


COMMANDS = (collect, roster)
