"""Penalties for handing in late, by nbgrader's own plugin, as nbgrader_config.py sets it.

The due date is the gradebook's (formgrader, Manage Assignments). The time of a hand-in is that of nbgrader's exchange
where there is one; else collect's, where a platform says that it was late. An
extension of the roster moves the due date.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc

from ..collecting import roster
from ..course import Course, CourseError
from .gradebook import CONFIG, configured


@dataclass(frozen=True)
class Dates:
    """When one student handed in, in UTC and without a zone as nbgrader keeps it, and what is added to the due date."""

    handed: datetime | None
    extension: timedelta | None

    def seconds_late(self, due: datetime | None) -> float:
        if not due or not self.handed:
            return 0.0
        return max(0.0, (self.handed - due - (self.extension or timedelta())).total_seconds())


def dates(course: Course, submission, entry: dict) -> Dates:
    """Of a submission in the gradebook, by what the roster says of its student. Raises CourseError."""
    name, due = submission.assignment.name, submission.assignment.duedate
    handed = handed_in(course, submission.student.id, name, entry)
    until = entry.get("extended", {}).get(name)
    if due and handed and (until == "" or roster.standing(entry, name) == "excused"):
        return Dates(handed, max(handed - due, timedelta()))
    return Dates(handed, max(end(until) - due, timedelta()) if due and until else submission.extension)


def put(course: Course, submission, entry: dict):
    """Write both, and the penalty, into the gradebook, for nbgrader's own pages and exports."""
    found = dates(course, submission, entry)
    submission.timestamp, submission.extension = found.handed, found.extension
    submission.notebooks[0].late_submission_penalty = penalty(course, submission, entry) or None


def handed_in(course: Course, student: str, assignment: str, entry: dict) -> datetime | None:
    """None where nothing says that it can have been late."""
    try:
        return stamp((course.submitted / student / assignment / "timestamp.txt").read_text("utf-8").strip())
    except (OSError, ValueError, OverflowError):
        time = entry.get("handed", {}).get(assignment, {}).get("time", "")
        return utc(time) if time and roster.standing(entry, assignment) == "late" else None


def stamp(text: str) -> datetime:
    """nbgrader's own form; nbgrader itself takes "+0200" for 200 seconds."""
    with suppress(ValueError):
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f %z").astimezone(UTC).replace(tzinfo=None)
    return parse_utc(text)


def end(until: str) -> datetime:
    """The minute that a roster names, or the last of its day. Raises CourseError."""
    try:
        return utc(until if "T" in until else f"{until}T23:59")
    except (ValueError, OverflowError):
        raise CourseError(
            f"grading/roster.json: {until!r} is no date; expected 2026-12-01 or 2026-12-01T18:00"
        ) from None


def utc(local: str) -> datetime:
    return datetime.fromisoformat(local).astimezone(UTC).replace(tzinfo=None)


def penalty(course: Course, submission, entry: dict) -> float:
    """Points to take from what the gradebook has for this submission: from 0 to all of them. Raises CourseError."""
    seconds = dates(course, submission, entry).seconds_late(submission.assignment.duedate)
    if not seconds:
        return 0.0
    whole = sum(notebook.score or 0.0 for notebook in submission.notebooks)
    try:
        step = AssignLatePenalties(config=configured(course))
        step.init_plugin()
        taken = step.plugin_inst.late_submission_penalty(submission.student.id, whole, seconds)
        return round(min(max(float(taken or 0.0), 0.0), whole), 6)
    except Exception as error:  # the course's own code
        raise CourseError(f"the late penalty of {course.root / CONFIG}: {type(error).__name__}: {error}") from None
