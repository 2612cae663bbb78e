"""What Canvas and Moodle take when they import what is exported, by their own rules, on awkward names.

Canvas, lib/gradebook_importer.rb
    row_has_student_headers?, update_column_count: Student, ID, SIS User ID, SIS Login ID, Section
    check_for_non_student_row: a row whose first cell holds "Points Possible" is nobody's
    process_student: by ID, else SIS User ID, else SIS Login ID, else the whole name
    process_submissions: of two rows for one person the later counts; "EX" excuses
    CSV::Converters: a number loses all points and commas but the last
Canvas, app/models/assignment.rb
    infer_comment_context_from_filename: the first two numbers between underscores are user and upload;
    a last part "link..." has no upload
Moodle, mod/assign/feedback/offline/importgradeslib.php
    init, next: Identifier, Grade, Last modified (grade); "Participant N"; commas, UTF-8
Moodle, mod/assign/feedback/file/importziplib.php
    is_valid_filename_for_import: a folder name_N_plugintype_pluginname_, cut at its first four underscores
Moodle, grade/import/csv/classes/load_data.php
    check_user_exists: one column is a field of the user
"""

import csv
import re
import zipfile

import pytest

from grading.collecting import roster
from grading.judging import results
from grading.publishing import export, feedback, handback

from . import synthetic
from .synthetic import NAME, verdict

WRONG = {"gaussian_kl": "wrong"}
NAMES = ["Ann Li", "under_score", "7_8", "Émile; N.", 'Ng, "Al"', "=1+1", "a/b\\..", "12,5", "Points Guard", "link"]
POINTS = {str(100 + i): "15" if i % 2 else "18" for i in range(len(NAMES))}  # by the platform's number


@pytest.fixture
def room(tmp_path):
    room = synthetic.released(tmp_path)
    people = {}
    for i, name in enumerate(NAMES):
        file = f"person_LATE_{100 + i}_{900 + i}_{'kl_link-1' if i % 2 else 'kl'}.ipynb"
        people[f"s{i}"] = {
            "name": name, "class": True, "canvas": str(100 + i), "sid": f"00{i}", "login": f"user{i}",
            "email": f"s{i}@uni.example", "moodle": {NAME: str(100 + i)},
            "handed": {NAME: {"file": file, "time": "", "upload": str(900 + i)}},
        }  # fmt: skip
    roster.save(room, people)
    synthetic.on_file(room, [verdict(f"s{i}", WRONG if i % 2 else {}) for i in range(len(NAMES))])
    return room


def lines(path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def converted(cell: str) -> str:
    """As Canvas reads a cell."""
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *head, last = re.split("[,.]", cell)
    return ".".join(filter(None, ["".join(head), last]))


@pytest.mark.parametrize("key", ["ID", "SIS User ID", "SIS Login ID"])
def test_canvas_finds_everybody(room, key):
    """By each of the numbers alone, in the order in which it looks for them."""
    (path,), _ = export.canvas(room, results.wanted(room, []))
    head, possible, *rows = [[converted(cell) for cell in row] for row in lines(path)]
    assert ("Student" in head[0], "ID" in head[1], head[2], head[3]) == (True, True, "SIS User ID", "SIS Login ID")
    assert head[4] == "Section"
    assert "Points Possible" in possible[0]
    assert not any("Points Possible" in row[0] for row in rows)
    known = {
        "ID": {str(100 + i): str(100 + i) for i in range(len(NAMES))},
        "SIS User ID": {f"00{i}": str(100 + i) for i in range(len(NAMES))},
        "SIS Login ID": {f"user{i}": str(100 + i) for i in range(len(NAMES))},
    }[key]
    assert [known[row[head.index(key)]] for row in rows] == sorted(known.values())  # each once
    assert {known[row[head.index(key)]]: row[5] for row in rows} == POINTS


def test_moodles_worksheet_finds_everybody(room):
    (_, sheet), _ = export.moodle(room, results.wanted(room, []))
    head, *rows = lines(sheet)
    identifier, grade = head.index("Identifier"), head.index("Grade")
    assert "Last modified (grade)" in head
    assert head.index("Feedback comments") > 0  # an index of 0 is none to PHP's empty()
    assert {row[identifier][len("Participant ") :]: row[grade] for row in rows} == POINTS


@pytest.mark.parametrize(
    ("column", "form"), [("Username", "user{}"), ("ID number", "00{}"), ("Email address", "s{}@uni.example")]
)
def test_moodles_gradebook_finds_everybody(room, column, form):
    (general, _), _ = export.moodle(room, results.wanted(room, []))
    head, *rows = lines(general)
    found = {row[head.index(column)]: row[head.index(NAME)] for row in rows}
    assert found == {form.format(i): POINTS[str(100 + i)] for i in range(len(NAMES))}


def pages(room, form: str) -> list[str]:
    found = results.wanted(room, [])
    feedback.feedback(room, found)
    (path,), _ = handback.zipped(room, found, form)
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_moodle_finds_every_page(room):
    def number(name: str) -> str:
        part, _, rest = name.partition("/")
        info = part.split("_", 4)
        assert len(info) >= 4
        assert (info[2], info[3], rest[0] in ".~") == ("assignsubmission", "file", False)
        return info[1]

    assert sorted(map(number, pages(room, "moodle"))) == sorted(POINTS)


def test_canvas_finds_every_page(room):
    def numbers(name: str) -> tuple[str, ...]:
        parts = name.split("_")
        assert not parts[-1].startswith("link")
        assert not name.startswith("._")
        return tuple([part for part in parts if re.fullmatch(r"\d+", part)][:2])

    assert sorted(map(numbers, pages(room, "canvas"))) == [(str(100 + i), str(900 + i)) for i in range(len(NAMES))]
