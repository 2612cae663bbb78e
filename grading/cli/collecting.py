"""`collect`: from what a platform hands out to `submitted/`."""

import time

import click

from . import options

LOOKS = {"new": "green", "newer": "green", "unchanged": "dim", "older": "yellow", "nothing": "red"}
MOST_SKIPPED = 20


@click.command()
@click.argument("source", metavar="ARCHIVE_OR_FOLDER", type=options.FILE)
@click.argument("assignment")
@options.shared
def collect(source, assignment, course, output) -> int:
    """Take over a download or a folder of submissions."""
    from ..collecting import collect as collecting
    from ..lock import locked

    name = course.assignment(assignment).name
    with locked(course):
        collected = collecting.collect(course, source, name)
    taken = [row["student"] for row in collected.students if row["status"] != "nothing"]
    output.table(table(name, collected))
    lines = [f"skipped: {file}: {reason}" for file, reason in collected.skipped]
    more = len(lines) - MOST_SKIPPED
    output.lines(lines[:MOST_SKIPPED] + ([f"... and {more} more: see --json"] if more > 0 else []))
    output.lines([f"missing: {', '.join(collected.missing)}"] if collected.missing else [])
    output.lines([f"collected {len(taken)} submissions of {name} into {course.submitted}"])
    output.problems(collected.problems)
    skipped = [{"file": file, "reason": reason} for file, reason in collected.skipped]
    about = {"platform": collected.platform, "students": collected.students, "skipped": skipped}
    output.outcome({"collected": taken, **about, "missing": collected.missing, "problems": collected.problems})
    return 1 if collected.problems else 0


def table(name: str, collected):
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
    for row in collected.students:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["time"])) if row["time"] else ""
        status = f"[{LOOKS[row['status']]}]{row['status']}[/]"
        late = "late" if row["late"] else ""
        file = row["file"].rsplit("/", 1)[-1]
        table.add_row(Text(one_line(row["student"])), status, late, str(row["attempts"]), when, Text(one_line(file)))
    return table


COMMANDS = (collect,)
