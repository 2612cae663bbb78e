"""What the class report shows: how the class did, which mistakes are common, who needs a person."""

import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..judging.verdict import ExerciseResult, Status, Verdict
from ..recording.scores import PENALTY, ManualGrade, due, points, total
from .charts import Histogram, histogram
from .message_groups import Group, groups
from .page import number
from .similarity import Pair, Same

MOST_MISTAKES = 25
MOST_PAIRS = 20
Scores = dict[str, dict[str, float | None]]  # by student, by exercise
Hands = dict[str, dict[str, ManualGrade]]


@dataclass(frozen=True)
class Tile:
    label: str
    value: str


@dataclass(frozen=True)
class Due:
    """Why a person has to look, and at whose submissions."""

    what: str
    students: list[str]


@dataclass(frozen=True)
class Share:
    """The part of the students who keep a law; `apart`: by how many points these are better in all than the others."""

    name: str
    share: float
    apart: float


@dataclass(frozen=True)
class Success:
    """`share` of the points of those who are `scored`, how many have them in `full`, how many a person is `to_read`."""

    name: str
    share: float
    full: int
    scored: int
    to_read: int
    laws: list[Share]


@dataclass(frozen=True)
class Times:
    """Seconds that submissions took."""

    median: float
    sum: float
    chart: Histogram
    slowest: list[tuple[str, float]]


@dataclass(frozen=True)
class Student:
    """`points`: as they are shown, by exercise. `score` is None without a verdict: then `status` is shown. `standing`:
    late, extended, excused; `page`: the address of the student's own, if there is one; `look`: a person has to; `rank`
    by score, the lowest first."""

    student: str
    status: str
    score: float | None
    points: list[str]
    standing: str = ""
    page: str = ""
    look: bool = False
    rank: int = 0


@dataclass(frozen=True)
class Class:
    """What the roster and the folders add to the verdicts: `standing` by student; who is `missing`, and what came in
    the notebook's place; the addresses of students' `pages`."""

    standing: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassPage:
    """`errors`: submissions with cells that ended in one; `crashes`, `reaches`: a student's, where there are some."""

    title: str
    graded: int
    tiles: list[Tile]
    scores: Histogram | None
    people: list[Due]
    mistakes: list[Group]
    rarer: int
    unsolved: list[tuple[str, int]]
    exercises: list[Success]
    times: Times | None
    crashes: list[tuple[str, tuple[str, ...]]]
    errors: int
    reaches: list[tuple[str, tuple[str, ...]]]
    pairs: list[Pair]
    same: list[Same]
    names: list[str]
    everybody: list[Student]


def class_view(
    title: str,
    verdicts: list[Verdict],
    hands: Hands,
    alike: list[Pair],
    people: Class | None = None,
    same: list[Same] | None = None,
) -> ClassPage:
    people = people or Class()
    graded = [v for v in verdicts if v.graded]
    scores = {v.student: points(v, hands.get(v.student, {})) for v in graded}
    totals, mistakes = [total(s) for s in scores.values()], groups(graded)
    most = next((v.max_score or 0 for v in verdicts), 0)
    names = list(dict.fromkeys(name for v in graded for name in v.exercises))
    to_see = needs_a_person(verdicts, scores, hands)
    look = {student for due in to_see for student in due.students}
    everybody = [replace(student(v, scores.get(v.student), names, people), look=v.student in look) for v in verdicts]
    everybody += [Student(s, people.standing.get(s) or "missing", None, [""] * len(names)) for s in people.missing]
    return ClassPage(
        title,
        graded=len(graded),
        tiles=tiles(verdicts, totals, most, people),
        scores=histogram(totals, most, "How many students have how many points") if totals else None,
        people=to_see + absent(people),
        mistakes=mistakes[:MOST_MISTAKES],
        rarer=max(0, len(mistakes) - MOST_MISTAKES),
        unsolved=unsolved(graded),
        exercises=[success(name, graded, scores) for name in names],
        times=times(verdicts),
        crashes=[(v.student, v.crashes) for v in graded if v.crashes],
        errors=sum(bool(v.notes) for v in graded),
        reaches=[(v.student, v.reaches) for v in graded if v.reaches],
        pairs=alike[:MOST_PAIRS],
        same=(same or [])[:MOST_PAIRS],
        names=names,
        everybody=ranked(everybody),
    )


