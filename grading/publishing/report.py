"""A page for each class, for its teaching assistants, and the index over them."""

from pathlib import Path
from urllib.parse import quote

from ..collecting import roster
from ..course import Course, write
from ..judging import results
from ..judging.verdict import Verdict
from ..recording.scores import ManualGrade, by_hand
from . import index, page, similarity
from .class_view import Class, class_view
from .feedback import page_of


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
            same = similarity.same(course, assignment, verdicts)
            write(path, class_page(title, verdicts, hands, alike, people(course, name, verdicts), same))
            written.append(path)
        rows.append(index.row(path, title, verdicts, hands))
    contents = course.data / "report" / "index.html"
    write(contents, index.contents(rows))
    return [*written, contents], []


def people(course: Course, name: str, verdicts: list[Verdict]) -> Class:
    known = roster.load(course)
    standing = {student: found for student, entry in known.items() if (found := roster.standing(entry, name))}
    pages = {v.student: page_of(course, v) for v in verdicts}
    links = {s: f"../{quote(file.relative_to(course.data).as_posix())}" for s, file in pages.items() if file.is_file()}
    return Class(standing, roster.missing(course, known, name), links)


def class_page(
    title: str,
    verdicts: list[Verdict],
    hands: dict[str, dict[str, ManualGrade]],
    alike: list[similarity.Pair],
    people: Class | None = None,
    same: list[similarity.Same] | None = None,
) -> bytes:
    """One self-contained page."""
    return page.render("report.html.j2", class_view(title, verdicts, hands, alike, people, same))
