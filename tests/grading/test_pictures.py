"""Pictures rebuilt from what makes them, against PIL: what is left shows the same, and nothing else is left."""

import base64
import io
import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from grading.judging import filed
from grading.judging.verdict import Status, Verdict
from grading.notebook import pictures, submission
from grading.notebook.parse import Cell
from grading.notebook.repair import Repaired

SECRET = b"secret words"


def photo(kind: str, mode: str = "RGB", size=(48, 20), **options) -> bytes:
    values = np.random.default_rng(0).integers(0, 255, (size[1], size[0], len(mode))).astype("uint8")
    image, made = Image.fromarray(values.squeeze(), mode), io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def turned(orientation: int, order: str) -> bytes:
    exif = Image.Exif()
    exif[0x112], exif[0x10E], exif.endian = orientation, SECRET.decode(), order
    return photo("JPEG", exif=exif)


def noted() -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_text("comment", SECRET.decode())
    return photo("PNG", pnginfo=about)


SHOWN = {
    "png": ("image/png", photo("PNG")),
    "grey": ("image/png", photo("PNG", "L")),
    "transparent": ("image/png", photo("PNG", "RGBA")),
    "a png with words": ("image/png", noted()),
    "jpeg": ("image/jpeg", photo("JPEG")),
    "grey jpeg": ("image/jpeg", photo("JPEG", "L")),
    "progressive": ("image/jpeg", photo("JPEG", progressive=True)),
    "print colours": ("image/jpeg", photo("JPEG", "CMYK")),
    "with restarts": ("image/jpeg", photo("JPEG", restart_marker_blocks=1)),
    "with a comment": ("image/jpeg", photo("JPEG", comment=SECRET)),
    "with a profile": ("image/jpeg", photo("JPEG", icc_profile=SECRET * 20)),
    "on its side": ("image/jpeg", turned(6, "<")),
    "upside down": ("image/jpeg", turned(3, ">")),
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_shows_the_same_and_holds_nothing_else(name):
    kind, data = SHOWN[name]
    found, made = pictures.rebuilt(data + SECRET)
    assert found == kind
    assert SECRET not in made
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(made))
    np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
    assert after.getexif().get(0x112, 1) == before.getexif().get(0x112, 1)
    assert pictures.rebuilt(made) == (kind, made)


@pytest.mark.parametrize("name", SHOWN)
def test_the_pixels_of_a_picture(name):
    assert pictures.pixels(pictures.rebuilt(SHOWN[name][1])[1]) == 48 * 20


def test_pictures_of_few_bytes_and_many_pixels_are_kept_as_far_as_a_browser_can_hold_them(monkeypatch):
    monkeypatch.setattr(submission, "MOST_PIXELS", 3 * 48 * 20)
    drawn = tuple((f"cell-1-{n}", base64.b64encode(SHOWN["png"][1]).decode()) for n in range(1, 6))
    proof = Cell("markdown", "\n".join(f"![](attachment:{name})" for name, _ in drawn), pictures=drawn)
    made = Repaired((), {"proof": proof.source}, frozenset(), frozenset(["proof"]), {})
    assert list(submission.named([proof], made)) == ["cell-1-1", "cell-1-2", "cell-1-3"]


def test_so_are_the_figures_of_a_notebook(monkeypatch):
    monkeypatch.setattr(filed, "MOST_PIXELS", 3 * 48 * 20)
    figures = tuple(submission.Output(cell, png=SHOWN["png"][1], exercises=("a",)) for cell in range(1, 6))
    made = submission.Submission(Repaired((), {}, frozenset(), frozenset(), {}), figures)
    whole, drawn = filed.keep(made, Verdict("ann", "a", Status.GRADED))
    assert [row["cell"] for row in whole.outputs if row["picture"] is not None] == [3, 4, 5]
    assert len(drawn["figures"]) == 3


JPEG = SHOWN["jpeg"][1]
NONE = {
    "nothing": b"",
    "text": b"<svg onload='alert(1)'/>",
    "a gif": b"GIF89a" + bytes(40),
    "a webpage after a signature": pictures.PNG + b"<html><script>alert(1)</script>",
    "a cut png": SHOWN["png"][1][:-20],
    "a cut jpeg": JPEG[:-30],
    "a jpeg of tables": JPEG[:2] + b"\xff\xd9",
    "a segment too long": JPEG[:2] + b"\xff\xdb\xff\xff" + JPEG[6:],
    "a segment too short": JPEG[:2] + b"\xff\xdb\x00\x01" + JPEG[6:],
    "no marker": JPEG[:2] + b"\x00" + JPEG[2:],
    "filling without end": JPEG[:2] + b"\xff" * 1000,
    "a huge jpeg": JPEG.replace(struct.pack(">HH", 20, 48), struct.pack(">HH", 65000, 65000)),
    "too many bytes": JPEG + bytes(pictures.LARGEST),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_picture_is_none(name):
    assert pictures.rebuilt(NONE[name]) == ("", b"")


def test_the_picture_of_a_notebook_is_base64_in_one_text_or_in_lines():
    text = base64.b64encode(JPEG).decode()
    assert (
        pictures.attached(text)
        == pictures.attached([text[:40] + "\n", text[40:]])
        == ("image/jpeg", pictures.jpeg(JPEG))
    )
    for value in (None, 3, [1], text + "!", "<svg>", {"a": 1}):
        assert pictures.attached(value) == ("", b"")


def test_every_cut_and_every_changed_byte_ends_in_a_picture_or_in_none():
    for at in range(0, len(JPEG), 7):
        for data in (JPEG[:at], JPEG[:at] + b"\xff" + JPEG[at + 1 :], JPEG[:at] + b"\x00" + JPEG[at + 1 :]):
            kind, made = pictures.rebuilt(data)
            assert (kind, made[:2]) in (("", b""), ("image/jpeg", b"\xff\xd8"))
