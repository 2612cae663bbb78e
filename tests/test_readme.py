"""What README tells people to type works: make targets, the command line from a download to an export; links."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
NAME = "00_flows_recap"
LINES = [line.partition("#")[0].split() for line in README.splitlines() if line.startswith("python -m grading ")]
TARGETS = sorted(set(re.findall(r"^make (\w+)|`make ([\w-]+)`", README, re.M)))
CONTAINER = [line for line in README.splitlines() if line.startswith("docker ")]


@pytest.mark.parametrize("target", sorted({one or other for one, other in TARGETS}))
def test_make_knows_the_target(target):
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("place", sorted(set(re.findall(r"\]\(([\w/.]+)\)", README))))
def test_a_link_leads_somewhere(place):
    assert (ROOT / place).exists()


@pytest.fixture(scope="module")
def term(tmp_path_factory) -> Path:
    """A course folder by `init`; beside it a class list, and a download of two who hand in."""
    folder = tmp_path_factory.mktemp("readme")
    grading(folder, "init", "term")
    solved = json.loads((ROOT / "solutions" / NAME / "flows_recap.ipynb").read_text())
    (folder / "some_notebook.ipynb").write_text(json.dumps(solved))
    with open(folder / "gradebook.csv", "w", newline="") as file:
        csv.writer(file).writerows(
            [["Student", "ID", "SIS Login ID"], ["Ada Lovelace", "7", "ada"], ["Bo Ek", "8", "bo"]]
        )
    with zipfile.ZipFile(folder / "downloads.zip", "w") as archive:
        archive.write(folder / "some_notebook.ipynb", "lovelaceada_7_901_flows_recap.ipynb")
        archive.write(ROOT / "course" / NAME / "flows_recap.ipynb", "ekbo_LATE_8_902_flows_recap.ipynb")
    return folder


def grading(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "grading", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_command_line_from_a_download_to_an_export(term):
    said = {}
    for _, _, _, command, *words in LINES:
        said[command] = grading(term, command, *words, "--course", str(term / "term"))
    data = term / "term" / "grading"
    assert {command for command in said} >= {"doctor", "roster", "collect", "autograde", "check", "feedback", "export"}
    canvas = (data / "exports" / "canvas.csv").read_text()
    assert re.search(r"^Ada Lovelace,7,,ada,,25\r?$", canvas, re.M)
    assert re.search(r"^Bo Ek,8,,bo,,0\r?$", canvas, re.M)
    with zipfile.ZipFile(data / "exports" / f"{NAME}_feedback.zip") as pages:
        assert sorted(pages.namelist()) == ["ekbo_LATE_8_902_flows_recap.html", "lovelaceada_7_901_flows_recap.html"]
    assert (term / "flows.zip").is_file()


def test_the_container_grades(tmp_path):
    """As README writes it, with whichever of the two programs is here."""
    program = next((p for p in ("podman", "docker") if shutil.which(p)), None)
    if program is None:
        pytest.skip("neither podman nor docker on this machine")
    base = subprocess.run([program, "image", "inspect", "python:3.12-slim"], capture_output=True)
    if base.returncode:
        pytest.skip(f"{program} has no image python:3.12-slim here")
    (tmp_path / "term").mkdir()
    for line in CONTAINER:
        words = shlex.split(line.replace("$PWD", str(tmp_path)))
        cwd = ROOT if words[1] == "build" else tmp_path
        done = subprocess.run([program, *words[1:]], cwd=cwd, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "a worker starts in landlock" in done.stdout


def test_the_container_copies_what_there_is():
    """Each place that the Containerfile copies is there, and none that .dockerignore keeps at home."""
    copied = [
        line.split()[1:-1] for line in (ROOT / "Containerfile").read_text().splitlines() if line.startswith("COPY")
    ]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists()
        assert name.split("/")[0] in allowed
