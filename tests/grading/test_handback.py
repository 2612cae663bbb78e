"""Pages in one zip, under the names that each platform looks for; who has none is named."""

import zipfile

import pytest

from grading import cli
from grading.collecting import roster
from grading.judging import results
from grading.publishing import feedback, handback

from . import synthetic
from .synthetic import NAME, verdict

PAGE = "forward_reverse_kl.html"
CLASS = {
    "Ann Li": {
        "name": "Ann Li",
        "moodle": {NAME: "4711"},
        "canvas": "7",
        "handed": {NAME: {"file": "liann_LATE_7_901_kl-2.ipynb", "time": "2026-11-24T13:05", "upload": "901"}},
        "late": [NAME],
    },
    "bo": {"name": "a/b\\..", "moodle": {NAME: "4712"}},
}


@pytest.fixture
def room(tmp_path):
    room = synthetic.released(tmp_path)
    synthetic.on_file(room, [verdict("Ann Li"), verdict("bo"), verdict("cy")])
    roster.save(room, CLASS)
    return room


@pytest.mark.parametrize(
    ("form", "names", "left"),
    [
        ("moodle", [f"Ann Li_4711_assignsubmission_file_/{PAGE}", f"a-b-.._4712_assignsubmission_file_/{PAGE}"], "cy"),
        ("canvas", ["liann_LATE_7_901_kl-2.html"], "bo, cy"),
    ],
)
def test_the_names_that_a_platform_looks_for(room, form, names, left, capsys):
    assert cli.main(["feedback", "--zip", form, "--course", str(room.root)]) == 0
    path = room.data / "exports" / f"{NAME}_feedback.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == names
        assert b"liann_LATE_7_901_kl-2.ipynb, 2026-11-24 13:05, late" in archive.read(names[0])
    assert f"know their files: {left};" in " ".join(capsys.readouterr().err.split())


def test_the_same_pages_make_the_same_zip(room):
    found = results.wanted(room, [])
    feedback.feedback(room, found)
    first, again = (handback.zipped(room, found, "moodle")[0][0].read_bytes() for _ in range(2))
    assert first == again
