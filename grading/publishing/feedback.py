"""A page for each submission: what it scored, what every law says, what to read again. Nothing in it runs.

Students read numbers, expected values and their own exceptions: graded inputs are drawn anew for whatever else is
handed in (`seeds`). All of it is escaped and cut.
"""

import base64
from pathlib import Path

from ..course import Course, write
from ..judging.filed import outputs
from ..judging.verdict import ExerciseResult, LawResult, State, Status, Verdict
from ..notebook.outputs import LONGEST_TEXT, Output
from ..recording.scores import Hand, by_hand, points, total
from .page import bar, code, number, page, text

LONGEST = 360
LARGEST_PAGE = 200_000
MOST_OUTPUTS = 6
MOST_NOTES = 12
WRAPPING = 300  # bytes around the outputs of one exercise
STYLE = """
summary { cursor: pointer; color: var(--accent); }
.figure { overflow: auto; max-height: 40rem; border-radius: 6px; background: #fff; padding: .4rem; width: fit-content;
  max-width: 100%; } .figure img { display: block; max-width: max(100%, 32rem); }
details > pre { margin: .3rem 0 .8rem; padding: .5rem .7rem; max-height: 20rem; overflow: auto; white-space: pre-wrap;
  border: 1px solid var(--line); border-radius: 6px; background: var(--bg);
  font: .85rem/1.45 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
"""


def feedback(course: Course, found: dict[str, list[Verdict]]) -> tuple[list[Path], list[str]]:
    """Write `feedback/STUDENT/ASSIGNMENT/<notebook>.html` for every verdict: `(files, notes)`."""
    written = []
    for name, verdicts in found.items():
        hands, assignment = by_hand(course, name), course.assignment(name)
        for verdict in verdicts:
            if verdict.status is not Status.WAITING:
                folder = course.data / "feedback" / verdict.student / name
                path = folder / f"{assignment.notebook}.html"
                touched = hands.get(verdict.student, {})
                write(path, student_page(verdict, touched, assignment.title, shown(course, verdict, touched)))
                written.append(path)
    return written, []


def shown(course: Course, verdict: Verdict, touched: dict[str, Hand]) -> dict[str, list[Output]]:
    """What the graded notebook showed for each exercise that was tried and lost points."""
    scores, exercises = points(verdict, touched), verdict.exercises
    lost = [n for n, s in scores.items() if s is not None and s < exercises[n].max_score]
    return outputs(course, verdict, [n for n in lost if exercises[n].laws and not exercises[n].unsolved])


def student_page(
    verdict: Verdict, touched: dict[str, Hand], title: str, own: dict[str, list[Output]] | None = None
) -> bytes:
    """One self-contained page, below 200 kB: of what the notebook showed only as much as fits."""
    bare = whole_page(verdict, touched, title, {})
    return whole_page(verdict, touched, title, folded(own, LARGEST_PAGE - len(bare))) if own else bare


def whole_page(verdict: Verdict, touched: dict[str, Hand], title: str, own: dict[str, str]) -> bytes:
    graded = verdict.graded
    body = head(verdict, title, points(verdict, touched)) if graded else refusal(verdict, title)
    if graded:
        scores = points(verdict, touched)
        body += "".join(
            exercise(name, e, scores[name], touched.get(name), own.get(name, ""))
            for name, e in verdict.exercises.items()
        )
        body += notes(verdict.notes)
    drawn = "Graded on inputs of your own, drawn at random. " if graded else ""
    drawn += "Graded without protection: not a final score. " if verdict.sandbox == "none" else ""
    body += f"<footer>{drawn}Questions go to your teaching team.</footer>"
    return page(f"{title}: {verdict.student}", body, style=STYLE)


def head(verdict: Verdict, title: str, scores: dict) -> str:
    """Name, score, and how many exercises to look at again."""
    got, most = total(scores), verdict.max_score
    waiting = sum(verdict.exercises[n].max_score for n, s in scores.items() if s is None)
    short = sum(s is not None and s < verdict.exercises[n].max_score for n, s in scores.items())
    lines = [f"{short} exercise{'s' * (short != 1)} to look at again." if short else "Everything is right. Well done."]
    if waiting:
        lines.append(f"A person still reads your proof: {number(waiting)} more points are open.")
    return (
        f'<header><p class="soft small">{text(verdict.student, 120)}</p><div class="head"><h1>{text(title)}</h1>'
        f'<h1 class="points">{number(got)} <span class="soft">of {number(most)}</span></h1></div>'
        f"{bar(got / most if most else 0)}<p>{' '.join(lines)}</p></header>"
    )


