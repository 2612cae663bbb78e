"""JupyterLab in a browser, as a person uses it: menus, the keyboard, the eyes."""

import re
import time
from pathlib import Path

# Known and harmless, each with its reason.
HARMLESS = (
    r"An iframe which has both allow-scripts and allow-same-origin",  # nbgrader's formgrader tab
    r"Connection lost, reconnecting in 0 seconds",  # to a kernel that was told to restart
    r"TeX/otf/MathJax_\w+-\w+\.otf",  # a second try of MathJax's, where a busy machine was late with the first
    r"Loading the font 'about:blank' violates",  # MathJax's trial of web fonts, which formgrader's policy forbids
)
NOTEBOOK = "const book = jupyterapp.shell.currentWidget;"
PATIENCE = 240
CONTRAST = """element => {
    const numbers = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    let behind = element;
    while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const [one, two] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
        .map(numbers).map(light).sort((a, b) => b - a);
    return (one + 0.05) / (two + 0.05);
}"""


class Lab:
    """`Lab(page, address, token, screenshots)`; cells are called by their id."""

    def __init__(self, page, address: str, token: str, screenshots: Path):
        self.page, self.address, self.token, self.screenshots = page, address, token, screenshots
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complain(f"page error: {error}"))
        page.on("console", lambda m: m.type in ("error", "warning") and self.complain(f"{m.text} {m.location['url']}"))
        page.on("response", lambda r: r.status >= 400 and self.complain(f"{r.status}: {r.url}"))
        page.route(lambda url: not url.startswith((address, address.replace("http", "ws", 1))), self.refuse)

    def complain(self, text: str):
        if not any(re.search(known, text) for known in HARMLESS):
            self.complaints.append(text)

    def refuse(self, route):
        """Nothing is asked of another machine."""
        self.complain(f"asked for {route.request.url}")
        route.abort()

    def open(self, path: str):
        """A notebook by its path; ready when its kernel is."""
        self.page.goto(f"{self.address}/lab/tree/{path}?token={self.token}")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.until("book.sessionContext.session?.kernel?.status === 'idle'")
        self.page.evaluate(
            f"() => {{ {NOTEBOOK} for (const c of book.content.widgets) c.node.dataset.id = c.model.id }}"
        )

    def until(self, condition: str):
        """Wait for JavaScript over `book`, the notebook's panel, to hold."""
        self.eventually(lambda: self.page.evaluate(f"() => {{ {NOTEBOOK} return Boolean({condition}) }}"), condition)

    def eventually(self, holds, what: str = "it"):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
            self.page.wait_for_timeout(200)

    def menu(self, *words: str):
        """Click through the menu bar."""
        bar, *entries = words
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{bar}$")).click()
        for entry in entries:
            self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}$")).click()

    def run_all(self):
        self.menu("Run", "Run All Cells")
        self.all_run()

    def all_run(self):
        """Wait until every cell of the notebook has run."""
        code = "book.content.widgets.filter(c => c.model.type === 'code')"
        self.until(f"{code}.every(c => c.model.executionCount && c.model.executionState === 'idle')")
        self.until("book.sessionContext.session.kernel.status === 'idle'")

    def cell(self, name: str):
        """A cell's element, in view."""
        found = self.page.locator(f'.jp-Cell[data-id="{name}"]')
        found.scroll_into_view_if_needed()
        return found

    def run(self, name: str):
        """Shift+Enter in a cell, and wait for its end."""
        model = f"book.content.widgets.find(c => c.model.id === '{name}').model"
        before = self.page.evaluate(f"() => {{ {NOTEBOOK} return {model}.executionCount }}")
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        self.until(f"{model}.executionCount !== {before or 'null'} && {model}.executionState === 'idle'")
        self.until("book.sessionContext.session.kernel.status === 'idle'")

    def solve(self, name: str, *lines: str):
        """Type over the stub's last two lines, key by key; the editor keeps the indent."""
        self.cell(name).locator(".cm-content").click()
        for keys in ("Control+End", "Shift+ArrowUp", "Shift+Home"):
            self.page.keyboard.press(keys)
        self.page.keyboard.type("\n".join(lines), delay=5)

    def retype(self, name: str, source: str):
        """Other text for the whole cell."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(source, delay=5)

    def figure(self, name: str) -> str:
        """The last picture below a cell, as its address; empty where there is none."""
        pictures = self.cell(name).locator(".jp-OutputArea img")
        return pictures.last.get_attribute("src") if pictures.count() else ""

    def contrast(self, name: str) -> float:
        """Of the text in the last box below a cell against what is behind it, as WCAG counts."""
        box = self.cell(name).locator(".jp-OutputArea .jp-RenderedHTMLCommon div").last
        return box.evaluate(CONTRAST)

    def source(self, name: str) -> str:
        found = f"book.content.widgets.find(c => c.model.id === '{name}').model.sharedModel.getSource()"
        return self.page.evaluate(f"() => {{ {NOTEBOOK} return {found} }}")

    def card(self, name: str) -> tuple[str, str]:
        """The rendered card below a check: its colour and its text."""
        card = self.cell(f"check_{name}").locator(".jp-OutputArea .jp-RenderedHTMLCommon > div")
        card.wait_for()
        return card.evaluate("element => getComputedStyle(element).borderLeftColor"), card.inner_text()

    def dialogs(self) -> list[str]:
        return self.page.locator(".jp-Dialog").all_inner_texts()

    def picture(self, name: str):
        """A screenshot to look at."""
        self.page.screenshot(path=self.screenshots / f"{name}.png")
