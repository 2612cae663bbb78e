"""Pages: what Python hands to a template, and that markup is made in templates alone."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import StrictUndefined, UndefinedError

from grading import publishing
from grading.judging.verdict import LawResult, State, Status
from grading.publishing import feedback, page
from grading.publishing.class_view import Class, Due, Share, Student, Success, Tile, class_view
from grading.publishing.message_groups import Group
from grading.recording.scores import ManualGrade

from .synthetic import EVIL, PROOF, mistaken, refused, verdict

TITLE = "Forward and reverse KL"
FOLDER = Path(publishing.__file__).parent
CODE = sorted(FOLDER.glob("*.py"))
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef
TAG = re.compile(r"</?[a-z]+[1-6]?[\s>/]|&[a-z]+;|&#")


def part(view: feedback.StudentPage, name: str) -> feedback.Exercise:
    return next(e for e in view.exercises if e.name == name)


def test_what_a_student_reads():
    view = feedback.student_view(verdict("ann", {"gaussian_kl": mistaken("kl: got 2.", "Swapped.")}), {}, TITLE)
    assert (view.student, view.title, view.graded, view.reason) == ("ann", TITLE, True, "")
    assert (view.score, view.most, view.short, view.unread) == (15, 20, 1, 2)
    exercise = part(view, "gaussian_kl")
    assert exercise.rows[0] == feedback.Row(State.FAILED, ["value"], 1.5, "kl: got 2. Swapped.")
    assert [row.state for row in exercise.rows] == [State.FAILED, State.WAITING]
    assert len(exercise.rows[1].laws) == len(set(exercise.rows[1].laws)) == 6
    assert sum(row.points for row in exercise.rows) == exercise.most == 3
    assert (exercise.score, exercise.note, exercise.outputs) == (0, "", [])
    assert exercise.slide
    assert part(view, PROOF) == feedback.Exercise(PROOF, None, 2, note="A person reads this; not graded yet.")
    assert [e.name for e in view.exercises if e.slide] == ["gaussian_kl"]


def test_what_a_student_reads_of_a_persons_grade():
    hands = {PROOF: ManualGrade(1.5, 0.0, " Say why. ", False)}
    view = feedback.student_view(verdict("ann", sandbox="none"), hands, TITLE)
    proof = part(view, PROOF)
    assert (proof.score, proof.note, proof.comment) == (1.5, "Read and graded by a person.", "Say why.")
    assert (view.score, view.short, view.unread, view.unprotected) == (19.5, 1, 0, True)


def test_what_a_student_reads_without_a_verdict():
    mine = feedback.student_view(refused("ann", "no notebook"), {}, TITLE)
    ours = feedback.student_view(refused("ann", "no disk", Status.FAILED), {}, TITLE)
    assert mine == feedback.StudentPage("ann", TITLE, False, "no notebook", own_fault=True)
    assert ours == feedback.StudentPage("ann", TITLE, False, "no disk", own_fault=False)


@pytest.fixture
def three():
    """ann has a mistake, bo reaches into the checker and crashed, dee's file was refused."""
    wrong = {"gaussian_kl": mistaken("kl: got 2.", "Swapped.")}
    about = {"reaches": ("cell 3: gc",), "crashes": ("gaussian_kl took too long",), "written": {}}
    made = [verdict("ann", wrong, seconds=2.0), verdict("bo", seconds=1.0, **about), refused("dee", "no notebook")]
    return class_view(TITLE, made, {}, [])


def test_what_a_teaching_assistant_reads(three):
    assert three.tiles[:4] == [
        Tile("submissions", "3"),
        Tile("graded", "2"),
        Tile("refused", "1"),
        Tile("median", "16.5 of 20"),
    ]
    assert [row.what for row in three.people] == [
        "refused: no notebook",
        f"{PROOF}: to read",
        "code that reaches into the checker",
    ]
    assert three.people[0] == Due("refused: no notebook", ["dee"])
    assert three.mistakes == [Group("gaussian_kl", "Swapped.", ("ann",), ("value",))]
    assert (three.crashes, three.reaches) == (
        [("bo", ("gaussian_kl took too long",))],
        [("bo", ("cell 3: gc",))],
    )
    assert (three.rarer, three.unsolved, three.errors, three.pairs) == (0, [], 0, [])


