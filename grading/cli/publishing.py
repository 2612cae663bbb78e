"""`feedback`, `report` and `export`: pages and tables from verdicts and gradebook."""

import click

from ..course import Course, CourseError
from . import options

MOST_NAMED = 10


@click.command()
@click.option("--zip", "form", type=click.Choice(("moodle", "canvas")), help="And one zip that it takes at once.")
@options.assignments
@options.shared
def feedback(assignments, form, course, output) -> int:
    """Write a page for each student."""
    from ..publishing.feedback import feedback as write_pages
    from ..publishing.handback import zipped

    def write_both(course, verdicts):
        pages, notes = write_pages(course, verdicts)
        zips, more = zipped(course, verdicts, form) if form else ([], [])
        return [*zips, *pages], notes + more

    return publish(course, assignments, write_both, output)


@click.command()
@options.assignments
@options.shared
def report(assignments, course, output) -> int:
    """Write a page for the teachers."""
    from ..publishing.report import report as write_pages

    return publish(course, assignments, write_pages, output)


@click.command()
@click.argument("form", type=click.Choice(("csv", "canvas", "moodle")))
@click.option("--mixed", is_flag=True, help="Also where verdicts are of two versions of the checks.")
@options.assignments
@options.shared
def export(form, mixed, assignments, course, output) -> int:
    """Write tables of scores: for a spreadsheet, Canvas, Moodle."""
    from ..judging import results
    from ..publishing.export import FORMS

    def write_tables(course, verdicts):
        if (names := results.mixed(verdicts)) and not mixed:
            said = "; ".join(results.versions(course, {name: verdicts[name] for name in names}))
            raise CourseError(f"{said}: run autograde, or export with --mixed")
        return FORMS[form](course, verdicts)

    return publish(course, assignments, write_tables, output)


def publish(course: Course, assignments, write, output) -> int:
    """Write what is asked from the verdicts. Exit 1 where a submission has none."""
    from ..judging import results

    verdicts = results.wanted(course, assignments)
    written, notes = write(course, verdicts)
    output.lines([f"wrote {path}" for path in written[:MOST_NAMED]])
    output.lines([f"... and {len(written) - MOST_NAMED} more"] if len(written) > MOST_NAMED else [])
    notes += results.unprotected(verdicts)
    notes += [f"{line}: run autograde" for line in results.versions(course, verdicts)]
    problems = results.problems(verdicts)
    output.problems(notes + problems)
    output.outcome({"written": [str(path) for path in written], "notes": notes, "problems": problems})
    return 1 if problems else 0


COMMANDS = (feedback, report, export)
