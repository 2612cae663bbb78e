"""Tables of scores: for a spreadsheet, for Canvas, for Moodle. A person's points count where there are some.

A text that a spreadsheet would take for a formula gets an apostrophe before it, and so does one behind a semicolon:
where the comma is for decimals a spreadsheet parts a line there, whatever stands in quotes.
"""

import csv as tables
import io
import re
from datetime import datetime
from pathlib import Path

from ..collecting import roster
from ..course import Course, write
from ..judging.results import brief
from ..judging.verdict import Verdict
from ..plaintext import one_line
from ..recording.scores import PENALTY, by_hand, points, total

MODIFIED, LONGEST_REASON = "Last modified (grade)", 300
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
BEHIND = re.compile(r"(;[\s\"]*)(?=[=+\-@＝＋－＠])")


def csv(course: Course, found: dict[str, list[Verdict]]) -> tuple[list[Path], list[str]]:
    """`exports/ASSIGNMENT.csv`: status, total, and a column for each exercise: `(files, notes)`."""
    known, written, notes = roster.load(course), [], []
    for name, verdicts in found.items():
        exercises = list(course.assignment(name).exercises)
        rows = [
            ["student", "assignment", "status", "score", "max_score", *exercises, "ungraded", "late", PENALTY, "reason"]
        ]
        pairs = scored(course, name, verdicts)
        for verdict, scores in pairs:
            open_ones = [n for n, s in scores.items() if s is None]
            got = total(scores) if verdict.graded else None
            cells = [verdict.student, name, verdict.status, got, verdict.max_score]
            cells += [scores.get(n) for n in exercises]
            standing = roster.standing(known.get(verdict.student, {}), name)
            rows.append([*cells, " ".join(open_ones), standing, scores.get(PENALTY), verdict.reason])
        for student, instead in roster.missing(course, known, name).items():
            blank = [None] * len(exercises)
            standing = roster.standing(known[student], name)
            most = course.assignment(name).points
            rows.append([student, name, "missing", None, most, *blank, "", standing, None, instead])
        written.append(save(course, f"{name}.csv", rows))
        notes += waiting(name, pairs)
    return written, notes


def canvas(course: Course, found: dict[str, list[Verdict]]) -> tuple[list[Path], list[str]]:
    """`exports/canvas.csv`, for Gradebook > Import: a column for each assignment, a second row of possible points."""
    known, notes = roster.load(course), []
    pairs = {name: scored(course, name, verdicts) for name, verdicts in found.items()}
    totals = {name: finals(pairs[name]) for name in found}
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *found]]
    rows.append(["Points Possible", "", "", "", "", *(course.assignment(name).points for name in found)])
    for student in everybody(found, known):
        about = known.get(student, {})
        login = about.get("login") or about.get("email") or ("" if about.get("canvas") else student)
        ids = [about.get("canvas", ""), about.get("sid", ""), login, ""]
        grades = ["EX" if roster.standing(about, name) == "excused" else totals[name].get(student) for name in found]
        rows.append([about.get("name", student), *ids, *grades])
    unknown = [s for s in everybody(found, known) if not known.get(s, {}).get("canvas")]
    if unknown:
        notes.append(
            f"canvas: no Canvas number known of {len(unknown)} students; matched by SIS Login ID: {brief(unknown)}"
        )
    for name in found:
        notes += waiting(name, pairs[name])
    return [save(course, "canvas.csv", rows)], notes


