"""One page for a teaching assistant: how the class did, which mistakes are common, who needs a person."""

import statistics
from collections import Counter
from pathlib import Path

from ..course import Course, write
from ..judging import results
from ..judging.verdict import ExerciseResult, Status, Verdict
from ..recording.scores import Hand, by_hand, due, points, total
from . import charts, index, message_groups, similarity
from .page import TABLES, code, number, page, table, text

STYLE = """
.wide { overflow-x: auto; } .wide td, .wide th { white-space: nowrap; overflow-wrap: normal; }
.tiles { display: flex; flex-wrap: wrap; gap: .4rem 1.8rem; margin: .6rem 0 0; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.2; }
.share { display: inline-block; width: 7rem; max-width: 24vw; height: 8px; border-radius: 4px; background: var(--track);
  overflow: hidden; } .share i { display: block; height: 100%; background: var(--accent); }
.percent { display: inline-block; width: 3.2rem; text-align: right; font-variant-numeric: tabular-nums; }
td:first-child { min-width: 2.2rem; } .nowrap { white-space: nowrap; }
h2 { margin-bottom: .4rem; }
.exercise { border-top: 1px solid var(--line); padding: .6rem 0; }
.laws { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .1rem 1.6rem; }
.laws > span { display: flex; justify-content: space-between; align-items: baseline; gap: .6rem; }
.laws > span > span:first-child { flex: 1; } .laws .share { width: 5rem; } .share { vertical-align: middle; }
"""
MOST_MISTAKES = 25
MOST_PAIRS = 20


def report(course: Course, found: dict[str, list[Verdict]]) -> tuple[list[Path], list[str]]:
    """Write `report/ASSIGNMENT.html` for each assignment, and the index of all that have submissions."""
    written, rows = [], []
    for name, assignment in course.assignments.items():
        verdicts = found.get(name) or results.load(course, name)
        if not verdicts:
            continue
        path, title, hands = course.data / "report" / f"{name}.html", assignment.title, by_hand(course, name)
        if name in found:
            alike = similarity.pairs(course, assignment, verdicts)
            write(path, class_page(name, title, verdicts, hands, alike))
            written.append(path)
        rows.append(index.row(path, title, verdicts, hands))
    contents = course.data / "report" / "index.html"
    write(contents, index.contents(rows))
    return [*written, contents], []


def class_page(name: str, title: str, verdicts: list[Verdict], hands: dict[str, dict[str, Hand]], alike: list) -> bytes:
    """One self-contained page."""
    graded = [v for v in verdicts if v.graded]
    scores = {v.student: points(v, hands.get(v.student, {})) for v in graded}
    parts = [
        overview(title, verdicts, scores),
        needs_a_person(verdicts, scores, hands),
        common(message_groups.groups(graded), left_out(graded), len(graded)),
        success(graded, scores),
        times(verdicts),
        reaching(graded),
        similar(alike),
        everybody(verdicts, scores),
    ]
    return page(f"{title}: the class", "".join(parts), "60rem", TABLES + STYLE)


def overview(title: str, verdicts: list[Verdict], scores: dict) -> str:
    totals = [total(s) for s in scores.values()]
    most = next((v.max_score for v in verdicts), 0)
    counts = {s: sum(v.status is s for v in verdicts) for s in Status}
    tiles = [("submissions", len(verdicts))] + [(s, n) for s, n in counts.items() if n]
    if totals:
        tiles += [("median", f"{number(statistics.median(totals))} of {number(most)}")]
        tiles += [("mean", f"{statistics.fmean(totals):.1f}")]
    shown = "".join(f'<div><b>{text(value)}</b><span class="soft small">{label}</span></div>' for label, value in tiles)
    plot = charts.histogram(totals, most, "How many students have how many points") if totals else ""
    return (
        f'<header><p class="soft small">Class report</p><h1>{text(title)}</h1></header>'
        f'<section><div class="tiles">{shown}</div></section><section><h2>Scores</h2>{plot or nothing()}</section>'
    )


def nothing(words: str = "Nothing yet.") -> str:
    return f'<p class="soft">{words}</p>'


def section(title: str, inner: str, about: str = "") -> str:
    about = f'<p class="soft small">{about}</p>' if about else ""
    return f"<section><h2>{title}</h2>{about}{inner}</section>"


def needs_a_person(verdicts: list[Verdict], scores: dict, hands: dict) -> str:
    """Proofs to read, files that were refused, graders that failed, scores to look at again."""
    rows: dict[str, list[str]] = {}
    for verdict in verdicts:
        student = verdict.student
        for what in due(verdict, scores.get(student, {}), hands.get(student, {})):
            rows.setdefault(what, []).append(student)
    cells = [
        [str(len(who)), f'{text(what)}<br><span class="soft small">{text(", ".join(who), 4000)}</span>']
        for what, who in sorted(rows.items(), key=lambda row: not row[0].startswith(("failed", "refused", "waiting")))
    ]
    return section("Needs a person", table(["", "what, and whose"], cells) if cells else nothing("Nothing."))


def left_out(graded: list[Verdict]) -> Counter:
    """How many did not solve an exercise, the most first."""
    return Counter(name for verdict in graded for name, exercise in verdict.exercises.items() if exercise.unsolved)


