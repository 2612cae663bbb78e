"""Both wheels as others get them: each in an empty environment, away from the checkout."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
STUDENT = """
import importlib.util, dgmlib.flows, torch
from dgmlib.checks import check
assert importlib.util.find_spec("grading") is None
layer = dgmlib.flows.LULinear(2 * torch.eye(2))
print(check("flow_log_prob", lambda layers, x: x))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHECKOUT / ".git").exists(), reason="the course's wheel is made of what git tracks"),
    pytest.mark.skipif(not (CHECKOUT / ".venv").exists(), reason="`make release-files` needs the environment of make"),
]


def run(*words, cwd: Path, code: int = 0) -> str:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "DGM", "PYTHON"))}
    ran = subprocess.run([*map(str, words)], cwd=cwd, env=env, capture_output=True, text=True)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    run("make", "release-files", f"DIST={folder}", f"PYTHON={sys.executable}", cwd=CHECKOUT)
    return sorted(folder.glob("*.whl"))


def environment(folder: Path, *what: Path | str) -> Path:
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "-c", CHECKOUT / "constraints.txt", *what, cwd=folder)
    return python


def test_a_student_installs_the_library_alone(wheels, tmp_path):
    (student,) = [wheel for wheel in wheels if wheel.name.startswith("dgmlib")]
    python = environment(tmp_path, student)
    assert "flow_log_prob" in run(python, "-c", STUDENT, cwd=tmp_path)


def test_a_teacher_installs_the_course_and_grades(wheels, tmp_path):
    python = environment(tmp_path, *wheels)
    grading = python, "-m", "grading"
    run(*grading, "doctor", cwd=tmp_path, code=2)  # no course here
    run(*grading, "init", "mine", cwd=tmp_path)
    run(*grading, "init", "mine", cwd=tmp_path, code=2)
    mine = tmp_path / "mine"
    solved = mine / "solutions" / "03_elbo" / "elbo.ipynb"
    run(*grading, "check", solved, "--json", tmp_path / "out.json", cwd=mine)
    out = json.loads((tmp_path / "out.json").read_text())
    assert out["status"] == "graded"
    assert out["score"] == sum(e["max_score"] for e in out["exercises"].values() if e["score"] is not None)
    assert out["sandbox"] != "none"
    target = mine / "grading" / "submitted" / "Ada" / "03_elbo" / "elbo.ipynb"
    target.parent.mkdir(parents=True)
    target.write_bytes(solved.read_bytes())
    for words in (["autograde"], ["feedback"], ["report"], ["export", "csv"], ["release", "--check"], ["doctor"]):
        run(*grading, *words, cwd=mine)
