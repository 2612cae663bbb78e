"""The book is built from what is committed, in a checkout of its own with an address, and needs no network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(path.relative_to(ROOT) for path in ROOT.glob("solutions/*/*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    pytest.importorskip("sphinx", reason="the book needs its extra: pip install -c constraints.txt -e '.[book]'")
    root = tmp_path_factory.mktemp("book")
    for name in ("docs", "solutions", "benchmarks", "grading", "dgmlib"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "submitted", "verdicts"))
    for path in ROOT.glob("*.md"):
        shutil.copy(path, root)
    project = (ROOT / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(re.sub(r'(?m)^url = ".*"', 'url = "https://github.com/a/b"', project))
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-c", "docs/book", ".", "site"]
    built = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return root / "site"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_figures_folded_answers_and_badge(book, notebook):
    page = (book / notebook.with_suffix(".html")).read_text()
    assert page.count("<img") >= 4
    assert page.count("Show a solution") >= 6
    assert f"/a/b/blob/main/course/{notebook.relative_to('solutions')}" in page


def test_every_public_name_has_an_entry(book):
    table = (ROOT / "docs/library.md").read_text().split("Each name")[0]
    reference = (book / "docs/book/reference.html").read_text()
    names = set(re.findall(r"`(\w+)`", table)) - {"forward", "inverse", "log_prob", "ValueError"}
    assert len(names) > 40
    assert not [name for name in names if not re.search(rf'id="dgmlib[\w.]*\.{name}"', reference)]


def test_nothing_is_fetched_from_elsewhere(book):
    for page in book.rglob("*.html"):
        fetched = re.findall(
            r'(?:<script[^>]*src|<img[^>]*src|<link[^>]*rel="stylesheet"[^>]*href)="(https?:[^"]+)', page.read_text()
        )
        assert not [address for address in fetched if "colab-badge" not in address], page