def test_how_the_class_did(three):
    exercise = next(e for e in three.exercises if e.name == "gaussian_kl")
    assert (exercise.share, exercise.full, exercise.scored, exercise.to_read) == (0.5, 1, 2, 0)
    assert {law.share for law in exercise.laws} == {0.5}
    assert next(e for e in three.exercises if e.name == PROOF) == Success(PROOF, 0, 0, 1, 1, [])
    assert exercise.laws[0] == Share("value", 0.5, 3.0)  # who keeps it is 3 points better: 18 against 15
    assert next(e for e in three.exercises if e.name == "reverse_kl_loss").laws == []  # all keep all of them
    assert three.scores is not None
    assert sum(three.scores.counts) == 2
    assert (three.times.median, three.times.sum, three.times.slowest) == (1.5, 3.0, [("ann", 2.0), ("bo", 1.0)])


def test_every_student_has_a_row(three):
    ann, bo, dee = three.everybody
    assert (ann.student, ann.score, dict(zip(three.names, ann.points, strict=True))[PROOF]) == ("ann", 15, "?")
    assert (bo.score, dict(zip(three.names, bo.points, strict=True))[PROOF]) == (18, "0")
    assert dee == Student("dee", Status.REFUSED, None, [""] * len(three.names), look=True)


def test_the_whole_class_is_there_and_who_handed_in_something_else():
    standing = {"ann": "late", "eve": "excused"}
    people = Class(standing, {"eve": "", "fay": "", "gil": "a PDF"}, {"ann": "../feedback/ann/x/y.html"})
    view = class_view(TITLE, [verdict("ann", {}, written={}), verdict("bo", {}, written={})], {}, [], people)
    tiles = {tile.label: tile.value for tile in view.tiles}
    assert (tiles["late"], tiles["excused"], tiles["missing"]) == ("1", "1", "2")
    assert Due("nothing to grade: a PDF", ["gil"]) in view.people
    rows = {row.student: row for row in view.everybody}
    assert (rows["ann"].standing, rows["ann"].page) == ("late", "../feedback/ann/x/y.html")
    assert {who: rows[who].status for who in ("eve", "fay", "gil")} == {
        "eve": "excused",
        "fay": "missing",
        "gil": "missing",
    }
    written = page.render("report.html.j2", view).decode()
    assert '<a href="../feedback/ann/x/y.html">ann</a> <span class="soft small">late</span>' in written
    assert "excused" in written


def test_templates_escape_and_know_every_name():
    assert page.PAGES.autoescape is True
    assert page.PAGES.undefined is StrictUndefined
    assert page.PAGES.from_string("{{ view }}").render(view=EVIL[:25]) == "&lt;script&gt;alert(1)&lt;/script&gt;"
    with pytest.raises(UndefinedError):
        page.PAGES.from_string("{{ view.nam }}").render(view=refused("ann", ""))


def test_what_turns_the_reading_is_taken_out():
    shown = page.PAGES.from_string("{{ view }}{{ view | cut(3) }}")
    assert shown.render(view="a\u202eb\x07\nc") == "a b \nca b…"


@pytest.mark.parametrize("path", sorted(page.TEMPLATES.iterdir()), ids=lambda path: path.name)
def test_no_template_passes_the_escaping_by(path):
    assert not re.search(r"\|\s*safe\b|autoescape|Markup|<script|javascript:|url\(", path.read_text())


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.name)
def test_no_markup_is_made_in_python(path):
    tree = ast.parse(path.read_text())
    docstrings = {ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, DOCUMENTED)}
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [text for text in texts if text not in docstrings and TAG.search(text)] == []
    assert "Markup(" not in path.read_text()


def test_markup_in_python_would_be_found():
    assert all(TAG.search(text) for text in ("<p>", "</div>", '<td class="n">', "<h2>", "a &amp; b", "<br/>"))


def test_laws_that_say_the_same_are_one_row():
    said = [("a", State.PASSED, ""), ("b", State.FAILED, "x"), ("c", State.FAILED, "x")]
    assert feedback.rows(tuple(LawResult(law, 1, state, ours) for law, state, ours in said)) == [
        feedback.Row(State.FAILED, ["b", "c"], 2, "x"),
        feedback.Row(State.PASSED, ["a"], 1, ""),
    ]
