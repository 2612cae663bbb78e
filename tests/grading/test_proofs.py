"""A proof that was written anew after a person graded it asks for another look; the score stays."""

import json
import shutil
import zlib

import pytest

from dgmlib.checks import ASSIGNMENTS
from grading.course import CHECKOUT, Course
from grading.judging import filed, judge, store
from grading.notebook import parse, submission
from grading.notebook.repair import repair
from grading.recording import record
from grading.recording.gradebook import opened, url

from . import classroom, synthetic
from .synthetic import NAME, PROOF
from .test_outputs import coded, png

ASSIGNMENT = ASSIGNMENTS[NAME]
WORDS = "Substitute $z = f(x)$:\nthe Jacobians cancel."


@pytest.fixture
def room(tmp_path) -> Course:
    course = Course(tmp_path)
    shutil.copytree(CHECKOUT / "course" / NAME, course.released / NAME)
    return course


@pytest.fixture
def hand_in(room):
    """Ann's notebook with this proof, graded and recorded. What a person has to do with it then, and the score."""

    def handed(words: str) -> tuple[bool, float | None]:
        released = room.released_notebook(ASSIGNMENT).read_bytes()
        notebook = json.loads(released)
        classroom.at(notebook, PROOF)["source"] = words
        repaired = repair(released, parse.cells(json.dumps(notebook).encode()))
        written = judge.Judge(repaired, "ann", ASSIGNMENT, "s").written()
        key = synthetic.key("ann", zlib.crc32(words.encode()))
        made = synthetic.verdict("ann", written=written, answers=repaired.answers, seconds=1.0, key=key)
        store.save(room, made)
        recorder = record.Recorder(room)
        recorder.add(made)
        recorder.finish()
        with opened(url(room)) as book:
            grade = book.find_grade(PROOF, "forward_reverse_kl", NAME, "ann")
            return grade.needs_manual_grade, grade.manual_score

    return handed


def graded(room: Course, points: float):
    """What formgrader does."""
    with opened(url(room)) as book:
        grade = book.find_grade(PROOF, "forward_reverse_kl", NAME, "ann")
        grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()


def test_a_new_proof_is_looked_at_again(room, hand_in):
    assert hand_in(WORDS) == (True, None)
    graded(room, 1.5)
    assert hand_in(WORDS) == (False, 1.5)
    assert hand_in(WORDS.replace("\n", "  ")) == (False, 1.5)
    assert hand_in(WORDS + " Name LOTUS.") == (True, 1.5)
    assert hand_in(WORDS + " Name LOTUS.") == (True, 1.5)
    graded(room, 2.0)
    assert hand_in(WORDS + " Name LOTUS.") == (False, 2.0)
    assert hand_in("") == (True, 2.0)


@pytest.mark.parametrize("data", [None, b"", b"[]", b"{", b'{"01_forward_reverse_kl": 3}'])
def test_a_lost_or_damaged_file_costs_the_reminder_alone(room, hand_in, data):
    hand_in(WORDS)
    graded(room, 1.5)
    (path,) = room.verdicts.glob("*/*.json")
    path.unlink() if data is None else path.write_bytes(data)
    assert hand_in(WORDS + " Name LOTUS.") == (False, 1.5)
    assert len(list(room.verdicts.glob(f"*/*{store.RECORDED}"))) == 1


def below(notebook):
    notebook["cells"].insert(classroom.place(notebook, PROOF) + 1, classroom.cell("my-proof", WORDS, "markdown"))


def without_ids(notebook):
    """Every id and all of nbgrader's metadata lost, the words in the place of the stub."""
    classroom.at(notebook, PROOF)["source"] = WORDS
    for cell in notebook["cells"]:
        del cell["id"]
        cell["metadata"] = {}


def elsewhere(notebook):
    notebook["cells"].insert(classroom.place(notebook, "gaussian_kl"), classroom.cell("note", "A note.", "markdown"))


@pytest.mark.parametrize(("change", "found"), [(below, WORDS), (without_ids, WORDS), (elsewhere, None)])
def test_a_proof_in_a_cell_of_its_own_is_read(room, change, found):
    released = room.released_notebook(ASSIGNMENT).read_bytes()
    notebook = json.loads(released)
    change(notebook)
    repaired = repair(released, parse.cells(json.dumps(notebook).encode()))
    assert repaired.answers.get(PROOF) == found
    assert (PROOF in repaired.written) == (found is not None)


def test_a_photographed_proof_is_filed(room):
    """Its picture reaches the person who grades, rebuilt, apart from the verdict's text."""
    notebook = json.loads(room.released_notebook(ASSIGNMENT).read_bytes())
    photo = png(noise=bytes(range(256)) * 2000, width=600)
    proof = classroom.at(notebook, PROOF)
    proof["source"] = f"![photo.png](data:image/png;base64,{coded(photo + b'and what follows')})"
    prepared = submission.prepare(room.released_notebook(ASSIGNMENT).read_bytes(), json.dumps(notebook).encode())
    assert prepared.repaired.written == {PROOF}
    made = synthetic.verdict("ann", key="k")
    made, pictures = filed.keep(prepared, made)
    store.save(room, made, pictures)
    assert store.path(room, NAME, "k").stat().st_size < 200_000
    sources = filed.sources(room, store.load(room, NAME, "k"))
    ((name, picture),) = sources.pictures.items()
    assert sources.answers[PROOF] == f"![photo.png](attachment:{name})"
    assert picture == ("image/png", coded(photo))
    shown = classroom.at(json.loads(record.Shown(room, ASSIGNMENT).notebook(store.load(room, NAME, "k"))), PROOF)
    assert shown["source"] == sources.answers[PROOF]
    assert shown["attachments"] == {name: {"image/png": coded(photo)}}
