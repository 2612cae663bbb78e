"""The page over all class reports: each assignment's mean, who is graded, and how many need a person."""

import statistics
from pathlib import Path

from ..judging.verdict import Verdict
from ..recording.scores import Hand, due, points, total
from .page import TABLES, number, page, table, text

STYLE = """
a { color: var(--accent); font-weight: 600; }
td { padding-top: .5rem; padding-bottom: .5rem; } th:last-child, td:last-child { padding-right: 0; }
.n > span { white-space: nowrap; }
@media (max-width: 38rem) {
  table, tbody { display: block; } th:first-child { display: none; }
  tr { display: grid; grid-template-columns: 1fr 1.1fr 1.3fr; border-bottom: 1px solid var(--line); }
  tr:last-child { border-bottom: 0; } td:first-child { grid-column: 1 / -1; padding-right: 0; padding-bottom: 0; }
  th, td { border-bottom: 0; } td.n, th.n { text-align: left; } td.n { padding-top: .2rem; }
}
"""
HEADS = ["assignment", "graded", "mean", "need a person"]


def contents(rows: list[list[str]]) -> bytes:
    """The whole page; it leads to the reports beside it and nowhere else."""
    body = (
        f"<header><h1>Class reports</h1></header><section>{table(HEADS, rows, (1, 2, 3))}</section>"
        '<p class="soft small">A person is needed where a proof is to be read, where a score changed after a person '
        "graded it, where code reaches into the checker, and where a submission has no verdict or was graded without "
        "protection.</p>"
    )
    return page("Class reports", body, "52rem", TABLES + STYLE)


def row(report: Path, title: str, verdicts: list[Verdict], hands: dict[str, dict[str, Hand]]) -> list[str]:
    """One assignment's cells; its title is a link where its report was written, now or before."""
    scores = {v.student: points(v, hands.get(v.student, {})) for v in verdicts if v.graded}
    people = sum(bool(due(v, scores.get(v.student, {}), hands.get(v.student, {}))) for v in verdicts)
    most = number(verdicts[0].max_score)
    mean = f"{statistics.fmean(map(total, scores.values())):.1f} of {most}" if scores else "none yet"
    name = text(report.stem)
    if report.is_file():
        link = f'<a href="{name}.html">{text(title)}</a><br><span class="soft small">{name}</span>'
    else:
        link = f'{text(title)}<br><span class="soft small">no page yet: python -m grading report {name}</span>'
    cells = [f"{len(scores)} of {len(verdicts)}", mean, str(people)]
    return [link, *(f"<span>{cell}</span>" for cell in cells)]
