"""The class report: counts, plots, groups of messages, similar answers."""

import re

import pytest

from dgmlib.checks import ASSIGNMENTS
from grading.course import Course, write
from grading.judging import results
from grading.publishing import charts, index, message_groups, report, similarity
from grading.recording.scores import Hand

from . import synthetic
from .synthetic import EVIL, NAME, PROOF, verdict
from .test_feedback import harmless

MISSING = "not defined: its cell ended in an error, or is missing"
EXERCISES = ASSIGNMENTS[NAME].exercises
ANSWER = """
def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
    gap = mean_q - mean_p
    low = torch.linalg.cholesky(cov_q)
    white = torch.linalg.solve_triangular(low, torch.linalg.cholesky(cov_p), upper=False)
    shift = torch.linalg.solve_triangular(low, gap[:, None], upper=False)
    log_ratio = -2 * white.diagonal().abs().log().sum()
    return (white.square().sum() + shift.square().sum() - len(gap) + log_ratio) / 2
"""
OTHER = """
def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
    p, q = (torch.distributions.MultivariateNormal(m, c) for m, c in ((mean_p, cov_p), (mean_q, cov_q)))
    return torch.distributions.kl_divergence(p, q)
"""


@pytest.fixture
def room(tmp_path):
    (tmp_path / "course").mkdir()
    return Course(tmp_path)


def words(verdicts, hands=None, alike=()) -> str:
    made = report.class_page(NAME, "Forward and reverse KL", verdicts, hands or {}, list(alike))
    return harmless(made).words


def test_a_class_of_120():
    shown = words([v | {"seconds": 2.0} for v in synthetic.a_class()])
    for expected in (
        "120 submissions",
        "118 graded",
        "1 refused",
        "1 failed",
        "median",
        "cut off on the way",
        "of 118",
    ):
        assert expected in shown
    assert "gaussian_kl took too long" in shown
    assert f"{PROOF} : to read" in shown or f"{PROOF}: to read" in shown


def test_an_empty_and_a_refused_class():
    assert "Nothing yet." in words([synthetic.refused("ann", "an empty file")])


def test_hostile_words_stay_text():
    made = verdict(EVIL[:80], {"gaussian_kl": f"your answer raised {EVIL}", "reverse_kl_loss": EVIL})
    assert "<script>alert(1)</script>" in words([made, synthetic.refused("bo", EVIL)])


def test_a_person_is_asked_again_where_the_score_changed():
    hands = {"ann": {"gaussian_kl": Hand(2.0, 0.0, "", True), PROOF: Hand(1.0, 0.0, "", False)}}
    shown = words([verdict("ann")], hands)
    assert "gaussian_kl: changed since a person graded it" in shown
    assert "to read" not in shown


