"""What reaches a teaching assistant's console: names in any script, nothing that moves the cursor or forges a line."""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile

import pytest

from grading import plaintext

from . import classroom
from .test_cli import run  # noqa: F401 - a fixture

NAME = classroom.TINY.name
NOTEBOOK = f"{classroom.TINY.notebook}.ipynb"
BLANK = classroom.data(classroom.released())
ALIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

WELCOME = {
    "Latin": "Émile Noël",
    "Hebrew": "שרה כהן",
    "Arabic": "فاطمة الزهراء",
    "Persian, a non-joiner": "علی\u200cرضا",
    "Hindi, a joiner": "क्\u200dष",
    "Chinese": "李小龍",
    "an emoji of several": "👩\u200d🔬",
    "both directions": "Dana דנה",
    "markup": "[bold red]Bob",
    "an empty tag": "x[]",
    "an emoji's code": "a :smile: b",
    "HTML": "<b>&amp;",
    "a formula": "=1+1",
    "an option": "--help",
    "an apostrophe": "O'Brien",
}
REFUSED = {
    "an escape sequence": "a\x1b[2Jb",
    "a terminal's title": "a\x1b]0;owned\x07b",
    "a bell": "a\x07b",
    "delete": "a\x7fb",
    "C1": "a\x9b31mb",
    "a next line": "a\x85b",
    "a line feed": "a\nzzz: graded",
    "a carriage return": "a\rgrading: fine",
    "a tab": "a\tb",
    "a line separator": "a\u2028b",
    "an override": "a\u202eb",
    "an embedding": "a\u202bb",
    "an isolate": "a\u2067b",
}


def zipped(names) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, BLANK)
    return made.getvalue()


def quiet(*texts: str):
    """Nothing but printable text and line feeds."""
    for text in texts:
        assert not ALIVE.search(text), repr(text)


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize("name", WELCOME.values(), ids=WELCOME)
def test_a_name_in_any_script_is_collected_and_shown_as_it_is(run, course, tmp_path, wide, name):  # noqa: F811
    (tmp_path / "hw1.zip").write_bytes(zipped([f"{name}/{NOTEBOOK}"]))
    code, out, err = run("collect", tmp_path / "hw1.zip", NAME)
    assert (code, err) == (0, "")
    assert name in out
    quiet(out)
    assert list(course.submissions(NAME)) == [name]
    _, out, err = run("export", "csv")
    rows = list(csv.reader((course.data / "exports" / f"{NAME}.csv").read_text().splitlines()))
    assert rows[1][0].removeprefix("'") == name
    assert name in err


def test_a_class_of_all_scripts_is_graded_reported_and_told_apart(run, course, hand_in, wide):  # noqa: F811
    for name in WELCOME.values():
        hand_in(name, BLANK)
    code, out, err = run("autograde")
    assert (code, err) == (0, "")
    assert [name for name in WELCOME.values() if name not in out] == []
    for command in ("report", "feedback"):
        assert run(command)[0] == 0
    page = (course.data / "report" / f"{NAME}.html").read_text()
    assert all(WELCOME[key] in page for key in ("Hebrew", "Persian, a non-joiner", "an emoji of several"))


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_a_name_with_control_or_direction_marks_is_refused_by_its_place(run, course, tmp_path, name):  # noqa: F811
    entries = [f"Ada/{NOTEBOOK}", f"{name}/{NOTEBOOK}", f"Bo/{name}.ipynb", f"Cy/{NOTEBOOK}"]
    (tmp_path / "hw1.zip").write_bytes(zipped(entries))
    code, out, err = run("collect", tmp_path / "hw1.zip", NAME, "--json", tmp_path / "o.json")
    assert code == 1
    assert "entry 2 of hw1.zip: its name holds control or direction marks" in err
    assert "Bo: nothing to grade: entry 3 of hw1.zip: its name holds" in err
    assert list(course.submissions(NAME)) == ["Ada", "Cy"]
    quiet(out, err, (tmp_path / "o.json").read_text())
    assert "zzz: graded" not in out + err


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_the_same_in_a_folder_and_in_a_students_zip(run, course, tmp_path, name):  # noqa: F811
    source = tmp_path / "hw"
    for folder in ("Ada", "Bo", name):
        (source / folder).mkdir(parents=True)
    (source / "Ada" / NOTEBOOK).write_bytes(BLANK)
    (source / name / NOTEBOOK).write_bytes(BLANK)
    (source / "Ada" / f"{name}.ipynb").write_bytes(BLANK)
    (source / "Bo" / "work.zip").write_bytes(zipped([NOTEBOOK, f"{name}/{NOTEBOOK}"]))
    code, out, err = run("collect", source, NAME)
    assert code == 1
    place = sorted(["Ada", "Bo", name]).index(name) + 1
    assert f"entry {place} of {source}: its name holds" in err
    assert "entry 2 of work.zip: its name holds" in out
    assert list(course.submissions(NAME)) == ["Ada", "Bo"]
    quiet(out, err)


