"""What was scored is what is shown: whatever happens to a file after it was read, and to nobody else."""

import fcntl
import json
import shutil

import pytest

from grading.cli import main
from grading.judging import results
from grading.publishing import feedback, similarity
from grading.recording import record
from grading.recording.gradebook import opened, url

from . import classroom

NAME = classroom.TINY.name
SOLVED, BLANK = classroom.data(classroom.solved()), classroom.data(classroom.released())


def autograde(course, *words) -> int:
    return main(["autograde", "--course", str(course.root), "--secret", "s", "--quiet", *words])


def shown(course, student: str) -> str:
    """The answer that formgrader shows."""
    notebook = json.loads((course.autograded / student / NAME / f"{classroom.TINY.notebook}.ipynb").read_text())
    return classroom.at(notebook, "batch_jacobian")["source"]


def scores(course) -> dict[str, float]:
    with opened(url(course)) as book:
        return {s.student.id: s.score for s in book.assignment_submissions(NAME)}


HAPPENS = {
    "replaced": lambda file: file.write_bytes(BLANK),
    "replaced by a link": lambda file: (file.unlink(), file.symlink_to("/etc/passwd")),
    "damaged": lambda file: file.write_bytes(b"{"),
    "removed": lambda file: file.unlink(),
    "the folder removed": lambda file: shutil.rmtree(file.parents[1]),
}


@pytest.mark.parametrize("name", HAPPENS)
def test_a_file_that_changes_between_grading_and_recording(course, hand_in, monkeypatch, name):
    file = hand_in("ann", SOLVED)
    hand_in("bo", SOLVED)
    add = record.Recorder.add

    def meanwhile(recorder, verdict):
        if verdict.student == "ann":
            HAPPENS[name](file)
        add(recorder, verdict)

    monkeypatch.setattr(record.Recorder, "add", meanwhile)
    assert autograde(course) == 0
    assert scores(course) == {"ann": 5.0, "bo": 5.0}
    assert shown(course, "ann") == shown(course, "bo") == classroom.RIGHT["batch_jacobian"]
    found = {v.student: v for v in results.load(course, NAME)}
    assert found["bo"].score == 5
    assert "ann" not in found or found["ann"].status == "waiting"  # what lies there now was not graded
    written, _ = feedback.feedback(course, {NAME: list(found.values())})
    assert [path.parents[1].name for path in written] == ["bo"]
    assert main(["report", "--course", str(course.root), "--quiet"]) in (0, 1)


def test_the_notebook_for_a_person_follows_the_code_that_writes_it(course, hand_in, monkeypatch):
    """Without another grading: the verdict stays, the notebook is made anew; else it is not touched."""
    hand_in("ann", SOLVED)
    assert autograde(course) == 0
    file = course.autograded / "ann" / NAME / f"{classroom.TINY.notebook}.ipynb"
    before, (verdict,) = file.stat().st_mtime_ns, course.verdicts.glob("*/*.json")
    made = verdict.stat().st_mtime_ns
    assert autograde(course) == 0
    assert (file.stat().st_mtime_ns, verdict.stat().st_mtime_ns) == (before, made)
    write = record.notebook
    monkeypatch.setattr(record, "notebook", lambda *given: write(*given).replace(b"jacrev", b"JACREV"))
    assert autograde(course) == 0
    assert "JACREV" in shown(course, "ann")
    assert verdict.stat().st_mtime_ns == made


def test_pages_are_made_of_what_is_filed(course, hand_in):
    hand_in("ann", SOLVED)
    assert autograde(course) == 0
    found = results.wanted(course, [NAME])
    shutil.rmtree(course.submitted)
    ((page,), _) = feedback.feedback(course, found)
    assert b"Well done" in page.read_bytes()
    ((verdict,),) = found.values()
    assert {name for name, _ in similarity.own_marks(verdict)} == set(classroom.NAMES)


def test_collect_waits_for_nobody_and_says_so(course, hand_in, tmp_path, capsys):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "ann.ipynb").write_bytes(SOLVED)
    course.data.mkdir(parents=True, exist_ok=True)
    words = ["collect", str(tmp_path / "source"), NAME, "--course", str(course.root)]
    with open(course.data / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(words) == 1
    assert "another grader is at work" in capsys.readouterr().err
    assert not course.submitted.exists()
    assert main(words) == 0
