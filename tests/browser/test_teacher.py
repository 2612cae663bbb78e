"""A TA's desk: formgrader over a graded class, and a proof that gets its points there."""

import re

import pytest

from dgmlib.checks import ASSIGNMENTS
from grading.course import Course
from grading.recording.gradebook import opened, url

pytestmark = pytest.mark.xdist_group("browser")
NAME, BOOK = "01_forward_reverse_kl", "forward_reverse_kl"


def scores(course: Course) -> dict[str, float]:
    with opened(url(course)) as book:
        return {s.student.id: s.score for s in book.assignment_submissions(NAME) if s.student.id != "mallory"}


def test_formgrader_shows_the_class_and_takes_points_for_a_proof(graded, lab):
    exercises = ASSIGNMENTS[NAME].exercises
    points = float(exercises["gaussian_kl"].points)
    assert scores(graded) == {"ann": points, "bob": 0}
    lab.page.goto(f"{lab.address}/lab?token={lab.token}")
    lab.menu("Nbgrader", "Formgrader")
    desk = lab.page.frame_locator(".jp-MainAreaWidget iframe")
    row = desk.locator("tr", has_text=NAME)
    row.wait_for()
    assert re.search(r"\b3\b", row.inner_text())
    lab.picture("7-formgrader")

    desk.get_by_role("link", name="Manage Students").click()
    for student, score in {"ann": points, "bob": 0}.items():
        row = desk.locator("tr", has_text=student)
        row.wait_for()
        assert f"{score:g} / " in row.inner_text()
    lab.picture("8-students")

    desk.get_by_role("link", name="Manual Grading").click()
    desk.get_by_role("link", name=NAME).click()
    desk.get_by_role("link", name=BOOK).click()
    row = desk.locator("tr", has_text=f"{points:g} / ")
    row.wait_for()
    lab.picture("9-manual-grading")
    row.get_by_role("link").first.click()
    proof = desk.locator(".nbgrader_cell", has_text="the Jacobians cancel")
    proof.scroll_into_view_if_needed()
    rubric = desk.locator(".text_cell", has_text="For the grader: rubric")
    assert "change of the expectation" in rubric.locator("td").nth(3).inner_text()
    proof.locator("input.score").fill("1.5")
    proof.locator("input.score").press("Tab")
    lab.eventually(lambda: scores(graded) == {"ann": points + 1.5, "bob": 0})
    lab.picture("10-proof")
    check = desk.locator(".nbgrader_cell", has_text='check("gaussian_kl", gaussian_kl)')
    check.scroll_into_view_if_needed()
    assert f"{points:g} of {points:g} points" in desk.locator("body").inner_text().replace(".0 ", " ")
    lab.picture("11-check")
    assert lab.dialogs() == []
