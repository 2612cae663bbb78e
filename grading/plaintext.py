"""A student's or a file's text on its way to a terminal, a table, a page or a folder's name.

Names in any script are welcome, right to left too, with the joiners that Persian, Hindi and emoji need. What moves the
cursor, starts an escape sequence or turns the direction of reading never passes: it could forge a line.
"""

import re
import sys
import unicodedata

JOINERS = "\u200c\u200d"
# C0, DEL and C1, line and paragraph separators, embeddings and overrides, isolates, half characters
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
RENAME = "its name holds control or direction marks, which could pass for another: rename it"


def one_line(text: object) -> str:
    """The text as one line: a blank for white space and for what would do harm, nothing for marks that do not show."""
    line = str(text)
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c in JOINERS else substitute(c) for c in line)


def substitute(c: str) -> str:
    return "" if unicodedata.category(c) == "Cf" and not HARMFUL.match(c) else " "


def say(text: object, file=None):
    """Print a line. All that is said on a terminal but for tables passes here."""
    print(one_line(text), file=file or sys.stdout, flush=True)
