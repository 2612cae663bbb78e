"""Options that commands share. A command gets `course`, where it works, and `output`, where it says what it did."""

from functools import wraps
from pathlib import Path

import click

from ..console import Output
from ..course import Course

SANDBOXES = ("auto", "bwrap", "landlock", "none")
FILE = click.Path(path_type=Path)

assignments = click.argument("assignments", metavar="[ASSIGNMENT]...", nargs=-1)
jobs = click.option("--jobs", metavar="N", type=click.IntRange(min=1), help="Workers (default: one a processor).")


COURSE = "The course folder (default: this checkout; without one, the working directory)."


def shared(command):
    """`--course`, `--json`, `--quiet`."""
    return click.option("--course", metavar="DIR", callback=course_at, help=COURSE)(said(command))


def said(command):
    """`--json`, `--quiet`: how it says what it did."""

    @click.option("--json", "file", metavar="FILE", type=FILE, callback=writable, help="Write the outcome as JSON.")
    @click.option("--quiet", is_flag=True, help="Print problems alone.")
    @wraps(command)
    def run(file, quiet, **words):
        return command(output=Output(file, quiet), **words)

    return run


def judged(command):
    """`--secret`, `--sandbox`: of commands that run students' code."""
    secret = "Draws the graded cases (default: the file grading/secret)."
    command = click.option("--secret", metavar="TEXT", help=secret)(command)
    where = click.Choice(SANDBOXES)
    return click.option("--sandbox", type=where, default="auto", show_default=True, help="Where students' code runs.")(
        command
    )


def course_at(context, option, folder: str | None) -> Course:
    return Course.at(folder)


def writable(context, option, file: Path | None) -> Path | None:
    if file and not file.absolute().parent.is_dir():
        raise click.BadParameter(f"no folder {file.absolute().parent}")
    return file