def ranked(students: list[Student]) -> list[Student]:
    order = sorted(students, key=lambda s: (s.score is not None, s.score or 0.0))
    ranks = {student.student: rank for rank, student in enumerate(order)}
    return [replace(student, rank=ranks[student.student]) for student in students]


def absent(people: Class) -> list[Due]:
    """Who handed in something else, by what came."""
    came: dict[str, list[str]] = {}
    for who, instead in people.missing.items():
        if instead:
            came.setdefault(f"nothing to grade: {instead}", []).append(who)
    return [Due(what, students) for what, students in sorted(came.items())]


def tiles(verdicts: list[Verdict], totals: list[float], most: float, people: Class) -> list[Tile]:
    counts = Counter(v.status for v in verdicts)
    shown = [Tile("submissions", str(len(verdicts)))] + [Tile(s, str(counts[s])) for s in Status if counts[s]]
    standing = Counter(people.standing.values())
    shown += [Tile(what, str(standing[what])) for what in ("late", "extended", "excused") if standing[what]]
    if away := sum(people.standing.get(student) != "excused" for student in people.missing):
        shown += [Tile("missing", str(away))]
    if totals:
        shown += [Tile("median", f"{number(statistics.median(totals))} of {number(most)}")]
        shown += [Tile("mean", f"{statistics.fmean(totals):.1f}")]
    return shown


def needs_a_person(verdicts: list[Verdict], scores: Scores, hands: Hands) -> list[Due]:
    """Graders that failed, files that were refused, then proofs to read and scores to look at again."""
    students: dict[str, list[str]] = {}
    for verdict in verdicts:
        for what in due(verdict, scores.get(verdict.student, {}), hands.get(verdict.student, {})):
            students.setdefault(what, []).append(verdict.student)
    first = ("failed", "refused", "waiting")
    return [Due(what, students[what]) for what in sorted(students, key=lambda what: not what.startswith(first))]


def unsolved(graded: list[Verdict]) -> list[tuple[str, int]]:
    """How many did not solve an exercise, the most first."""
    counts = Counter(name for verdict in graded for name, exercise in verdict.exercises.items() if exercise.unsolved)
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def success(name: str, graded: list[Verdict], scores: Scores) -> Success:
    results = [v.exercises[name] for v in graded if name in v.exercises]
    found = [scores[v.student].get(name) for v in graded]
    got, most = [score for score in found if score is not None], results[0].max_score
    full = sum(score >= most for score in got)
    totals = [total(scores[v.student]) for v in graded if name in v.exercises]
    laws = by_law(list(zip(results, totals, strict=True)))
    return Success(name, part(sum(got), most * len(got)), full, len(got), len(results) - len(got), laws)


def by_law(results: list[tuple[ExerciseResult, float]]) -> list[Share]:
    """The laws that tell students apart: kept by some and not by all."""
    kept: dict[str, list[tuple[bool, float]]] = {}
    for law, whole in ((law, whole) for result, whole in results for law in result.laws):
        kept.setdefault(law.law, []).append((law.passed, whole))
    found = []
    for name, of in kept.items():
        with_it, without = ([whole for passed, whole in of if passed is kind] for kind in (True, False))
        if with_it and without:
            apart = statistics.fmean(with_it) - statistics.fmean(without)
            found.append(Share(name, part(len(with_it), len(of)), apart))
        elif without:
            found.append(Share(name, 0.0, 0.0))
    return found


def part(of: float, whole: float) -> float:
    return of / whole if whole else 0.0


def times(verdicts: list[Verdict]) -> Times | None:
    """None where no times are on file."""
    timed = sorted(((v.seconds, v.student) for v in verdicts if v.seconds is not None), reverse=True)
    if not timed:
        return None
    seconds = [taken for taken, _ in timed]
    chart = histogram(seconds, max(seconds), "Seconds that a submission took")
    return Times(statistics.median(seconds), sum(seconds), chart, [(who, taken) for taken, who in timed[:5]])


def student(verdict: Verdict, scores: dict[str, float | None] | None, names: list[str], people: Class) -> Student:
    about = {"standing": people.standing.get(verdict.student, ""), "page": people.pages.get(verdict.student, "")}
    if not scores:
        return Student(verdict.student, verdict.status, None, [""] * len(names), **about)
    shown = ["?" if scores.get(name, 0) is None else number(scores.get(name) or 0) for name in names]
    if taken := scores.get(PENALTY):
        about["standing"] = f"{about['standing'] or 'late'}, {number(taken)}"
    return Student(verdict.student, verdict.status, total(scores), shown, **about)
