"""The class, from what learning platforms export."""

import pytest

from grading.collecting import classlist, roster
from grading.course import CourseError

from .test_collect import NAME, held, notebook, room, take, zipped  # noqa: F401

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,00 flows (77)
    Points Possible,,,,,20
"Lovelace, Ada",11,s1,alove,A,
"García López, Wes",12,s2,wgarcia,A,18
"Student, Test",99,,deadbeef,A,
"""
MOODLE = """First name,Last name,ID number,Institution,Department,Email address,Assignment: 00 (Real),Last downloaded
Ada,Lovelace,s1,,,ada@uni.example,-,1790000000
Wes,García López,s2,,,wes@uni.example,-,1790000000
"""
OWN = f"""name;login;github;excused;extended
Ada Lovelace;alove;gh-ada;{NAME};
Wes García López;wgarcia;gh-wes;;{NAME}=2026-12-01
"""
WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade
Participant 6001,John Smith,j1@uni.example,Submitted,,20
Participant 6002,John Smith,j2@uni.example,Submitted,,20
"""


@pytest.fixture
def listed(room, tmp_path):  # noqa: F811
    def taken(text: str | bytes, assignment: str = ""):
        (tmp_path / "class.csv").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8-sig"))
        return classlist.take(room, tmp_path / "class.csv", assignment)

    return taken


@pytest.mark.parametrize("text", [CANVAS, MOODLE, OWN])
def test_every_list_gives_the_same_people(listed, text):
    assert listed(text) == (["Ada Lovelace", "Wes García López"], [])


def test_lists_add_up(listed, room):  # noqa: F811
    for text in (CANVAS, MOODLE, OWN, CANVAS):
        listed(text)
    entry = roster.load(room)["Ada Lovelace"]
    assert entry["canvas"] == "11"
    assert (entry["login"], entry["email"], entry["github"]) == ("alove", "ada@uni.example", "gh-ada")
    assert entry["excused"] == [NAME]
    assert roster.load(room)["Wes García López"]["extended"] == {NAME: "2026-12-01"}


def test_logins_and_turned_names_find_their_people(listed, take, room):  # noqa: F811
    for text in (CANVAS, MOODLE, OWN):
        listed(text)
    take({"alove.ipynb": notebook("ada"), "García López Wes.ipynb": notebook("wes")})
    assert held(room) == {"Ada Lovelace": notebook("ada"), "Wes García López": notebook("wes")}
    take({"lovelaceada_11_5_x.ipynb": notebook("ada"), "garcíalópezwes_12_6_x.ipynb": notebook("wes")}, "canvas.zip")
    assert set(roster.load(room)) == {"Ada Lovelace", "Wes García López"}


def test_the_list_after_the_download_names_those_who_are_there(listed, take, room):  # noqa: F811
    take({"lovelaceada_11_5_x.ipynb": notebook("ada"), "garcíalópezwes_12_6_x.ipynb": notebook("wes")})
    assert listed(CANVAS) == (["garcíalópezwes", "lovelaceada"], [])
    assert take({"lovelaceada_11_5_x.ipynb": notebook("ada")}).missing == []


def test_who_is_missing(listed, take):  # noqa: F811
    listed(CANVAS)
    assert take({"lovelaceada_11_5_x.ipynb": notebook("ada")}).missing == ["Wes García López"]


def test_a_worksheet_tells_namesakes_apart(listed, take, room):  # noqa: F811
    listed(WORKSHEET, NAME)
    john = "John Smith_{}_assignsubmission_file_/x.ipynb"
    made = take({john.format(6002): notebook("two"), john.format(6001): notebook("one")})
    assert made.problems == []
    assert {entry["email"]: held(room)[student] for student, entry in roster.load(room).items()} == {
        "j1@uni.example": notebook("one"),
        "j2@uni.example": notebook("two"),
    }


NO_DATE = f"name,extended\nAda,{NAME}=2026-13-01\n"


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", b"\xff\xfe\x00", "name,excused\nAda,99_nothing\n", NO_DATE])
def test_what_is_no_list_is_one_line_and_loses_nothing(listed, room, text):  # noqa: F811
    listed(CANVAS)
    before = roster.load(room)
    with pytest.raises(CourseError, match=r"class\.csv"):
        listed(text)
    assert roster.load(room) == before
