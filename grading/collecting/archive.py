"""What a download holds: a zip, a folder, or one file. Its table is read first; the files as they are asked for.

Nothing is written anywhere but a student's own zip, to a nameless temporary file. The whole archive is refused for what
no learning platform makes: names that lead outside. All else concerns one file alone, and budgets are a student's own.
"""

import os
import re
import stat
import struct
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from ..notebook.parse import LARGEST
from ..plaintext import HARMFUL, RENAME, one_line

MOST_FILES = 20_000
MOST_FILES_EACH = 2_000  # below one folder
LARGEST_DIRECTORY = 8_000_000
LARGEST_NESTED = 100_000_000
DEEPEST = 3
RATIO, HARMLESS = 200, 100_000_000
JUNK = re.compile(r"__MACOSX|\.ipynb_checkpoints|\..*|~\$.*|Thumbs\.db|desktop\.ini|Icon\r", re.IGNORECASE)
BAD = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, OverflowError, struct.error)
NOTEBOOK = re.compile(rb"\s*\{|\xef\xbb\xbf\s*\{|\xff\xfe\{\0|\xfe\xff\0\{|\{\0")
UNREADABLE = "its name cannot be read: packed in another alphabet; unpack the zip, rename it and collect the folder"
UTF8 = 0x800  # a zip's flag


class ArchiveRefused(RuntimeError):
    """No download of submissions; the text is the one line to show."""


@dataclass(frozen=True)
class File:
    """`path`: where it lies, by parts; `inside`: the rest of the way for one in a nested zip. `data` is empty where a
    `problem` says why. `nameless`: its place, "entry 17 of hw1.zip", where its name must not be shown."""

    path: tuple[str, ...]
    inside: tuple[str, ...]
    time: float
    data: bytes = b""
    problem: str = ""
    nameless: str = ""

    @property
    def name(self) -> str:
        return self.nameless or one_line("/".join(self.path + self.inside))[:120]


@dataclass(frozen=True)
class Entry:
    """A file of the download that nobody has read yet. `opened` opens it."""

    path: tuple[str, ...]
    time: float
    size: int = 0
    opened: Callable[[], BinaryIO] | None = None
    problem: str = ""
    nameless: str = ""
    inside: tuple[str, ...] = ()

    def file(self, data: bytes = b"", problem: str = "") -> File:
        return File(self.path, self.inside, self.time, data, problem, self.nameless)

    @property
    def last(self) -> str:
        return (self.inside or self.path)[-1]


@dataclass
class Budget:
    """What one student may hand in at once."""

    files: int = 50
    bytes: int = 50_000_000
    zips: int = 5

    def read(self, stream: BinaryIO, head: bytes) -> tuple[bytes, str]:
        """`(data, problem)` of one notebook."""
        room = min(LARGEST, self.bytes)
        if self.files < 1 or room < 1:
            return b"", "left out: more than 50 files or 50 MB by one student"
        data = head + stream.read(room + 1)
        self.files, self.bytes = self.files - 1, self.bytes - len(data)
        if len(data) <= room:
            return data, ""
        return b"", f"larger than {LARGEST // 1_000_000} MB" if room == LARGEST else "left out: more than 50 MB"


@contextmanager
def opened(source: Path) -> Iterator[list[Entry]]:
    """All files of a download but what systems leave behind. Raises ArchiveRefused."""
    if source.is_dir():
        yield of_folder(source)
        return
    with open(source, "rb") as stream:
        if NOTEBOOK.match(stream.read(64)):
            yield [on_disk(source, (source.name,))]
        else:
            with zipped(stream) as archive:
                yield of_zip(archive, source.name, source.stat().st_mtime)


def of_zip(archive: zipfile.ZipFile, name: str, today: float, size: int | None = None) -> list[Entry]:
    found = []
    for place, info in members(archive, name, size):
        parts = tuple(p for p in re.split(r"[/\\]", readable(info)) if p not in ("", "."))
        if parts and not info.is_dir() and not any(JUNK.fullmatch(part) for part in parts):
            harmful = bool(HARMFUL.search("".join(parts)))
            problem = RENAME if harmful else UNREADABLE if boxes(info, parts) else special(info)
            nameless = place if harmful else ""
            opening = partial_open(archive, info)
            found.append(Entry(parts, when(info, today), info.file_size, opening, problem, nameless))
    return found


def partial_open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    return lambda: archive.open(info)


def readable(info: zipfile.ZipInfo) -> str:
    """A member's name: where its zip does not say that it is UTF-8, and it is, as Finder writes it, it is that."""
    if not info.flag_bits & UTF8:
        with suppress(UnicodeError):
            return info.filename.encode("cp437").decode("utf-8")
    return info.filename


def boxes(info: zipfile.ZipInfo, parts: tuple[str, ...]) -> bool:
    """Whether the name was packed in an alphabet that nobody noted: then it shows as boxes and lines."""
    return not info.flag_bits & UTF8 and any("\u2500" <= c <= "\u25ff" for part in parts for c in part)


def of_folder(source: Path) -> list[Entry]:
    found, count = [], Counter()
    for folder, folders, names in os.walk(source):
        places = {name: n for n, name in enumerate(sorted(folders + names), 1)}
        leaves = [d for d in folders if os.path.islink(os.path.join(folder, d)) or HARMFUL.search(d)]
        folders[:] = sorted(d for d in folders if d not in leaves and not JUNK.fullmatch(d))
        for name in sorted(names + leaves):
            path = Path(folder, name)
            parts = path.relative_to(source).parts
            count[parts[:2]] += 1
            if JUNK.fullmatch(name) or count[parts[:2]] > MOST_FILES_EACH:
                continue
            if HARMFUL.search(name):
                place = f"entry {places[name]} of {folder}"
                found.append(Entry(parts, path.lstat().st_mtime, problem=RENAME, nameless=place))
            else:
                found.append(on_disk(path, parts))
    return found


