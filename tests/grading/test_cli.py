"""The command line: exit codes, JSON forms, one line for a problem."""

import json
import os
import subprocess
import sys

import pytest

from grading.cli import commands, main
from grading.cli import doctor as health
from grading.running import sandbox

from . import classroom


@pytest.fixture
def run(course, capsys):
    def call(command: str, *words, secret: bool = True) -> tuple[int, str, str]:
        judged = command in ("check", "autograde") and secret
        options = ["--course", str(course.root), *(["--secret", "s"] if judged else [])]
        try:
            code = main([command, *map(str, words), *options])
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


SOLVED = classroom.data(classroom.solved())
BLANK = classroom.data(classroom.released())


def test_check_writes_the_json_that_the_design_gives(run, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(SOLVED)
    code, out, err = run("check", tmp_path / "a.ipynb", "--json", tmp_path / "o.json")
    made = json.loads((tmp_path / "o.json").read_text())
    assert (code, err) == (0, "")
    assert "5 of 5" in out
    keys = ["assignment", "student", "status", "reason", "sandbox", "score", "max_score", "exercises"]
    assert list(made) == keys
    assert made["exercises"]["batch_jacobian"]["score"] == 2
    assert set(made["exercises"]["batch_jacobian"]["laws"][0]) == {"law", "passed", "weight", "message"}
    assert sum(law["weight"] for law in made["exercises"]["batch_jacobian"]["laws"]) == 2


def test_check_refuses_what_is_no_notebook_of_the_course(run, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(b"hello")
    code, _, err = run("check", tmp_path / "a.ipynb", "--json", tmp_path / "o.json")
    assert code == 1
    assert "refused: not a Jupyter notebook" in err
    assert json.loads((tmp_path / "o.json").read_text())["status"] == "refused"


WRONG = {
    "a missing file": ("check", "nothing.ipynb"),
    "an unknown assignment": ("autograde", "99_nothing"),
    "an unknown sandbox": ("autograde", "--sandbox", "docker"),
    "no jobs": ("autograde", "--jobs", "0"),
    "no submissions": ("autograde",),
    "an unknown student": ("autograde", "--student", "nobody"),
    "a missing folder to collect": ("collect", "nothing", "00_flows_recap"),
    "an unknown option": ("release", "--colour"),
    "no command": ("",),
    "a JSON file in no folder": ("doctor", "--json", "nothing/o.json"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_one_line_and_exit_2(run, name, course):
    code, out, err = run(*WRONG[name])
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert out == ""
    assert not (course.data / "verdicts").exists()


def test_options_stand_before_and_after_names(run, hand_in, tmp_path):
    hand_in("ann", b"hello")
    name, outcome = classroom.TINY.name, tmp_path / "o.json"
    to = ["--json", outcome]
    for words in ([name, *to, "--quiet"], ["--quiet", name, *to], [*to, name]):
        code, _, err = run("autograde", *words)
        assert (code, "ann: 00_flows_recap: refused" in err) == (1, True)
        assert json.loads(outcome.read_text())["submissions"][0]["student"] == "ann"
        outcome.unlink()


@pytest.mark.parametrize("name", commands.commands)
def test_every_command_says_what_it_takes(name, capsys):
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: python -m grading {name} ")
    assert all(option in said for option in ("--json FILE", "--quiet"))
    assert ("--course DIR" in said) == (name != "init")


def test_a_folder_that_is_no_course(tmp_path, capsys):
    assert main(["doctor", "--course", str(tmp_path)]) == 2
    assert "holds neither course/ nor solutions/" in capsys.readouterr().err


def test_a_class_is_graded_recorded_and_not_graded_again(run, course, hand_in, tmp_path):
    hand_in("ann", SOLVED)
    hand_in("bob", BLANK, "Copy of flows_recap.ipynb")
    hand_in("cid", b"hello")
    hand_in("mal", classroom.edited(lambda n: n["cells"].append(classroom.own("import os; os._exit(0)"))))
    code, out, err = run("autograde", "--json", tmp_path / "o.json", "--jobs", 2)
    rows = {r["student"]: r for r in json.loads((tmp_path / "o.json").read_text())["submissions"]}
    assert code == 1
    assert "cid: 00_flows_recap: refused" in err
    assert {s: r["score"] for s, r in rows.items()} == {"ann": 5, "bob": 0, "cid": None, "mal": 5}
    form = ["student", "assignment", "status", "reason", "score", "max_score", "sandbox", "seconds", "exercises"]
    assert list(rows["ann"]) == form
    assert "4/4" in out
    assert gradebook(course) == {("ann", 5.0), ("bob", 0.0), ("mal", 5.0)}
    files = {p: p.read_bytes() for p in course.verdicts.glob("*/*")}
    assert sorted(p.suffix for p in files) == [".json"] * 4 + [".recorded"] * 3  # a refusal is filed, not recorded
    run("autograde", "--json", tmp_path / "o.json")
    rows = {r["student"]: r for r in json.loads((tmp_path / "o.json").read_text())["submissions"]}
    assert rows["ann"]["seconds"] == 0
    assert {p: p.read_bytes() for p in course.verdicts.glob("*/*")} == files
    shown = json.loads((course.autograded / "ann" / "00_flows_recap" / "flows_recap.ipynb").read_text())
    assert "2 of 2 points" in classroom.at(shown, "check_batch_jacobian")["outputs"][0]["text"]


def gradebook(course) -> set:
    from grading.recording.gradebook import opened, url

    with opened(url(course)) as book:
        return {(s.student.id, s.score) for s in book.assignment_submissions("00_flows_recap")}


def test_a_folder_that_can_be_no_student_is_named_and_stops_nobody(run, course, hand_in):
    hand_in("ann", SOLVED)
    (course.submitted / os.fsdecode(b"caf\xe9") / "00_flows_recap").mkdir(parents=True)
    code, _, err = run("autograde")
    assert code == 1
    assert err.count("rename the folder") == 1
    assert gradebook(course) == {("ann", 5.0)}


def test_a_second_grader_says_so_and_ends(run, course, hand_in):
    import fcntl

    hand_in("ann", SOLVED)
    with open(course.data / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        code, _, err = run("autograde")
    assert code == 1
    assert "another grader is at work" in err


def test_a_write_locked_gradebook_loses_no_verdict(run, course, hand_in, monkeypatch):
    import sqlite3

    from grading.recording import record

    hand_in("ann", SOLVED)
    assert run("autograde")[0] == 0
    hand_in("bob", BLANK)
    monkeypatch.setattr(record, "PATIENCE", 0.5)
    with sqlite3.connect(course.gradebook, isolation_level=None) as held:
        held.execute("begin exclusive")
        code, _, err = run("autograde")
        assert code == 1
        assert len(err.strip().splitlines()) == 1
        assert "verdicts are kept" in err
        held.execute("rollback")
    held.close()
    assert len(list(course.verdicts.glob("*/*.json"))) == 2
    assert run("autograde")[0] == 0
    assert gradebook(course) == {("ann", 5.0), ("bob", 0.0)}


def test_nbgraders_setting_says_where_the_gradebook_is(run, course, hand_in):
    (course.root / "nbgrader_config.py").write_text("c.CourseDirectory.db_url = 'sqlite:///grading/other.db'\n")
    hand_in("ann", SOLVED)
    assert run("autograde")[0] == 0
    assert ((course.data / "other.db").is_file(), course.gradebook.exists()) == (True, False)
    assert gradebook(course) == {("ann", 5.0)}


def test_a_persons_score_stays(run, course, hand_in):
    from grading.recording.gradebook import opened, url

    hand_in("ann", BLANK)
    assert run("autograde")[0] == 0
    with opened(url(course)) as book:
        grade = book.find_grade("check_batch_jacobian", "flows_recap", "00_flows_recap", "ann")
        grade.manual_score = 1.5
        book.db.commit()
    hand_in("ann", SOLVED)
    assert run("autograde")[0] == 0
    with opened(url(course)) as book:
        grade = book.find_grade("check_batch_jacobian", "flows_recap", "00_flows_recap", "ann")
        assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (1.5, 2.0, True)


def test_the_table_names_its_columns_and_counts_a_persons_points(run, course, hand_in):
    from grading.collecting import roster
    from grading.recording.gradebook import opened, url

    hand_in("ann", BLANK)
    assert run("autograde")[0] == 0
    with opened(url(course)) as book:
        book.find_grade("check_batch_jacobian", "flows_recap", "00_flows_recap", "ann").manual_score = 1.5
        book.db.commit()
    roster.save(course, {"ann": {"extended": {"00_flows_recap": ""}}})
    _, out, _ = run("autograde")
    assert "1 batch_jacobian" in out
    (row,) = [line for line in out.splitlines() if line.startswith("│ ann")]
    assert "1.5 of 5" in row
    assert "extended" in row


def test_collect_takes_files_and_folders(run, course, tmp_path):
    source = tmp_path / "source"
    (source / "bob").mkdir(parents=True)
    (source / "ann.ipynb").write_bytes(SOLVED)
    (source / "bob" / "old.ipynb").write_bytes(BLANK)
    os.utime(source / "bob" / "old.ipynb", (1, 1))
    (source / "bob" / "new.ipynb").write_bytes(SOLVED)
    (source / "eve.ipynb").symlink_to("/etc/passwd")
    code, _, err = run("collect", source, "00_flows_recap")
    assert (code, "a link" in err) == (1, True)
    found = {p.relative_to(course.submitted).parts[0]: p.read_bytes() for p in course.submitted.rglob("*.ipynb")}
    assert found == {"ann": SOLVED, "bob": SOLVED}


def test_the_secret_is_made_once_and_private(course):
    assert course.secret() == course.secret()
    assert course.secret_file.stat().st_mode & 0o777 == 0o600


def test_doctor_says_what_works(run):
    code, out, _ = run("doctor")
    assert code == 0
    assert "a worker starts in bwrap" in out


def test_doctor_names_a_notebook_that_an_older_version_wrote(run, course, hand_in):
    """What a student wrote may run in it, so it says what to do; that done, all is well."""
    hand_in("ann", SOLVED)
    hand_in("bob", SOLVED)
    assert run("autograde")[0] == 0
    file = course.autograded / "ann" / "00_flows_recap" / "flows_recap.ipynb"
    old = json.loads(file.read_text())
    del old["metadata"]["dgmlib"]
    file.write_text(json.dumps(old))
    code, out, _ = run("doctor")
    (line,) = [line for line in out.splitlines() if "formgrader" in line]
    assert (code, line.startswith("FAILS")) == (1, True)
    assert "ann/00_flows_recap: run `python -m grading autograde`" in line
    assert "bob" not in line
    assert run("autograde")[0] == 0
    assert run("doctor")[0] == 0


def test_doctor_misses_what_shows_formulas(run, monkeypatch):
    found = health.importlib.util.find_spec
    monkeypatch.setattr(
        health.importlib.util, "find_spec", lambda name: None if name == "jupyter_server_mathjax" else found(name)
    )
    code, out, _ = run("doctor")
    assert code == 1
    assert "pip install jupyter-server-mathjax" in out


def test_without_a_sandbox_every_page_and_table_says_so(run, course, hand_in):
    """And no longer, once it was graded in one."""
    hand_in("ann", SOLVED)
    pages = [course.data / "report" / name for name in ("00_flows_recap.html", "index.html")]
    pages.append(course.data / "feedback" / "ann" / "00_flows_recap" / "flows_recap.html")
    for words, marked in (["--sandbox", "none"], True), ([], False):
        assert run("autograde", *words)[0] == 0
        for command in (["report"], ["feedback"], ["export", "csv"], ["export", "canvas"], ["export", "moodle"]):
            code, _, err = run(*command)
            assert (code, "00_flows_recap: graded without protection (--sandbox none): ann;" in err) == (0, marked)
        report, index, page = (file.read_text() for file in pages)
        assert ("graded without protection (--sandbox none)" in report) is marked
        assert ("<span>1</span></td>\n</tr>" in index) is marked  # needs a person
        assert ("Graded without protection" in page) is marked


def test_no_sandbox_is_one_line(run, hand_in, monkeypatch):
    hand_in("ann", SOLVED)

    def nothing(wanted):
        raise sandbox.SandboxError("no sandbox works here")

    monkeypatch.setattr(sandbox, "choose", nothing)
    assert run("autograde")[::2] == (1, "grading: no sandbox works here\n")


def test_it_runs_as_a_module_from_a_folder_that_holds_a_data_folder_grading(tmp_path):
    (tmp_path / "grading").mkdir()
    command = [sys.executable, "-m", "grading", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "autograde" in done.stdout
