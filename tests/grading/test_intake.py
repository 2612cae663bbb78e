"""Malformed files: each is refused in one line."""

import json
import os

import pytest

from grading.notebook import parse

from . import classroom


def notebook(**change) -> bytes:
    return json.dumps(classroom.released() | change).encode()


MALFORMED = {
    "empty": (b"", "empty"),
    "white space": (b" \n", "empty"),
    "no JSON": (b"hello", "no valid JSON"),
    "cut off": (notebook()[:-40], "no valid JSON"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + bytes(100), "no valid JSON"),
    "a list": (b"[1, 2]", "not a Jupyter notebook"),
    "an empty object": (b"{}", "not a Jupyter notebook"),
    "a number": (b"1" * 10_000, "no valid JSON"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "too deeply"),
    "deep after an escaped quote": (b'["\\"",' + b"[" * 1000, "too deeply"),
    "format 3": (notebook(nbformat=3), "format 3"),
    "format None": (notebook(nbformat=None), "format None"),
    "no cells": (notebook(cells={}), "list of at most"),
    "too many cells": (notebook(cells=[{"cell_type": "raw"}] * 1001), "list of at most"),
    "a cell is a string": (notebook(cells=["x"]), "cell 1 is of no known type"),
    "a cell of no type": (notebook(cells=[{"source": ""}]), "cell 1 is of no known type"),
    "a damaged format 3": (notebook(nbformat=3, worksheets=7), "a damaged notebook of format 3"),
    "a source of numbers": (notebook(cells=[{"cell_type": "code", "source": [1]}]), "cell 1 has no text"),
    "an encoding of its own": (notebook().replace(b"{", b"\x81{", 1), "UTF-8"),
    "21 MB": (notebook(padding="x" * 21_000_000), "larger than 20 MB"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_is_refused_in_one_line(name):
    data, reason = MALFORMED[name]
    with pytest.raises(parse.Refused, match=reason) as refusal:
        parse.cells(data)
    assert "\n" not in str(refusal.value)


def test_untidy_metadata_is_no_reason_to_refuse():
    cells = [{"cell_type": "code", "source": ["a\r\n", "b"], "metadata": 7, "id": 3}, {"cell_type": "raw"}]
    read = parse.cells(b"\xef\xbb\xbf" + notebook(cells=cells))
    assert [cell.source for cell in read] == ["a\nb", ""]
    assert read[0].ids == ()


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_editors_encoding_is_read(encoding):
    cells = [{"cell_type": "markdown", "source": "Müller – log|det J|"}]
    text = json.dumps(classroom.released() | {"cells": cells}, ensure_ascii=False)
    assert [cell.source for cell in parse.cells(text.encode(encoding))] == ["Müller – log|det J|"]


def test_a_cell_of_a_foreign_type_is_kept_as_text():
    cells = [{"cell_type": "heading", "level": 2, "source": "Notes"}, {"cell_type": "code", "source": "x = 1"}]
    assert [(c.kind, c.source) for c in parse.cells(notebook(cells=cells))] == [("raw", "Notes"), ("code", "x = 1")]


@pytest.mark.parametrize("version", [3, 2, "4"])
def test_older_formats_are_upgraded(version):
    lines = ["a", "b"] if version == 2 else ["a\n", "b"]  # as nbformat writes them to a file
    code = {"cell_type": "code", "language": "python", "collapsed": False, "input": lines, "outputs": []}
    cells = [code, {"cell_type": "markdown", "source": "text", "metadata": {}}]
    old = {"metadata": {"name": ""}, "nbformat": version, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}
    if version == "4":
        old |= {"cells": [{"cell_type": "code", "source": "a\nb"}, {"cell_type": "markdown", "source": "text"}]}
    read = [(c.kind, c.source) for c in parse.cells(json.dumps(old).encode())]
    assert read == [("code", "a\nb"), ("markdown", "text")]


def test_lone_surrogates_become_text():
    assert parse.cells(notebook(cells=[{"cell_type": "code", "source": "x = '\ud800'"}]))[0].source == "x = '?'"


def test_links_folders_pipes_and_large_files_are_refused(tmp_path):
    real = tmp_path / "real.ipynb"
    real.write_bytes(notebook())
    (tmp_path / "link.ipynb").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "large.ipynb").write_bytes(bytes(parse.LARGEST + 1))
    assert parse.read(real) == notebook()
    for name, reason in (
        ("link", "a link"),
        ("pipe", "not a regular"),
        ("folder", "not a regular"),
        ("large", "larger"),
    ):
        with pytest.raises(parse.Refused, match=reason):
            parse.read(tmp_path / f"{name}.ipynb")


PHOTO = "iVBORw0KGgo" * 300_000  # 3.3 MB
PASTED = {
    "Colab": ({"source": f"Proof: ![image.png](data:image/png;base64,{PHOTO})."}, "Proof: ![image.png](attachment:N)."),
    "Colab, resized": ({"source": f"<img src='data:image/jpeg;base64,{PHOTO}' width=\"400\"/>"}, "![](attachment:N)"),
    "a name in angles": (
        {"source": "![a b](<attachment:a b.png>)", "attachments": {"a b.png": {"image/png": PHOTO}}},
        "![a b](attachment:N)",
    ),
    "a blank encoded in the text alone": (
        {"source": "![a b](attachment:a%20b.png)", "attachments": {"a b.png": {"image/png": PHOTO}}},
        "![a b](attachment:N)",
    ),
    "a title": (
        {"source": '![a b](<attachment:a b.png> "page 1")', "attachments": {"a b.png": {"image/png": PHOTO}}},
        "![a b](attachment:N)",
    ),
    "an attachment resized": (
        {"source": '<img src="attachment:a b.png" width="400"/>', "attachments": {"a b.png": {"image/png": PHOTO}}},
        "![](attachment:N)",
    ),
    "Jupyter": (
        {"source": "![a b](attachment:a%20b.png)", "attachments": {"a%20b.png": {"image/png": PHOTO}}},
        "![a b](attachment:N)",
    ),
    "Jupyter, in lines": (
        {"source": "![a](attachment:a.png)", "attachments": {"a.png": {"image/png": [PHOTO[:9], PHOTO[9:]]}}},
        "![a](attachment:N)",
    ),
}


@pytest.mark.parametrize("name", PASTED)
def test_a_pasted_picture_is_no_text(name):
    """However a platform keeps it; the text is left with a name in its place."""
    about, source = PASTED[name]
    (cell,) = parse.cells(notebook(cells=[{"cell_type": "markdown", **about}]))
    assert cell.source == source.replace("N", "cell-1-1")
    assert cell.pictures == (("cell-1-1", PHOTO),)


@pytest.mark.parametrize("attachments", [3, {"a": 3}, {"a": {"image/png": {"b": 1}}}, {"a": {"text/html": "<b>"}}])
def test_attachments_of_no_picture(attachments):
    about = {"source": "![a](attachment:a)", "attachments": attachments}
    (cell,) = parse.cells(notebook(cells=[{"cell_type": "markdown", **about}]))
    assert all(isinstance(data, str) for _, data in cell.pictures)
