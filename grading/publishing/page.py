"""One self-contained HTML page: no script, nothing loaded, light and dark, phone and desk. All text is escaped."""

from html import escape

from ..plaintext import one_line

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --bg: #fff; --card: #f5f6f8; --fg: #1b1d21; --soft: #5a5f68; --line: #dfe2e7;
  --good: #00785a; --bad: #b04300; --accent: #0069a8; --track: #e2e5ea; }
@media (prefers-color-scheme: dark) { :root { --bg: #121417; --card: #1b1f24; --fg: #e7e9ec; --soft: #a2a8b2;
  --line: #323840; --good: #43cf9e; --bad: #ff9a66; --accent: #62b8ee; --track: #2c3138; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; background: var(--bg); color: var(--fg); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 .2rem; }
h2 { font-size: 1.1rem; line-height: 1.3; margin: 0; }
p { margin: .4rem 0; }
code { font: .92em ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
.soft { color: var(--soft); } .small { font-size: .9rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem;
  margin: .9rem 0; }
.head { display: flex; justify-content: space-between; gap: .8rem; align-items: baseline; }
.points { white-space: nowrap; font-variant-numeric: tabular-nums; }
.bar { height: 6px; border-radius: 3px; background: var(--track); margin: .5rem 0 .6rem; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
ul { list-style: none; margin: .3rem 0; padding: 0; }
li { margin: .35rem 0; padding-left: 1.5rem; text-indent: -1.5rem; }
li > b:first-child { display: inline-block; width: 1.5rem; text-indent: 0; }
footer { color: var(--soft); font-size: .85rem; margin-top: 1.5rem; }
"""

TABLES = """
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; color: var(--soft); overflow-wrap: normal; }
th, td { padding: .3rem .7rem .3rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
"""


def page(title: str, body: str, width: str = "44rem", style: str = "") -> bytes:
    """The whole file. `body` is HTML; put every text into it by `text`."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}body {{ max-width: {width}; }}\n{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    ).encode(errors="replace")


def text(value: object, longest: int = 400) -> str:
    """Escaped text: no control characters, none that turn the direction of reading, cut where it is long."""
    plain = "\n".join(one_line(line) for line in str(value)[: longest + 1].split("\n"))
    return escape(plain if len(plain) <= longest else plain[:longest] + "…")


def code(name: object) -> str:
    """A name as code, that may break after an underscore."""
    return f"<code>{text(name).replace('_', '_<wbr>')}</code>"


def number(value: float) -> str:
    return f"{round(value, 3):g}"


def bar(share: float) -> str:
    return f'<div class="bar"><i style="width:{100 * min(max(share, 0.0), 1.0):.0f}%"></i></div>'


def table(heads: list[str], rows: list[list[str]], numeric: tuple[int, ...] = (), wide: bool = False) -> str:
    """Cells are HTML already; use it with the style `TABLES`."""

    def line(cells, tag):
        marks = [' class="n"' if i in numeric else "" for i in range(len(cells))]
        return "<tr>" + "".join(f"<{tag}{m}>{c}</{tag}>" for c, m in zip(cells, marks, strict=True)) + "</tr>"

    body = line(heads, "th") + "".join(line(row, "td") for row in rows)
    return f'<div class="{"wide" if wide else ""}"><table>{body}</table></div>'