def moodle(course: Course, found: dict[str, list[Verdict]]) -> tuple[list[Path], list[str]]:
    """`exports/moodle_ASSIGNMENT.csv`: a grading worksheet where Moodle's participant numbers are known, and
    `exports/moodle.csv` for Grades > Import."""
    known, written, notes = roster.load(course), [], []
    rows = [["Full name", "Username", "ID number", "Email address", *found]]
    pairs = {name: scored(course, name, verdicts) for name, verdicts in found.items()}
    totals = {name: finals(pairs[name]) for name in found}
    for student in everybody(found, known):
        about = known.get(student, {})
        login = about.get("login") or ("" if about.get("moodle") or about.get("email") else student)
        ids = [login, about.get("sid", ""), about.get("email", "")]
        rows.append([about.get("name", student), *ids, *(totals[name].get(student) for name in found)])
    written.append(save(course, "moodle.csv", rows))
    for name, verdicts in found.items():
        numbers = {s: about["moodle"][name] for s, about in known.items() if name in about.get("moodle", {})}
        if numbers:
            sheet = worksheet(course.assignment(name).points, pairs[name], numbers, totals[name], known)
            written.append(save(course, f"moodle_{name}.csv", sheet))
        strangers = [v.student for v in verdicts if v.student not in numbers]
        if numbers and strangers:
            notes.append(f"{name}: no Moodle number known of {brief(strangers)}; they are in moodle.csv alone")
        notes += waiting(name, pairs[name])
    return written, notes


def worksheet(most: float, pairs: list[tuple[Verdict, dict]], numbers: dict, totals: dict, known: dict) -> list[list]:
    """Moodle's own columns; it finds a submission by `Identifier`, and skips a row that is older than its own grade:
    so each is dated now, and the sheet of a second grading is taken as well."""
    now = datetime.now().strftime("%A, %d %B %Y, %I:%M %p")
    rows = [["Identifier", "Full name", "Email address", "Grade", "Maximum Grade", MODIFIED, "Feedback comments"]]
    for verdict, scores in pairs:
        student = verdict.student
        if student in numbers:
            about = [known[student].get("name", student), known[student].get("email", "")]
            grade = totals.get(student)
            rows.append([f"Participant {numbers[student]}", *about, grade, most, now, comment(verdict, scores)])
    return rows


def comment(verdict: Verdict, scores: dict) -> str:
    """In a line: where points were lost, and why; all of it stands on the student's page."""
    if not verdict.graded:
        return f"Not graded: {verdict.reason}"
    said = []
    for name, result in verdict.exercises.items():
        if (got := scores.get(name)) is not None and got < result.max_score:
            first = next((law.message for law in result.laws if law.message and not law.passed), "")
            why = "not solved yet" if result.unsolved else first[:LONGEST_REASON]
            said.append(f"{name} {got:g} of {result.max_score:g}" + (f": {why}" if why else ""))
    if taken := scores.get(PENALTY):
        said.append(f"handed in late {taken:g}")
    return "; ".join(said) or "Everything is right."


def scored(course: Course, name: str, verdicts: list[Verdict]) -> list[tuple[Verdict, dict]]:
    hands = by_hand(course, name)
    return [(v, points(v, hands.get(v.student, {}))) for v in verdicts]


def finals(pairs: list[tuple[Verdict, dict]]) -> dict[str, float]:
    """Totals by student; none where there is no verdict, so that an import changes nothing."""
    return {v.student: total(s) for v, s in pairs if v.graded}


def everybody(found: dict[str, list[Verdict]], known: dict[str, dict]) -> list[str]:
    """All with a submission, and the class: who handed in nothing keeps what the platform says."""
    listed = {student for student, entry in known.items() if entry.get("class")}
    return sorted(listed | {v.student for verdicts in found.values() for v in verdicts})


def waiting(name: str, pairs: list[tuple[Verdict, dict]]) -> list[str]:
    """One line where proofs that nobody has read count as 0 so far."""
    unread = [v.student for v, scores in pairs if None in scores.values()]
    return [f"{name}: {len(unread)} totals lack a proof that a person has to read: {brief(unread)}"] if unread else []


def save(course: Course, name: str, rows: list[list]) -> Path:
    made = io.StringIO()
    tables.writer(made, lineterminator="\r\n").writerows([[safe(cell) for cell in row] for row in rows])
    path = course.data / "exports" / name
    write(path, made.getvalue().encode("utf-8", errors="replace"))
    return path


def safe(cell):
    """A number as it is, None as nothing, a text that is no formula."""
    if cell is None:
        return ""
    if isinstance(cell, int | float):
        return f"{round(cell, 6):.10g}"
    text = BEHIND.sub(r"\1'", one_line(cell))
    return "'" + text if text != "-" and text.lstrip().startswith(FORMULA) else text


FORMS = {"csv": csv, "canvas": canvas, "moodle": moodle}
