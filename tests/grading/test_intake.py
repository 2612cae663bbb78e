"""Malformed files: each is refused in one line."""

import json
import os

import pytest

from grading import intake

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
    "a cell of unknown type": (notebook(cells=[{"cell_type": "heading", "source": ""}]), "cell 1"),
    "a source of numbers": (notebook(cells=[{"cell_type": "code", "source": [1]}]), "cell 1 has no text"),
    "UTF-16": (notebook().decode().encode("utf-16"), "no valid JSON"),
    "21 MB": (notebook(padding="x" * 21_000_000), "larger than 20 MB"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_is_refused_in_one_line(name):
    data, reason = MALFORMED[name]
    with pytest.raises(intake.Refused, match=reason) as refusal:
        intake.cells(data)
    assert "\n" not in str(refusal.value)


def test_untidy_metadata_is_no_reason_to_refuse():
    cells = [{"cell_type": "code", "source": ["a\r\n", "b"], "metadata": 7, "id": 3}, {"cell_type": "raw"}]
    read = intake.cells(b"\xef\xbb\xbf" + notebook(cells=cells))
    assert [cell.source for cell in read] == ["a\nb", ""]
    assert read[0].ids == ()


def test_lone_surrogates_become_text():
    assert intake.cells(notebook(cells=[{"cell_type": "code", "source": "x = '\ud800'"}]))[0].source == "x = '?'"


def test_links_folders_pipes_and_large_files_are_refused(tmp_path):
    real = tmp_path / "real.ipynb"
    real.write_bytes(notebook())
    (tmp_path / "link.ipynb").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "large.ipynb").write_bytes(bytes(intake.LARGEST + 1))
    assert intake.read(real) == notebook()
    for name, reason in (
        ("link", "a link"),
        ("pipe", "not a regular"),
        ("folder", "not a regular"),
        ("large", "larger"),
    ):
        with pytest.raises(intake.Refused, match=reason):
            intake.read(tmp_path / f"{name}.ipynb")
