"""A machine as Colab is: all its pinned packages, a stub of `google.colab`, no course and no grader.

`make test` takes the Python and the torch of the environment that runs the tests, `make slow` Colab's own of both.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

import grading

from . import packages

CHECKOUT = Path(grading.__file__).resolve().parent.parent
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
client = NotebookClient(notebook, kernel_name="colab", timeout=240, allow_errors=True)
client.widget_registry = {}  # see tests/run_all.py
client.execute()
nbformat.write(notebook, sys.argv[2])
"""
LAUNCHER = "import google.colab\nfrom ipykernel.kernelapp import launch_new_instance\n\nlaunch_new_instance()\n"
STATE = """import importlib.metadata, importlib.util, json
found = {}
for one in importlib.metadata.distributions():
    found.setdefault(one.name.lower().replace("_", "-"), one.version)  # the first on the path is the one imported
places = {f"{name}'s place": importlib.util.find_spec(name).origin for name in ("numpy", "torch")}
print(json.dumps(found | places))
"""


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

    def packages(self) -> dict[str, str]:
        """Each package's version, and where torch and numpy lie."""
        return json.loads(self.run("-c", STATE))

    def execute(self, notebook: Path, **environment: str):
        """Run All by nbclient, in a process of its own: the notebook with its outputs."""
        done = self.home / "done.ipynb"
        words = [sys.executable, "-c", RUN_ALL, str(notebook), str(done)]
        where = self.environment(JUPYTER_PATH=str(self.home), **environment)
        subprocess.run(words, cwd=notebook.parent, env=where, check=True)
        return nbformat.read(done, as_version=4)


def assembled(home: Path, python: str, *sites: Path) -> Machine:
    """A machine with these folders of packages."""
    machine = Machine(home)
    machine.content.mkdir()
    subprocess.run([python, "-m", "venv", "--without-pip", str(home / "venv")], check=True)
    site = Path(machine.run("-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip())
    (site / "present.pth").write_text("".join(f"{folder}\n" for folder in sites))
    (site / "google" / "colab").mkdir(parents=True)
    (site / "google" / "colab" / "__init__.py").write_text(STUB)
    (site / "colab_kernel_launcher.py").write_text(LAUNCHER)
    kernel = home / "kernels" / "colab" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    words = [machine.python, "-m", "colab_kernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": words, "display_name": "Colab", "language": "python"}))
    return machine


@pytest.fixture(scope="session")
def machine_at_hand(tmp_path_factory) -> Machine:
    """Colab's pins under the Python and with the torch that are here."""
    home = tmp_path_factory.mktemp("colab")
    return assembled(home, sys.executable, pinned(sys.executable), packages.torch_at_hand(home / "torch"))


@pytest.fixture(scope="session")
def machine_of_colab(tmp_path_factory) -> Machine:
    """Colab's pins, its Python and its torch."""
    python = packages.colabs_python()
    if python is None:
        pytest.skip(f"Colab's Python {packages.COLABS_PYTHON} is not here: neither on the PATH nor in pyenv")
    return assembled(tmp_path_factory.mktemp("colab"), python, pinned(python, packages.TORCH))


def pinned(python: str, *more: str) -> Path:
    try:
        return packages.installed(python, *more)
    except OSError as error:
        pytest.skip(f"Colab's packages do not install here: {error}")


AT_HAND = pytest.param("machine_at_hand", id="at hand")
OF_COLAB = pytest.param("machine_of_colab", id="of Colab", marks=pytest.mark.slow)


@pytest.fixture(params=[AT_HAND, OF_COLAB])
def machine(request):
    """The blank machine; what a test installed is removed."""
    machine = request.getfixturevalue(request.param)
    yield machine
    machine.run("-m", "pip", "uninstall", "-q", "-y", "dgmlib")
    for file in machine.content.iterdir():
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
