"""Commands that grade nothing start in a second: no torch, no parser of addresses that no notebook has."""

import subprocess
import sys

import pytest

from . import synthetic
from .synthetic import NAME, verdict

ASKED = """
import runpy, sys
sys.argv = ["grading", *sys.argv[1:]]
try:
    runpy.run_module("grading", run_name="__main__")
except SystemExit as end:
    print("exit", end.code)
print("loaded", *sorted({name.partition(".")[0] for name, module in sys.modules.items() if module}))
"""
HEAVY = {"torch", "rfc3987_syntax", "lark"}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    room = synthetic.released(tmp_path_factory.mktemp("room"))
    synthetic.on_file(room, [verdict("ann")])
    (room.root / "class.csv").write_text("name,email\nAda Lovelace,ada@uni.example\n")
    return room


@pytest.mark.parametrize("words", [["export", "csv"], ["roster", "class.csv"], ["collect", "class.csv", NAME]])
def test_what_is_loaded(room, words):
    run = [sys.executable, "-c", ASKED, *words, "--course", str(room.root)]
    said = subprocess.run(run, cwd=room.root, capture_output=True, text=True).stdout
    loaded = set(said.rpartition("loaded ")[2].split())
    assert "exit" in said
    assert "grading" in loaded
    assert not HEAVY & loaded
