"""An autograder for Gradescope: what the zip holds, what comes out, and the whole in a container's place."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grading.cli import main
from grading.course import CHECKOUT, Course
from grading.releasing.gradescope import pack
from grading.running import sandbox

NAME = "03_elbo"
HARNESS = """set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mkdir -p "$1/root/autograder" && cp -r "$2/." "$1/root/autograder"
chroot "$1/root" sh -ec '
    cd /autograder; bash source/setup.sh; cp source/run_autograder .; chmod +x run_autograder; ./run_autograder'
cp "$1/root/autograder/results/results.json" "$2/results/"
"""


def autograder(folder: Path, handed_in: dict[str, bytes]) -> Path:
    """The folder as Gradescope lays it out."""
    packed = pack(Course(CHECKOUT), NAME, folder / "autograder.zip")
    for part in ("source", "results", "submission"):
        (folder / "autograder" / part).mkdir(parents=True)
    with zipfile.ZipFile(packed) as opened:
        opened.extractall(folder / "autograder" / "source")
    for name, data in handed_in.items():
        (folder / "autograder" / "submission" / name).write_bytes(data)
    about = {"id": 1, "users": [{"email": "ada@uni.example", "id": 7, "name": "Ada"}]}
    (folder / "autograder" / "submission_metadata.json").write_text(json.dumps(about))
    return folder / "autograder"


def results(folder: Path) -> dict:
    """What its program writes, on this machine's Python."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "DGM", "PYTHON"))}
    command = [sys.executable, "-m", "grading", "gradescope-run", str(folder)]
    ran = subprocess.run(command, cwd=folder / "source", env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads((folder / "results" / "results.json").read_text())


def solved() -> bytes:
    return next((CHECKOUT / "solutions" / NAME).glob("*.ipynb")).read_bytes()


def test_the_zip_holds_the_program_and_nobodys_work(tmp_path):
    course = Course(CHECKOUT)
    with zipfile.ZipFile(pack(course, NAME, tmp_path / "a.zip")) as opened:
        names = set(opened.namelist())
        assert opened.read("grading/secret").decode() != course.secret()
        assert opened.getinfo("run_autograder").external_attr >> 16 & 0o111
    assert {"setup.sh", "run_autograder", "requirements.txt", f"course/{NAME}/elbo.ipynb"} <= names
    tracked = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True).stdout.split()
    extra = {name for name in names if name.startswith(("grading/", "dgmlib/"))} - {"grading/secret"}
    assert not tracked or extra <= set(tracked)
    assert not any(name.startswith(("grading/demo/students", "solutions")) for name in names)


def test_full_marks_and_a_test_a_law(tmp_path):
    out = results(autograder(tmp_path, {"whatever.ipynb": solved()}))
    judged = [test for test in out["tests"] if "score" in test]
    assert out["score"] == sum(test["max_score"] for test in judged) == pytest.approx(14)
    assert {test["status"] for test in judged} == {"passed"}
    assert [test["name"] for test in out["tests"] if "score" not in test] == ["decomposition_proof"]
    assert out["extra_data"]["sandbox"] in ("bwrap", "landlock")


@pytest.mark.parametrize(
    ("handed_in", "said"),
    [
        ({}, "no .ipynb file was handed in"),
        ({"x.ipynb": b"{"}, "JSON"),
        ({"x.ipynb": (CHECKOUT / "course/00_flows_recap/flows_recap.ipynb").read_bytes()}, "none of its exercises"),
    ],
    ids=["nothing", "broken", "another assignment"],
)
def test_what_is_refused_says_so(tmp_path, handed_in, said):
    out = results(autograder(tmp_path, handed_in))
    assert out["score"] == 0
    assert said in out["output"]


def test_without_a_sandbox_another_user_runs_it_and_the_results_say_so(monkeypatch, tmp_path):
    def choose(kind: str):
        if kind != "none":
            raise sandbox.SandboxError("none works here")
        return sandbox.plain.Plain("none")

    monkeypatch.setattr(sandbox, "choose", choose)
    folder = autograder(tmp_path, {"x.ipynb": solved()})
    main(["gradescope-run", str(folder), "--quiet", "--course", str(folder / "source")])
    out = json.loads((folder / "results" / "results.json").read_text())
    assert out["score"] == 14
    assert "another user" in out["extra_data"]["sandbox"]


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="a chroot needs root")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="setup.sh takes the system's Python")
def test_setup_and_run_in_a_chroot(tmp_path):
    """The machine's own root under an overlay, laid out as the harness does; setup.sh runs there as it stands."""
    folder = autograder(tmp_path, {"x.ipynb": solved()})
    (tmp_path / "mnt").mkdir()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "DGM", "PYTHON"))}
    env |= {"PIP_EXTRA_INDEX_URL": os.environ.get("PIP_EXTRA_INDEX_URL", "")}
    command = ["unshare", "--mount", "sh", "-c", HARNESS, "sh", str(tmp_path / "mnt"), str(folder)]
    ran = subprocess.run(command, env=env, capture_output=True, text=True)
    if "mount:" in ran.stderr:
        pytest.skip(f"no overlay here: {ran.stderr.strip().splitlines()[-1]}")
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    out = json.loads((folder / "results" / "results.json").read_text())
    assert out["score"] == 14
    assert out["extra_data"]["sandbox"] in ("bwrap", "landlock")
