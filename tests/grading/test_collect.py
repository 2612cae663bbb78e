"""Collecting: downloads of three platforms, folders, several attempts, and archives that nobody should open."""

import io
import json
import os
import shutil
import time
import zipfile

import pytest

from grading.collecting import anonymise, archive, collect, roster
from grading.course import CHECKOUT, Course, CourseError

NAME = "00_flows_recap"


def notebook(mark: str = "", exercise: str = "batch_jacobian") -> bytes:
    cell = {"cell_type": "code", "id": exercise, "metadata": {}, "source": f"def {exercise}(f, x): pass  # {mark}"}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


OTHER = notebook(exercise="e_step")


def zipped(entries: dict[str, bytes], day: int = 1) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for place, (name, data) in enumerate(entries.items()):
            file.writestr(zipfile.ZipInfo(name, (2025, 3, day, 10, place % 60, 0)), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


@pytest.fixture
def room(tmp_path):
    shutil.copytree(CHECKOUT / "course", tmp_path / "room" / "course")
    return Course(tmp_path / "room")


@pytest.fixture
def take(room, tmp_path):
    def taken(entries, name="download.zip"):
        path = tmp_path / name
        path.write_bytes(entries if isinstance(entries, bytes) else zipped(entries))
        return collect.collect(room, path, NAME)

    return taken


def held(room) -> dict[str, bytes]:
    return {s: files[-1].read_bytes() for s, files in room.submissions(NAME).items()}


def status(made) -> dict[str, str]:
    return {row["student"]: row["status"] for row in made.students}


def test_moodle(take, room):
    made = take(
        {
            "Ada Lovelace_101_assignsubmission_file_/flows_recap.ipynb": notebook("ada"),
            "Émile Noël_102_assignsubmission_file_/Copy of my work (2).ipynb": notebook("emile"),
            "Bo_Li_103_assignsubmission_file_hw.json": notebook("bo"),
            "Cy Text_104_assignsubmission_onlinetext_/onlinetext.html": b"<p>sorry</p>",
        }
    )
    assert made.platform == "Moodle"
    assert held(room) == {"Ada Lovelace": notebook("ada"), "Émile Noël": notebook("emile"), "Bo_Li": notebook("bo")}
    assert status(made)["Cy Text"] == "nothing"
    assert "Cy Text" in made.problems[0]
    assert roster.load(room)["Ada Lovelace"]["moodle"] == {NAME: "101"}


def test_canvas_newest_attempt_and_late(take, room):
    made = take(
        {
            "lovelaceada_7_901_flows-1.ipynb": notebook("second"),
            "lovelaceada_7_900_flows.ipynb": notebook("first"),
            "noelemile_LATE_8_850_flows_recap.ipynb": notebook("late"),
        }
    )
    assert made.platform == "Canvas"
    assert held(room) == {"lovelaceada": notebook("second"), "noelemile": notebook("late")}
    assert {row["student"]: row["late"] for row in made.students} == {"lovelaceada": False, "noelemile": True}
    noel = roster.load(room)["noelemile"]
    assert (noel["canvas"], noel["late"]) == ("8", [NAME])
    assert noel["handed"][NAME]["file"] == "noelemile_LATE_8_850_flows_recap.ipynb"
    assert noel["handed"][NAME]["upload"] == "850"
    assert roster.load(room)["lovelaceada"]["handed"][NAME]["upload"] == "901"
    take({"lovelaceada_7_899_flows.ipynb": notebook("older")}, "again.zip")
    assert roster.load(room)["lovelaceada"]["handed"][NAME]["upload"] == "901"  # what lies in submitted/


def test_canvas_namesakes_stay_apart(take, room):
    made = take({"liwei_1_10_a.ipynb": notebook("one"), "liwei_2_11_a.ipynb": notebook("two")})
    assert held(room) == {"liwei_1": notebook("one"), "liwei_2": notebook("two")}
    assert "2 students are called 'liwei'" in made.problems[0]


GRADESCOPE = b"""---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0042'
    :email: ada@example.org
  - :name: Bo Li
    :email: bo@example.org
  :created_at: 2025-01-01 10:00:00.0 Z
  :score: 0.0
submission_12:
  :submitters:
  - :name: Cy Young
    :email: cy@example.org
"""


def test_gradescope_and_groups(take, room):
    top = "assignment_5_export/"
    made = take(
        {
            top + "submission_metadata.yml": GRADESCOPE,
            top + "submission_11/flows_recap.ipynb": notebook("group"),
            top + "submission_12/deep/er/x.ipynb": notebook("cy"),
            top + "submission_12/submission_metadata.yml": b"submission_12: {':submitters': [{':name': Ada Lovelace}]}",
            top + "submission_13/x.ipynb": notebook("unlisted"),
        }
    )
    assert made.platform == "Gradescope"
    expected = {"Ada Lovelace": "group", "Bo Li": "group", "Cy Young": "cy", "submission_13": "unlisted"}
    assert held(room) == {student: notebook(mark) for student, mark in expected.items()}
    assert roster.load(room)["Ada Lovelace"]["sid"] == "0042"


def test_plain_folder_links_and_other_assignments(room, tmp_path):
    source = tmp_path / "class"
    (source / "ann").mkdir(parents=True)
    (source / "ann" / "wrong name.ipynb").write_bytes(notebook("ann"))
    (source / "ann" / ".ipynb_checkpoints").mkdir()
    (source / "ann" / ".ipynb_checkpoints" / "x.ipynb").write_bytes(notebook("checkpoint"))
    (source / "bob.ipynb").write_bytes(OTHER)
    (source / "cat.ipynb").symlink_to("/etc/hostname")
    (source / "readme.txt").write_text("hello")
    made = collect.collect(room, source, NAME)
    assert held(room) == {"ann": notebook("ann")}
    assert status(made) == {"ann": "new", "bob": "nothing", "cat": "nothing"}
    assert ("bob.ipynb", f"a notebook of 04_em_algorithm, not of {NAME}") in made.skipped
    assert ("readme.txt", "no notebook") in made.skipped


def test_newest_of_a_student(take, room):
    entries = {"ann/old.ipynb": notebook("old"), "ann/new.ipynb": notebook("new"), "bob/x.ipynb": notebook("bob")}
    assert take(entries).students[0]["attempts"] == 2
    assert held(room)["ann"] == notebook("new")


def test_a_broken_newer_file_does_not_hide_a_good_one(take, room):
    entries = {"ann/good.ipynb": notebook("good"), "ann/cut.ipynb": notebook("good")[:50], "bob.ipynb": b'{"cut'}
    made = take(entries)
    assert held(room) == {"ann": notebook("good"), "bob": b'{"cut'}
    assert len(made.problems) == 1
    assert "taken as it is" in made.problems[0]


def test_again_and_again(take, room):
    first = {"ann.ipynb": notebook("1"), "bob.ipynb": notebook("1")}
    take(zipped(first, day=2))
    assert status(take(zipped(first, day=2))) == {"ann": "unchanged", "bob": "unchanged"}
    assert status(take(zipped({"ann.ipynb": notebook("0")}, day=1), "ann.zip")) == {"ann": "older"}
    assert status(take(zipped({"ann.ipynb": notebook("2")}, day=3))) == {"ann": "newer"}
    assert held(room) == {"ann": notebook("2"), "bob": notebook("1")}


def from_colab() -> dict:
    """A notebook as Colab saves it, its student's account in three places."""
    made = json.loads(notebook("ada"))
    user = {"displayName": "Ada Lovelace", "userId": "0123456789"}
    made["cells"][0]["metadata"] = {"id": "xyz", "executionInfo": {"status": "ok", "user": user}}
    about = {"provenance": [{"file_id": "1aDa", "timestamp": 1}], "authorship_tag": "ABXada", "name": "ada.ipynb"}
    authors = [{"name": "Ada Lovelace"}]
    made["metadata"] = {"colab": about, "authors": authors, "kernelspec": {"name": "python3"}}
    return made


def test_an_account_is_not_stored(take, room):
    download = {"ada_l/flows_recap.ipynb": json.dumps(from_colab()).encode()}
    assert status(take(download)) == {"ada_l": "new"}
    (data,) = held(room).values()
    assert not any(word in data for word in (b"Lovelace", b"0123456789", b"1aDa", b"ABXada", b"executionInfo"))
    kept = from_colab()
    kept["cells"][0]["metadata"] = {"id": "xyz"}
    kept["metadata"] = {"kernelspec": {"name": "python3"}}
    assert json.loads(data) == kept
    assert status(take(download)) == {"ada_l": "unchanged"}


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"cells": 3}', b'{"cells": [4], "metadata": []}', b'\xff{"a": 1}']
)
def test_what_is_no_notebook_is_stored_as_it_came(data):
    assert anonymise.removed(data) == data


