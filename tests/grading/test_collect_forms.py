"""A class in the fifteen forms in which platforms hand it out: in any order, twice, and beside broken siblings."""

import io
import json
import random
import zipfile

import pytest

from grading.collecting import collect, roster
from grading.collecting.archive import ArchiveRefused

from .test_collect import NAME, OTHER, held, notebook, room, status, take, zipped  # noqa: F401

FILE = "flows_recap.ipynb"
PEOPLE = {  # name: number
    "Ada Lovelace": "101",
    "Chloé Dupont": "102",
    "Sean O'Brien": "103",
    "Мария Иванова": "104",
    "Anna-Lena Ødegård": "105",
    "Wes García López": "106",
}
GOOD = {name: notebook(number) for name, number in PEOPLE.items()}
PDF = b"%PDF-1.7\n%%EOF\n"
WORK = {
    **{name: (FILE, data) for name, data in GOOD.items()},
    "Petra Pdf": ("kl homework.pdf", PDF),
    "Bruno Broken": (FILE, GOOD["Ada Lovelace"][:60]),
    "Wanda Wrong": (FILE, OTHER),
}
NUMBERS = {name: str(101 + n) for n, name in enumerate(WORK)}
SUBMITTERS = "submission_{n}:\n  :submitters:\n  - :name: {name}\n    :sid: 's{n}'\n    :email: {n}@uni.example\n"


def sortable(name: str) -> str:
    first, last = name.split(" ", 1)
    return "".join(c for c in (last + first).lower() if c.isalnum())


def each(pattern: str, **more: bytes) -> dict[str, bytes]:
    """An entry for everybody, named by `pattern`."""
    return more | {
        pattern.format(
            name=name, sort=sortable(name), n=NUMBERS[name], file=file, end=file[-6:].rpartition(".")[2]
        ): data
        for name, (file, data) in WORK.items()
    }


def gradescope() -> dict[str, bytes]:
    top = "assignment_5_export/"
    listed = "---\n" + "".join(SUBMITTERS.format(n=NUMBERS[name], name=json.dumps(name)) for name in WORK)
    return each(top + "submission_{n}/{file}", **{top + "submission_metadata.yml": listed.encode()})


def blackboard() -> dict[str, bytes]:
    said = {
        f"00 flows_u{n}_attempt_2026-11-20-18-00-00.txt": f"Name: {w} (u{n})\n".encode() for w, n in NUMBERS.items()
    }
    return each("00 flows_u{n}_attempt_2026-11-20-18-00-00_{file}", **said)


FORMS = {
    "Moodle": lambda: each("{name}_{n}_assignsubmission_file_/{file}"),
    "Moodle, flat": lambda: each("{name}_{n}_assignsubmission_file_{file}"),
    "Moodle, with text": lambda: (
        each("{name}_{n}_assignsubmission_file_/{file}")
        | {f"{w}_{n}_assignsubmission_onlinetext_/onlinetext.html": b"<p>here</p>" for w, n in NUMBERS.items()}
    ),
    "Moodle, blind": lambda: each("Participant_{n}_assignsubmission_file_/{file}"),
    "Moodle, teams": lambda: {
        f"Team {place // 2}-{path}": data
        for place, (path, data) in enumerate((each("{name}_{n}_assignsubmission_file_/{file}")).items())
    },
    "Canvas": lambda: each("{sort}_{n}_9{n}_{file}"),
    "Gradescope": gradescope,
    "Drive": lambda: each("homework/{name} - {file}"),
    "GitHub Classroom": lambda: each("00-flows-recap-submissions/00-flows-recap-gh{n}/{file}"),
    "files": lambda: each("hw1/{name}.{end}"),
    "folders": lambda: each("{name}/{file}"),
    "exchange": lambda: each("u{n}+" + NAME + "+2026-11-20 18:00:00.000000 UTC+3q2+7w==/{file}"),
    "submitted": lambda: each("u{n}/" + NAME + "/{file}"),
    "Brightspace": lambda: each("{n}-789 - {name} - Nov 20, 2026 600 PM/{file}", **{"index.html": b"<html>"}),
    "Blackboard": blackboard,
    "Teams": lambda: each("Submitted files/{name}/Homework/Version 1/{file}"),
}
NAMED = {
    form: FORMS[form]
    for form in FORMS
    if form not in ("Moodle, blind", "Canvas", "GitHub Classroom", "exchange", "submitted")
}


