"""A student's text: harmless whatever it holds, and good to read where it is honest."""

import re
import time

import pytest

from grading.notebook.graded import written
from grading.notebook.safe_markdown import PARTED, fenced, plain, rendered, safe
from tests.browser.vectors import VECTORS

HONEST = [
    ("a < b and b > c", "<p>a &lt; b and b &gt; c</p>"),
    ("a<b and c>d", "<p>a&lt;b and c&gt;d</p>"),
    ("$a<b$ and $$x<y$$", "<p>$a&lt; b$ and $$x&lt; y$$</p>"),
    ("$[0, 1](x)$ and $f[k](x)$", "<p>$[0, 1] (x)$ and $f[k] (x)$</p>"),
    ("`a<b` and `if a < b:`", "<p><code>a&lt;b</code> and <code>if a &lt; b:</code></p>"),
    ("**so** _it_ is `f(x)`", "<p><strong>so</strong> <em>it</em> is <code>f(x)</code></p>"),
    ("[the paper](https://arxiv.org/abs/1906.02691)", '<a href="https://arxiv.org/abs/1906.02691">the paper</a>'),
    ("<https://a.org/?q=1>", '<p><a href="https://a.org/?q=1">https://a.org/?q=1</a></p>'),
    ("see [it][r]\n\n[r]: https://a.org", '<p>see <a href="https://a.org">it</a></p>'),
    ("write to <me@a.org>", '<a href="mailto:me@a.org">me@a.org</a>'),
    ("from [1]: the proof", "<p>from [1]: the proof</p>"),
    ("| a | b |\n|---|:-:|\n| 1 | 2 |", '<td style="text-align:center">2</td>'),
    ("- a\n- b\n    1. c", "<li>b<ol>\n<li>c</li>"),
    ("```python\nif a < b:\n    pass\n```", '<span class="k">if</span>'),
    ("```\nList<int>\n```", "<pre><code>List&lt;int&gt;\n</code></pre>"),
    ("&alpha; &lt; &amp; &nbsp;", "<p>α &lt; &amp; \xa0</p>"),
    ("\\begin{align}a&<b\\\\[2pt] c&=d\\end{align}", "\\begin{align}a&amp;&lt; b\\\\[2pt] c&amp;=d\\end{align}"),
    ("> quoted\n\n---\n\n# Proof", "<blockquote>\n<p>quoted</p>\n</blockquote>\n<hr />\n<h1>Proof</h1>"),
    ("$\\newcommand{\\KL}{D} \\mathbb{E}_{q}\\left[\\log\\frac{p}{q}\\right]$", "\\left[\\log\\frac{p}{q}\\right]"),
]
HOSTILE = {
    "brackets": "[" * 20_000,
    "pictures": "![" * 10_000,
    "environments": "\\begin{a}" * 2_200,
    "display": "\\\\[" * 6_000,
    "inline": "\\\\(" * 6_000,
    "dollars": "$a " * 6_600,
    "quotes": "> - " * 5_000,
    "ticks": "".join("`" * n + " " for n in range(1, 199)),
    "tags": "<a " * 6_600,
    "definitions": "[a]: http://b\n" * 1_400,
    "links": "[a](http://x(" * 1_500,
}


@pytest.mark.parametrize(("text", "shown"), HONEST, ids=[text[:20] for text, _ in HONEST])
def test_an_honest_text_reads_as_it_was_written(text, shown):
    assert shown in rendered(safe(text), frozenset()).replace(PARTED, "")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_a_hostile_text_becomes_a_harmless_one_that_still_says_what_it_said(vector):
    made = safe(vector.source)
    assert plain(made, frozenset())
    assert not re.search(r"<[A-Za-z/!?](?!ttps?:)", made.replace("<http", ""))
    words = re.findall(r"\w{4,}", vector.source)
    assert [word for word in words if word not in made] == []


def test_what_the_parser_still_finds_becomes_a_code_block(monkeypatch):
    """The second wall alone: as if the first had a hole."""
    monkeypatch.setattr("grading.notebook.safe_markdown.parted", lambda text, _: text)
    for vector in VECTORS:
        if not plain(vector.source, frozenset()):
            assert safe(vector.source) == fenced(vector.source)
    refused = [v.name for v in VECTORS if not plain(v.source, frozenset())]
    assert len(refused) > 0.85 * len(VECTORS), sorted({v.name for v in VECTORS} - {*refused})


def test_a_fence_is_longer_than_any_in_it():
    made = fenced("```\n</script>\n`````\n~~~~\n<b>")
    assert made.startswith("``````text\n")
    assert made.endswith("\n``````")
    assert rendered(made, frozenset()).count("<pre>") == 1


def test_control_characters_and_turned_letters_are_left_out():
    assert safe("a\x00b\x1b[2Jc\u202edc\u2066x\r\ny\rz\tw") == "ab[2Jcdcx\ny\nz\tw"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_long(name):
    """Twenty thousand characters, as many as one cell may store; a second is a hundred times what honest ones take."""
    started = time.process_time()
    safe(HOSTILE[name][:20_000])
    assert time.process_time() - started < 3


def test_a_picture_is_shown_only_where_it_was_rebuilt():
    assert safe("![plot](attachment:a.png)", frozenset(["a.png"])) == "![plot](attachment:a.png)"
    assert "not shown" in safe("![plot](attachment:b.png)", frozenset(["a.png"]))
    assert "not shown" in safe("![plot](https://a.org/b.png)", frozenset(["a.png"]))


def test_a_cell_carries_the_pictures_that_its_text_names():
    pictures = {"cell-3-0": ("image/png", "AAAA"), "cell-4-0": ("image/jpeg", "BBBB")}
    made = written("markdown", '![on paper](attachment:cell-3-0 "page 1") and ![x](attachment:other)', pictures)
    assert made["attachments"] == {"cell-3-0": {"image/png": "AAAA"}}
    assert made["source"] == '![on paper](attachment:cell-3-0 "page 1") and (a picture that is not shown) ' + (
        f"[x]{PARTED}(attachment:other)"
    )
    assert written("raw", "<b>", pictures) == {"source": f"```text\n<{PARTED}b>\n```"}
    assert written("code", "a<b", pictures) == {"source": "a<b"}