def test_a_file_does_not_grow():
    packed = json.dumps(from_colab() | {"more": [*range(100), "é\n"]}, ensure_ascii=False, separators=(",", ":"))
    assert len(anonymise.removed(packed.encode())) < len(packed.encode())


def test_half_a_surrogate_survives_the_rewriting():
    made = from_colab() | {"metadata": {"title": "\ud800"}}
    assert json.loads(anonymise.removed(json.dumps(made).encode()))["metadata"]["title"] == "\ud800"


def test_missing_are_those_known_from_other_assignments(take, room):
    other = room.submitted / "zoe" / "04_em_algorithm" / "em_algorithm.ipynb"
    other.parent.mkdir(parents=True)
    other.write_bytes(OTHER)
    assert take({"ann.ipynb": notebook()}).missing == ["zoe"]


def test_nested_zips(take, room):
    inner = zipped({"work/flows.ipynb": notebook("zip")})
    take({"Ada L_1_assignsubmission_file_/hw.zip": inner, "Bo L_2_assignsubmission_file_/x.ipynb": notebook("bo")})
    assert held(room) == {"Ada L": notebook("zip"), "Bo L": notebook("bo")}


def test_a_download_in_a_zip(take, room):
    assert take({"all.zip": zipped({"Ada L_1_assignsubmission_file_/x.ipynb": notebook()})}).platform == "Moodle"
    assert set(held(room)) == {"Ada L"}


