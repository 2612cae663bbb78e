"""A page for each submission: what it scored, what every law says, what to read again. Nothing in it runs.

A student's own words come back masked where they could carry graded inputs: numbers in the text of an exception.
"""

import re
from pathlib import Path

from dgmlib.checks.exercise import WAITS

from .course import Course, write
from .grader import ASSIGNMENTS
from .page import bar, code, number, page, text, titled
from .points import Hand, by_hand, points, total

LONGEST = 300
MOST_NOTES = 12
UNSOLVED = "not solved yet"
OWN_WORDS = re.compile(r"(raised |ran: |could not be called: |GPU: |cell \d+: )")
NUMBER = re.compile(r"[-+]?(?:\d+\.\d+|\d{4,}|\d+(?=e[-+]?\d))(?:e[-+]?\d+)?", re.IGNORECASE)


def feedback(course: Course, found: dict[str, list[dict]]) -> tuple[list[Path], list[str]]:
    """Write `feedback/STUDENT/ASSIGNMENT/<notebook>.html` for every verdict: `(files, notes)`."""
    written = []
    for name, verdicts in found.items():
        hands, title = by_hand(course, name), titled(course, ASSIGNMENTS[name])
        for verdict in verdicts:
            if verdict["status"] != "waiting":
                folder = course.data / "feedback" / verdict["student"] / name
                path = folder / f"{ASSIGNMENTS[name].notebook}.html"
                write(path, student_page(verdict, hands.get(verdict["student"], {}), title))
                written.append(path)
    return written, []


def student_page(verdict: dict, touched: dict[str, Hand], title: str) -> bytes:
    """One self-contained page, below 200 kB."""
    graded = verdict["status"] == "graded"
    body = head(verdict, title, points(verdict, touched)) if graded else refusal(verdict, title)
    if graded:
        slides = {e.name: e.slide for e in ASSIGNMENTS[verdict["assignment"]].exercises.values()}
        scores = points(verdict, touched)
        body += "".join(
            exercise(name, e, scores[name], slides.get(name, ""), touched.get(name))
            for name, e in verdict["exercises"].items()
        )
        body += notes(verdict["notes"])
    drawn = "Graded on inputs of your own, drawn at random. " if graded else ""
    body += f"<footer>{drawn}Questions go to your teaching team.</footer>"
    return page(f"{title}: {verdict['student']}", body)


def head(verdict: dict, title: str, scores: dict) -> str:
    """Name, score, and how many exercises to look at again."""
    got, most = total(scores), verdict["max_score"]
    waiting = sum(verdict["exercises"][n]["max_score"] for n, s in scores.items() if s is None)
    short = sum(s is not None and s < verdict["exercises"][n]["max_score"] for n, s in scores.items())
    lines = [f"{short} exercise{'s' * (short != 1)} to look at again." if short else "Everything is right. Well done."]
    if waiting:
        lines.append(f"A person still reads your proof: {number(waiting)} more points are open.")
    return (
        f'<header><p class="soft small">{text(verdict["student"], 120)}</p><div class="head"><h1>{text(title)}</h1>'
        f'<h1 class="points">{number(got)} <span class="soft">of {number(most)}</span></h1></div>'
        f"{bar(got / most if most else 0)}<p>{' '.join(lines)}</p></header>"
    )


def refusal(verdict: dict, title: str) -> str:
    """No verdict: why, and what to do."""
    own = verdict["status"] == "refused"
    advice = "Mend the file and hand it in again." if own else "This is not your fault; your teaching team looks at it."
    return (
        f'<header><p class="soft small">{text(verdict["student"], 120)}</p><h1>{text(title)}</h1></header>'
        '<section><p class="bad"><b>Your file could not be graded.</b></p>'
        f"<p>{text(masked(verdict['reason']), LONGEST)}</p><p>{advice}</p></section>"
    )


def exercise(name: str, result: dict, score: float | None, slide: str, hand: Hand | None) -> str:
    """One exercise: points, laws, the slide to read again, a person's comment."""
    most = result["max_score"]
    shown = "?" if score is None else number(score)
    rows = laws(result["laws"]) if result["laws"] else proof(score, hand)
    if slide and score is not None and score < most:
        rows += f'<p class="small">Read again: Lecture 3, “{text(slide)}”</p>'
    if hand and hand.comment.strip():
        rows += f'<p class="small"><b>Comment:</b> {text(hand.comment, 2000)}</p>'
    return (
        f'<section><div class="head"><h2>{code(name)}</h2><span class="points"><b>{shown}</b> '
        f'<span class="soft">of {number(most)}</span></span></div>'
        f"{bar((score or 0) / most if most else 0)}{rows}</section>"
    )


def proof(score: float | None, hand: Hand | None) -> str:
    if score is None:
        return '<p class="soft">A person reads this; not graded yet.</p>'
    graded = hand is not None and hand.score is not None
    return f'<p class="soft">{"Read and graded by a person." if graded else "Nothing was written here."}</p>'


def laws(results: list[dict]) -> str:
    """Every law; those that say the same in one line."""
    groups: dict[tuple, list[dict]] = {}
    for law in results:
        groups.setdefault((not law["passed"], "" if law["passed"] else law["message"]), []).append(law)
    if set(groups) == {(True, UNSOLVED)}:
        return '<p class="soft">Not solved yet.</p>'
    last = {(True, WAITS): 1, (False, ""): 2}
    return f"<ul>{''.join(row(*k, groups[k]) for k in sorted(groups, key=lambda k: last.get(k, 0)))}</ul>"


def row(failed: bool, message: str, same: list[dict]) -> str:
    names = ", ".join(text(law["law"], 80) for law in same)
    if not failed:
        return f'<li class="small"><b class="good">✓</b><span class="soft">{names}</span></li>'
    lost = f'<span class="soft">(−{number(sum(law["weight"] for law in same))})</span>'
    if message == WAITS:
        return f'<li class="small"><b class="soft">○</b>{names} {lost}: <span class="soft">{text(WAITS)}</span></li>'
    return f'<li><b class="bad">✗</b><b>{names}</b> {lost}: {text(masked(message), LONGEST)}</li>'


def notes(lines: list[str]) -> str:
    """Cells that ended in an error."""
    if not lines:
        return ""
    rows = "".join(f"<li><b>·</b>{text(masked(line), LONGEST)}</li>" for line in lines[:MOST_NOTES])
    more = f'<p class="soft small">and {len(lines) - MOST_NOTES} more</p>' if len(lines) > MOST_NOTES else ""
    return (
        '<section><h2>Cells that ended in an error</h2><p class="soft small">They cost no points by themselves; what '
        f"they should have defined was missing afterwards.</p><ul>{rows}</ul>{more}</section>"
    )


def masked(message: str) -> str:
    """Our words as they are; a student's own without numbers and long words, and no longer than 200 characters."""
    found = OWN_WORDS.search(message)
    if not found:
        return message
    ours, theirs = message[: found.end()], message[found.end() :][:200]
    return ours + re.sub(r"\S{60,}", "…", NUMBER.sub("…", theirs))
