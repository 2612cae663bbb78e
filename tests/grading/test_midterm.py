"""A notebook whose exercises change after students handed in: no hand grade is lost, no right answer turns to zero."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grading.course import CHECKOUT
from grading.judging import judge, store
from grading.notebook.submission import prepare
from grading.publishing import feedback
from grading.recording import record, scores
from grading.recording.gradebook import opened, url

from . import classroom, synthetic
from .synthetic import NAME, PROOF, verdict

BOOK = "forward_reverse_kl"
KL, NEW = "gaussian_kl", "kl_of_gaussians"


@pytest.fixture
def room(tmp_path):
    """ann and bo are recorded; a person gave ann points for the proof and for code, with a comment on each."""
    room = synthetic.released(tmp_path)
    synthetic.on_file(room, [verdict("ann"), verdict("bo")])
    assert graded(room) == []
    with opened(url(room)) as book:
        for cell, points in ((PROOF, 0.75), (f"check_{KL}", 1.5)):
            grade = book.find_grade(cell, BOOK, NAME, "ann")
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = points, 0.25, False
        for cell in (PROOF, KL):
            book.find_comment(cell, BOOK, NAME, "ann").manual_comment = f"on {cell}"
        book.db.commit()
    return room


def graded(room) -> list[str]:
    return record.record(room, room.assignment(NAME), [store.recorded(room, NAME, who) for who in ("ann", "bo")])


def edit(path: Path, change):
    notebook = json.loads(path.read_text())
    notebook["cells"] = change(notebook["cells"])
    path.write_text(json.dumps(notebook))
    os.utime(path, ns=(path.stat().st_mtime_ns + 10**9,) * 2)


def release(room, change):
    edit(room.released / NAME / f"{BOOK}.ipynb", change)


def renamed(old: str, new: str, formerly: bool = True):
    """As `release` writes it where the check says `formerly=(old,)`."""

    def change(cells):
        for cell in cells:
            about = cell["metadata"].get("nbgrader", {})
            if about.get("grade_id") in (old, f"check_{old}"):
                about["grade_id"] = cell["id"] = about["grade_id"].replace(old, new)
                if about["grade"] and formerly:
                    cell["metadata"]["dgmlib"] = {"formerly": [old]}
        return cells

    return change


def without(name: str):
    return lambda cells: [cell for cell in cells if cell["id"] not in (name, f"check_{name}")]


def weighing(name: str, points: float):
    def change(cells):
        for cell in cells:
            if cell["id"] in (name, f"check_{name}") and cell["metadata"]["nbgrader"]["grade"]:
                cell["metadata"]["nbgrader"]["points"] = points
        return cells

    return change


def says_formerly(cells):
    """What was renamed without a word, now with it."""
    for cell in cells:
        if cell["id"] == f"check_{NEW}":
            cell["metadata"]["dgmlib"] = {"formerly": [KL]}
    return cells


def rows(room) -> dict[str, tuple]:
    """Ann's row of each cell: points, a person's, and whether to look again."""
    with opened(url(room)) as book:
        grades = book.find_submission_notebook(BOOK, NAME, "ann").grades
        return {g.name: (g.max_score, g.manual_score, g.extra_credit, bool(g.needs_manual_grade)) for g in grades}


def comments(room) -> dict[str, str]:
    with opened(url(room)) as book:
        found = book.find_submission_notebook(BOOK, NAME, "ann").comments
        return {c.name: c.manual_comment for c in found if c.manual_comment}


@pytest.mark.parametrize(("old", "new", "cell"), [(KL, NEW, "check_"), (PROOF, "theorem", "")])
def test_a_renamed_exercise_keeps_points_and_comment(room, old, new, cell):
    before, name = rows(room), scores.by_hand(room, NAME)["ann"][old]
    release(room, renamed(old, new))
    assert scores.by_hand(room, NAME)["ann"][new] == name  # even before anything is graded again
    assert set(store.recorded(room, NAME, "ann").exercises) == set(room.assignment(NAME).exercises)
    (said,) = graded(room)
    assert said.startswith(f"{NAME}: {new}: was {old}, and keeps its points; points by hand: ann ")
    assert rows(room)[cell + new] == before[cell + old]
    assert cell + old not in rows(room)
    assert comments(room)[new] == f"on {old}"
    assert graded(room) == []


@pytest.mark.parametrize(("name", "given"), [(KL, 1.75), (PROOF, 1.0)])
def test_a_retired_one_counts_nothing_and_its_points_are_kept(room, name, given):
    path = room.released / NAME / f"{BOOK}.ipynb"
    before, first = path.read_bytes(), rows(room)
    release(room, without(name))
    (said,) = graded(room)
    assert said == f"{NAME}: {name}: retired, counts 0; points by hand: ann {given - 0.25:g}"
    assert not {name, f"check_{name}"} & rows(room).keys()
    touched = scores.by_hand(room, NAME)["ann"]
    assert touched[name] == scores.ManualGrade(given - 0.25, 0.25, f"on {name}", due=False, retired=True)
    ann = store.recorded(room, NAME, "ann")
    assert feedback.student_view(ann, touched, "").retired == {name: given}
    assert f"{name}: {given:g} point{'s' * (given != 1)} by a person" in " ".join(
        feedback.student_page(ann, touched, "").decode().split()
    )
    assert graded(room) == []
    path.write_bytes(before)
    os.utime(path, ns=(path.stat().st_mtime_ns + 5 * 10**9,) * 2)
    added, back = graded(room)
    assert (added, back.split(";")[0]) == (
        f"{NAME}: {name}: added",
        f"{NAME}: {name}: has again what a person gave for it",
    )
    assert {cell: row[:3] for cell, row in rows(room).items()} == {cell: row[:3] for cell, row in first.items()}
    assert comments(room) == {PROOF: f"on {PROOF}", KL: f"on {KL}"}
    assert not any(hand.retired for hand in scores.by_hand(room, NAME)["ann"].values())


def test_a_former_name_said_too_late_brings_the_points_back(room):
    release(room, renamed(KL, NEW, formerly=False))
    assert [line.split(";")[0] for line in graded(room)] == [
        f"{NAME}: {KL}: retired, counts 0",
        f"{NAME}: {NEW}: added",
    ]
    assert rows(room)[f"check_{NEW}"][1] is None
    release(room, says_formerly)
    (said,) = graded(room)
    assert said == f"{NAME}: {NEW}: has again what a person gave for it; look again; points by hand: ann 1.5"
    assert rows(room)[f"check_{NEW}"][1:3] == (1.5, 0.25)
    assert comments(room)[NEW] == f"on {KL}"


def test_a_persons_newer_points_stay_and_the_older_are_said(room):
    release(room, renamed(KL, NEW, formerly=False))
    graded(room)
    with opened(url(room)) as book:
        book.find_grade(f"check_{NEW}", BOOK, NAME, "ann").manual_score = 3.0
        book.db.commit()
    release(room, says_formerly)
    assert [line.partition(": ")[2] for line in graded(room)] == [
        f"{NEW}: has again what a person gave for it; look again",
        f"{NEW}: newer points by hand stay in the place of older ones; points by hand: ann 1.5",
    ]
    assert rows(room)[f"check_{NEW}"][1] == 3.0
    assert graded(room) == []


def test_new_points_ask_for_another_look_where_a_person_gave_some(room):
    before = rows(room)
    release(room, weighing(KL, 7.0))
    (said,) = graded(room)
    assert said == f"{NAME}: {KL}: {before[f'check_{KL}'][0]:g} points are now 7; look again; points by hand: ann 1.5"
    assert rows(room)[f"check_{KL}"] == (7.0, 1.5, 0.25, True)
    assert {name: row for name, row in rows(room).items() if KL not in name} == {
        n: r for n, r in before.items() if KL not in n
    }


def test_a_moved_one_says_where_it_is_now(room):
    shutil.copytree(room.released / NAME, room.released / "05_more")
    release(room, without(PROOF))
    (said,) = graded(room)
    assert said == f"{NAME}: {PROOF}: retired, counts 0; points by hand: ann 0.75; it is in 05_more now"
    assert said in (room.data / "audit.log").read_text()


def test_nothing_is_half_done(room, monkeypatch):
    """Whatever fails on the way, the gradebook is as it was."""
    before = rows(room), comments(room)
    release(room, without(PROOF))
    monkeypatch.setattr("grading.recording.midterm.Follow.add", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        graded(room)
    assert (rows(room), comments(room)) == before


def test_nbgraders_own_generate_goes_the_same_way(room):
    folder = room.solutions / NAME
    shutil.copytree(CHECKOUT / "solutions" / NAME, folder)
    shutil.copy(CHECKOUT / "nbgrader_config.py", room.root)
    edit(folder / f"{BOOK}.ipynb", renamed(KL, NEW))
    edit(folder / f"{BOOK}.ipynb", without("reverse_kl_loss"))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    words = ["nbgrader", "generate_assignment", NAME, "--force"]
    done = subprocess.run(words, cwd=room.root, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"{NAME}: {NEW}: was {KL}, and keeps its points; points by hand: ann 1.5" in done.stderr
    assert rows(room)[f"check_{NEW}"][1] == 1.5
    assert "check_reverse_kl_loss" not in rows(room)
    assert graded(room) == []


FORMER = renamed("batch_jacobian", "jacobians")
TINY = replace(
    classroom.TINY,
    exercises={
        "jacobians": replace(
            classroom.FLOWS.exercises["batch_jacobian"], name="jacobians", formerly=("batch_jacobian",)
        ),
        "autoregressive_forward": classroom.FLOWS.exercises["autoregressive_forward"],
    },
)


def today() -> bytes:
    """The release of today: the answer's cell, its stub and its check have the new name."""
    cells = FORMER(classroom.released()["cells"])
    for cell in cells:
        cell["source"] = cell["source"].replace("batch_jacobian", "jacobians")
    return classroom.data(classroom.released() | {"cells": cells})


def old(change) -> bytes:
    return classroom.edited(change)


OLD_FILES = {
    "as it was": old(lambda notebook: None),
    "no ids": old(lambda notebook: [cell.pop("id") for cell in notebook["cells"]]),
    "another cell uses it": old(
        lambda n: n["cells"].append(classroom.own("batch_jacobian(lambda x: x, torch.ones(1, 2))"))
    ),
    "not solved": classroom.data(classroom.released()),
}


@pytest.mark.parametrize("file", OLD_FILES)
def test_a_file_of_the_earlier_release_is_graded_as_one_of_today(file, start, cage):
    prepared = prepare(today(), OLD_FILES[file])
    found = judge.grade(prepared.repaired, "ann", TINY, "s", start, cage.kind)
    full = TINY.exercises["jacobians"].points
    assert found.exercises["jacobians"].score == (0 if file == "not solved" else full)
    assert found.exercises["jacobians"].unsolved == (file == "not solved")