def on_disk(path: Path, parts: tuple[str, ...]) -> Entry:
    about = path.lstat()
    problem = "" if stat.S_ISREG(about.st_mode) else "a link or no regular file"
    return Entry(parts, about.st_mtime, about.st_size, lambda: open(path, "rb"), problem)


def read(entry: Entry, budget: Budget) -> Iterator[File]:
    """A notebook's bytes, a nested zip's entries, or why neither."""
    if entry.problem or entry.opened is None:
        yield entry.file(problem=entry.problem)
        return
    try:
        with entry.opened() as stream:
            head, named = stream.read(64), entry.last.lower()
            if head.startswith(b"PK\x03\x04") or (head.startswith(b"PK\x05\x06") and named.endswith(".zip")):
                yield from nested(entry, stream, head, budget)
            elif NOTEBOOK.match(head) or named.endswith(".ipynb"):
                yield entry.file(*budget.read(stream, head))
            else:
                yield entry.file(problem="no notebook")
    except zipfile.BadZipFile as error:
        yield entry.file(problem=f"damaged ({error})")
    except OSError as error:
        yield entry.file(problem=f"cannot be read: {error.strerror or type(error).__name__}")
    except BAD as error:
        yield entry.file(problem=f"damaged or encrypted ({type(error).__name__})")


def nested(entry: Entry, stream: BinaryIO, head: bytes, budget: Budget) -> Iterator[File]:
    """A zip that a student handed in: its entries, notebooks first, or one line."""
    budget.zips -= 1
    try:
        if entry.size > LARGEST_NESTED or len(entry.inside) > 8 or depth(entry) > DEEPEST or budget.zips < 0:
            raise ArchiveRefused("too large or too deeply nested")
        with SpooledTemporaryFile(1 << 20) as copy:
            size = copied(stream, head, copy)
            found = of_zip(zipped(copy), one_line(entry.last)[:120], entry.time, size)
            for one in sorted(found, key=lambda e: (not e.last.lower().endswith(".ipynb"), -e.time, e.path)):
                yield from read(replace(one, path=entry.path, inside=entry.inside + one.path), budget)
    except ArchiveRefused as refusal:
        yield entry.file(problem=f"a zip that was refused: {refusal}")


def depth(entry: Entry) -> int:
    return "".join(entry.path + entry.inside).lower().count(".zip")


def copied(stream: BinaryIO, head: bytes, copy) -> int:
    """How many bytes there are."""
    copy.write(head)
    while part := stream.read(1 << 20):
        copy.write(part)
        if copy.tell() > LARGEST_NESTED:
            raise ArchiveRefused("too large or too deeply nested")
    return copy.tell()


class Careful:
    """A zip's stream that refuses to read a table of contents larger than `most` bytes at once."""

    def __init__(self, stream, most: int):
        self.stream, self.most = stream, most

    def read(self, size=-1):
        if size is not None and size > self.most:
            raise ArchiveRefused("its table of contents is too large")
        return self.stream.read(size)

    def seek(self, *place):
        return self.stream.seek(*place)

    def tell(self):
        return self.stream.tell()

    def seekable(self):
        return True


def zipped(stream: BinaryIO) -> zipfile.ZipFile:
    """Raises ArchiveRefused where it is no sane zip."""
    careful = Careful(stream, LARGEST_DIRECTORY)
    try:
        archive = zipfile.ZipFile(careful)
    except ArchiveRefused:
        raise
    except BAD as error:
        raise ArchiveRefused(
            f"no readable zip ({str(error)[:60] or type(error).__name__}): cut off on the way? Download it again"
        ) from None
    careful.most = LARGEST_NESTED
    return archive


def members(archive: zipfile.ZipFile, name: str, size: int | None = None) -> list[tuple[str, zipfile.ZipInfo]]:
    """Each member after its place, "entry 17 of hw1.zip". `size`: of a student's own. Raises ArchiveRefused."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise ArchiveRefused(f"holds {len(infos)} files, more than {MOST_FILES}")
    unpacked = sum(info.file_size for info in infos)
    if size is not None and unpacked > HARMLESS and unpacked > RATIO * size:
        raise ArchiveRefused(f"a zip bomb: {size / 1e6:.1f} MB that unpack to {unpacked / 1e6:.0f} MB")
    placed = [(f"entry {number} of {name}", info) for number, info in enumerate(infos, 1)]
    for place, info in placed:
        if problem := outside(info.filename) or (special(info) if size is not None else ""):
            shown = place if HARMFUL.search(info.filename) else one_line(info.filename)[:120]
            raise ArchiveRefused(f"{shown}: {problem}")
    return placed


def outside(name: str) -> str:
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    return "a path that leads outside (..)" if ".." in re.split(r"[/\\]", name) else ""


def special(info: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or no regular file"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed in an unusual way; unpack it yourself and collect the folder"
    return ""


def when(info: zipfile.ZipInfo, today: float) -> float:
    """The time of a member; the archive's where it has none."""
    try:
        made = time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError, TypeError):
        return today
    return min(made, time.time()) if info.date_time[0] > 1980 else today
