"""What a command says: a progress bar and tables on a terminal, plain lines elsewhere, JSON in a file."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from .course import write
from .plaintext import one_line, say

LOOKS = {"graded": "green", "refused": "yellow", "failed": "red"}


def lines(options, texts: Iterable[str]):
    if not options.quiet:
        for text in texts:
            say(text)


def problems(texts: Iterable[str]):
    for text in texts:
        say(f"grading: {text}", sys.stderr)


def progress(options, results: Iterable, total: int) -> Iterator:
    """Pass results on and show each."""
    console = Console(stderr=True)
    if options.quiet:
        yield from results
    elif console.is_terminal:
        yield from track(results, "grading", total, console=console)
    else:
        for number, result in enumerate(results, 1):
            say(f"{number}/{total} {summary(result)}")
            yield result


def summary(result) -> str:
    what = score(result) if result.graded else f"{result.status}: {result.reason}"
    return f"{result.student} {result.assignment} {what} ({result.seconds:.1f} s)"


def score(result) -> str:
    return f"{result.score:g} of {result.max_score:g}"


def verdict(options, verdict):
    """One submission, exercise by exercise, with the laws that failed."""
    if options.quiet:
        return
    for name, exercise in verdict.exercises.items():
        points = "a person grades this" if exercise.score is None else f"{exercise.score:g}"
        say(f"{name}: {points} of {exercise.max_score:g}")
        messages = list(dict.fromkeys(law.message for law in exercise.laws if not law.passed))
        for message in messages:
            failed = [law.law for law in exercise.laws if not law.passed and law.message == message]
            say(f"    {', '.join(failed)}: {message}")
    say(f"{verdict.assignment}: {score(verdict)} (sandbox: {verdict.sandbox})")


def table(options, results: list):
    """All submissions, a column for each exercise, one table an assignment."""
    if options.quiet:
        return
    console = Console()
    for name in dict.fromkeys(r.assignment for r in results):
        mine = [r for r in results if r.assignment == name]
        console.print(scores(name, mine))


def scores(name: str, results: list) -> Table:
    exercises = list(dict.fromkeys(e for r in results for e in r.exercises))
    made = Table(title=name, caption=", ".join(sorted({f"sandbox: {r.sandbox}" for r in results})))
    made.add_column("student")
    for number, _ in enumerate(exercises, 1):
        made.add_column(str(number), justify="right")
    made.add_column("score", justify="right")
    made.add_column("s", justify="right")
    for result in results:
        cells = [points(result.exercises.get(e)) for e in exercises]
        look = LOOKS[result.status]
        last = score(result) if result.graded else result.status
        made.add_row(Text(one_line(result.student)), *cells, f"[{look}]{last}[/]", f"{result.seconds:.1f}")
    return made


def points(exercise) -> str:
    if exercise is None:
        return ""
    return "?" if exercise.score is None else f"{exercise.score:g}"


def findings(options, found: list[tuple[str, bool, str]]):
    for what, works, line in found:
        if not (options.quiet and works):
            say(f"{'works' if works else 'FAILS':6} {what:10} {line}")


def outcome(options, data) -> None:
    """The --json file, whole or not at all."""
    if options.json:
        write(options.json.absolute(), [json.dumps(data, indent=1, ensure_ascii=False), "\n"])


def outcomes(options, name: str, rows: Iterable[dict]) -> None:
    """The same for a list of any length, a row at a time."""
    if options.json:
        parts = (f"{',' * bool(n)}\n {json.dumps(row, ensure_ascii=False)}" for n, row in enumerate(rows))
        write(options.json.absolute(), itertools.chain([f'{{"{name}": ['], parts, ["\n]}\n"]))
