"""Exports: quoting, formulas, the columns that Canvas and Moodle look for, and a person's points in the totals."""

import csv
import re
from dataclasses import replace
from datetime import datetime

import pytest

from dgmlib.checks import ASSIGNMENTS
from grading import cli
from grading.collecting import roster
from grading.judging import results
from grading.publishing import export
from grading.recording.scores import ManualGrade, points, total

from . import synthetic
from .synthetic import NAME, PROOF, verdict

MOODLE = ["Identifier", "Full name", "Email address", "Grade", "Maximum Grade", "Last modified (grade)"]
MOODLE += ["Feedback comments"]


@pytest.fixture
def room(tmp_path):
    return synthetic.released(tmp_path)


def rows(path) -> list[dict]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_student(path, column: str = "student") -> dict[str, dict]:
    return {row[column]: row for row in rows(path)}


def test_names_with_commas_quotes_and_lines(room):
    names = ['Ng, "Al"', "Émile; N.", "李 雷"]
    synthetic.on_file(room, [verdict(name) for name in names])
    (path,), _ = export.csv(room, results.wanted(room, []))
    assert set(by_student(path)) == set(names)


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' C'!A0", "-2", "@SUM(A1)", "＝1", " =1"])
def test_no_text_is_a_formula(name, room):
    synthetic.on_file(room, [verdict(name), synthetic.refused("bo", "=HYPERLINK(1)")])
    for form in export.FORMS.values():
        for path in form(room, results.wanted(room, []))[0]:
            with open(path, newline="", encoding="utf-8") as file:
                cells = [cell for row in csv.reader(file) for cell in row]
            assert f"'{name}" in cells
            assert not any(c.strip().startswith(export.FORMULA) and c != "-" and not number(c) for c in cells)


@pytest.mark.parametrize("name", ["N;=1+1", "N; -1", 'N;"=1+1', "N;＝1"])
def test_no_text_is_a_formula_where_a_semicolon_parts_a_line(name, room):
    synthetic.on_file(room, [verdict(name)])
    for path in export.csv(room, results.wanted(room, []))[0]:
        parts = re.split("[;,]", path.read_text())
        assert not any(part.lstrip(' \n"').startswith(export.FORMULA) for part in parts)


def number(text: str) -> bool:
    return text.replace(".", "").isdigit()


def test_csv_by_exercise(room):
    synthetic.on_file(room, [verdict("ann", {"gaussian_kl": "wrong"}), synthetic.refused("bo", "an empty file")])
    roster.save(room, {"ann": {"late": [NAME]}})
    (path,), notes = export.csv(room, results.wanted(room, []))
    table = by_student(path)
    ann, bo = table["ann"], table["bo"]
    assert (ann["score"], ann["max_score"], ann["gaussian_kl"], ann[PROOF]) == ("15", "20", "0", "")
    assert (ann["ungraded"], ann["late"], ann["status"]) == (PROOF, "late", "graded")
    assert (bo["score"], bo["status"], bo["reason"]) == ("", "refused", "an empty file")
    assert len(notes) == 1
    assert "ann" in notes[0]


def test_canvas(room):
    synthetic.on_file(room, [verdict("annli"), verdict("bo"), synthetic.refused("cy", "empty")])
    roster.save(room, {"annli": {"canvas": "77"}})
    (path,), notes = export.canvas(room, results.wanted(room, []))
    lines = path.read_text().splitlines()
    assert lines[0] == f"Student,ID,SIS User ID,SIS Login ID,Section,{NAME}"
    assert lines[1] == "Points Possible,,,,,20"
    table = by_student(path, "Student")
    assert (table["annli"]["ID"], table["annli"][NAME]) == ("77", "18")
    assert (table["bo"]["ID"], table["bo"]["SIS Login ID"]) == ("", "bo")
    assert table["cy"][NAME] == ""
    assert any("no Canvas number" in note for note in notes)


def test_moodle(room):
    synthetic.on_file(room, [verdict("Ann Li"), verdict("bo")])
    roster.save(room, {"Ann Li": {"moodle": {NAME: "4711"}}})
    (general, sheet), notes = export.moodle(room, results.wanted(room, []))
    assert sheet.name == f"moodle_{NAME}.csv"
    (ann,) = rows(sheet)
    assert [*ann] == MOODLE
    assert (ann["Identifier"], ann["Grade"], ann["Maximum Grade"]) == ("Participant 4711", "18", "20")
    assert by_student(general, "Full name")["bo"][NAME] == "18"
    assert any("bo" in note for note in notes)


def test_moodles_worksheet_says_why_and_is_newer_than_the_grade_before_it(room):
    """Moodle reads the date with PHP's strtotime, and skips a row that is older than the grade that it has."""
    synthetic.on_file(room, [verdict("Ann Li", {"gaussian_kl": "wrong"}), synthetic.refused("bo", "an empty file")])
    roster.save(room, {"Ann Li": {"moodle": {NAME: "4711"}}, "bo": {"moodle": {NAME: "4712"}}})
    before = datetime.now().replace(second=0, microsecond=0)
    (_, sheet), _ = export.moodle(room, results.wanted(room, []))
    ann, bo = rows(sheet)
    assert before <= datetime.strptime(ann["Last modified (grade)"], "%A, %d %B %Y, %I:%M %p") <= datetime.now()
    assert ann["Feedback comments"].startswith("gaussian_kl 0 of 3: ")
    assert (bo["Grade"], bo["Feedback comments"]) == ("", "Not graded: an empty file")


CLASS = {
    "ann": {"class": True, "login": "ann1", "canvas": "1", "late": [NAME], "extended": {NAME: "2026-12-01"}},
    "bo": {"class": True, "excused": [NAME], "canvas": "2"},
    "cy": {"class": True, "canvas": "3", "email": "cy@uni.example", "other": {NAME: "no notebook: proof.pdf"}},
}


