"""Grading a class: ours with one and two workers against stock `nbgrader autograde`, on the same submissions.

`python -m benchmarks.grading [N [ROUNDS]]` makes a course folder with N students (default 12), whose notebook is the
first assignment's without its figures: texts, set-up, answers, checks. Stock nbgrader starts a kernel for each, ours
the sandbox; both start from nothing and end with the gradebook. Wall time, so on an idle machine; runs take turns.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
NAME = "00_flows_recap"
STOCK = """c = get_config()
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "stock"
c.ExecutePreprocessor.timeout = 120
"""


def room(students: int) -> Path:
    """A course folder; every student has all answers, and a comment of their own."""
    root = Path(tempfile.mkdtemp(prefix="dgm-bench-"))
    source = json.loads((CHECKOUT / "solutions" / NAME / "flows_recap.ipynb").read_text())
    source["cells"] = [c for c in source["cells"] if c["cell_type"] != "code" or c["id"] == "setup" or asks(c)]
    code = next(c for c in source["cells"] if c["id"] == "setup")
    for folder in [root / "solutions" / NAME, *(root / f"grading/submitted/s{n:03}" / NAME for n in range(students))]:
        folder.mkdir(parents=True)
        own = {"source": [*code["source"], f"\n# {folder.parent.name}"]}
        cells = [c | own if c is code else c for c in source["cells"]]
        (folder / "flows_recap.ipynb").write_text(json.dumps(source | {"cells": cells}))
    (root / "nbgrader_config.py").write_text(STOCK)
    return root


def asks(cell: dict) -> bool:
    about = cell["metadata"].get("nbgrader", {})
    return about.get("solution") or about.get("grade")


def run(root: Path, *command: str) -> float:
    """Seconds of one command in the course folder. Exits with its output where it fails."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    started = time.monotonic()
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.monotonic() - started


ALONE = """
import contextlib, io, json, statistics, sys, time
cells = [c for c in json.load(open(sys.argv[1]))["cells"] if c["cell_type"] == "code"]
seconds = []
for _ in range(6):
    started, names = time.perf_counter(), {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            exec("".join(cell["source"]), names)
    seconds.append(time.perf_counter() - started)
print(statistics.median(seconds[1:]))
"""


def alone(root: Path) -> float:
    """Seconds of one notebook's own cells and checks, in a process that has imported everything."""
    notebook = root / "grading" / "submitted" / "s000" / NAME / "flows_recap.ipynb"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, "-c", ALONE, str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)


def ours(root: Path, jobs: int) -> float:
    for folder in ("verdicts", "autograded"):
        shutil.rmtree(root / "grading" / folder, ignore_errors=True)
    (root / "grading" / "gradebook.db").unlink(missing_ok=True)
    return run(
        root, sys.executable, "-m", "grading", "autograde", "--course", str(root), "--jobs", str(jobs), "--quiet"
    )


def stock(root: Path) -> float:
    shutil.rmtree(root / "stock", ignore_errors=True)
    return run(root, "nbgrader", "autograde", NAME)


def main(students: int = 12, rounds: int = 2):
    root = room(students)
    run(root, sys.executable, "-m", "grading", "release", NAME, "--course", str(root))
    run(root, "nbgrader", "generate_assignment", NAME, "--force")
    times: dict[str, list[float]] = {
        "stock nbgrader": [],
        "ours, 1 worker": [],
        "ours, 2 workers": [],
        "ours, again": [],
    }
    for _ in range(rounds):
        times["stock nbgrader"].append(stock(root))
        times["ours, 1 worker"].append(ours(root, 1))
        times["ours, 2 workers"].append(ours(root, 2))
        again = run(root, sys.executable, "-m", "grading", "autograde", "--course", str(root), "--quiet")
        times["ours, again"].append(again)
    print(f"{students} submissions of {NAME}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| grader | seconds | a notebook | stock / it |\n|---|---|---|---|")
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        ratio = statistics.median(s / t for s, t in zip(times["stock nbgrader"], seconds, strict=True))
        print(f"| {name} | {middle:.1f} | {middle / students:.2f} | {ratio:.1f}x |")
    print(f"\nIts own cells and checks alone: {alone(root):.2f} s a notebook.")
    shutil.rmtree(root)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
