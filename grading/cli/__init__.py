"""`python -m grading ...`: the commands, and what becomes of an error.

Exit 0, 1 (no verdict), 2 (wrong usage), 3 (the course's own fault). A problem is one line, never a traceback. What a
command needs is imported where it runs: torch and nbgrader take seconds, and few commands need them.
"""

import io
import os
import sys

import click

from ..course import CourseError
from ..plaintext import say
from . import collecting, demo, doctor, gradescope, judging, publishing, releasing

PROGRAM = "python -m grading"
EXITS = "Exit status: 0 all done, 1 a submission has no verdict, 2 wrong usage, 3 a fault of the course's own."
FAULT_OF_THE_GRADER = "a fault of the grader; DGM_TRACEBACK=1 shows where"


class InOrder(click.Group):
    """Help lists the commands in the order in which a course needs them."""

    def list_commands(self, ctx):
        return list(self.commands)


HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


@click.group(cls=InOrder, no_args_is_help=False, context_settings=HELP, epilog=EXITS)
def commands():
    """Release, grade and report the course's assignments."""


for module in (releasing, collecting, judging, publishing, gradescope, doctor, demo):
    for command in module.COMMANDS:
        commands.add_command(command)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter shows its number
            stream.reconfigure(errors="backslashreplace")
    try:
        with commands.make_context(PROGRAM, list(sys.argv[1:] if arguments is None else arguments)) as context:
            return commands.invoke(context)
    except click.exceptions.Exit as end:  # after --help
        return end.exit_code
    except click.ClickException as error:
        return usage(error)
    except CourseError as error:
        return complain(error, 2)
    except (OSError, RuntimeError) as error:
        return complain(error, 1)
    except Exception as error:
        if type(error).__name__ == "CourseFault":  # of dgmlib.checks, which --help need not import
            return complain(error, 3)
        if os.environ.get("DGM_TRACEBACK"):
            raise
        return complain(f"{type(error).__name__}: {error} ({FAULT_OF_THE_GRADER})", 1)
    except KeyboardInterrupt:
        return complain("stopped; what has a verdict keeps it, run the same command to go on", 130)


def usage(error: click.ClickException) -> int:
    """One line for a wrong command, option or argument."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else PROGRAM
    said = " ".join(error.format_message().split()).removesuffix(".")
    say(f"{path}: {said}; see {path} --help", sys.stderr)
    return 2


def complain(error, code: int) -> int:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    for line in lines if code == 3 else lines[:1]:
        say(f"grading: {line}", sys.stderr)
    return code
