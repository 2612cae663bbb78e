"""The class report: counts, plots, groups of messages, similar answers."""

import re
from dataclasses import replace

import pytest

from grading.course import write
from grading.judging import results
from grading.judging.verdict import LawResult, State
from grading.publishing import charts, index, message_groups, page, report, similarity
from grading.recording.scores import ManualGrade

from . import synthetic
from .synthetic import EVIL, NAME, PROOF, verdict
from .test_feedback import harmless

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
    return synthetic.released(tmp_path, NAME, "03_elbo")


def words(verdicts, hands=None, alike=()) -> str:
    made = report.class_page("Forward and reverse KL", verdicts, hands or {}, list(alike))
    return harmless(made).words


def test_a_class_of_120():
    shown = words([replace(v, seconds=2.0) for v in synthetic.a_class()])
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
    hands = {"ann": {"gaussian_kl": ManualGrade(2.0, 0.0, "", True), PROOF: ManualGrade(1.0, 0.0, "", False)}}
    shown = words([verdict("ann")], hands)
    assert "gaussian_kl: changed since a person graded it" in shown
    assert "to read" not in shown


FLIPPED = "Both log_dets are flipped."


def law(state: str, ours: str, theirs: str = "", mistake: str = "") -> LawResult:
    return LawResult("value", 1, State(state), ours, theirs, mistake)


SHAPES = [law("failed", f"x: expected shape {shapes}.") for shapes in ("(3, 2), got (2)", "(9, 1), got (4)")]
KNOWN = [law("failed", ours, mistake=FLIPPED) for ours in ("z: expected -2.87, got 2.87.", "z: got nan.")]
RAISED = [law("failed", "your answer raised", theirs) for theirs in ("ValueError: a", "ValueError: 12 b")]
ABSENT = [law("undefined", "no f after its cell ran:", note) for note in ("cell 3: x", "y")]
SLOW = [law("crashed", f"your answer took too long: {seconds} s") for seconds in (20, 60)]
GRADIENT = LawResult("gradient", 1, State.FAILED, "x.grad: expected 1, got 2.")


@pytest.mark.parametrize(
    ("laws", "message"),
    [
        (KNOWN, FLIPPED),
        (SHAPES, "x: expected shape (3, 2), got (2)."),
        (RAISED, "your answer raised ValueError: a"),
        (ABSENT, "no f after its cell ran: cell 3: x"),
        (SLOW, "your answer took too long: 20 s"),
    ],
)
def test_one_mistake_is_one_group_under_what_the_first_read(laws, message):
    assert len({message_groups.shared(law) for law in laws}) == 1
    assert message_groups.group("f", [("ann", law) for law in laws]).message == message


def test_other_mistakes_are_other_groups():
    again = law("failed", "your answer raised", "TypeError: a")
    kinds = [KNOWN[0], SHAPES[0], RAISED[0], again, ABSENT[0], SLOW[0], GRADIENT]
    assert len({message_groups.shared(law) for law in kinds}) == len(kinds)


def test_groups_count_each_student_once():
    wrong = {"gaussian_kl": synthetic.mistaken("kl: expected 1, got 2.", "Swapped.")}
    found = message_groups.groups([verdict("ann", wrong), verdict("bo", wrong), verdict("cy")])
    assert [(g.message, g.students) for g in found] == [("Swapped.", ("ann", "bo"))]


