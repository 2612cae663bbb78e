"""A hostile notebook in the TA's own session: it is text in formgrader, in nbgrader's feedback and in our pages."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import jupyter_server_mathjax
import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Error

from .conftest import BOOK, NAME, TOKEN
from .vectors import AWAY, VECTORS, Vector, markdown

pytestmark = pytest.mark.xdist_group("browser")
MATHJAX = Path(jupyter_server_mathjax.__file__).parent / "static"
STOCK_MATHJAX = "http://stock.test/MathJax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full"
NOISE = re.compile(r"Loading the font 'about:blank'")
FONTS = "/static/jupyter_server_mathjax/fonts/HTML-CSS/TeX/otf/MathJax_"
NO_FONTS = {f"{FONTS}AMS-Regular.otf", f"{FONTS}Script-Regular.otf"}  # its package leaves these two out
SETTINGS = """<script>window.MathJax && MathJax.Hub.Config(
    {tex2jax: {inlineMath: [["$", "$"]], processEscapes: true}})</script>"""
OURS = re.compile(
    r"/formgrader/(static/[\w./-]+|submissions/[0-9a-f]{32}/?(\?index=\d*)?|api/(grades|comments)\?submission_id=[0-9a-f]{32})"
    r"|/static/jupyter_server_mathjax/[\w./-]+(\?(V|config)=[\w.-]+)?|about:blank"
)


class Watched:
    """A page, and every address that it asks for."""

    def __init__(self, page, address: str = "http://stock.test"):
        self.page, self.address, self.asked = page, address, []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.route(lambda url: not url.startswith((address, "file:", "data:")), lambda route: route.abort())

    def fired(self, vectors: list[Vector], frame=None) -> list[str]:
        """The names of those that got through. Raises Error where the page was left."""
        conditions = ", ".join(f"{json.dumps(vector.name)}: () => {vector.condition}" for vector in vectors)
        code = f"asked => Object.entries({{{conditions}}}).filter(([, fired]) => fired()).map(([name]) => name)"
        return (frame or self.page).evaluate(code, self.asked)


def test_every_vector_gets_through_without_protection(chromium):
    """Stock nbconvert, which formgrader shows, a frame for each vector: what does nothing there proves nothing here."""
    watched = Watched(chromium.new_page())
    watched.page.route("http://stock.test/**", stock)
    watched.page.goto("http://stock.test/", wait_until="domcontentloaded")
    left = VECTORS
    for _ in range(100):
        if not (left := [vector for vector in left if not through(watched, vector)]):
            break
        watched.page.wait_for_timeout(200)
    assert not left, " ".join(vector.name for vector in left)


def through(watched: Watched, vector: Vector) -> bool:
    frame = watched.page.frame(name=vector.name)
    try:
        if vector.clicks and frame:
            frame.evaluate("document.querySelector('a').click()")
        return bool(watched.fired([vector], frame))
    except Error:  # it led its frame away
        return any(asked.startswith(AWAY + vector.name) for asked in watched.asked)


def stock(route):
    """A page of frames; in each what nbconvert makes of one vector; and the files of MathJax."""
    path = route.request.url.partition("?")[0].removeprefix("http://stock.test/")
    if (file := MATHJAX / path.removeprefix("MathJax/")).is_file():
        route.fulfill(path=file)
    elif not path:
        frames = "".join(f'<iframe name="{vector.name}" src="/{vector.name}"></iframe>' for vector in VECTORS)
        route.fulfill(body=f"<!doctype html>{frames}", content_type="text/html")
    elif vector := next((vector for vector in VECTORS if vector.name == path), None):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.from_dict(markdown(vector, "v"))])
        body = HTMLExporter(template_name="basic").from_notebook_node(notebook)[0]
        head = f'<!doctype html><script src="{STOCK_MATHJAX}"></script>' if vector.math else "<!doctype html>"
        route.fulfill(body=head + SETTINGS + body, content_type="text/html")
    else:
        route.fulfill(status=404)


def test_in_formgrader_it_is_text(graded, chromium, address):
    """The page that the TA opens, in the TA's own session."""
    watched = Watched(chromium.new_page(), address)
    complaints = []
    watched.page.on("console", lambda m: m.type == "error" and not expected(m, address) and complaints.append(m.text))
    watched.page.on("pageerror", lambda error: complaints.append(str(error)))
    watched.page.goto(f"{address}/formgrader?token={TOKEN}")
    watched.page.goto(f"{address}/formgrader/gradebook/{NAME}/{BOOK}")
    watched.page.get_by_role("link", name="Submission #").first.wait_for()
    assert watched.fired(VECTORS) == []
    links = watched.page.get_by_role("link", name="Submission #").evaluate_all("links => links.map(a => a.href)")
    watched.page.goto(f"{address}/formgrader/manage_students")
    watched.page.get_by_role("link", name="mallory").or_(watched.page.get_by_text("onerror")).first.wait_for()
    assert watched.page.evaluate("window.pwned") is None
    for link in links:
        watched.asked.clear()
        watched.page.goto(link)
        until(watched.page, "window.MathJax && MathJax.loaded")
        if "the mark of the proof" in watched.page.inner_text("body"):
            break
    clean(watched, address)
    assert complaints == []
    assert watched.page.locator(".MathJax").count() > 20
    watched.page.close()


def expected(message, address: str) -> bool:
    """What MathJax itself makes the browser say: a trial font that the policy forbids, two that are not there."""
    missing = message.location["url"].removeprefix(address)
    return bool(NOISE.search(message.text)) or missing in NO_FONTS


def until(page, condition: str):
    """Playwright's own way asks for eval, which the page does not let run."""
    deadline = time.monotonic() + 60
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(100)


def clean(watched: Watched, address: str):
    """Nothing got through, nothing was asked for but the page's own, and no link leads where it should not."""
    assert watched.fired(VECTORS) == []
    assert watched.page.evaluate("window.pwned") is None
    assert [url for url in watched.asked if not OURS.fullmatch(url.removeprefix(address))] == []
    links = watched.page.locator(".text_cell a[href]").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert [link for link in links if not link.startswith(("https://", "http://", "mailto:", "#"))] == []


COMMANDS = {
    "nbgrader generate_feedback": ("-m", "nbgrader", "generate_feedback", NAME, "--student=mallory"),
    "grading feedback": ("-m", "grading", "feedback", NAME),
    "grading report": ("-m", "grading", "report", NAME),
}
PAGES = {
    "nbgrader generate_feedback": (f"nbgrader_feedback/mallory/{NAME}/{BOOK}.html",),
    "grading feedback": (f"feedback/mallory/{NAME}/{BOOK}.html",),
    "grading report": (f"report/{NAME}.html", "report/index.html"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_in_every_page_that_we_write_it_is_text(graded, chromium, surroundings, command):
    words = [sys.executable, *COMMANDS[command], *(["--course", "."] if "grading" in COMMANDS[command] else [])]
    done = subprocess.run(words, cwd=graded.root, env=surroundings, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    for name in PAGES[command]:
        file = graded.data / name
        watched = Watched(chromium.new_page(), "file://")
        watched.page.goto(f"file://{file}")
        watched.page.wait_for_timeout(300)
        assert watched.fired(VECTORS) == []
        assert watched.page.evaluate("top.pwned") is None
        assert [url for url in watched.asked if not url.startswith((f"file://{graded.data}", "data:"))] == []
        assert watched.page.locator("script, iframe, object, embed, base, form, [onerror], [onload]").count() == 0
        watched.page.close()
