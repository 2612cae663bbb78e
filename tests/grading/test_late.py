"""Handing in late: what nbgrader's plugin takes is subtracted everywhere, and an extension moves the due date."""

import csv
from datetime import datetime

import pytest

from grading.collecting import roster
from grading.course import CourseError
from grading.judging import store
from grading.publishing import export, feedback, report
from grading.recording import record, scores
from grading.recording.gradebook import opened, url

from . import synthetic
from .synthetic import NAME, PROOF, verdict

DUE = datetime(2026, 11, 20, 12)  # the zone of the tests is UTC
LATE = {"late": [NAME], "handed": {NAME: {"file": "a.ipynb", "time": "2026-11-21T13:00"}}}
DAILY = """
from nbgrader.plugins import BasePlugin
class Daily(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {took}
c = get_config()
c.AssignLatePenalties.plugin_class = Daily
"""
TWO_A_DAY = DAILY.format(took="2 * (1 + total_seconds_late // 86400)")
ZERO = "c = get_config()\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    return synthetic.released(tmp_path)


@pytest.fixture
def late(room):
    """`late(config, entry)`: ann's points after she handed in so; 18 without a penalty."""

    def graded(config: str, entry: dict, due: datetime | None = DUE):
        (room.root / "nbgrader_config.py").write_text(config)
        roster.save(room, {"ann": entry})
        synthetic.on_file(room, [verdict("ann")])
        for _ in range(2):  # the due date is known to the second recording
            record.record(room, room.assignment(NAME), [store.recorded(room, NAME, "ann")])
            with opened(url(room)) as book:
                book.find_assignment(NAME).duedate = due
                book.db.commit()
        found = scores.points(verdict("ann"), scores.by_hand(room, NAME)["ann"])
        with opened(url(room)) as book:
            held = book.find_submission_notebook("forward_reverse_kl", NAME, "ann")
            assert (held.late_submission_penalty or 0) == -found.get(scores.PENALTY, 0.0)
        return scores.total(found)

    return graded


def extended(until: str, time: str = "2026-11-21T13:00"):
    return {"late": [NAME], "extended": {NAME: until}, "handed": {NAME: {"file": "a.ipynb", "time": time}}}


@pytest.mark.parametrize(
    ("entry", "points"),
    [
        ({}, 18),
        ({"handed": LATE["handed"]}, 18),  # the platform does not call it late
        ({"late": [NAME]}, 18),  # nobody knows by how much
        (LATE, 14),  # 25 hours: two days begun
        (LATE | {"excused": [NAME]}, 18),
        (extended(""), 18),
        (extended("2026-11-21"), 18),
        (extended("2026-11-20"), 14 + 2),  # 13 hours after the end of that day
        (extended("2026-11-21T12:59"), 16),
        (extended("2026-11-21T13:00"), 18),
        (extended("2026-11-19"), 14),  # an extension takes nothing away
    ],
)
def test_what_is_taken(late, entry, points):
    assert late(TWO_A_DAY, entry) == points


def test_without_a_due_date_or_a_method_nothing_is_taken(late):
    assert late(TWO_A_DAY, LATE, due=None) == late("", LATE) == late("c = get_config()\n", LATE) == 18


def test_all_is_taken_at_most_and_nothing_given(late):
    assert late(ZERO, LATE) == late(DAILY.format(took="1e9"), LATE) == 0
    assert late(DAILY.format(took="-5"), LATE) == late(DAILY.format(took="None"), LATE) == 18


def test_the_time_of_nbgraders_exchange_counts(late, room):
    stamp = room.submitted / "ann" / NAME / "timestamp.txt"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("2026-11-20 14:30:00.123456 +0200")
    assert late(TWO_A_DAY, {}) == 16
    stamp.write_text("2026-11-20 13:30:00.123456 +0200")
    assert late(TWO_A_DAY, {}) == 18
    stamp.write_text("2026-11-20 12:00:01.123456 UTC")
    assert late(TWO_A_DAY, {}) == 16
    stamp.write_text("soon")
    assert late(TWO_A_DAY, {}) == 18


def test_points_that_a_person_gives_afterwards_are_taken_too(late, room):
    assert late(ZERO, LATE) == 0
    with opened(url(room)) as book:
        book.find_grade(PROOF, "forward_reverse_kl", NAME, "ann").manual_score = 1.5
        book.db.commit()
    assert scores.total(scores.points(verdict("ann"), scores.by_hand(room, NAME)["ann"])) == 0


def test_every_page_and_export_subtracts_it(late, room):
    late(TWO_A_DAY, LATE | {"moodle": {NAME: "7"}})
    found = {NAME: [store.recorded(room, NAME, "ann")]}
    for form in export.FORMS.values():
        form(room, found)
    sheets = room.data / "exports"
    (row,) = csv.DictReader((sheets / f"{NAME}.csv").read_text().splitlines())
    assert (row["score"], row["late"], row["late penalty"]) == ("14", "late", "-4")
    assert next(csv.DictReader((sheets / "moodle.csv").read_text().splitlines()))[NAME] == "14"
    (row,) = csv.DictReader((sheets / f"moodle_{NAME}.csv").read_text().splitlines())
    assert row["Grade"] == "14"
    assert row["Feedback comments"].endswith("handed in late -4")
    assert list(csv.DictReader((sheets / "canvas.csv").read_text().splitlines()))[1][NAME] == "14"
    (page,), _ = feedback.feedback(room, found)
    assert "4 points are taken for handing in late" in page.read_text()
    (shown, _), _ = report.report(room, found)
    assert "late, -4" in shown.read_text()


@pytest.mark.parametrize("took", ["1 / 0", "'many'"])
def test_a_plugin_that_fails_is_one_line(late, took):
    with pytest.raises(CourseError, match=r"the late penalty of .*nbgrader_config.py: (ZeroDivision|Value)Error"):
        late(DAILY.format(took=took), LATE)


def test_a_date_that_is_none_is_one_line(late):
    with pytest.raises(CourseError, match="'tomorrow' is no date; expected 2026-12-01"):
        late(TWO_A_DAY, extended("tomorrow"))
