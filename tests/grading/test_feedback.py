"""Feedback pages: what a student reads, and what can never be in them."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from grading.judging import results, store
from grading.judging.verdict import State, Verdict
from grading.publishing import feedback
from grading.recording.scores import ManualGrade

from . import synthetic
from .synthetic import EVIL, NAME, PROOF, verdict


class Tags(HTMLParser):
    """All tags and attributes; whether every tag is closed."""

    def __init__(self, page: bytes):
        super().__init__()
        self.open, self.seen, self.text = [], [], []
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in ("meta", "br", "wbr", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text)).replace("_ ", "_")


def harmless(page: bytes) -> Tags:
    """Well formed, no script, nothing that loads or leads anywhere but a PNG inside the page, below 200 kB."""
    tags = Tags(page)
    assert not tags.open
    assert len(page) <= 200_000
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "a", "link", "iframe", "form", "object", "base"})
    assert all(attributes.get("type") == "radio" for tag, attributes in tags.seen if tag == "input")
    for source in (attributes.pop("src") for tag, attributes in tags.seen if tag == "img"):
        assert re.fullmatch(r"data:image/png;base64,iVBORw0KGgo[A-Za-z0-9+/]*=*", source)
    names = {name for _, attributes in tags.seen for name in attributes}
    assert not any(name.startswith("on") or name in ("src", "href", "srcdoc", "action") for name in names)
    assert b"url(" not in page
    assert b"http" not in re.sub(rb' src="[^"]*"|http-equiv', b"", page)  # base64 may spell it
    return tags


@pytest.fixture
def room(tmp_path):
    return synthetic.released(tmp_path)


def page(made: Verdict, touched: dict | None = None) -> bytes:
    return feedback.student_page(made, touched or {}, "Forward and reverse KL")


def test_all_right():
    words = harmless(page(verdict("ann", written={}))).words
    assert "18 of 20" in words
    assert "1 exercise to look at again" in words
    assert "Nothing was written here" in words


def test_a_mistake_its_points_and_its_slide():
    made = verdict("ann", {"gaussian_kl": "kl: expected 1 at [0], got 2 at [0]. The two arguments are swapped."})
    words = harmless(page(made)).words
    assert "15 of 20" in words
    assert "The two arguments are swapped." in words
    assert words.count("to be looked at once the values are right") == 1
    assert "Read again: Lecture 3, “" in words
    assert words.count("Read again") == 1


def test_unsolved_is_one_line():
    words = harmless(page(verdict("ann", {"gaussian_kl": "not solved yet"}))).words
    assert words.lower().count("not solved yet") == 1


@pytest.mark.parametrize(
    ("hand", "expected"),
    [
        (None, "A person reads this; not graded yet."),
        (ManualGrade(1.5, 0.0, "Say <why> the Jacobian cancels.", False), "Say <why> the Jacobian cancels."),
    ],
)
def test_a_proof(hand, expected):
    words = harmless(page(verdict("ann"), {PROOF: hand} if hand else {})).words
    assert expected in words
    assert ("19.5 of 20" in words) == (hand is not None)
    assert ("2 more points are open" in words) == (hand is None)


def test_refused_says_why_and_what_to_do():
    words = harmless(page(synthetic.refused("ann", "larger than 5 MB: clear all outputs"))).words
    assert "larger than 5 MB: clear all outputs" in words
    assert "hand it in again" in words


def test_what_a_student_wrote_is_text():
    made = verdict(
        EVIL[:100], {n: f"your answer raised ValueError: {EVIL}" for n in ("gaussian_kl", "objective_needs")}
    )
    made = replace(made, notes=tuple(f"cell {i}: {EVIL}" for i in range(40)))
    tags = harmless(page(made))
    assert "<script>alert(1)</script>" in tags.words
    assert not any(c in tags.words for c in "\u202e\x07")


def test_the_longest_page_is_below_200_kb():
    made = verdict("ann", notes=("cell 1: " + "&" * 600,) * 40)
    laws = {name: enumerate(exercise.laws) for name, exercise in made.exercises.items()}
    long = {name: [replace(law, state=State.FAILED, ours=f"{n}" + "'" * 600) for n, law in laws[name]] for name in laws}
    exercises = {name: replace(made.exercises[name], score=0, laws=tuple(long[name])) for name in laws}
    harmless(page(replace(made, exercises=exercises)))


@pytest.mark.parametrize(
    "words",
    [
        "0.1234567 -3.5e-07 123456789",
        "mat1 and mat2 shapes cannot be multiplied (6x4 and 3x2)",
        "ab12" * 40,
        "<b>bold</b> & 'quoted' \"twice\"",
        "שלום 你好 नमस्ते",
    ],
)
def test_an_exception_is_read_in_full(words):
    """Its numbers too: they are worth nothing in another hand-in (test_seeds)."""
    assert words in harmless(page(verdict("ann", {"gaussian_kl": f"your answer raised ValueError: {words}"}))).words


def test_an_exception_is_cut():
    shown = harmless(page(verdict("ann", {"gaussian_kl": f"your answer raised {'x' * 5000}"}))).words
    assert "x" * 300 in shown
    assert "x" * 500 not in shown


def test_files_for_a_class(room):
    made = [verdict("Émile N.", {"gaussian_kl": "wrong"}), synthetic.refused("bo", "an empty file")]
    synthetic.on_file(room, made)
    files, _ = feedback.feedback(room, results.wanted(room, [NAME]))
    expected = room.data / "feedback" / "Émile N." / NAME / "forward_reverse_kl.html"
    assert expected in files
    assert len(files) == 2
    assert "15 of 20" in harmless(expected.read_bytes()).words


def test_nobodys_page_before_grading(room):
    synthetic.on_file(room, [verdict("ann")])
    later = room.submitted / "ann" / NAME / "forward_reverse_kl.ipynb"
    later.write_bytes(synthetic.notebook({"gaussian_kl": "handed in again"}))
    found = results.wanted(room, [])
    assert found[NAME][0].status == "waiting"
    assert "handed in again" in results.problems(found)[0]
    assert feedback.feedback(room, found) == ([], [])


@pytest.mark.parametrize("data", [None, b"", b"[", b"[]", b'"long"'])
def test_a_lost_or_damaged_mark_costs_the_time_alone(room, data):
    synthetic.on_file(room, [verdict("ann")])
    (mark,) = room.verdicts.glob(f"*/*{store.RECORDED}")
    mark.unlink() if data is None else mark.write_bytes(data)
    assert [(v.status, v.seconds) for v in results.load(room, NAME)] == [("graded", None)]


def test_times_survive_a_rerun(room):
    synthetic.on_file(room, [verdict("ann")])
    (again,) = results.load(room, NAME)
    store.mark_recorded(room, replace(again, seconds=0.0))
    assert results.load(room, NAME)[0].seconds == 1.0


def test_the_recorded_verdict_counts(room):
    """Of several on one file: another secret, another sandbox."""
    synthetic.on_file(room, [verdict("ann")])
    (known,) = results.load(room, NAME)
    later = replace(known, key=synthetic.key("ann", 7), sandbox="none", seconds=2.0)
    store.save(room, later)
    assert [v.sandbox for v in results.load(room, NAME)] == ["bwrap"]
    store.mark_recorded(room, later)
    assert [(v.sandbox, v.seconds) for v in results.load(room, NAME)] == [("none", 2.0)]
    store.mark_recorded(room, replace(known, seconds=0.0))
    assert [(v.sandbox, v.seconds) for v in results.load(room, NAME)] == [("bwrap", None)]


def test_a_cell_that_waits_for_another_look_changes_nothing():
    assert page(verdict("ann"), {"gaussian_kl": ManualGrade(None, 0.0, "", True)}) == page(verdict("ann"))
