"""`gradescope` makes an autograder for Gradescope; `gradescope-run` is what it runs there."""

import json
from pathlib import Path

import click

from ..course import changed, write
from . import options


@click.command()
@click.argument("assignment")
@click.argument("target", metavar="OUT.zip", type=options.FILE)
@options.shared
def gradescope(assignment, target, course, output) -> int:
    """Make an autograder for Gradescope."""
    from ..releasing import gradescope as releasing
    from ..releasing import lint

    about = course.assignment(assignment)
    lint.released(course, [about.name])
    made = releasing.pack(course, about.name, target)
    most = sum(exercise.points for exercise in about.exercises.values() if not exercise.written)
    read = [exercise.name for exercise in about.exercises.values() if exercise.written]
    output.lines([f"written {made}: upload it as the autograder of an assignment with {most:g} autograder points"])
    output.lines([f"add a manually graded question for {', '.join(read)}"] if read else [])
    output.outcome({"written": str(made), "points": most, "by_hand": read})
    return 0


@click.command("gradescope-run", hidden=True)
@click.argument("folder", type=options.FILE)
@options.shared
def gradescope_run(folder, course, output) -> int:
    """Grade FOLDER/submission into FOLDER/results/results.json."""
    from ..judging.verdict import without
    from ..notebook.parse import Refused
    from ..publishing.gradescope import results
    from .judging import checked

    grader = make_grader(course, output)
    (name,) = course.assignments
    try:
        data = newest(folder / "submission")
        verdict = checked(grader, data, whose(folder / "submission_metadata.json"))
    except Refused as refusal:
        verdict = without("", course.assignment(name), str(refusal), grader.sandbox.kind)
    if verdict.status == "failed":
        raise RuntimeError(f"no verdict: {verdict.reason}")
    write(folder / "results" / "results.json", json.dumps(results(verdict)).encode())
    return 0


def make_grader(course, output):
    """In the best sandbox that works here; where none does, as another user."""
    from ..running.sandbox import SandboxError
    from . import judging

    try:
        return judging.make_grader(course, None, "auto", output)
    except SandboxError:
        return judging.make_grader(course, None, "none", output)


def newest(folder: Path) -> bytes:
    """The notebook among the files handed in; of several the newest. Raises Refused."""
    from ..notebook import parse
    from ..notebook.submission import NOTHING

    files = [file for file in folder.rglob("*.ipynb") if not file.relative_to(folder).as_posix().startswith(".")]
    if not files:
        raise parse.Refused(NOTHING)
    return parse.read(max(files, key=changed))


def whose(file: Path) -> str:
    """Who handed in, as Gradescope says; graded cases are drawn for each."""
    try:
        users = json.loads(file.read_bytes())["users"]
        return " ".join(sorted(str(user.get("email") or user.get("id")) for user in users))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


COMMANDS = (gradescope, gradescope_run)
