"""A student's markdown made safe to open, and still good to read.

An invisible character parts whatever would be a tag, an entity, a link elsewhere or a TeX command that reaches out of
its formula, so no parser of markdown finds one. Then nbconvert's own parser shows what is left: a text in which it
still finds anything but plain formatting becomes a code block, as it was written.
"""

import html
import re
from functools import cache
from html.parser import HTMLParser

PARTED = "\u2060"  # the word joiner: no width, no line break; `<` and a joiner start no tag
NEVER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
COMMANDS = (  # links, classes, styles, identifiers, raw fonts, actions, further extensions
    "href|url|require|class|style|cssId|data|unicode|mmlToken|bbox|toggle|mathtip|texttip|Newextarrow|[hH]tml[A-Za-z]*"
)
TEX = rf"\\(?=(?:{COMMANDS})(?![A-Za-z]))"
TAG = r"<(?=[A-Za-z/!?])"
LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
AUTOLINK = re.compile(r"<(?:https?://[^\s<>\"'`]+|(?:mailto:)?[\w.+-]+@[\w.-]+)>", re.IGNORECASE)
LONGEST = 100_000
SLOW = re.compile(r"\\begin\{|\\\\[\[(]")  # nbconvert looks from each of them to the end of the text
MOST_SLOW = 300
ENTITY = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{0,31});?")
HARMLESS_ENTITY = frozenset("<>& \"'")
PICTURE = re.compile(r"!\[(?P<alt>[^][\n]{0,300})\]\(attachment:(?P<name>[\w.-]{1,80})(?: \"[^\"\n]{0,200}\")?\)")
NO_PICTURE = "(a picture that is not shown) "
MATH = re.compile(
    r"(?<!\\)\$\$[^`]*?(?<!\\)\$\$|(?<![$\\])\$(?=[^$`])(?:[^$`\n]|\n(?!\n))*?(?<![$\\])\$(?!\$)"
    r"|\\begin\{(?P<env>[a-z]{1,20}\*?)\}[^`]*?\\end\{(?P=env)\}"
)
TARGET = re.compile(r"\s*<?\s*([^\s<>)]{0,40})")
DANGER = re.compile(
    rf"(?P<tag>{TAG})|(?P<tex>{TEX})|(?P<link>\](?=\())|(?P<definition>\](?=:))|(?P<picture>!(?=\[))"
    r"|(?P<entity>&(?=[#A-Za-z]))|(?P<drawing>(?<=[`~]{3})[ \t]*(?=mermaid))"
)


def safe(text: str, pictures: frozenset[str] = frozenset()) -> str:
    """Markdown without a way out; `pictures` are the names of attachments that may be shown."""
    text = NEVER.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) > LONGEST or len(SLOW.findall(text)) > MOST_SLOW:
        return fenced(text)
    made = parted(text, pictures)
    return made if plain(made, pictures) else fenced(text)


def fenced(text: str) -> str:
    """The text as it was written, in a fence longer than any in it."""
    runs = re.findall(r"`+", text)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return f"{fence}text\n{parted(NEVER.sub('', text), frozenset())}\n{fence}"


def parted(text: str, pictures: frozenset[str]) -> str:
    """Every dangerous place parted: by a space in a formula, where it has no meaning, else by the joiner."""
    pieces, at = [], 0
    for formula in formulas(text):
        pieces += [words(text[at : formula[0]], pictures), divided(text[formula[0] : formula[1]])]
        at = formula[1]
    return "".join([*pieces, words(text[at:], pictures)])


def formulas(text: str) -> list[tuple[int, int]]:
    """Where formulas stand. It decides how a text looks, never whether it is safe."""
    return [found.span() for found in MATH.finditer(text)] if len(text) <= LONGEST else []


def divided(formula: str) -> str:
    return DANGER.sub(lambda found: found[0] if found["picture"] else f"{found[0]} ", formula)


def words(text: str, pictures: frozenset[str]) -> str:
    """Outside of formulas."""

    def part(found: re.Match) -> str:
        return found[0] if fine(found, text, pictures) else shown(found, text)

    return DANGER.sub(part, text)


