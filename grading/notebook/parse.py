"""The gate: a submission's bytes, and its cells. What is no notebook is refused in one line."""

import contextlib
import json
import logging
import os
import re
import stat
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from urllib.parse import quote

from ..plaintext import one_line

LARGEST = 20_000_000  # photographed proofs
MOST_TEXT = 2_000_000  # characters of all cells
DEEPEST = 60
KINDS = ("code", "markdown", "raw")  # another is kept as text
OLD = (1, 2, 3)
MOST_CELLS = 1000
MOST_ATTACHED = 50  # pictures of a cell
LONGEST_NAME = 300  # of an attachment
PASTED = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=]*+)")
PASTED_HTML = re.compile(rf"<img\s[^<>]{{0,200}}?src=[\"']?{PASTED.pattern}[^<>]{{0,200}}>", re.IGNORECASE)
MOST_TOKENS = 2_000_000  # strings and brackets
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)  # an open one ends with the file
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Refused(ValueError):
    """Not a notebook of the course; the text is the one line to tell the student."""

    def __init__(self, line: str):
        super().__init__(one_line(line))


@dataclass(frozen=True)
class Cell:
    """What is kept of a submitted cell. `ids`: its id and Colab's, `grade_id` nbgrader's; empty where lost.
    `pictures`: `(name, base64)`, where a text cell's source says `attachment:NAME`; what a code cell showed."""

    kind: str
    source: str
    ids: tuple[str, ...] = ()
    grade_id: str = ""
    pictures: tuple[tuple[str, str], ...] = ()


def read(path: Path) -> bytes:
    """The bytes of a regular file, no larger than 20 MB. Raises Refused; links are not followed."""
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise Refused("a link is no submission" if path.is_symlink() else f"cannot be read: {error.strerror}") from None
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode):
            raise Refused("not a regular file")
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(LARGEST + 1)
    finally:
        os.close(file)
    if len(data) > LARGEST:
        raise Refused(f"larger than {LARGEST // 1_000_000} MB: clear all outputs and hand it in again")
    return data


def cells(data: bytes) -> list[Cell]:
    """The cells of a notebook. Raises Refused."""
    return cells_of(current(parsed(data)))


def current(notebook) -> dict:
    """A parsed notebook in format 4: older ones are upgraded. Raises Refused."""
    if not isinstance(notebook, dict) or not notebook:
        raise Refused("not a Jupyter notebook")
    version = notebook.get("nbformat")
    version = {"4": 4, "3": 3, "2": 2}.get(version, version) if isinstance(version, str) else version
    if version == 4:
        return notebook
    if version in OLD and "worksheets" in notebook:
        return upgraded(notebook, version)
    shown = version if version in (None, *OLD, 5) else "unknown"
    raise Refused(f"a notebook of format {shown}, not 4: open it in Jupyter and save it again")


def upgraded(notebook: dict, version: int) -> dict:
    """What nbformat makes of an older format. Raises Refused."""
    import nbformat  # few need it

    logging.disable()  # of what it finds invalid: the gate looks itself
    try:
        return nbformat.reads(json.dumps(notebook | {"nbformat": version}), as_version=4)
    except Exception:
        raise Refused(
            f"a damaged notebook of format {version}: open it in Jupyter and save it again as format 4"
        ) from None
    finally:
        logging.disable(logging.NOTSET)


def cells_of(notebook: dict) -> list[Cell]:
    """The same for one that is parsed already, and of format 4."""
    listed = notebook.get("cells")
    if not isinstance(listed, list) or len(listed) > MOST_CELLS:
        raise Refused(f"a notebook without a list of at most {MOST_CELLS} cells")
    found = [cell(entry, number) for number, entry in enumerate(listed, 1)]
    if sum(len(cell.source) for cell in found) > MOST_TEXT:
        raise Refused(f"more than {MOST_TEXT // 1_000_000} MB of text in its cells: take out what is no work of yours")
    return found


