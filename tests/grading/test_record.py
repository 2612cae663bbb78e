"""Who the gradebook's students are: names and emails from the roster, and what a person wrote there."""

import pytest
from sqlalchemy import event

from grading.collecting import collect, roster
from grading.judging.verdict import ExerciseResult, Status, Verdict
from grading.recording import record
from grading.recording.gradebook import opened, url

from . import classroom
from .test_collect import GRADESCOPE, notebook, zipped

NAME = classroom.TINY.name
ADA = {"name": "Ada B. Lovelace", "email": "ada@example.org"}


@pytest.fixture
def grade(course):
    """Record a verdict on each of these students, as autograde does after grading."""

    def graded(*students):
        exercises = {name: ExerciseResult(1.0, 2.0) for name in classroom.NAMES}
        record.record(course, classroom.TINY, [Verdict(s, NAME, Status.GRADED, exercises=exercises) for s in students])

    return graded


@pytest.fixture
def people(course):
    def shown() -> dict[str, tuple]:
        with opened(url(course)) as book:
            return {s.id: (s.first_name, s.last_name, s.email) for s in book.students}

    return shown


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ada B. Lovelace", "Ada B.", "Lovelace"),
        ("Lovelace, Ada B.", "Ada B.", "Lovelace"),
        ("Ng,Al", "Al", "Ng"),
        ("  Ada \t Lovelace\n", "Ada", "Lovelace"),
        ("李 雷", "李", "雷"),
        ("Madonna", None, "Madonna"),
        ("Lovelace,", None, "Lovelace"),
        ("", None, None),
        (" , ", None, None),
        (7, None, None),
        (None, None, None),
        (["Ada Lovelace"], None, None),
        ("Ada \u202eLovelace\x00\ud800", "Ada", "Lovelace"),
        ("x" * 129, None, None),
    ],
)
def test_a_name_is_one_string(name, first, last):
    made = roster.person({"ann": {"name": name}}, "ann")
    assert made == {k: v for k, v in (("first_name", first), ("last_name", last)) if v}


def test_names_reach_the_gradebook(grade, people, course):
    roster.save(course, {"ann": ADA, "bo": {"late": [NAME]}})
    grade("ann", "bo", "stranger")
    nobody = (None, None, None)
    assert people() == {"ann": ("Ada B.", "Lovelace", "ada@example.org"), "bo": nobody, "stranger": nobody}


def test_a_name_that_is_known_later_is_added(grade, people, course):
    grade("ann")
    roster.save(course, {"ann": ADA})
    grade("ann")
    assert people() == {"ann": ("Ada B.", "Lovelace", "ada@example.org")}


WRITTEN = {  # first name, last name and email: what a person wrote, and what stands there after grading
    "ann": (("Augusta", "King", "ak@example.org"), ("Augusta", "King", "ak@example.org")),
    "bo": (("Augusta", None, None), ("Augusta", None, "ada@example.org")),
    "cy": ((None, "King", ""), (None, "King", "ada@example.org")),
    "dee": (("", "", "ak@example.org"), ("Ada B.", "Lovelace", "ak@example.org")),
}


def test_what_a_person_wrote_stays(grade, people, course):
    grade(*WRITTEN)
    with opened(url(course)) as book:
        for student, (before, _) in WRITTEN.items():
            about = dict(zip(("first_name", "last_name", "email"), before, strict=True))
            book.update_or_create_student(student, **about)
    roster.save(course, dict.fromkeys(WRITTEN, ADA))
    grade(*WRITTEN)
    assert people() == {student: after for student, (_, after) in WRITTEN.items()}
    (course.data / "roster.json").unlink()
    grade(*WRITTEN)
    assert people() == {student: after for student, (_, after) in WRITTEN.items()}


def test_a_damaged_roster_changes_nothing(grade, people, course):
    grade("ann")
    for data in (b"", b"{", b"[]", b"3", b'{"ann": "Ada"}', b'{"ann": {"name": {}}}', b"[" * 100_000):
        (course.data / "roster.json").write_bytes(data)
        grade("ann", "bo")
        assert people() == {"ann": (None, None, None), "bo": (None, None, None)}


def test_names_cost_no_query(course, grade, monkeypatch):
    """New names come with the student's own row; those that are there already cost nothing."""
    grade("ann", "bo")
    seen = []
    enrol = record.enrol

    def watched(gradebook, *about):
        if not event.contains(gradebook.engine, "before_cursor_execute", note):
            event.listen(gradebook.engine, "before_cursor_execute", note)
        enrol(gradebook, *about)

    def note(connection, cursor, statement, *rest):
        seen.append(statement.split()[0])

    def counted(*students) -> list[str]:
        seen.clear()
        grade(*students)
        return list(seen)

    monkeypatch.setattr(record, "enrol", watched)
    without_again, without_new = counted("ann", "bo"), counted("cy", "dee")
    roster.save(course, {student: ADA for student in ("ann", "bo", "eve", "fay")})
    assert len(without_again) > 2
    assert counted("eve", "fay") == without_new
    assert sorted(counted("ann", "bo")) == sorted([*without_again, "UPDATE", "UPDATE"])
    assert counted("ann", "bo") == without_again


def test_from_a_download_to_the_gradebook(grade, people, course, tmp_path):
    downloads = {
        "moodle": {"Ada Lovelace_101_assignsubmission_file_/x.ipynb": notebook()},
        "gradescope": {"submission_metadata.yml": GRADESCOPE, "submission_12/x.ipynb": notebook()},
        "canvas": {"lovelaceada_7_901_flows.ipynb": notebook()},
    }
    for platform, entries in downloads.items():
        (tmp_path / platform).write_bytes(zipped(entries))
        collect.collect(course, tmp_path / platform, NAME)
    grade("Ada Lovelace", "Cy Young", "lovelaceada")
    assert people() == {
        "Ada Lovelace": ("Ada", "Lovelace", None),
        "Cy Young": ("Cy", "Young", "cy@example.org"),
        "lovelaceada": (None, None, None),
    }
