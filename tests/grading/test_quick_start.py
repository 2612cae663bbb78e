"""Commands that grade nothing start in a second: no torch, no parser of addresses that no notebook has."""

import subprocess
import sys

import pytest

from . import synthetic
from .synthetic import NAME, verdict

ASKED = """
import atexit, runpy, sys

def loaded():
    print("loaded", *sorted({name.partition(".")[0] for name, module in sys.modules.items() if module}))

atexit.register(loaded)
sys.argv = ["grading", *sys.argv[1:]]
runpy.run_module("grading", run_name="__main__")
"""
HEAVY = {"torch", "rfc3987_syntax", "lark"}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = synthetic.released(tmp_path_factory.mktemp("room"))
    synthetic.on_file(room, [verdict("ann")])
    (room.root / "class.csv").write_text("name,email\nAda Lovelace,ada@uni.example\n")
    return room


@pytest.mark.parametrize(
    ("words", "status"),
    [(["export", "csv"], 0), (["roster", "class.csv"], 0), (["collect", "class.csv", NAME], 1)],  # a roster is no zip
    ids=str,
)
def test_what_is_loaded(room, words, status):
    run = [sys.executable, "-c", ASKED, *words, "--course", str(room.root)]
    ran = subprocess.run(run, cwd=room.root, capture_output=True, text=True)
    loaded = set(ran.stdout.rpartition("loaded ")[2].split())
    assert ran.returncode == status, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "grading" in loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize("words", [["--help"], ["no-such-command"]])
def test_no_traceback_where_nobody_reads_what_is_printed(words):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-m", "grading", *words], **pipes) as run:
        run.stdout.close()
        said = run.stderr.read().decode()
    assert run.returncode in (0, 1, 2)
    assert "Traceback" not in said
    assert "Exception ignored" not in said