@pytest.mark.parametrize(
    ("one", "two", "fixed"),
    [
        (
            "log_det: expected -2.87 at [0], got 2.87 at [0]. Both log_dets are flipped.",
            "log_det: expected 1e-07 at [3, 1], got nan at [0]. Both log_dets are flipped.",
            "Both log_dets are flipped.",
        ),
        ("x: expected shape (3, 2), got (2).", "x: expected shape (9, 1), got (4).", "x: expected shape (#), got (#)."),
        ("x: expected 1.5, got 2.", "x: expected -3e-5, got 7.25.", "x: expected #, got #."),
        ("your answer raised ValueError: a", "your answer raised ValueError: 12 b", "your answer raised ValueError"),
        ("no f after its cell ran: cell 3: x", "no f after its cell ran: y", MISSING),
        ("your answer took too long: 20 s", "your answer took too long: 60 s", "your answer took too long"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_group(one, two, fixed):
    assert message_groups.fixed(one, []) == message_groups.fixed(two, []) == fixed


def test_a_known_mistake_is_named_as_it_is():
    known = EXERCISES["gaussian_kl"].mistakes[0].message
    assert message_groups.fixed(f"kl: expected 1 at [0], got 2 at [0]. {known}", [known]) == known


def test_groups_count_each_student_once():
    wrong = {"gaussian_kl": "kl: expected 1, got 2. Swapped."}
    found = message_groups.groups([verdict("ann", wrong), verdict("bo", wrong), verdict("cy")], EXERCISES)
    assert [(g.message, g.students) for g in found] == [("Swapped.", ("ann", "bo"))]


@pytest.mark.parametrize(("values", "most"), [([], 25), ([0, 25, 12.5], 25), ([0.0], 0), ([0.31, 12.9], 12.9)])
def test_a_histogram_counts_everything(values, most):
    shown = charts.histogram(values, most, "scores")
    counts = re.findall(r'text-anchor="middle"[^>]*>(\d+)</text>', shown.split("<line")[1])
    assert shown.startswith("<svg")
    assert "nan" not in shown
    assert len(values) == 0 or counts


def renamed(source: str) -> str:
    for old, new in (("gap", "difference"), ("low", "chol"), ("white", "w"), ("shift", "s0"), ("log_ratio", "r")):
        source = source.replace(old, new)
    return "# my own work\n" + source


def pairs(room, answers: dict[str, str], released: dict | None = None, solved: dict | None = None) -> list[tuple]:
    about = {"grade_id": "gaussian_kl", "solution": True, "grade": False, "locked": False}
    cell = {"cell_type": "code", "id": "gaussian_kl", "metadata": {"nbgrader": about}}
    for folder, source in (("course", released), ("solutions", solved)):
        text = synthetic.json.dumps({"cells": [cell | {"source": source or "def gaussian_kl(): ..."}]})
        write(room.root / folder / NAME / "forward_reverse_kl.ipynb", text.encode())
    synthetic.on_file(room, [verdict(student, answers={"gaussian_kl": source}) for student, source in answers.items()])
    return [(p.one, p.two) for p in similarity.pairs(room, ASSIGNMENTS[NAME], results.load(room, NAME))]


def test_renamed_copies_are_found_and_others_are_not(room):
    assert pairs(room, {"ann": ANSWER, "bo": renamed(ANSWER), "cy": OTHER}) == [("ann", "bo")]


def test_the_reference_is_nobodys_copy(room):
    assert pairs(room, {"ann": ANSWER, "bo": renamed(ANSWER)}, solved=ANSWER) == []


def test_what_many_write_is_nobodys_copy(room):
    assert pairs(room, {f"s{i}": ANSWER for i in range(8)}) == []


@pytest.mark.parametrize("source", ["def f(:", "(" * 5000, "x = " + "-" * 90_000 + "1", "", "#" * 1000])
def test_sources_that_are_no_python(source):
    assert isinstance(similarity.fingerprints(source), set)


def test_files(room):
    synthetic.on_file(room, synthetic.a_class(12))
    files, _ = report.report(room, results.wanted(room, []))
    assert [file.name for file in files] == [f"{NAME}.html", "index.html"]
    assert {file.parent for file in files} == {room.data / "report"}
    assert "12 submissions" in harmless(files[0].read_bytes()).words


def indexed(room) -> tuple[str, list[str]]:
    """What the index says, and where it leads; the rest of it is harmless."""
    shown = (room.data / "report" / "index.html").read_bytes().decode()
    links = re.findall(r'<a href="([^"]*)">', shown)
    return harmless(re.sub(r'<a href="[^"]*">|</a>', "", shown).encode()).words, links


def test_the_index_counts_every_submission(room):
    made = [verdict("ann", written=[]), verdict("bo", {"gaussian_kl": "kl: wrong."}), verdict("cy", written=[])]
    synthetic.on_file(room, [*made, synthetic.refused("dee", EVIL)])
    report.report(room, results.wanted(room, []))
    words, links = indexed(room)
    assert links == [f"{NAME}.html"]
    assert "3 of 4 17.0 of 20 2" in words  # 18, 15 and 18 points; bo's proof to read, dee's refusal


def test_the_index_keeps_the_reports_that_were_not_asked_for(room):
    synthetic.on_file(room, [verdict("ann")])
    report.report(room, results.wanted(room, [NAME]))
    later = room.submitted / "ann" / "03_elbo" / "elbo.ipynb"
    write(later, b"{}")
    report.report(room, {NAME: results.load(room, NAME)})
    words, links = indexed(room)
    assert links == [f"{NAME}.html"]
    assert "03 elbo no page yet: python -m grading report 03_elbo 0 of 1 none yet 1" in words
    report.report(room, results.wanted(room, ["03_elbo"]))
    words, links = indexed(room)
    assert links == [f"{NAME}.html", "03_elbo.html"]
    assert "1 of 1 18.0 of 20 1" in words


def test_a_title_stays_text_in_the_index(room):
    shown = index.contents([index.row(room.data / "x.html", EVIL[:80], [synthetic.refused("ann", "")], {})])
    assert "<script>alert(1)</script>" in harmless(shown).words
