"""The page over all class reports: each assignment's mean, who is graded, and how many need a person."""

import statistics
from dataclasses import dataclass
from pathlib import Path

from ..judging.verdict import Verdict
from ..recording.scores import ManualGrade, due, points, total
from . import page


@dataclass(frozen=True)
class Row:
    """One assignment. `written`: its report was, now or before. `mean` is None where nothing is graded."""

    name: str
    title: str
    written: bool
    graded: int
    submissions: int
    mean: float | None
    most: float
    people: int


@dataclass(frozen=True)
class Index:
    rows: list[Row]


def contents(rows: list[Row]) -> bytes:
    return page.render("index.html.j2", Index(rows))


def row(report: Path, title: str, verdicts: list[Verdict], hands: dict[str, dict[str, ManualGrade]]) -> Row:
    scores = {v.student: points(v, hands.get(v.student, {})) for v in verdicts if v.graded}
    people = sum(bool(due(v, scores.get(v.student, {}), hands.get(v.student, {}))) for v in verdicts)
    mean = statistics.fmean(map(total, scores.values())) if scores else None
    most = verdicts[0].max_score or 0
    return Row(report.stem, title, report.is_file(), len(scores), len(verdicts), mean, most, people)