def parsed(data: bytes):
    """The JSON in these bytes. Raises Refused."""
    if len(data) > LARGEST:
        raise Refused(f"larger than {LARGEST // 1_000_000} MB: clear all outputs and hand it in again")
    if not data.strip():
        raise Refused("an empty file")
    text = decoded(data)
    bare, strings = STRING.subn(b"", text.encode(errors="surrogatepass"))
    brackets = bare.translate(None, NO_BRACKETS)
    if max(accumulate((b in b"[{") - (b in b"]}") for b in brackets[:MOST_TOKENS]), default=0) > DEEPEST:
        raise Refused("nested too deeply for a notebook")
    if strings + len(brackets) > MOST_TOKENS:
        raise Refused("too many parts for a notebook")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("not a Jupyter notebook: no valid JSON (cut off on the way?)") from None


def decoded(data: bytes) -> str:
    """JSON's text: UTF-8, UTF-16 or UTF-32 as it begins, with or without a mark; else Windows's. Raises Refused."""
    for encoding in (json.detect_encoding(data), "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding)
    raise Refused("not a Jupyter notebook: no valid JSON, nor text in UTF-8 (save it as UTF-8)")


def cell(entry, number: int) -> Cell:
    """One cell, its source joined; metadata that is not what it should be counts as lost."""
    if not isinstance(entry, dict) or not isinstance(entry.get("cell_type"), str):
        raise Refused(f"cell {number} is of no known type")
    kind = entry["cell_type"] if entry["cell_type"] in KINDS else "raw"
    source = entry.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Refused(f"cell {number} has no text")
    metadata = mapping(entry.get("metadata"))
    ids = tuple(i for i in (entry.get("id"), metadata.get("id")) if isinstance(i, str))
    grade_id = mapping(metadata.get("nbgrader")).get("grade_id")
    source = source.replace("\r\n", "\n").encode(errors="replace").decode()
    if kind == "code":
        pictures = shown(entry.get("outputs"), f"cell-{number}")
    else:
        source, pictures = pasted(source, mapping(entry.get("attachments")), f"cell-{number}")
    return Cell(kind, source, ids, grade_id if isinstance(grade_id, str) else "", tuple(pictures))


def shown(outputs, prefix: str) -> list[tuple[str, str]]:
    """The pictures that a code cell displayed, by names of ours."""
    bundles = outputs[:MOST_ATTACHED] if isinstance(outputs, list) else []
    found = [value for bundle in bundles if (value := picture(mapping(bundle).get("data")))]
    return [(f"{prefix}-{number}", value) for number, value in enumerate(found, 1)]


def picture(bundle) -> str:
    """The base64 of a bundle's PNG or JPEG; empty where it holds none."""
    value = next((v for kind, v in mapping(bundle).items() if kind in ("image/png", "image/jpeg")), "")
    value = "".join(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else value
    return value if isinstance(value, str) else ""


def pasted(source: str, attachments: dict, prefix: str) -> tuple[str, list[tuple[str, str]]]:
    """A text with names of ours for its pictures, and these: Jupyter attaches them, Colab writes them into the text."""
    found: list[tuple[str, str]] = []

    def named(value: str) -> str:
        found.append((f"{prefix}-{len(found) + 1}", value))
        return f"attachment:{found[-1][0]}"

    short = [(name, bundle) for name, bundle in attachments.items() if len(name) <= LONGEST_NAME]
    for name, bundle in short[:MOST_ATTACHED]:
        value, written = picture(bundle), attached(name)
        if value and written.search(source):
            target = named(value)
            source = written.sub(lambda found, to=target: f"]({to})" if found[0][0] == "]" else f"![]({to})", source)
    source = PASTED_HTML.sub(lambda match: f"![]({named(match[1])})", source)
    return PASTED.sub(lambda match: named(match[1]), source), found


def attached(name: str) -> re.Pattern:
    """How editors write an attachment of this name: plain, in angles, its blanks as %20, with a title, as HTML."""
    named = rf"attachment:(?:{re.escape(name)}|{re.escape(quote(name, errors='replace'))})"
    title = r"(?:[ ]\"[^\"\n]{0,200}\")?"
    return re.compile(rf"\]\((?:{named}|<{named}>){title}\)|<img\s[^<>]{{0,200}}?src=[\"']{named}[\"'][^<>]{{0,200}}>")


def mapping(value) -> dict:
    return value if isinstance(value, dict) else {}
