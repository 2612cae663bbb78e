"""What of this machine's files a worker sees: nothing of the checkout or the course, wherever they lie."""

import json
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from grading.course import CHECKOUT
from grading.running import sandbox
from grading.running.sandbox import view
from grading.running.session import Session

from . import classroom

CANARY = "CANARY-5b1f"
# Reads every file of a folder in Python alone, and git's objects as git would.
READER = """import os, zlib
found = []
for at, folders, files in os.walk({folder!r}):
    for name in files:
        try: data = open(os.path.join(at, name), 'rb').read()
        except OSError: continue
        try: data += zlib.decompress(data)
        except zlib.error: pass
        if b'CANARY-' + b'5b1f' in data: found.append(name)
"""


@pytest.fixture
def checkout():
    """A folder below one that every sandbox shows, as a checkout in /usr/share would be."""
    folder = Path(sys.prefix) / "share" / f"dgm-test-{os.getpid()}" / "app"
    plant(folder / ".git" / "objects" / "ab" / "cdef", zlib.compress(f"blob 9\0{CANARY}".encode()))
    for name in ("README.md", "grading/secret", "solutions/x.ipynb", "benchmarks/RESULTS.md", "a name nobody listed"):
        plant(folder / name, CANARY.encode())
    yield folder
    shutil.rmtree(folder.parent)


def plant(path: Path, data: bytes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture(params=["bwrap, forked", "bwrap, cold", "landlock, forked", "landlock, cold"])
def boxed(request, bundle):
    """Opens a session in one of the sandboxes, with folders hidden."""
    kind, how = request.param.split(", ")
    try:
        box = sandbox.choose(kind)
    except sandbox.SandboxError as error:
        pytest.skip(str(error))
    box = sandbox.ForkServerSandbox(box) if how == "forked" else box
    made = sandbox.Bundle().fill()  # a fork server belongs to a bundle, and sees what it saw at its start
    yield lambda *hidden: Session(lambda link: box.start(made, link, hidden), 1, 600)
    if how == "forked":
        box.close()
    made.close()


def test_a_checkout_below_a_shown_folder_is_not_there(boxed, checkout):
    with boxed(checkout) as session:
        error, printed = session.cell("reader", READER.format(folder=str(checkout.parent)) + "print(found)")
        assert (error, printed) == ("", "[]\n")
        listed, _ = session.cell("list", f"import os; os.listdir({str(checkout)!r} + '/.git')")
        assert listed.startswith(("FileNotFoundError", "PermissionError"))
        assert session.cell("imports", "import torch, numpy, matplotlib.pyplot, sklearn, dgmlib.data")[0] == ""


def test_the_reader_finds_it_where_nothing_is_hidden(boxed, checkout):
    with boxed() as session:
        _, printed = session.cell("reader", READER.format(folder=str(checkout.parent)) + "print(len(found))")
    assert printed == "6\n"


@pytest.fixture
def python(tmp_path, monkeypatch):
    """A made-up environment inside a checkout, both below /usr as far as the plan knows."""
    usr, app = tmp_path / "usr", tmp_path / "usr" / "share" / "app"
    packages = app / ".venv" / "lib" / "python3" / "site-packages"
    for folder in (usr / "bin", usr / "src" / "app", packages / "torch", app / ".venv" / "bin", app / ".git"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(view, "prefixes", lambda: [str(usr), str(app / ".venv")])
    monkeypatch.setattr(view, "LINKERS", ())
    monkeypatch.setattr(sys, "path", [str(packages)])
    return usr, app, packages


def test_of_usr_only_programs_and_libraries_are_shown(python):
    usr, _, _ = python
    assert view.plan() == {str(usr / "bin"): True, str(usr / "share"): True}


def test_an_environment_inside_a_hidden_checkout_is_shown(python):
    usr, app, _ = python
    venv = app / ".venv"
    expected = {usr / "bin": True, usr / "share": True, app: False, venv / "bin": True, venv / "lib": True}
    assert view.plan((app,)) == {str(path): seen for path, seen in expected.items()}
    trees, listable = view.open_trees((app,))
    assert set(trees) == {str(usr / "bin"), str(venv / "bin"), str(venv / "lib")}
    assert listable == []


def test_an_installed_library_is_hidden_wherever_python_finds_it(python):
    _, app, packages = python
    (packages / "dgmlib").mkdir()
    assert view.plan((app,))[str(packages / "dgmlib")] is False
    trees, listable = view.open_trees((app,))
    assert str(packages / "torch") in trees
    assert not any(Path(tree) in (packages, packages / "dgmlib") for tree in trees)
    assert listable == [str(packages)]


def test_a_checkout_that_is_the_packages_folder_is_not_hidden_whole(python):
    _, _, packages = python
    (packages / "grading").mkdir()
    made = view.plan((packages,))
    assert made[str(packages / "grading")] is False
    assert str(packages) not in made


def test_a_checkout_behind_a_link_is_hidden_at_both_its_names(python):
    usr, app, _ = python
    (usr / "lib").symlink_to(usr / "share")
    assert view.plan((app,))[str(usr / "lib" / "app")] is False


@pytest.fixture(scope="module")
def installed():
    """This checkout, small, below a folder that every sandbox shows; its history holds a solution."""
    folder = Path(sys.prefix) / "share" / f"dgm-cli-{os.getpid()}"
    stages = [str(p.parent.relative_to(CHECKOUT)) for p in CHECKOUT.glob("grading/*/__init__.py")]
    for name in ("dgmlib", "grading/*.py", *stages, "course/00_flows_recap"):
        for source in CHECKOUT.glob(name):
            target = folder / source.relative_to(CHECKOUT)
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, target)
    plant(folder / ".git" / "objects" / "ab" / "cdef", zlib.compress(f"blob 9\0{CANARY}".encode()))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(("kind", "found"), [("none", True), ("auto", False), ("landlock", False)])
def test_an_answer_that_reads_the_history_of_the_checkout(installed, tmp_path, kind, found):
    """From the command line, with the checkout where Docker images like to have it: below /usr."""
    if kind == "landlock" and not sandbox.survey()["landlock"][0]:
        pytest.skip("no Landlock on this machine")
    notebook = json.loads((installed / "course" / "00_flows_recap" / "flows_recap.ipynb").read_text())
    body = READER.format(folder=str(installed)).replace("\n", "\n    ")
    classroom.at(notebook, "batch_jacobian")["source"] = (
        f"def batch_jacobian(f, x):\n    {body}\n    raise LookupError(f'looked, {{len(found)}} found')"
    )
    path, out = tmp_path / "thief.ipynb", tmp_path / "out.json"
    path.write_text(json.dumps(notebook))
    command = [sys.executable, "-m", "grading", "check", str(path), "--json", str(out), "--secret", "s"]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    subprocess.run([*command, "--sandbox", kind], cwd=installed, env=environment, capture_output=True, timeout=300)
    laws = json.loads(out.read_text())["exercises"]["batch_jacobian"]["laws"]
    assert f"looked, {int(found)} found" in " ".join(law["message"] for law in laws)