def common(groups: list, unsolved: Counter, graded: int) -> str:
    """The commonest mistakes; exercises left out are counted apart."""
    rows = [
        [
            f'<span class="nowrap">{len(g.students)} of {graded}</span>',
            f"{code(g.exercise)}: {text(g.message, 300)}"
            f'<br><span class="soft small">{text(", ".join(g.laws), 160)} · {text(", ".join(g.students), 160)}</span>',
        ]
        for g in groups
    ]
    left = ", ".join(f"{code(name)} {n}" for name, n in sorted(unsolved.items(), key=lambda row: (-row[1], row[0])))
    body = table(["students", "what they read"], rows[:MOST_MISTAKES]) if rows else nothing("None.")
    more = f'<p class="soft small">and {len(rows) - MOST_MISTAKES} rarer ones</p>' if len(rows) > MOST_MISTAKES else ""
    return section("Common mistakes", body + more + (f'<p class="small">Not solved: {left}</p>' if left else ""))


def success(graded: list[Verdict], scores: dict) -> str:
    """Mean points by exercise; below each the share of students who keep each law."""
    names = list(dict.fromkeys(name for v in graded for name in v.exercises))
    parts = []
    for name in names:
        results = [v.exercises[name] for v in graded if name in v.exercises]
        got = [scores[v.student][name] for v in graded if scores[v.student].get(name) is not None]
        full = sum(score >= results[0].max_score for score in got)
        wait = f", {len(results) - len(got)} to read" if len(got) < len(results) else ""
        share = charts.share(sum(got), results[0].max_score * len(got))
        parts.append(
            f'<div class="exercise"><div class="head">{code(name)}'
            f'<span class="nowrap">{share}</span></div>'
            f'<p class="soft small">{full} of {len(got)} in full{wait}</p>{by_law(results)}</div>'
        )
    return section(
        "Success by exercise and by law", "".join(parts) or nothing(), "Share of the points; of who keeps a law."
    )


def by_law(results: list[ExerciseResult]) -> str:
    laws = list(dict.fromkeys(law.law for r in results for law in r.laws))
    passed = {n: [law.passed for r in results for law in r.laws if law.law == n] for n in laws}
    rows = [f"<span><span>{text(n)}</span>{charts.share(sum(p), len(p))}</span>" for n, p in passed.items()]
    return f'<div class="laws small">{"".join(rows)}</div>'


def times(verdicts: list[Verdict]) -> str:
    """Seconds a submission took, crashes and hangs."""
    timed = sorted(((v.seconds, v.student) for v in verdicts if v.seconds is not None), reverse=True)
    body = nothing("No times are on file: autograde writes them.")
    if timed:
        seconds = [s for s, _ in timed]
        body = f"<p>Seconds a submission: median {statistics.median(seconds):.1f}, sum {sum(seconds):.0f}.</p>"
        body += charts.histogram(seconds, max(seconds), "Seconds that a submission took")
        body += f'<p class="small soft">Slowest: {text(", ".join(f"{who} {s:.1f} s" for s, who in timed[:5]))}</p>'
    graded = [v for v in verdicts if v.graded]
    rows = [[text(v.student, 120), text("; ".join(v.crashes))] for v in graded if v.crashes]
    body += table(["student", "lost"], rows) if rows else nothing("No crash, no hang.")
    errors = [v.student for v in graded if v.notes]
    if errors:
        body += f'<p class="small">Cells that ended in an error: {len(errors)} of {len(graded)} submissions.</p>'
    return section("Time, crashes and hangs", body)


def reaching(graded: list[Verdict]) -> str:
    """Who reaches into the checker, where and how; nothing where nobody does."""
    rows = [[text(v.student, 120), text("; ".join(v.reaches), 800)] for v in graded if v.reaches]
    about = (
        "Laws of form and cost are measured beside a student's code, which could forge them from here; values are "
        "judged outside. It changed no points: read the code and decide."
    )
    return section("Reaches into the checker", table(["student", "where, and what"], rows), about) if rows else ""


def similar(alike: list) -> str:
    rows = [
        [text(p.one, 60), text(p.two, 60), str(p.shared), f"{100 * p.share:.0f}%", text(", ".join(p.exercises), 200)]
        for p in alike[:MOST_PAIRS]
    ]
    heads = ["student", "student", "shared", "share", "where"]
    return section(
        "Similar answers",
        table(heads, rows, (2, 3)) if rows else nothing("No pair stands out."),
        "Runs of code that few others write, whatever the names in it; released text and solutions left out. "
        "A hint to look, not a finding.",
    )


def everybody(verdicts: list[Verdict], scores: dict) -> str:
    """A row for each student, a column for each exercise."""
    names = list(dict.fromkeys(name for s in scores.values() for name in s))
    rows = []
    for verdict in verdicts:
        mine = scores.get(verdict.student)
        cells = ["?" if mine and mine.get(n, 0) is None else number(mine.get(n) or 0) if mine else "" for n in names]
        last = number(total(mine)) if mine else verdict.status
        rows.append([text(verdict.student, 60), f"<b>{text(last)}</b>", *cells])
    heads = ["student", "score", *(str(i) for i in range(1, len(names) + 1))]
    key = ", ".join(f"{i} {code(n)}" for i, n in enumerate(names, 1))
    return section("Everybody", table(heads, rows, tuple(range(1, len(heads))), wide=True), key)
