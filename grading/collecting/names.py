"""What people are called: a name as it was meant, whatever packed it, and the forms in which platforms write one."""

import re
import unicodedata
from contextlib import suppress

from ..plaintext import HARMFUL, one_line

MISREAD = ("cp437", "cp1252", "mac_roman")  # as which UTF-8 is taken by old tools
ENDING = re.compile(r"(\.(ipynb|zip|json|txt|pdf|docx?|html?|py|png|jpe?g|heic))+$", re.IGNORECASE)


def meant(text: str) -> str:
    """UTF-8 that a tool took for another encoding as UTF-8 again, its accents composed: "J├╢rg" is Jörg."""
    for encoding in MISREAD if not text.isascii() else ():
        with suppress(UnicodeError):
            text = text.encode(encoding).decode("utf-8")
            break
    return unicodedata.normalize("NFC", text)


def student_name(text: str) -> str:
    """A name that can be a folder: composed accents, no slashes, at most 120 characters and 200 bytes; empty for one
    with control or direction marks."""
    if HARMFUL.search(text):
        return ""
    text = one_line(re.sub(r"[/\\]", " ", meant(text)))
    text = " ".join(text.split()).lstrip(".").strip()
    return text[:120].encode()[:200].decode(errors="ignore").strip()


def folded(name: str) -> str:
    """The same for all spellings that differ in case or blanks alone."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def turned(name: str) -> set[str]:
    """First name first or last: "Ada Lovelace", "Lovelace Ada" and "Lovelace, Ada" have one in common."""
    words = folded(name.replace(",", " ")).split()
    return {" ".join(words[i:] + words[:i]) for i in range(len(words))}


def squeezed(name: str) -> set[str]:
    """As Canvas writes it, letters and digits alone: lovelaceada."""
    return {"".join(c for c in turn if c.isalnum()) for turn in turned(name)}


def last(name: str) -> set[str]:
    """What could be the family name: the words from any but the first on, "García López" and "López"."""
    before, comma, _ = name.partition(",")
    words = folded(name).split()
    return {folded(before)} if comma else {" ".join(words[i:]) for i in range(1, len(words))}


def stem(name: str) -> str:
    """A file's name without what says its kind."""
    return ENDING.sub("", name)
