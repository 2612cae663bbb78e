"""Our own pages on a desk and on a phone, light and dark: nothing is cut off, all of it can be read."""

import pytest

from grading.publishing import feedback, index, report
from grading.publishing.similarity import Pair

from ..grading import synthetic

pytestmark = pytest.mark.xdist_group("browser")
TITLE = "Forward and reverse KL"
LONG = "averyveryverylongloginname.of.somebody@students.example.org"
# Boxes with a text of their own that leave the window, or that a box around them cuts.
CUT_OFF = """[...document.body.querySelectorAll("*")].filter(e => {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const box = e.getBoundingClientRect();
  const around = (e.parentElement.closest("div, section") || document.body).getBoundingClientRect();
  return own && box.width && (box.right > Math.min(innerWidth, around.right) + 1 || box.left < 0);
}).map(e => e.outerHTML)"""
# The least contrast of a text with what it stands on, after WCAG 2: a page's colours are plain `rgb(r, g, b)`.
CONTRAST = """() => {
  const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const clear = e => getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)";
  const behind = e => { while (clear(e)) e = e.parentElement; return e; };
  return Math.min(...[...document.body.querySelectorAll("*")].filter(e => e.innerText && !e.closest("svg")).map(e => {
    const [a, b] = [getComputedStyle(e).color, getComputedStyle(behind(e)).backgroundColor].map(light);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
}"""
# What stands in a table's cells and in the points of a feedback page, where the reader sees it.
SEEN = """[...document.querySelectorAll(".everybody td, .points, table:not(.everybody) td")]
  .filter(e => e.checkVisibility()).map(e => e.innerText.trim()).filter(Boolean)"""


def pages() -> dict[str, bytes]:
    made = synthetic.a_class(12)
    made[0] = synthetic.verdict(LONG, {"gaussian_kl": f"kl: {'x' * 300}"}, reaches=(f"cell 3: {'gc.' * 60}",))
    alike = [Pair(LONG, made[1].student, 31, 0.82, tuple(made[0].exercises))]
    rows = [index.Row(synthetic.NAME, TITLE, True, 10, 12, 14.25, 20, 3)]
    return {
        "student": feedback.student_page(made[0], {}, TITLE),
        "refused": feedback.student_page(made[5], {}, TITLE),
        "class": report.class_page(TITLE, made, {}, alike),
        "index": index.contents(rows),
    }


@pytest.mark.parametrize("name", ["student", "refused", "class", "index"])
def test_every_score_is_seen_on_a_phone_as_on_a_desk(chromium, name):
    seen = {}
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
            page.set_content(pages()[name].decode())
            assert page.evaluate(CUT_OFF) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(CONTRAST) >= 4.5
            seen[width] = page.evaluate(SEEN)
            page.close()
    assert seen[390] == seen[1280]
    assert name == "refused" or seen[390]