def the_class(room):  # noqa: F811
    """A roster that knows every number and login."""
    ids = {w: {"canvas": n, "sid": f"s{n}", "github": f"gh{n}", "login": f"u{n}"} for w, n in NUMBERS.items()}
    entries = {w: {"name": w, "class": True, "moodle": {NAME: NUMBERS[w]}, **ids[w]} for w in WORK}
    roster.save(room, entries)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_twice(take, room, form):  # noqa: F811
    made = take(FORMS[form](), "hw1.zip")
    assert len(held(room)) == len(GOOD) + 1, held(room).keys()
    assert sorted(held(room).values()) == sorted([*GOOD.values(), WORK["Bruno Broken"][1]])
    assert sorted(status(made).values()) == sorted(["new"] * 7 + ["nothing"] * 2)
    again = take(FORMS[form](), "hw1.zip")
    assert sorted(status(again).values()) == sorted(["unchanged"] * 7 + ["nothing"] * 2)
    assert len(held(room)) == len(GOOD) + 1
    if form in NAMED:
        assert set(held(room)) == {*GOOD, "Bruno Broken"}
    for wants in ("Petra", "Bruno", "Wanda") if form in NAMED else ():
        assert sum(line.startswith(wants) for line in again.problems) == 1


@pytest.mark.parametrize("seed", range(3))
def test_all_forms_in_any_order_give_the_same_class(take, room, seed):  # noqa: F811
    the_class(room)
    forms = list(FORMS)
    random.Random(seed).shuffle(forms)
    for form in forms + forms[:4]:
        take(FORMS[form](), "hw1.zip")
    assert held(room) == GOOD | {"Bruno Broken": WORK["Bruno Broken"][1]}
    assert set(roster.load(room)) == set(WORK)


EVIL = notebook("mallory")
LIST_OF_MALLORY = b"submission_1: {':submitters': [{':name': Ada Lovelace}]}"
SIBLINGS = {  # what one student adds, and who must then be there beside the class
    "a list of Gradescope's": ("Moodle", {"Mallory_9_assignsubmission_file_/submission_metadata.yml": b"{}"}),
    "a folder of Gradescope's": (
        "Moodle",
        {
            "Mallory_9_assignsubmission_file_/submission_metadata.yml": LIST_OF_MALLORY,
            "Mallory_9_assignsubmission_file_/submission_1/x.ipynb": EVIL,
        },
    ),
    "Moodle's words": ("Canvas", {"mallory_9_99_x_5_assignsubmission_file_.ipynb": EVIL}),
    "Blackboard's words": (
        "Moodle, flat",
        {"M_9_assignsubmission_file_x_u101_attempt_2026-11-20-18-00-00_a.ipynb": EVIL},
    ),
    "Canvas's words": ("Brightspace", {"9-789 - M - Nov 20, 2026 600 PM/lovelaceada_101_9101_x.ipynb": EVIL}),
    "a classmate's attempt": (
        "Blackboard",
        {"00 flows_u9_attempt_2026-11-20-18-00-00_u101_attempt_2026-11-21-18-00-00_x.ipynb": EVIL},
    ),
    "a classmate's folder": ("Moodle", {"Ada Lovelace_101_9_assignsubmission_file_/x.ipynb": EVIL}),
    "a version of his own": (
        "Teams",
        {"Submitted files/M/Homework/Version 1/Ada Lovelace/Homework/Version 2/x.ipynb": EVIL},
    ),
}


@pytest.mark.parametrize("case", SIBLINGS)
def test_one_student_decides_nothing_for_the_others(take, room, case):  # noqa: F811
    form, more = SIBLINGS[case]
    take(FORMS[form]() | more)
    before = sorted([*GOOD.values(), WORK["Bruno Broken"][1]])
    assert sorted(data for data in held(room).values() if data != EVIL) == before
    if form in NAMED:
        assert {name: held(room)[name] for name in GOOD} == GOOD


@pytest.mark.parametrize("case", ["a bomb", "many notebooks"])
def test_budgets_are_a_students_own(take, room, case):  # noqa: F811
    big = {f"{n}.ipynb": b'{"cells": [], "x": "' + bytes([65 + n % 20]) * 4_000_000 for n in range(60)}
    inner = zipped(big) if case == "a bomb" else zipped({f"{n}.ipynb": notebook(str(n)) for n in range(80)})
    made = take({"Abel M_9_assignsubmission_file_/work.zip": inner, **FORMS["Moodle"]()})
    assert {name: held(room)[name] for name in GOOD} == GOOD
    assert any("Abel M" in line for line in made.problems)


