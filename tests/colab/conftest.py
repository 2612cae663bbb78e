"""A machine as Colab is: its IPython and ipykernel, a stub of `google.colab`, no course, no nbgrader asked for.

Not as Colab is: Python, torch, numpy and matplotlib are those of the environment that runs the tests.
"""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

import grading

CHECKOUT = Path(grading.__file__).resolve().parent.parent
PINS = ("ipykernel==6.17.1", "ipython==7.34.0")
STUB = '''"""google.colab: nothing that would ask a student for anything may be called."""

import types


def refuse(*_):
    raise AssertionError("the notebook asked for Drive, files or a log-in")


drive = types.SimpleNamespace(mount=refuse)
files = types.SimpleNamespace(upload=refuse, download=refuse)
auth = types.SimpleNamespace(authenticate_user=refuse)
'''
RUN_ALL = """import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, kernel_name="colab", timeout=240, allow_errors=True).execute()
nbformat.write(notebook, sys.argv[2])
"""
LAUNCHER = "import google.colab\nfrom ipykernel.kernelapp import launch_new_instance\n\nlaunch_new_instance()\n"


@dataclass(frozen=True)
class Machine:
    """`python` of the emulation, its home, and an empty folder for the notebook."""

    home: Path

    @property
    def python(self) -> str:
        return str(self.home / "venv" / "bin" / "python")

    @property
    def content(self) -> Path:
        return self.home / "content"

    def environment(self, **more: str) -> dict[str, str]:
        """Colab's variables; none of this machine's that could help find the course."""
        kept = {k: os.environ[k] for k in ("PATH", "LANG", "OMP_NUM_THREADS") if k in os.environ}
        return kept | {"HOME": str(self.home), "IPYTHONDIR": str(self.home / "ipython")} | more

    def run(self, *words: str) -> str:
        done = subprocess.run([self.python, *words], capture_output=True, text=True, env=self.environment())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def packages(self) -> set[str]:
        """What `pip freeze` says, and where torch and numpy lie."""
        places = self.run("-c", "import numpy, torch; print(numpy.__file__, torch.__file__)")
        return {*self.run("-m", "pip", "freeze", "--disable-pip-version-check").splitlines(), places}

    def execute(self, notebook: Path, **environment: str):
        """Run All by nbclient, in a process of its own: the notebook with its outputs."""
        done = self.home / "done.ipynb"
        words = [sys.executable, "-c", RUN_ALL, str(notebook), str(done)]
        where = self.environment(JUPYTER_PATH=str(self.home), **environment)
        subprocess.run(words, cwd=notebook.parent, env=where, check=True)
        return nbformat.read(done, as_version=4)


@pytest.fixture(scope="session")
def blank_machine(tmp_path_factory) -> Machine:
    """Before the course: torch is there, dgmlib is not."""
    machine = Machine(tmp_path_factory.mktemp("colab"))
    machine.content.mkdir()
    venv = machine.home / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = Path(machine.run("-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip())
    (site / "present.pth").write_text(f"{present(machine.home / 'present')}\n")
    install = [sys.executable, "-m", "pip", "--python", machine.python, "install", "-q", *PINS]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Colab's packages do not install here: {done.stderr.strip().splitlines()[-1][:200]}")
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").write_text(STUB)
    (site / "colab_kernel_launcher.py").write_text(LAUNCHER)
    kernel = machine.home / "kernels" / "colab" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    words = [machine.python, "-m", "colab_kernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": words, "display_name": "Colab", "language": "python"}))
    return machine


def present(folder: Path) -> Path:
    """Links to all packages of this environment but the course's own, so that torch is not fetched again."""
    folder.mkdir()
    for found in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "dgmlib" not in found.name and found.suffix != ".pth":
            (folder / found.name).symlink_to(found)
    return folder


@pytest.fixture
def machine(blank_machine):
    """The blank machine; what a test installed is removed."""
    yield blank_machine
    subprocess.run([blank_machine.python, "-m", "pip", "uninstall", "-q", "-y", "dgmlib"], check=True)
    for file in blank_machine.content.iterdir():
        file.unlink()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The one wheel of this release."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(CHECKOUT)]
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found