def test_nobody_of_the_class_is_left_out(room):
    synthetic.on_file(room, [verdict("ann")])
    roster.save(room, CLASS)
    found = results.wanted(room, [])
    table = by_student(export.csv(room, found)[0][0])
    assert {s: (row["status"], row["score"], row["late"]) for s, row in table.items()} == {
        "ann": ("graded", "18", "extended"),
        "bo": ("missing", "", "excused"),
        "cy": ("missing", "", ""),
    }
    assert table["cy"]["reason"] == "no notebook: proof.pdf"
    canvas = by_student(export.canvas(room, found)[0][0], "Student")
    assert {s: (canvas[s]["SIS Login ID"], canvas[s][NAME]) for s in CLASS} == {
        "ann": ("ann1", "18"),
        "bo": ("", "EX"),
        "cy": ("cy@uni.example", ""),
    }
    moodle = by_student(export.moodle(room, found)[0][0], "Full name")
    assert {s: moodle[s][NAME] for s in CLASS} == {"ann": "18", "bo": "", "cy": ""}


def test_verdicts_of_two_versions_are_not_mixed_silently(room, capsys):
    synthetic.on_file(room, [verdict("ann"), replace(verdict("bo"), version="older")])
    words = ["export", "csv", "--course", str(room.root)]
    assert cli.main(words) == 2
    assert not (room.data / "exports").exists()
    said = " ".join(capsys.readouterr().err.split())
    assert f"{NAME}: 1 of 2 verdicts are of another version of the checks: bo: run autograde, or export with" in said
    assert cli.main([*words, "--mixed"]) == 0
    assert cli.main(["report", "--course", str(room.root)]) == 0
    assert "bo: run autograde" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("until", "time", "expected"),
    [
        ("", "2026-12-09T10:00", "extended"),
        ("2026-12-01", "2026-12-01T23:59", "extended"),
        ("2026-12-01", "2026-12-02T00:00", "late"),
        ("2026-12-01T12:00", "2026-12-01T12:01", "late"),
        ("2026-12-01", "", "extended"),
    ],
)
def test_an_extension_ends(until, time, expected):
    entry = {"late": [NAME], "extended": {NAME: until}, "handed": {NAME: {"time": time}}}
    assert roster.standing(entry, NAME) == expected


def test_a_persons_points_count():
    made = verdict("ann", {"gaussian_kl": "wrong"})
    assert total(points(made, {})) == 15
    assert points(made, {})[PROOF] is None
    assert total(points(made, {PROOF: ManualGrade(1.5, 0.0, "", False)})) == 16.5
    assert total(points(made, {"gaussian_kl": ManualGrade(2.0, 0.25, "", False)})) == 17.25
    assert points(verdict("ann", written={}), {})[PROOF] == 0


def test_the_gradebooks_points_reach_every_export(room):
    """Through nbgrader's own gradebook, as formgrader writes it."""
    from nbgrader.api import Gradebook

    from grading.recording import gradebook

    synthetic.on_file(room, [verdict("ann"), verdict("bo")])
    with gradebook.opened(gradebook.url(room)) as book:
        assert isinstance(book, Gradebook)
        book.add_assignment(NAME)
        book.add_notebook("forward_reverse_kl", NAME)
        for name in ASSIGNMENTS[NAME].exercises:
            cell = name if name == PROOF else f"check_{name}"
            book.add_grade_cell(cell, "forward_reverse_kl", NAME, max_score=2, cell_type="code")
            book.add_source_cell(cell, "forward_reverse_kl", NAME, cell_type="code")
        for student in ("ann", "bo"):
            book.add_student(student)
            book.add_submission(NAME, student)
        grade = book.find_grade(PROOF, "forward_reverse_kl", NAME, "ann")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    found = results.wanted(room, [])
    (table,), notes = export.csv(room, found)
    assert by_student(table)["ann"]["score"] == "19.5"
    assert by_student(table)["bo"]["score"] == "18"
    assert by_student(export.canvas(room, found)[0][0], "Student")["ann"][NAME] == "19.5"
    assert by_student(export.moodle(room, found)[0][0], "Full name")["ann"][NAME] == "19.5"
    assert any(note.endswith("read: bo") for note in notes)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["feedback", "99_nothing"], 2),
        (["report", "04_em_algorithm"], 2),
        (["export"], 2),
        (["export", "excel"], 2),
        (["export", "csv", "--json", "/nowhere/x.json"], 2),
        (["collect", "nowhere.zip", NAME], 2),
        (["feedback"], 0),
        (["report", NAME], 0),
        (["export", "csv"], 0),
        (["export", "canvas"], 0),
        (["export", "moodle", NAME], 0),
    ],
)
def test_the_command_line(arguments, code, room, capsys, tmp_path):
    synthetic.on_file(room, [verdict("ann", written={})])
    try:
        got = cli.main([*arguments, "--course", str(room.root), "--quiet"])
    except SystemExit as stop:
        got = stop.code
    said = capsys.readouterr()
    assert got == code
    assert said.out == ""
    assert len(said.err.splitlines()) <= 1
    assert bool(said.err) == (code == 2) or arguments[1:2] == ["canvas"]


def test_a_submission_without_a_verdict_is_named(room, capsys, tmp_path):
    synthetic.on_file(room, [verdict("ann", written={}), synthetic.refused("bo", "an empty file")])
    made = tmp_path / "out.json"
    assert cli.main(["export", "csv", "--course", str(room.root), "--json", str(made)]) == 1
    assert f"bo: {NAME}: refused: an empty file" in capsys.readouterr().err
    assert "an empty file" in made.read_text()
