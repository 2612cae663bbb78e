"""A page for each submission: what it scored, what every law says, what to read again. Nothing in it runs.

Students read numbers, expected values and their own exceptions: graded inputs are drawn anew for whatever else is
handed in (`seeds`). All of it is escaped and cut.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from markupsafe import escape

from ..collecting import roster
from ..course import Course, write
from ..judging.filed import outputs
from ..judging.verdict import ExerciseResult, LawResult, State, Status, Verdict
from ..notebook.outputs import Output
from ..recording.scores import PENALTY, ManualGrade, by_hand, points, total
from . import page

LARGEST_PAGE = 200_000
MOST_OUTPUTS = 6
MOST_NOTES = 12
WRAPPING = 300  # bytes around an output, and around those of one exercise


@dataclass(frozen=True)
class Row:
    """Laws that say the same, and the points that they are worth together."""

    state: State
    laws: list[str]
    points: float
    message: str


@dataclass(frozen=True)
class Exercise:
    """`rows` of its laws, or a `note`; the `slide` to read again where points were lost. `left_out` counts outputs."""

    name: str
    score: float | None
    most: float
    rows: list[Row] = field(default_factory=list)
    note: str = ""
    slide: str = ""
    comment: str = ""
    outputs: list[Output] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class StudentPage:
    """`short`: exercises that lost points; `unread`: points that a person may still give. `reason`: why not graded.
    `handed`: which file this is about. `penalty`: taken from the score for lateness. `retired`: exercises that count no
    longer, with a person's points."""

    student: str
    title: str
    graded: bool
    reason: str = ""
    own_fault: bool = False
    unprotected: bool = False
    score: float = 0
    most: float = 0
    penalty: float = 0
    short: int = 0
    unread: float = 0
    exercises: list[Exercise] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more_notes: int = 0
    handed: str = ""
    retired: dict[str, float] = field(default_factory=dict)


def feedback(course: Course, found: dict[str, list[Verdict]]) -> tuple[list[Path], list[str]]:
    """Write `feedback/STUDENT/ASSIGNMENT/<notebook>.html` for every verdict: `(files, notes)`."""
    written, known = [], roster.load(course)
    for name, verdicts in found.items():
        hands, assignment = by_hand(course, name), course.assignment(name)
        for verdict in verdicts:
            if verdict.status is not Status.WAITING:
                touched, entry = hands.get(verdict.student, {}), known.get(verdict.student, {})
                own, path = shown(course, verdict, touched), page_of(course, verdict)
                write(path, student_page(verdict, touched, assignment.title, own, handed_in(entry, name)))
                written.append(path)
    return written, []


def page_of(course: Course, verdict: Verdict) -> Path:
    folder = course.data / "feedback" / verdict.student / str(verdict.assignment)
    return folder / f"{course.assignment(str(verdict.assignment)).notebook}.html"


def handed_in(entry: dict, assignment: str) -> str:
    """Which file this page is about, as far as collect knows."""
    handed, standing = entry.get("handed", {}).get(assignment, {}), roster.standing(entry, assignment)
    parts = [handed.get("file", ""), handed.get("time", "").replace("T", " "), standing]
    return ", ".join(filter(None, parts))


def shown(course: Course, verdict: Verdict, touched: dict[str, ManualGrade]) -> dict[str, list[Output]]:
    """What the graded notebook showed for each exercise that was tried and lost points."""
    scores, exercises = points(verdict, touched), verdict.exercises
    lost = [n for n, e in exercises.items() if (got := scores[n]) is not None and got < e.max_score]
    return outputs(course, verdict, [n for n in lost if exercises[n].laws and not exercises[n].unsolved])


def student_page(
    verdict: Verdict,
    touched: dict[str, ManualGrade],
    title: str,
    own: dict[str, list[Output]] | None = None,
    handed: str = "",
) -> bytes:
    """One self-contained page, below 200 kB: of what the notebook showed only as much as fits."""
    view = replace(student_view(verdict, touched, title), handed=handed)
    bare = page.render("feedback.html.j2", view)
    return page.render("feedback.html.j2", with_outputs(view, own, LARGEST_PAGE - len(bare))) if own else bare


def student_view(verdict: Verdict, touched: dict[str, ManualGrade], title: str) -> StudentPage:
    if not verdict.graded:
        own = verdict.status is Status.REFUSED
        return StudentPage(verdict.student, title, False, verdict.reason, own, verdict.sandbox == "none")
    scores, results = points(verdict, touched), verdict.exercises
    return StudentPage(
        verdict.student,
        title,
        graded=True,
        unprotected=verdict.sandbox == "none",
        score=total(scores),
        most=verdict.max_score or 0,
        penalty=-(scores.get(PENALTY) or 0.0),
        short=sum((got := scores[n]) is not None and got < e.max_score for n, e in results.items()),
        unread=sum(e.max_score for n, e in results.items() if scores[n] is None),
        exercises=[exercise(n, result, scores[n], touched.get(n)) for n, result in results.items()],
        notes=list(verdict.notes[:MOST_NOTES]),
        retired={n: hand.score + hand.extra for n, hand in touched.items() if hand.retired and hand.score is not None},
        more_notes=max(0, len(verdict.notes) - MOST_NOTES),
    )


def exercise(name: str, result: ExerciseResult, score: float | None, hand: ManualGrade | None) -> Exercise:
    most = result.max_score
    return Exercise(
        name,
        score,
        most,
        rows=[] if result.unsolved else rows(result.laws),
        note="Not solved yet." if result.unsolved else "" if result.laws else proof(score, hand),
        slide=result.slide if score is not None and score < most else "",
        comment=hand.comment.strip() if hand else "",
    )


def proof(score: float | None, hand: ManualGrade | None) -> str:
    if score is None:
        return "A person reads this; not graded yet."
    read = hand is not None and hand.score is not None
    return "Read and graded by a person." if read else "Nothing was written here."


def rows(laws: tuple[LawResult, ...]) -> list[Row]:
    """Those that say the same together; what is wrong first, what is right last."""
    groups: dict[tuple[State, str], list[LawResult]] = {}
    for law in laws:
        groups.setdefault((law.state, law.message), []).append(law)
    last = {State.WAITING: 1, State.PASSED: 2}
    found = [Row(s, [x.law for x in same], sum(x.weight for x in same), said) for (s, said), same in groups.items()]
    return sorted(found, key=lambda row: last.get(row.state, 0))


def with_outputs(view: StudentPage, own: dict[str, list[Output]], room: int) -> StudentPage:
    """The page with what the notebook showed, as far as `room` bytes go; without any where they don't."""
    kept: dict[str, list[Output]] = {}
    for name, found in own.items():
        room, kept[name] = room - WRAPPING, []
        for output in found[-MOST_OUTPUTS:]:
            if (output.png or output.text) and size(output) <= room:
                kept[name].append(output)
                room -= size(output)
    left_out = {name: len(own[name]) - len(outputs) for name, outputs in kept.items() if room >= 0}
    exercises = [
        replace(e, outputs=kept[e.name], left_out=left_out[e.name]) if e.name in left_out else e for e in view.exercises
    ]
    return replace(view, exercises=exercises)


def size(output: Output) -> int:
    """Bytes of it on the page, at most."""
    return WRAPPING + len(page.coded(output.png)) + len(escape(page.clean(output.text)).encode())
