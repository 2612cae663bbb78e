"""The random numbers of one submission: what is drawn for one is worth nothing in any other.

They hang on the secret, the student, the assignment and every byte that the sandbox is told to execute, in its order:
an answer that carries its inputs out, by whatever channel, meets others as soon as a letter of it is changed.

Nothing laxer will do, neither the parsed code nor sources without comments: code can read its own source, its line
numbers and how often it was called before, so a comment, a blank line or a moved check cell can carry what was learnt.
What an editor changes by itself is taken off before the sandbox sees it (`normal`), so it can carry nothing. Text
cells, outputs, ids and metadata never get there, and so change nothing.
"""

import hashlib
import hmac
from collections.abc import Iterable


def keyed(key: bytes, parts: Iterable[bytes]) -> bytes:
    """HMAC-SHA256 of the parts, each after its length, so that no two lists of parts are alike."""
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


class Seeds:
    """`Seeds(...)(what)` is a number of 256 bits. `executed`: what the sandbox is asked for, in order."""

    def __init__(self, secret: str, student: str, assignment: str, executed: Iterable[str]):
        parts = (part.encode(errors="backslashreplace") for part in (student, assignment, *executed))
        self.key = keyed(secret.encode(errors="backslashreplace"), parts)

    def __call__(self, what: str) -> int:
        return int.from_bytes(keyed(self.key, [what.encode()]), "big")