def test_nobody_hands_in_for_another(take, room):
    evil = zipped({"Bo L_2_assignsubmission_file_/x.ipynb": notebook("evil")})
    take(
        {
            "Ada L_1_assignsubmission_file_/hw.zip": evil,
            "Ada L_1_assignsubmission_file_Bo L_2_assignsubmission_file_x.ipynb": notebook("evil too"),
            "Bo L_2_assignsubmission_file_/x.ipynb": notebook("bo"),
        }
    )
    assert held(room)["Bo L"] == notebook("bo")
    assert set(held(room)) == {"Ada L", "Bo L"}


def link() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        info = zipfile.ZipInfo("ann.ipynb")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    return made.getvalue()


def bomb() -> bytes:
    return zipped({f"s{i}.ipynb": b"{" + bytes(60_000_000) for i in range(2)})


def many() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for i in range(archive.MOST_FILES + 1):
            file.writestr(f"{i}.ipynb", b"")
    return made.getvalue()


def long_directory() -> bytes:
    data = bytearray(zipped({"a.ipynb": notebook()}))
    data[-10:-6] = (0x7FFFFFFF).to_bytes(4, "little")
    return bytes(data)


HOSTILE = {
    "outside": lambda: zipped({"../../evil.ipynb": notebook(), "ann.ipynb": notebook()}),
    "outside, for Windows": lambda: zipped({"..\\evil.ipynb": notebook()}),
    "absolute": lambda: zipped({"/tmp/evil.ipynb": notebook()}),
    "a drive": lambda: zipped({"C:evil.ipynb": notebook()}),
    "a link": link,
    "a bomb": bomb,
    "many files": many,
    "a long directory": long_directory,
    "no zip": lambda: b"PK\x03\x04 but not really",
    "text": lambda: b"hello",
    "nothing": lambda: b"",
    "cut off": lambda: zipped({"ann.ipynb": notebook()})[:-30],
    "empty": lambda: zipped({}),
    "no notebook of it": lambda: zipped({"readme.txt": b"hello"}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_are_refused_in_one_line(case, take, room):
    started = time.monotonic()
    with pytest.raises(archive.ArchiveRefused) as refusal:
        take(HOSTILE[case]())
    assert len(str(refusal.value).splitlines()) == 1
    assert not room.submitted.exists()
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("case", [c for c in HOSTILE if c not in ("text", "nothing", "empty", "no notebook of it")])
def test_a_students_hostile_zip_stops_nobody_else(case, take, room):
    made = take({"ann.ipynb": notebook("ann"), "eve.zip": HOSTILE[case]()})
    assert held(room) == {"ann": notebook("ann")}
    assert status(made)["eve"] == "nothing"
    assert any(name.startswith("eve.zip") and "refused" in reason for name, reason in made.skipped)


def test_large_files_and_deep_nesting_are_skipped(take, room):
    deep = zipped({"x.ipynb": notebook()})
    for _ in range(5):
        deep = zipped({"a.zip": deep})
    large = b"{" + os.urandom(20_100_000)
    made = take({"ann.ipynb": notebook(), "eve.zip": deep, "fay.ipynb": large})
    assert set(held(room)) == {"ann"}
    reasons = " ".join(reason for _, reason in made.skipped)
    assert "larger than 20 MB" in reasons
    assert "deeply nested" in reasons


@pytest.mark.parametrize("name", ["nowhere.zip", "folder/that/is/not"])
def test_a_missing_path_is_wrong_usage(name, room, tmp_path):
    with pytest.raises(CourseError, match="no file or folder"):
        collect.collect(room, tmp_path / name, NAME)


@pytest.mark.parametrize("name", [".", "..", "course", f"course/{NAME}", "solutions", "grading/submitted"])
def test_the_courses_own_folders_are_nobodys_work(name, take, room):
    """`collect .` once handed the solutions in."""
    take({"Ann_1_assignsubmission_file_/a.ipynb": notebook()})
    (room.solutions / NAME).mkdir(parents=True)
    (room.solutions / NAME / "flows_recap.ipynb").write_bytes(notebook("solved"))
    with pytest.raises(CourseError, match="is the course's own; give the zip or the folder that you downloaded"):
        collect.collect(room, room.root / name, NAME)
    assert set(held(room)) == {"Ann"}


def test_names_that_are_no_folders(take, room):
    take({f"{'x' * 300}_1_assignsubmission_file_/a.ipynb": notebook("long")})
    assert all(len(student.encode()) <= 200 for student in held(room))
