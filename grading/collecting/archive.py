"""What a download holds, read without unpacking it: a zip, zips in a zip, or a folder. Nothing is written anywhere.

The whole archive is refused for what no learning platform makes: links, names that lead outside, bombs. A zip inside it
is a student's: it is refused alone, and the rest goes on.
"""

import io
import os
import re
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..notebook.parse import LARGEST
from ..plaintext import HARMFUL, RENAME, one_line

MOST_FILES = 20_000
MOST_BYTES = 4_000_000_000
MOST_READ = 1_000_000_000
LARGEST_DIRECTORY = 8_000_000
LARGEST_NESTED = 100_000_000
DEEPEST = 3
RATIO, HARMLESS = 200, 100_000_000
JUNK = re.compile(r"__MACOSX|\.ipynb_checkpoints|\..*|~\$.*|Thumbs\.db|desktop\.ini|Icon\r", re.IGNORECASE)
BAD = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, OverflowError, struct.error)


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


def files(source: Path) -> list[File]:
    """All files of a folder or a zip but what systems leave behind. Raises ArchiveRefused."""
    return list(of_folder(source) if source.is_dir() else of_zip(source))


def of_zip(source: Path) -> Iterator[File]:
    with open(source, "rb") as stream:
        yield from Unzip(source.stat().st_mtime).outer(stream, source.name)


def of_folder(source: Path) -> Iterator[File]:
    count = 0
    for folder, folders, names in os.walk(source):
        places = {name: n for n, name in enumerate(sorted(folders + names), 1)}
        leaves = [d for d in folders if os.path.islink(os.path.join(folder, d)) or HARMFUL.search(d)]
        folders[:] = sorted(d for d in folders if d not in leaves and not JUNK.fullmatch(d))
        for name in sorted(names + leaves):
            count += 1
            if count > MOST_FILES:
                raise ArchiveRefused(f"{source}: more than {MOST_FILES} files; give the folder of one download")
            path = Path(folder, name)
            if HARMFUL.search(name) and not JUNK.fullmatch(name):
                place = f"entry {places[name]} of {folder}"
                yield File(path.relative_to(source).parts, (), path.lstat().st_mtime, problem=RENAME, nameless=place)
            elif not JUNK.fullmatch(name):
                yield from on_disk(path, path.relative_to(source).parts)


def on_disk(path: Path, parts: tuple[str, ...]) -> Iterator[File]:
    about = path.lstat()
    if not stat.S_ISREG(about.st_mode):
        yield File(parts, (), about.st_mtime, problem="a link or no regular file")
        return
    try:
        with open(path, "rb") as stream:
            yield from Unzip(about.st_mtime).entry(stream, about.st_size, parts, (), about.st_mtime)
    except OSError as error:
        yield File(parts, (), about.st_mtime, problem=f"cannot be read: {error.strerror}")


class Careful(io.RawIOBase):
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