def refusal(verdict: Verdict, title: str) -> str:
    """No verdict: why, and what to do."""
    own = verdict.status is Status.REFUSED
    advice = "Mend the file and hand it in again." if own else "This is not your fault; your teaching team looks at it."
    return (
        f'<header><p class="soft small">{text(verdict.student, 120)}</p><h1>{text(title)}</h1></header>'
        '<section><p class="bad"><b>Your file could not be graded.</b></p>'
        f"<p>{text(verdict.reason, LONGEST)}</p><p>{advice}</p></section>"
    )


def exercise(name: str, result: ExerciseResult, score: float | None, hand: Hand | None, own: str = "") -> str:
    """One exercise: points, laws, what the notebook showed, the slide to read again, a person's comment."""
    most = result.max_score
    shown = "?" if score is None else number(score)
    rows = (laws(result) if result.laws else proof(score, hand)) + own
    if result.slide and score is not None and score < most:
        rows += f'<p class="small">Read again: Lecture 3, “{text(result.slide)}”</p>'
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


def laws(result: ExerciseResult) -> str:
    """Every law; those that say the same in one line."""
    if result.unsolved:
        return '<p class="soft">Not solved yet.</p>'
    groups: dict[tuple, list[LawResult]] = {}
    for law in result.laws:
        groups.setdefault((law.state, law.message), []).append(law)
    last = {State.WAITING: 1, State.PASSED: 2}
    return f"<ul>{''.join(row(*k, groups[k]) for k in sorted(groups, key=lambda k: last.get(k[0], 0)))}</ul>"


def row(state: State, message: str, same: list[LawResult]) -> str:
    names = ", ".join(text(law.law, 80) for law in same)
    if state is State.PASSED:
        return f'<li class="small"><b class="good">✓</b><span class="soft">{names}</span></li>'
    lost = f'<span class="soft">(−{number(sum(law.weight for law in same))})</span>'
    if state is State.WAITING:
        return f'<li class="small"><b class="soft">○</b>{names} {lost}: <span class="soft">{text(message)}</span></li>'
    return f'<li><b class="bad">✗</b><b>{names}</b> {lost}: {text(message, LONGEST)}</li>'


def folded(own: dict[str, list[Output]], room: int) -> dict[str, str]:
    """What the notebook showed, by exercise, folded away; what takes more than `room` bytes in all is left out."""
    made = {}
    for name, found in own.items():
        items, room = [], room - WRAPPING
        for output in found[-MOST_OUTPUTS:]:
            item = figure(output) if output.png else printed(output)
            if (output.png or output.text) and len(item.encode()) <= room:
                items.append(item)
                room -= len(item.encode())
        if left := len(found) - len(items):
            items.append(f'<p class="soft small">Left out here: {left} more. Your notebook has them.</p>')
        body = "".join(items)
        made[name] = f'<details><summary class="small">What your notebook showed</summary>{body}</details>'
    return made if room >= 0 else {}


def printed(output: Output) -> str:
    return f'<p class="soft small">Cell {output.cell} printed</p><pre>{text(output.text, LONGEST_TEXT)}</pre>'


def figure(output: Output) -> str:
    data = base64.b64encode(output.png).decode()
    img = f'<img alt="The figure of cell {output.cell}" src="data:image/png;base64,{data}">'
    return f'<p class="soft small">Cell {output.cell} drew</p><div class="figure">{img}</div>'


def notes(lines: tuple[str, ...]) -> str:
    """Cells that ended in an error."""
    if not lines:
        return ""
    rows = "".join(f"<li><b>·</b>{text(line, LONGEST)}</li>" for line in lines[:MOST_NOTES])
    more = f'<p class="soft small">and {len(lines) - MOST_NOTES} more</p>' if len(lines) > MOST_NOTES else ""
    return (
        '<section><h2>Cells that ended in an error</h2><p class="soft small">They cost no points by themselves; what '
        f"they should have defined was missing afterwards.</p><ul>{rows}</ul>{more}</section>"
    )
