"""`make lab`'s own command over a copy of the course, and a real Chromium in front of it."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

import grading
from grading.collecting import roster
from grading.course import Course
from grading.demo.student import as_colab

from .lab import Lab
from .vectors import PERSON, hostile

CHECKOUT = Path(grading.__file__).resolve().parent.parent
SCREENSHOTS = CHECKOUT / "build" / "screenshots"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-extensions",
]  # fmt: skip
TOKEN = "open-sesame"
START = 90
NAME, BOOK = "01_forward_reverse_kl", "forward_reverse_kl"
RIGHT = """def gaussian_kl(mean_p, cov_p, mean_q, cov_q):
    p, q = (torch.distributions.MultivariateNormal(m, c) for m, c in ((mean_p, cov_p), (mean_q, cov_q)))
    return torch.distributions.kl_divergence(p, q)"""
PROOF = "Substitute $z = f(x)$: the Jacobians cancel, and what is left is the latent KL."


@pytest.fixture(scope="session")
def desk(tmp_path_factory) -> Path:
    """A course folder: two assignments with their sources, and nbgrader's settings."""
    root = tmp_path_factory.mktemp("desk")
    for name in ("00_flows_recap", "01_forward_reverse_kl"):
        for folder in ("course", "solutions"):
            shutil.copytree(CHECKOUT / folder / name, root / folder / name)
    shutil.copy(CHECKOUT / "nbgrader_config.py", root)
    return root


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory) -> dict[str, str]:
    """An environment with a home of its own: no setting of this machine's user counts."""
    home = tmp_path_factory.mktemp("home")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON", "DGM", "NBGRADER"))}
    return kept | {"HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}


@pytest.fixture(scope="session")
def address(desk, surroundings):
    """Where JupyterLab answers."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    extra = f"--no-browser --port={port} --IdentityProvider.token={TOKEN} --expose-app-in-browser"
    log = desk.parent / f"{desk.name}.log"
    with open(log, "wb") as sink:
        server = subprocess.Popen(
            [*lab_command(), *extra.split()],
            cwd=desk,
            env=surroundings,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={TOKEN}", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(server)


def lab_command() -> list[str]:
    """What `make lab` would run, by make itself."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    ask = ["make", "-n", "--no-print-directory", "lab"]  # `make test` may be what runs us
    shown = subprocess.run(ask, cwd=CHECKOUT, env=outside, capture_output=True, text=True, check=True).stdout
    program, *words = shlex.split(shown.splitlines()[-1])
    return [str(Path(sys.executable).parent / Path(program).name), *words]


def wait_for(url: str, server: subprocess.Popen, log: Path):
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def stop(server: subprocess.Popen):
    """Jupyter ends its kernels when asked kindly; what is left of the group is killed."""
    server.terminate()
    with suppress(subprocess.TimeoutExpired):
        server.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@pytest.fixture(scope="session")
def graded(desk, surroundings) -> Course:
    """ann wrote one answer and the proof, bob wrote nothing and used Colab, mallory wrote what hostile.py holds."""
    course = Course(desk)
    blank = json.loads((desk / "course" / NAME / f"{BOOK}.ipynb").read_text())
    written = json.loads(json.dumps(blank))
    for cell in written["cells"]:
        cell["source"] = {"gaussian_kl": RIGHT, "duality_proof": PROOF}.get(cell["id"], cell["source"])
    for student, notebook in {"ann": written, "mallory": hostile(blank), "bob": as_colab(blank)}.items():
        target = course.submitted / student / NAME / f"{BOOK}.ipynb"
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(notebook))
    roster.save(course, {"mallory": {"name": PERSON}})
    command = [sys.executable, "-m", "grading", "autograde", "--course", str(desk), "--jobs", "1", "--quiet"]
    done = subprocess.run(command, cwd=desk, env=surroundings, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return course


@pytest.fixture(scope="session")
def chromium():
    if not CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def lab(chromium, address, request):
    """A fresh page at JupyterLab. At the end: no page error, no unknown complaint, nothing asked of another machine."""
    page = chromium.new_page(viewport={"width": 1400, "height": 950})
    page.set_default_timeout(60_000)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    made = Lab(page, address, TOKEN, SCREENSHOTS)
    yield made
    made.picture(f"last-{request.node.name}")
    page.close()
    assert made.complaints == []