@pytest.mark.parametrize(
    ("values", "most", "counts"),
    [
        ([], 25, [0] * 10),
        ([0, 25, 12.5, 2.4], 25, [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
        ([0.0], 0, [1]),
        ([0.31, 12.9], 12.9, [1, 0, 0, 0, 0, 0, 1]),
    ],
)
def test_a_histogram_counts_everything(values, most, counts):
    chart = charts.histogram(values, most, "scores")
    assert chart.counts == counts
    assert len(chart.edges) == len(counts) + 1


def test_a_histogram_is_drawn_to_scale():
    """The columns' heights as their counts; each count and each edge is written."""
    drawn = page.PAGES.from_string('{% from "macros.html.j2" import histogram %}{{ histogram(view) }}')
    shown = drawn.render(view=charts.Histogram([2, 0, 4], ["0", "5", "10", "15"], EVIL[:30]))
    heights = [float(height) for height in re.findall(r'<rect [^>]*height="([^"]*)"', shown)]
    assert heights == [45, 0, 90]
    assert re.findall(r"<text [^>]*>(\d+)<", shown) == ["2", "4", "0", "5", "10", "15"]
    assert "<script" not in shown


def renamed(source: str) -> str:
    for old, new in (("gap", "difference"), ("low", "chol"), ("white", "w"), ("shift", "s0"), ("log_ratio", "r")):
        source = source.replace(old, new)
    return "# my own work\n" + source


def pairs(room, answers: dict[str, str], released: dict | None = None, solved: dict | None = None) -> list[tuple]:
    about = {"grade_id": "gaussian_kl", "solution": True, "grade": False, "locked": False}
    cell = {"cell_type": "code", "id": "gaussian_kl", "metadata": {"nbgrader": about}}
    check = {"grade_id": "check_gaussian_kl", "solution": False, "grade": True, "points": 3}
    check = {"cell_type": "code", "id": "check", "metadata": {"nbgrader": check}, "source": ""}
    for folder, source in (("course", released), ("solutions", solved)):
        text = synthetic.json.dumps({"cells": [cell | {"source": source or "def gaussian_kl(): ..."}, check]})
        write(room.root / folder / NAME / "forward_reverse_kl.ipynb", text.encode())
    synthetic.on_file(room, [verdict(student, answers={"gaussian_kl": source}) for student, source in answers.items()])
    return [(p.one, p.two) for p in similarity.pairs(room, room.assignment(NAME), results.load(room, NAME))]


def test_renamed_copies_are_found_and_others_are_not(room):
    assert pairs(room, {"ann": ANSWER, "bo": renamed(ANSWER), "cy": OTHER}) == [("ann", "bo")]


def test_the_reference_is_nobodys_copy(room):
    assert pairs(room, {"ann": ANSWER, "bo": renamed(ANSWER)}, solved=ANSWER) == []


def test_what_many_write_is_nobodys_copy(room):
    assert pairs(room, {f"s{i}": ANSWER for i in range(8)}) == []


def test_a_group_of_any_size_that_writes_the_same_is_found(room):
    """Also where so many share it that no pair stands out; short answers and the reference are nobody's copy."""
    copies = {f"s{i}": renamed(ANSWER) if i % 2 else ANSWER for i in range(8)}
    pairs(room, copies | {"zoe": OTHER, "ann": "def f(x):\n    return x.sum()", "bo": "def f(y):\n    return y.sum()"})
    found = similarity.same(room, room.assignment(NAME), results.load(room, NAME))
    assert found == [similarity.Same(tuple(sorted(copies)), ("gaussian_kl",))]
    pairs(room, copies, solved=ANSWER)
    assert similarity.same(room, room.assignment(NAME), results.load(room, NAME)) == []


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
    made = [verdict("ann", written={}), verdict("bo", {"gaussian_kl": "kl: wrong."}), verdict("cy", written={})]
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
    assert "The variational lower bound no page yet: python -m grading report 03_elbo 0 of 1 none yet 1" in words
    report.report(room, results.wanted(room, ["03_elbo"]))
    words, links = indexed(room)
    assert links == [f"{NAME}.html", "03_elbo.html"]
    assert "1 of 1 18.0 of 20 1" in words


def test_a_title_stays_text_in_the_index(room):
    shown = index.contents([index.row(room.data / "x.html", EVIL[:80], [synthetic.refused("ann", "")], {})])
    assert "<script>alert(1)</script>" in harmless(shown).words
