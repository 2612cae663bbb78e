"""The book: solved notebooks as they were last run, guides, and the library's docstrings. `make book`; no network."""

import json
import re
import sys
import textwrap
from pathlib import Path

import jupyter_server_mathjax

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from grading.releasing import colab  # noqa: E402

MARKUP = re.compile(r"[\\*|_]")  # what reStructuredText would read into a formula

project = "Deep generative models, lecture 3"
copyright = "the authors; texts CC BY 4.0, code MIT"
url, release = colab.setting(ROOT)

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx_copybutton"]
root_doc = "docs/book/index"
include_patterns = ["docs/**", "solutions/*/*.ipynb", "benchmarks/RESULTS.md", "*.md"]
exclude_patterns = ["README.md", "docs/book/*.py"]
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]  # a slider's own output has a picture beside it

nb_execution_mode = "off"
nb_code_prompt_show = "Show a solution"
nb_code_prompt_hide = "Hide it"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_update_mathjax = False

autodoc_default_options = {"members": True, "undoc-members": False}
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = project
html_show_sourcelink = html_copy_source = False
html_static_path = [str(ROOT / "docs/book/static"), str(Path(jupyter_server_mathjax.__file__).parent / "static")]
html_extra_path = [str(ROOT / "docs/book/extra")]
html_css_files = ["book.css"]
html_theme_options = {"source_repository": url} if url else {}
# MathJax 2.7 from PyPI, beside the pages: the same that formgrader uses.
mathjax_path = "MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe"
mathjax2_config = {
    "tex2jax": {"inlineMath": [["\\(", "\\)"]], "displayMath": [["\\[", "\\]"]], "processEscapes": True},
    "HTML-CSS": {"availableFonts": [], "imageFont": None, "preferredFont": None, "webFont": "STIX-Web"},
    "messageStyle": "none",
}


def folded(app, name: str, content: list[str]):
    """A notebook for readers: answers folded, no set-up cell, Colab's badge if there is an address."""
    if not name.startswith("solutions/"):
        return
    notebook, (_, assignment, stem) = json.loads(content[0]), name.split("/")
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        tag = "remove-cell" if marks.get("grade_id") == "setup" else "hide-input" if marks.get("solution") else None
        if tag and cell["cell_type"] == "code":
            cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), tag]
    if url:
        badge = f"[![Open in Colab]({colab.BADGE})]({colab.colab(url, assignment, stem)})\n\n"
        notebook["cells"][0]["source"] = badge + "".join(notebook["cells"][0]["source"])
    content[0] = json.dumps(notebook)


def as_written(app, what, name, obj, options, lines: list[str]):
    """Docstrings are plain text with formulas: paragraphs and examples stay so, indented lines as they stand."""
    lines[:] = "\n\n".join(map(_block, "\n".join(lines).strip().split("\n\n"))).split("\n")


def _block(paragraph: str) -> str:
    if paragraph.startswith(">>>"):
        return paragraph
    if any(line.startswith(" ") for line in paragraph.split("\n")):
        return ".. code-block:: text\n\n" + textwrap.indent(paragraph, "   ")
    words = re.split(r"(`+[^`]+`+)", paragraph)
    return "".join(f"``{word.strip('`')}``" if word.startswith("`") else MARKUP.sub(r"\\\g<0>", word) for word in words)


def setup(app):
    app.connect("source-read", folded)
    app.connect("autodoc-process-docstring", as_written)
    return {"parallel_read_safe": True}
