"""`release`, `new` and `init`: from the solutions to what students get."""

import click

from . import options


@click.command()
@options.assignments
@click.option("--check", is_flag=True, help="Compare, write nothing.")
@options.shared
def release(assignments, check, course, output) -> int:
    """Make course/ from solutions/."""
    from ..releasing import lint
    from ..releasing import release as releasing

    names = releasing.wanted(course, assignments)
    lint.sources(course, names, check)
    written, problems = [], []
    for name in names:
        files, faults = releasing.release(course, name, check)
        written += files
        problems += faults
    output.lines([f"released {path}" for path in written] or ([] if problems else ["course/ is up to date"]))
    output.problems(problems)
    output.outcome({"written": [str(path) for path in written], "problems": problems})
    return 1 if problems else 0


@click.command()
@click.argument("assignment")
@click.option("--exercise", metavar="NAME", required=True, help="The name of the answer.")
@click.argument("arguments", metavar="ARGS")
@options.shared
def new(assignment, exercise, arguments, course, output) -> int:
    """Write the skeleton of an exercise: check, bank, cells.

    ARGS are the answer's arguments: 'x, mu, sigma'.
    """
    from ..releasing.new import new as write_new

    files = write_new(course, assignment, exercise, arguments)
    output.lines([f"written {path}" for path in files])
    output.outcome({"written": [str(path) for path in files]})
    return 0


@click.command()
@click.argument("folder", type=options.FILE)
@options.said
def init(folder, output) -> int:
    """Make a course folder: notebooks, solutions, nbgrader's configuration."""
    from ..releasing.init import init as make

    made = make(folder)
    output.lines([f"made {made.root}: go there, or say --course {made.root}"])
    output.outcome({"course": str(made.root)})
    return 0


COMMANDS = (release, new, init)
