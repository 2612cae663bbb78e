"""Points that count: a person's from nbgrader's gradebook where there are some, else the judge's."""

from dataclasses import dataclass

from ..collecting import roster
from ..course import Course
from ..judging.verdict import ExerciseResult, Verdict

PENALTY = "late penalty"  # stands among a student's exercises, where there is one


@dataclass(frozen=True)
class ManualGrade:
    """What a person entered for one cell: `score` (None: nothing), `extra` credit, `comment`; `due`: look again.
    `retired`: the notebook has that exercise no longer, and it counts 0."""

    score: float | None
    extra: float
    comment: str
    due: bool
    retired: bool = False


def by_hand(course: Course, assignment: str) -> dict[str, dict[str, ManualGrade]]:
    """`{student: {exercise: ManualGrade}}`. Empty where there is no gradebook, or nothing of the assignment in it."""
    from nbgrader.api import MissingEntry

    from . import gradebook as books
    from . import late, midterm

    if not books.exists(course):
        return {}
    with books.opened(books.url(course)) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(assignment)
        except MissingEntry:
            return {}
        gone = midterm.retired(gradebook, assignment)
        known, today = roster.load(course), course.assignment(assignment).today
        return {
            (who := s.student.id): {today(name): hand for name, hand in hands(s).items()}
            | {name: ManualGrade(*given, due=False, retired=True) for name, given in gone.get(who, {}).items()}
            | taken(late.penalty(course, s, known.get(who, {})))
            for s in submissions
        }


def taken(penalty: float) -> dict[str, ManualGrade]:
    """What is taken for handing in late, as one more entry."""
    return {PENALTY: ManualGrade(None, -penalty, "", False)} if penalty else {}


def hands(submission) -> dict[str, ManualGrade]:
    """One submission's cells that a person has touched, or has to."""
    made = {}
    for notebook in submission.notebooks:
        comments = {c.name: c.manual_comment or "" for c in notebook.comments}
        for grade in notebook.grades:
            hand = ManualGrade(
                grade.manual_score, grade.extra_credit or 0.0, comments.get(grade.name, ""), grade.needs_manual_grade
            )
            if hand != ManualGrade(None, 0.0, "", False):
                made[grade.name.removeprefix("check_")] = hand
    return made


def points(verdict: Verdict, touched: dict[str, ManualGrade]) -> dict[str, float | None]:
    """Points by exercise, and what is taken for lateness; None for a proof that nobody has read yet. A proof that was
    not written is worth 0."""
    scores = {name: of(name, e, verdict, touched.get(name)) for name, e in verdict.exercises.items()}
    return scores | ({PENALTY: touched[PENALTY].extra} if PENALTY in touched else {})


def of(name: str, exercise: ExerciseResult, verdict: Verdict, hand: ManualGrade | None) -> float | None:
    if hand is not None and hand.retired:
        return 0.0
    if hand is not None and hand.score is not None:
        return hand.score + hand.extra
    extra = hand.extra if hand is not None else 0.0
    if exercise.score is not None:
        return exercise.score + extra
    return extra or None if name in verdict.written else extra


def due(verdict: Verdict, scores: dict[str, float | None], touched: dict[str, ManualGrade]) -> list[str]:
    """Why a person has to look: no verdict, one without a sandbox, a proof to read, a score that changed, a hand in the
    checker."""
    if not verdict.graded:
        return [f"{verdict.status}: {verdict.reason}"]
    unread = [name for name, score in scores.items() if score is None]
    changed = [name for name, hand in touched.items() if hand.due and name not in unread]
    looks = [f"{name}: to read" for name in unread] + [f"{name}: changed since a person graded it" for name in changed]
    looks += ["graded without protection (--sandbox none)"] * (verdict.sandbox == "none")
    return looks + ["code that reaches into the checker"] * bool(verdict.reaches)


def total(scores: dict[str, float | None]) -> float:
    return round(sum(score for score in scores.values() if score is not None), 6)