class Unzip:
    """Reads one download. `today`: the time of files that carry none."""

    def __init__(self, today: float):
        self.today, self.left = today, MOST_READ

    def outer(self, stream, name: str) -> Iterator[File]:
        with opened(stream) as archive:
            for place, info in members(archive, name):
                yield from self.member(archive, info, place, (), nested=False)

    def member(self, archive, info, place: str, path, nested: bool, inside=()) -> Iterator[File]:
        parts = tuple(p for p in re.split(r"[/\\]", info.filename) if p not in ("", "."))
        if not parts or info.is_dir() or any(JUNK.fullmatch(part) for part in parts):
            return
        path, inside = (path, inside + parts) if nested else (parts, ())
        if HARMFUL.search(info.filename):
            yield File(path, inside, self.today, problem=RENAME, nameless=place)
            return
        try:
            with archive.open(info) as stream:
                yield from self.entry(stream, info.file_size, path, inside, self.when(info))
        except ArchiveRefused:
            raise
        except BAD as error:
            yield File(path, inside, self.today, problem=f"damaged or encrypted ({type(error).__name__})")

    def entry(self, stream, size: int, path, inside, when: float) -> Iterator[File]:
        """A notebook's bytes, a nested zip's entries, or why neither."""
        head = stream.read(64)
        named = (path + inside)[-1].lower()
        if head.startswith(b"PK\x03\x04") or (head.startswith(b"PK\x05\x06") and named.endswith(".zip")):
            yield from self.nested(stream, head, size, path, inside, when)
        elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or named.endswith((".ipynb", "metadata.yml")):
            data = head + self.rest(stream, LARGEST + 1)
            small = len(data) <= LARGEST
            problem = "" if small else f"larger than {LARGEST // 1_000_000} MB"
            yield File(path, inside, when, data if small else b"", problem)
        else:
            yield File(path, inside, when, problem="no notebook")

    def rest(self, stream, most: int) -> bytes:
        data = stream.read(min(most, self.left))
        self.left -= len(data)
        if self.left <= 0:
            raise ArchiveRefused(f"holds more than {MOST_READ // 10**6} MB of notebooks")
        return data

    def nested(self, stream, head: bytes, size: int, path, inside, when: float) -> Iterator[File]:
        """A zip that a student handed in: its entries, or one line."""
        found, problem = [], ""
        try:
            if size > LARGEST_NESTED or len(inside) > 8 or "".join(path + inside).lower().count(".zip") > DEEPEST:
                raise ArchiveRefused("too large or too deeply nested")
            data = head + self.rest(stream, LARGEST_NESTED)
            with opened(io.BytesIO(data), len(data)) as archive:
                for place, info in members(archive, (path + inside)[-1], len(data)):
                    found += self.member(archive, info, place, path, nested=True, inside=inside)
        except ArchiveRefused as refusal:
            problem = f"a zip that was refused: {refusal}"
        yield from [File(path, inside, when, problem=problem)] if problem else found

    def when(self, info) -> float:
        """The time of a member; the archive's where it has none."""
        try:
            made = time.mktime((*info.date_time, 0, 0, -1))
        except (ValueError, OverflowError, TypeError):
            return self.today
        return min(made, time.time()) if info.date_time[0] > 1980 else self.today


def opened(stream, size: int | None = None) -> zipfile.ZipFile:
    """Raises ArchiveRefused where it is no sane zip."""
    careful = Careful(stream, LARGEST_DIRECTORY)
    try:
        archive = zipfile.ZipFile(careful)
    except ArchiveRefused:
        raise
    except BAD as error:
        raise ArchiveRefused(f"no readable zip ({str(error)[:60] or type(error).__name__})") from None
    careful.most = max(MOST_READ, size or 0)
    return archive


def members(archive: zipfile.ZipFile, name: str, size: int | None = None) -> list[tuple[str, zipfile.ZipInfo]]:
    """Each member after its place, "entry 17 of hw1.zip", once all look harmless. Raises ArchiveRefused."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise ArchiveRefused(f"holds {len(infos)} files, more than {MOST_FILES}")
    packed = sum(info.compress_size for info in infos)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MOST_BYTES or (unpacked > HARMLESS and unpacked > RATIO * min(packed, size or packed)):
        raise ArchiveRefused(f"a zip bomb: {packed / 1e6:.1f} MB that unpack to {unpacked / 1e6:.0f} MB")
    placed = [(f"entry {number} of {name}", info) for number, info in enumerate(infos, 1)]
    for place, info in placed:
        if problem := harm(info):
            shown = place if HARMFUL.search(info.filename) else one_line(info.filename)[:120]
            raise ArchiveRefused(f"{shown}: {problem}")
    return placed


def harm(info: zipfile.ZipInfo) -> str:
    name = info.filename
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if ".." in re.split(r"[/\\]", name):
        return "a path that leads outside (..)"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or no regular file"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed in an unusual way; unpack it yourself and collect the folder"
    return ""
