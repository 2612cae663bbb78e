"""A student's picture, taken apart and put together from what makes the picture: PNG by chunks, JPEG by segments.

Nothing is decoded here. What is left out: comments, profiles, thumbnails, places, whatever follows the end. A
photograph keeps which side is up.
"""

import base64
import math
import struct
import zlib
from collections.abc import Iterator

LARGEST_SIDE = 12_000
MOST_PIXELS = 60_000_000
LARGEST = 10_000_000
PNG = b"\x89PNG\r\n\x1a\n"
CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
JPEG = b"\xff\xd8"
EOI, SOS = 0xD9, 0xDA
FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
TABLES = (0xC4, 0xDB, 0xDD)  # Huffman, quantisation, restart interval
EXIF = b"Exif\0\0"


def rebuilt(data: bytes) -> tuple[str, bytes]:
    """`(type, bytes)` of a PNG or a JPEG by what it is, whatever it is called; `("", b"")` where it is neither."""
    for kind, start, build in (("image/png", PNG, png), ("image/jpeg", JPEG, jpeg)):
        if data.startswith(start) and len(data) <= LARGEST:
            made = build(data)
            return (kind, made) if made else ("", b"")
    return "", b""


def pixels(made: bytes) -> int:
    """How many a picture of `rebuilt` has: a browser holds four bytes of each, however small its file is."""
    if made.startswith(PNG):
        return math.prod(struct.unpack_from(">II", made, 16))
    return next(
        math.prod(struct.unpack_from(">HH", body, 1)) for marker, body, _ in segmented(made) if marker in FRAMES
    )


def attached(value: object) -> tuple[str, bytes]:
    """The picture in base64 of a notebook's output or attachment: a text, or a list of lines."""
    lines = value if isinstance(value, list) else [value]
    if not all(isinstance(line, str) for line in lines):
        return "", b""
    try:
        return rebuilt(base64.b64decode("".join("".join(lines).split()), validate=True))
    except ValueError:
        return "", b""


def png(data: bytes) -> bytes:
    """A PNG of nothing but its picture; empty where it is none or damaged."""
    try:
        chunks = list(taken_apart(data))
        kinds = [kind for kind, _ in chunks]
        whole = kinds[:1] == [b"IHDR"] and kinds.count(b"IHDR") == 1 and b"IDAT" in kinds and kinds[-1] == b"IEND"
        fits = whole and len(chunks[0][1]) == 25 and shows(*struct.unpack_from(">II", chunks[0][1], 8))
    except (ValueError, struct.error):
        return b""
    return PNG + b"".join(raw for _, raw in chunks) if fits else b""


def taken_apart(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """`(kind, bytes)` of the chunks that make the picture, to its end. Raises ValueError, struct.error."""
    if not data.startswith(PNG):
        raise ValueError("no PNG")
    at, kind = len(PNG), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if struct.unpack_from(">I", data, end)[0] != zlib.crc32(data[at + 4 : end]):
            raise ValueError("a damaged PNG")
        if kind in CHUNKS:
            yield kind, data[at : end + 4]
        at = end + 4


def jpeg(data: bytes) -> bytes:
    """A JPEG of nothing but its picture, and which side is up; empty where it is none or damaged."""
    try:
        segments = list(segmented(data))
        sizes = [struct.unpack_from(">HH", body, 1)[::-1] for marker, body, _ in segments if marker in FRAMES]
    except (ValueError, struct.error, IndexError):
        return b""
    if len(sizes) != 1 or not shows(*sizes[0]) or SOS not in [marker for marker, _, _ in segments]:
        return b""
    kept = [JPEG]
    for marker, body, scan in segments:
        if marker in (*FRAMES, *TABLES, SOS):
            kept += [segment(marker, body), scan]
        elif marker == 0xE1 and (turned := orientation(body)) > 1:
            kept.append(segment(0xE1, EXIF + struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x112, 3, 1, turned, 0, 0)))
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) == 12:  # how its colours are to be read
            kept.append(segment(marker, body))
    return b"".join([*kept, b"\xff\xd9"])


def segmented(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """`(marker, body, scan)` to the end of the picture. Raises ValueError, struct.error, IndexError."""
    at = len(JPEG)
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        if marker == EOI:
            return
        if marker < 0xC0 or 0xD0 <= marker <= 0xD8:
            raise ValueError("a marker that stands alone")
        (length,) = struct.unpack_from(">H", data, at + 2)
        body, after = data[at + 4 : at + 2 + length], at + 2 + length
        if length < 2 or after > len(data):
            raise ValueError("cut off")
        at = scanned(data, after) if marker == SOS else after
        yield marker, body, data[after:at]


def scanned(data: bytes, at: int) -> int:
    """Where the entropy-coded bytes from `at` end: at the first marker that is neither stuffing nor a restart."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def orientation(body: bytes) -> int:
    """Exif's orientation, 1 to 8, from its first directory; 1 where there is none."""
    if not body.startswith(EXIF) or body[6:8] not in (b"MM", b"II"):
        return 1
    order = ">" if body[6:8] == b"MM" else "<"
    try:
        (start,) = struct.unpack_from(f"{order}I", body, 10)
        (count,) = struct.unpack_from(f"{order}H", body, 6 + start)
        for entry in range(min(count, 100)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", body, 8 + start + 12 * entry)
            if tag == 0x112:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def shows(width: int, height: int) -> bool:
    """A size that a browser can show."""
    return 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE and width * height <= MOST_PIXELS