def test_a_namesake_in_a_later_download(take, room):  # noqa: F811
    john = "John Smith_{}_assignsubmission_file_/x.ipynb"
    take({john.format(5002): notebook("second")})
    made = take({john.format(5001): notebook("first")})
    assert held(room) == {"John Smith": notebook("second"), "John Smith_5001": notebook("first")}
    assert "another 'John Smith'" in made.problems[0]
    take({john.format(5002): notebook("second"), john.format(5001): notebook("first")})
    assert len(held(room)) == 2


def test_canvas_knows_its_people_again(take, room):  # noqa: F811
    take({"smithjohn_11_1_a.ipynb": notebook("one"), "smithjohn_22_2_a.ipynb": notebook("two")})
    take({"smithjohn_LATE_22_3_a.ipynb": notebook("late")}, "later.zip")
    assert set(held(room)) == {"smithjohn_11", "smithjohn_22"}
    assert held(room)["smithjohn_11"] == notebook("one")


def test_two_that_a_name_does_not_tell_apart_are_kept_aside(take, room):  # noqa: F811
    take({"smithjohn_11_1_a.ipynb": notebook("one"), "smithjohn_22_2_a.ipynb": notebook("two")})
    roster.save(room, {name: {**entry, "name": "John Smith"} for name, entry in roster.load(room).items()})
    made = take({"Ann L.ipynb": notebook("ann"), "John Smith.ipynb": notebook("who")}, "drive.zip")
    assert set(held(room)) == {"smithjohn_11", "smithjohn_22", "Ann L"}
    assert any("kept aside" in line for line in made.problems)
    (aside,) = (room.data / "unsettled" / NAME / "John Smith").iterdir()
    assert aside.read_bytes() == notebook("who")


@pytest.mark.parametrize("bad", [GOOD["Ada Lovelace"][:50], OTHER])
def test_a_newer_broken_or_foreign_file_takes_no_good_ones_place(room, tmp_path, bad):  # noqa: F811
    for day, data in enumerate((GOOD["Ada Lovelace"], bad), 1):
        path = tmp_path / f"{day}.zip"
        path.write_bytes(
            zipped(
                {
                    "Ada_1_assignsubmission_file_/x.ipynb": data,
                    "Bo_2_assignsubmission_file_/x.ipynb": GOOD["Sean O'Brien"],
                },
                day,
            )
        )
        made = collect.collect(room, path, NAME)
    assert held(room)["Ada"] == GOOD["Ada Lovelace"]
    assert any("Ada" in line for line in made.problems)


def test_every_attempt_is_kept(take, room):  # noqa: F811
    for day in (2, 3, 1):
        take(zipped({"ann.ipynb": notebook(str(day))}, day=day), f"{day}.zip")
    assert held(room)["ann"] == notebook("3")
    kept = {path.read_bytes() for path in (room.data / "attempts" / "ann" / NAME).iterdir()}
    assert kept == {notebook("1"), notebook("2"), notebook("3")}


def test_who_handed_in_a_pdf_is_named_until_settled(take, room):  # noqa: F811
    take({"Ann_1_assignsubmission_file_/x.ipynb": notebook(), "Petra_2_assignsubmission_file_/x.pdf": PDF})
    later = take({"Bo_3_assignsubmission_file_/x.ipynb": notebook("bo")})
    assert any(line.startswith("Petra: nothing to grade: ") for line in later.problems)
    settled = take({"Petra_2_assignsubmission_file_/x.ipynb": notebook("petra")})
    assert settled.problems == []


def test_a_download_of_another_assignment_is_said_once(take, room):  # noqa: F811
    entries = {f"{name}_{n}_assignsubmission_file_/x.ipynb": OTHER for name, n in NUMBERS.items()}
    entries["Cut_9_assignsubmission_file_/x.ipynb"] = OTHER[:50]
    with pytest.raises(ArchiveRefused, match="a download of 04_em_algorithm, not of 00_flows_recap"):
        take(entries)
    assert not room.submitted.exists()


@pytest.mark.parametrize("misread", ["cp437", "cp1252", "mac_roman"])
def test_names_that_a_tool_misread(take, room, misread):  # noqa: F811
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in ("Jo\u0308rg Mu\u0308ller", "Ann Lee"):
            file.writestr(f"{name.encode().decode(misread)}/{FILE}", notebook(name))
    take(made.getvalue())
    assert set(held(room)) == {"Jörg Müller", "Ann Lee"}


def test_a_zip_cut_in_half_leaves_all_as_it_was(take, room):  # noqa: F811
    take(FORMS["Moodle"]())
    before = held(room)
    whole = zipped(FORMS["Moodle"]())
    with pytest.raises(ArchiveRefused, match="Download it again"):
        take(whole[: len(whole) // 2], "half.zip")
    assert held(room) == before
