"""`python -m grading ...`: reads the command line, calls the rooms, prints.

Exit 0, 1 (no verdict), 2 (wrong usage), 3 (the course's own fault).
"""

import argparse
import io
import os
import sys
from pathlib import Path

from ..course import Course, CourseError
from ..plaintext import say

SANDBOXES = ("auto", "bwrap", "landlock", "none")


class Parser(argparse.ArgumentParser):
    """One line for a wrong option."""

    def error(self, message):
        say(f"{self.prog}: {message}; see {self.prog} --help", sys.stderr)
        self.exit(2)


def shared() -> Parser:
    parser = Parser(add_help=False)
    parser.add_argument("--course", metavar="DIR", help="the course folder (default: this checkout)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the outcome to FILE as JSON")
    parser.add_argument("--quiet", action="store_true", help="print problems alone")
    return parser


def judging() -> Parser:
    parser = Parser(add_help=False)
    parser.add_argument("--secret", metavar="TEXT", help="draws the graded cases (default: the file grading/secret)")
    parser.add_argument("--sandbox", choices=SANDBOXES, default="auto", help="where students' code runs")
    return parser


def parser() -> Parser:
    top = Parser(prog="python -m grading", description="Release, grade and report the course's assignments.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    both = {"parents": [shared(), judging()]}
    release = commands.add_parser("release", parents=[shared()], help="course/ from solutions/")
    release.add_argument("assignments", nargs="*", metavar="ASSIGNMENT")
    release.add_argument("--check", action="store_true", help="compare, write nothing")
    new = commands.add_parser("new", parents=[shared()], help="the skeleton of an exercise")
    new.add_argument("assignment", metavar="ASSIGNMENT")
    new.add_argument("--exercise", metavar="NAME", required=True)
    new.add_argument("arguments", metavar="ARGS", help="the answer's arguments: 'x, mu, sigma'")
    collect = commands.add_parser("collect", parents=[shared()], help="take over a download or a folder of submissions")
    collect.add_argument("source", metavar="ARCHIVE_OR_FOLDER", type=Path)
    collect.add_argument("assignment", metavar="ASSIGNMENT")
    autograde = commands.add_parser("autograde", **both, help="grade what was collected")
    autograde.add_argument("assignments", nargs="*", metavar="ASSIGNMENT")
    autograde.add_argument("--student", metavar="ID")
    autograde.add_argument("--jobs", metavar="N", type=positive, default=None)
    autograde.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler")
    check = commands.add_parser("check", **both, help="grade one file; touches no gradebook")
    check.add_argument("notebook", metavar="NOTEBOOK", type=Path)
    check.add_argument("--student", metavar="ID", default="")
    for name, about in (("feedback", "a page for each student"), ("report", "a page for the teachers")):
        page = commands.add_parser(name, parents=[shared()], help=about)
        page.add_argument("assignments", nargs="*", metavar="ASSIGNMENT")
    export = commands.add_parser("export", parents=[shared()], help="tables of scores")
    export.add_argument("form", choices=("csv", "canvas", "moodle"), metavar="{csv,canvas,moodle}")
    export.add_argument("assignments", nargs="*", metavar="ASSIGNMENT")
    commands.add_parser("doctor", parents=[shared()], help="what works on this machine")
    demo = commands.add_parser("demo", **both, help="a bundled class from release to gradebook")
    demo.add_argument("--jobs", metavar="N", type=positive, default=None)
    return top


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, got {text!r}")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. A problem is one line on stderr, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a letter shows its number
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    try:
        if options.json and not options.json.absolute().parent.is_dir():
            raise CourseError(f"--json: no folder {options.json.absolute().parent}")
        return dispatch(options)
    except CourseError as error:
        return complain(error, 2)
    except (OSError, RuntimeError) as error:
        return complain(error, 1)
    except Exception as error:
        if type(error).__name__ == "CourseFault":  # of dgmlib.checks, which --help need not import
            return complain(error, 3)
        if os.environ.get("DGM_TRACEBACK"):
            raise
        return complain(f"{type(error).__name__}: {error} (a fault of the grader; DGM_TRACEBACK=1 shows where)", 1)
    except KeyboardInterrupt:
        return complain("stopped; what has a verdict keeps it, run the same command to go on", 130)


def dispatch(options) -> int:
    from . import commands

    return getattr(commands, options.command)(options, Course.at(options.course))


def complain(error, code: int) -> int:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    for line in lines if code == 3 else lines[:1]:
        say(f"grading: {line}", sys.stderr)
    return code