def fine(found: re.Match, text: str, pictures: frozenset[str]) -> bool:
    """Whether what starts here may stay as it is."""
    at = found.end()
    match found.lastgroup:
        case "tag":
            return AUTOLINK.match(text, found.start()) is not None
        case "entity":
            return harmless(ENTITY.match(text, found.start()))
        case "link" | "definition":
            target = TARGET.match(text, at + 1)
            return bool(target and (LINK.match(target[1]) or (target[1].removeprefix("attachment:") in pictures)))
        case "picture":
            picture = PICTURE.match(text, found.start())
            return bool(picture and picture["name"] in pictures)
    return False


def shown(found: re.Match, text: str) -> str:
    return NO_PICTURE if found.lastgroup == "picture" else found[0] + PARTED


def harmless(entity: re.Match | None) -> bool:
    """An entity for a letter that no parser takes for more: `&alpha;`, `&lt;`, not `&#92;` or `&#104;`."""
    if entity is None:
        return True
    decoded = html.unescape(entity[0])
    return all(c in HARMLESS_ENTITY or (ord(c) > 0x9F and not NEVER.match(c)) for c in decoded)


TAGS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "del", "code", "pre", "div", "span"])
TAGS |= {
    "blockquote",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "a",
    "img",
    "input",
}
TAGS |= {"hr", "br"}
ATTRIBUTES = {
    ("th", "style"): re.compile(r"text-align:(left|center|right)"),
    ("td", "style"): re.compile(r"text-align:(left|center|right)"),
    ("a", "href"): re.compile(r"(https?://|mailto:|#).*", re.IGNORECASE | re.DOTALL),
    ("img", "src"): re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+"),
    ("code", "class"): re.compile(r"language-\S*"),
    ("div", "class"): re.compile(r"highlight"),
    ("span", "class"): re.compile(r"[a-z0-9]{0,4}"),
    ("input", "class"): re.compile(r"task-list-item-checkbox"),
    ("li", "class"): re.compile(r"task-list-item"),
    ("input", "type"): re.compile(r"checkbox"),
    ("ol", "start"): re.compile(r"\d{1,9}"),
}
WORDS = frozenset([("a", "title"), ("img", "title"), ("img", "alt"), ("input", "disabled"), ("input", "checked")])


class Look(HTMLParser):
    """What nbconvert made of a text: `plain` while nothing but formatting was seen."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.plain, self.code, self.text = True, 0, []

    def handle_starttag(self, tag, attrs):
        self.code += tag in ("code", "pre")
        known = all((tag, n) in WORDS or self.known(tag, n, value or "") for n, value in attrs)
        self.plain = self.plain and tag in TAGS and known

    @staticmethod
    def known(tag: str, name: str, value: str) -> bool:
        return (tag, name) in ATTRIBUTES and ATTRIBUTES[tag, name].fullmatch(value) is not None

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre")

    def handle_data(self, data):
        if not self.code:
            self.text.append(data)

    def refuse(self, *_):
        self.plain = False

    handle_comment = handle_decl = handle_pi = unknown_decl = refuse


def plain(text: str, pictures: frozenset[str]) -> bool:
    """Whether nbconvert shows nothing but formatting, safe links and formulas without dangerous commands."""
    look = Look()
    try:
        look.feed(rendered(text, pictures))
        look.close()
    except Exception:  # whatever a parser stumbles over is no text for a browser
        return False
    return look.plain and not re.search(TEX, "".join(look.text))


def rendered(text: str, pictures: frozenset[str]) -> str:
    """As formgrader and nbgrader's feedback show it; a picture is a dot."""
    markdown, renderer = parser()
    attachments = {name: {"image/png": "AAAA"} for name in pictures}
    return markdown(renderer=renderer(escape=False, attachments=attachments, exclude_anchor_links=True)).render(text)


@cache
def parser():
    """nbconvert's import takes its time; most commands never need it."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    return MarkdownWithMath, IPythonRenderer
