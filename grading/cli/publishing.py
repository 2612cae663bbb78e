"""`feedback`, `report` and `export`: pages and tables from verdicts and gradebook."""

import click

from ..course import Course
from . import options

MOST_NAMED = 10


@click.command()
@options.assignments
@options.shared
def feedback(assignments, course, output) -> int:
    """Write a page for each student."""
    from ..publishing.feedback import feedback as write_pages

    return publish(course, assignments, write_pages, output)


@click.command()
@options.assignments
@options.shared
def report(assignments, course, output) -> int:
    """Write a page for the teachers."""
    from ..publishing.report import report as write_pages

    return publish(course, assignments, write_pages, output)


@click.command()
@click.argument("form", type=click.Choice(("csv", "canvas", "moodle")))
@options.assignments
@options.shared
def export(form, assignments, course, output) -> int:
    """Write tables of scores: for a spreadsheet, Canvas, Moodle."""
    from ..publishing.export import FORMS

    return publish(course, assignments, FORMS[form], output)


def publish(course: Course, assignments, write, output) -> int:
    """Write what is asked from the verdicts. Exit 1 where a submission has none."""
    from ..judging import results

    verdicts = results.wanted(course, assignments)
    written, notes = write(course, verdicts)
    output.lines([f"wrote {path}" for path in written[:MOST_NAMED]])
    output.lines([f"... and {len(written) - MOST_NAMED} more"] if len(written) > MOST_NAMED else [])
    notes, problems = notes + results.unprotected(verdicts), results.problems(verdicts)
    output.problems(notes + problems)
    output.outcome({"written": [str(path) for path in written], "notes": notes, "problems": problems})
    return 1 if problems else 0


COMMANDS = (feedback, report, export)
