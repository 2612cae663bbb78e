"""The gradebook in a real PostgreSQL server, named by `db_url` in the course folder's nbgrader_config.py."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from grading.cli import main
from grading.collecting import roster
from grading.course import Course, CourseError
from grading.recording import scores
from grading.recording.gradebook import opened, url

from . import classroom

psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: pip install 'psycopg[binary]'")


PASSWORD = "pass@word"


def program(name: str) -> str | None:
    """A program of the server; Debian keeps them off PATH."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, places)]))


pytestmark = pytest.mark.skipif(program("initdb") is None, reason="no PostgreSQL server: apt-get install postgresql")


@pytest.fixture(scope="module")
def server():
    """The folder of a server's socket; it listens on no network. It refuses to run as root: then as nobody."""
    folder = Path(tempfile.mkdtemp(prefix="dgm-pg-"))
    owner = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if owner:
        shutil.chown(folder, **owner)
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **owner}
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    made = [program("initdb"), "-D", "data", "-U", "ta", "-A", "scram-sha-256", "--pwfile", "password", "--no-sync"]
    subprocess.run(made, check=True, **quiet)
    options = ["-D", "data", "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
    process = subprocess.Popen([program("postgres"), *options], **quiet)
    yield folder
    process.terminate()
    process.wait(30)
    shutil.rmtree(folder)


@pytest.fixture
def book(server, course):
    """A course whose gradebook is an empty database of the server."""
    name = f"book{time.monotonic_ns()}"
    for _ in range(100):
        try:
            link = psycopg.connect(host=str(server), user="ta", password=PASSWORD, dbname="postgres", autocommit=True)
            break
        except psycopg.OperationalError:
            time.sleep(0.2)
    link.execute(f"CREATE DATABASE {name}")
    link.close()
    address = f"postgresql+psycopg://ta:pass%40word@/{name}?host={server}"
    (course.root / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.db_url = {address!r}\n")
    return course


def autograde(course: Course) -> int:
    return main(["autograde", "--course", str(course.root), "--secret", "s", "--quiet"])


def test_a_class_is_recorded_in_postgresql(book, hand_in):
    hand_in("ann", classroom.data(classroom.solved()))
    hand_in("bób", classroom.data(classroom.released()))
    assert autograde(book) == 0
    assert autograde(book) == 0  # and again, into the same rows
    assert not book.gradebook.exists()
    with opened(url(book)) as gradebook:
        rows = {s.student.id: s.score for s in gradebook.assignment_submissions("00_flows_recap")}
    assert rows == {"ann": 5.0, "bób": 0.0}


def test_a_name_that_the_server_would_refuse_costs_no_score(book, hand_in):
    hand_in("ann", classroom.data(classroom.solved()))
    roster.save(book, {"ann": {"name": "Ann\0 Lee", "email": "a" * 200}})
    assert autograde(book) == 0
    with opened(url(book)) as gradebook:
        ann = gradebook.find_student("ann")
        assert (ann.first_name, ann.last_name, ann.email, ann.score) == ("Ann", "Lee", None, 5.0)


def test_points_that_a_person_gave_there_are_read(book, hand_in):
    hand_in("ann", classroom.data(classroom.solved()))
    autograde(book)
    with opened(url(book)) as gradebook:
        (notebook,) = gradebook.find_submission("00_flows_recap", "ann").notebooks
        notebook.grades[0].manual_score = 1.5
        gradebook.db.commit()
    got = [h.score for h in scores.by_hand(book, "00_flows_recap")["ann"].values()]
    assert got == [1.5]


def test_a_server_that_is_away_is_one_line_without_the_password(book, hand_in, monkeypatch, capsys):
    from grading.recording import record

    config = book.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("host=/", "host=/nothing/"))
    monkeypatch.setattr(record, "PATIENCE", 0.1)
    hand_in("ann", classroom.data(classroom.solved()))
    assert autograde(book) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "verdicts are kept, run autograde again" in line
    assert "pass" not in line
    assert len(list(book.verdicts.glob("*/*.json"))) == 1


@pytest.mark.parametrize("text", ["c = (", "c = get_config()\nc.CourseDirectory.db_url = 'nonsense'"])
def test_a_wrong_setting_is_one_line(book, text):
    (book.root / "nbgrader_config.py").write_text(text)
    with pytest.raises(CourseError, match=r"nbgrader_config\.py"), opened(url(book)):
        json.loads("never")