def test_a_folder_among_the_submissions_is_named_by_its_place(run, course, hand_in):  # noqa: F811
    for name in ("Ada", *REFUSED.values()):
        hand_in(name, BLANK)
    code, out, err = run("autograde")
    assert code == 1
    (verdict,) = course.verdicts.glob("*/*.json")
    assert json.loads(verdict.read_text())["student"] == "Ada"
    for name in REFUSED.values():
        place = sorted(["Ada", *REFUSED.values()]).index(name) + 1
        assert f"entry {place} of {course.submitted}: no possible name of a student: rename the folder" in err
    quiet(out, err)


def test_a_name_that_is_no_utf8(run, course, tmp_path):  # noqa: F811
    (tmp_path / "hw" / "Ada").mkdir(parents=True)
    (tmp_path / "hw" / "Ada" / NOTEBOOK).write_bytes(BLANK)
    try:
        (tmp_path / "hw" / "\udce9mile.ipynb").write_bytes(BLANK)
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    code, out, err = run("collect", tmp_path / "hw", NAME)
    assert code == 1
    assert "entry 2 of" in err
    quiet(out, err)


SEQUENCE = "\x1b[2J\x1b]0;owned\x07\nzzz: graded\x9b\u202e"


def evil_format() -> bytes:
    return json.dumps(json.loads(BLANK) | {"nbformat": SEQUENCE}).encode()


def evil_exception() -> bytes:
    source = f"def batch_jacobian(f, x):\n    raise ValueError({SEQUENCE!r})"
    notebook = classroom.solved()
    classroom.at(notebook, "batch_jacobian")["source"] = source
    notebook["cells"].append(classroom.own(f"raise ValueError({SEQUENCE!r})"))
    return classroom.data(notebook)


@pytest.mark.parametrize("made", [evil_format, evil_exception], ids=lambda made: made.__name__)
def test_what_a_file_says_reaches_no_console_alive(run, course, hand_in, tmp_path, made):  # noqa: F811
    hand_in("Ada", made())
    (tmp_path / "a.ipynb").write_bytes(made())
    (tmp_path / "hw1.zip").write_bytes(zipped([]))
    with zipfile.ZipFile(tmp_path / "hw1.zip", "w") as file:
        file.writestr(f"Bo/{NOTEBOOK}", made())
    for words in (
        ("check", tmp_path / "a.ipynb"), ("autograde",), ("feedback",), ("report",), ("export", "csv"),
        ("collect", tmp_path / "hw1.zip", NAME),
    ):  # fmt: skip
        _, out, err = run(*words)
        quiet(out, err)
        assert not any(line.startswith("zzz") for line in (out + err).splitlines())
    for file in course.verdicts.glob("*/*.json"):
        quiet(file.read_text())


@pytest.mark.parametrize(
    "words",
    [("autograde", "--student", SEQUENCE), ("check", SEQUENCE), ("collect", SEQUENCE, NAME), ("report", SEQUENCE),
     (SEQUENCE,), ("autograde", "--jobs", SEQUENCE), ("autograde", "--course", SEQUENCE)],
    ids=range(7),
)  # fmt: skip
def test_a_pasted_path_comes_back_clean(run, words):  # noqa: F811
    code, out, err = run(*words)
    assert code == 2
    assert len(err.splitlines()) == 1
    quiet(out, err)


def test_a_terminal_without_the_letters_shows_their_numbers(tmp_path):
    (tmp_path / "course").mkdir()
    command = [sys.executable, "-m", "grading", "report", "שרה", "--course", str(tmp_path)]
    made = subprocess.run(command, env={"PYTHONIOENCODING": "ascii", "PATH": ""}, capture_output=True, text=True)
    assert made.returncode == 2
    assert r"\u05e9" in made.stderr
    assert len(made.stderr.splitlines()) == 1


def test_one_line_lets_nothing_through_that_does_harm():
    shown = plaintext.one_line("".join(map(chr, range(0x110000))))
    assert not ALIVE.search(shown)
    assert "\n" not in shown
