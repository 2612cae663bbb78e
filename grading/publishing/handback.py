"""All pages of an assignment in one zip, named as Moodle or Canvas look for them when they take feedback for a class.

Moodle ("Upload multiple feedback files in a zip") wants folders `Name_NUMBER_assignsubmission_file_/` as in its own
download (mod/assign/feedback/file/importziplib.php). Canvas (gradebook, "Upload Submissions") wants the name
that the student's file had in its own download, with the numbers of user and upload
(`infer_comment_context_from_filename` in app/models/assignment.rb).
"""

import io
import re
import zipfile
from pathlib import Path

from ..collecting import roster
from ..course import Course, write
from ..judging.results import brief
from ..judging.verdict import Verdict
from .feedback import page_of

PARTS = re.compile(r"[/\\_]")  # at which Moodle parts a path, and a folder's name
MIDNIGHT = (1980, 1, 1, 0, 0, 0)  # the same pages, the same zip


def zipped(course: Course, found: dict[str, list[Verdict]], form: str) -> tuple[list[Path], list[str]]:
    """Write `exports/ASSIGNMENT_feedback.zip` of the pages that lie in `feedback/`: `(files, notes)`."""
    known, written, notes = roster.load(course), [], []
    for name, verdicts in found.items():
        pages = {v.student: page_of(course, v) for v in verdicts}
        there = {student: page for student, page in pages.items() if page.is_file()}
        place = {student: FORMS[form](known.get(student, {}), name, student, there[student]) for student in there}
        path = course.data / "exports" / f"{name}_feedback.zip"
        write(path, packed({place[s]: page for s, page in there.items() if place[s]}))
        written.append(path)
        if strangers := [student for student in there if not place[student]]:
            said = f"{name}: not in the zip, for {form} does not know their files: {brief(strangers)}"
            notes.append(f"{said}; {WHY[form]}")
    return written, notes


def moodle(entry: dict, assignment: str, student: str, page: Path) -> str:
    number, who = entry.get("moodle", {}).get(assignment), PARTS.sub("-", entry.get("name", student))
    return f"{who}_{number}_assignsubmission_file_/{page.name}" if number else ""


def canvas(entry: dict, assignment: str, student: str, page: Path) -> str:
    handed = entry.get("handed", {}).get(assignment, {})
    if not handed.get("upload"):
        return ""
    stem = Path(handed["file"]).stem  # a last part "link..." is to Canvas the answer of an address, without a file
    return f"{stem}_page.html" if stem.rpartition("_")[2].startswith("link") else f"{stem}.html"


def packed(pages: dict[str, Path]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, page in sorted(pages.items()):
            archive.writestr(zipfile.ZipInfo(name, MIDNIGHT), page.read_bytes(), zipfile.ZIP_DEFLATED)
    return made.getvalue()


FORMS = {"moodle": moodle, "canvas": canvas}
WHY = {
    "moodle": "collect Moodle's own download, or give its worksheet to collect --roster",
    "canvas": "collect Canvas's own download (Download Submissions)",
}
