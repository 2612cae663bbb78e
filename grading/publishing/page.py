"""Pages from the templates beside it, each one self-contained HTML file.

Whatever a template shows is escaped; what moves a cursor or turns the direction of reading is taken out before.
"""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..plaintext import one_line

TEMPLATES = Path(__file__).parent / "templates" / "pages"


def render(template: str, view: object) -> bytes:
    """The whole file. `view` is all that the template sees."""
    return PAGES.get_template(template).render(view=view).encode()


def clean(value: object) -> object:
    """What a template is about to show, before it is escaped; what another template or macro made stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "\n".join(map(one_line, value.split("\n")))


def cut(text: str, longest: int = 400) -> str:
    plain = str(clean(text[: longest + 1]))
    return plain if len(plain) <= longest else plain[:longest] + "…"


def number(value: float) -> str:
    return f"{round(value, 3):g}"


def percent(share: float) -> str:
    return f"{100 * share:.0f}"


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


PAGES = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=clean,
    trim_blocks=True,
    lstrip_blocks=True,
)
PAGES.filters |= {"cut": cut, "number": number, "percent": percent, "base64": coded}
