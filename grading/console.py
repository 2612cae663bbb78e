"""What a command says: a progress bar and tables on a terminal, plain lines elsewhere, JSON in a file."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from .course import write
from .plaintext import one_line, say

Points = dict[str, dict[str, float | None]]  # by student, by exercise: a person's where there are some
LOOKS = {"graded": "green", "refused": "yellow", "failed": "red"}


@dataclass(frozen=True)
class Output:
    """`file`: where the outcome goes as JSON, if anywhere; `quiet`: print problems alone."""

    file: Path | None = None
    quiet: bool = False

    def lines(self, texts: Iterable[str]):
        if not self.quiet:
            for text in texts:
                say(text)

    def problems(self, texts: Iterable[str]):
        for text in texts:
            say(f"grading: {text}", sys.stderr)

    def progress(self, verdicts: Iterable, total: int) -> Iterator:
        """Pass verdicts on and show each."""
        console = Console(stderr=True)
        if self.quiet:
            yield from verdicts
        elif console.is_terminal:
            yield from track(verdicts, "grading", total, console=console)
        else:
            for number, verdict in enumerate(verdicts, 1):
                say(f"{number}/{total} {summary(verdict)}")
                yield verdict

    def table(self, table: Table):
        if not self.quiet:
            Console().print(table)

    def scores(self, name: str, verdicts: list, points: Points, standing: dict[str, str]):
        """One assignment: a row for each submission, a column for each exercise."""
        self.table(scores(name, verdicts, points, standing))

    def verdict(self, verdict):
        """One submission, exercise by exercise, with the laws that failed."""
        for name, exercise in verdict.exercises.items():
            points = "a person grades this" if exercise.score is None else f"{exercise.score:g}"
            self.lines([f"{name}: {points} of {exercise.max_score:g}"])
            failed = [law for law in exercise.laws if not law.passed]
            for message in dict.fromkeys(law.message for law in failed):
                laws = ", ".join(law.law for law in failed if law.message == message)
                self.lines([f"    {laws}: {message}"])
        self.lines([f"{verdict.assignment}: {score(verdict)} (sandbox: {verdict.sandbox})"])

    def findings(self, found: list[tuple[str, bool, str]]):
        for what, works, line in found:
            if not (self.quiet and works):
                say(f"{'works' if works else 'FAILS':6} {what:10} {line}")

    def outcome(self, data) -> None:
        """The --json file, whole or not at all."""
        if self.file:
            write(self.file.absolute(), [json.dumps(data, indent=1, ensure_ascii=False), "\n"])

    def outcomes(self, name: str, rows: Iterable[dict]) -> None:
        """The same for a list of any length, a row at a time."""
        if self.file:
            parts = (f"{',' * bool(n)}\n {json.dumps(row, ensure_ascii=False)}" for n, row in enumerate(rows))
            write(self.file.absolute(), itertools.chain([f'{{"{name}": ['], parts, ["\n]}\n"]))


def summary(verdict) -> str:
    what = score(verdict) if verdict.graded else f"{verdict.status}: {verdict.reason}"
    return f"{verdict.student} {verdict.assignment} {what} ({verdict.seconds:.1f} s)"


def score(verdict) -> str:
    return f"{verdict.score:g} of {verdict.max_score:g}"


def scores(name: str, verdicts: list, points: Points, standing: dict[str, str]) -> Table:
    exercises = list(dict.fromkeys(e for verdict in verdicts for e in verdict.exercises))
    named = ", ".join(f"{number} {exercise}" for number, exercise in enumerate(exercises, 1))
    table = Table(
        title=name, caption="\n".join(filter(None, [named, *sorted({f"sandbox: {v.sandbox}" for v in verdicts})]))
    )
    table.add_column("student")
    for number, _ in enumerate(exercises, 1):
        table.add_column(str(number), justify="right")
    table.add_column("points", justify="right")
    table.add_column("standing")
    table.add_column("s", justify="right")
    for verdict in verdicts:
        own = points.get(verdict.student, {})
        cells = [("?" if own[e] is None else f"{own[e]:g}") if e in own else "" for e in exercises]
        total = f"{sum(filter(None, own.values())):g} of {verdict.max_score:g}" if own else verdict.status
        last = [f"[{LOOKS[verdict.status]}]{total}[/]", standing.get(verdict.student, ""), f"{verdict.seconds:.1f}"]
        table.add_row(Text(one_line(verdict.student)), *cells, *last)
    return table
