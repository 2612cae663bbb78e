"""What the grader says of the demo class and of 120 made-up submissions, to compare before and after a rebuilding.

    python -m tests.golden FILE      the first time it records, then it compares and shows what differs

Only the command line is asked, with a fixed secret; seconds and file dates are left out. Not part of the product: it
goes when the rebuilding of `grading/` is done.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from grading.course import CHECKOUT, Course

TIMES = re.compile(rb"\b\d+\.\d s\b|median [\d.]+, sum \d+|(?<=<h2>Time, crashes and hangs</h2>).*?</section>", re.S)


def said(*words: str, course: Path | None = None) -> list[str]:
    """A command's own words, without the paths that change."""
    where = ["--course", str(course)] if course else []
    done = subprocess.run([sys.executable, "-m", "grading", *words, *where], capture_output=True, text=True)
    text = done.stdout + done.stderr
    text = text.replace(str(course), "COURSE") if course else ""
    return [f"exit {done.returncode}", *re.sub(r"\(?\d+\.\d s\)?", "", text).splitlines()]


def pages(course: Path) -> dict[str, str]:
    """What was written for people: `feedback/`, `report/`, `exports/`, `autograded/`."""
    kinds = ("feedback", "report", "exports", "autograded")
    files = sorted(f for kind in kinds for f in (course / "grading" / kind).rglob("*") if f.is_file())
    return {str(f.relative_to(course)): TIMES.sub(b"", f.read_bytes()).decode(errors="replace") for f in files}


def demo() -> dict:
    """The demo class: every verdict with its laws, and every page."""
    shown = said("demo")
    course, outcome = CHECKOUT / "demo", Path(tempfile.mkdtemp()) / "outcome.json"
    said("autograde", "--secret", "demo", "--json", str(outcome), course=course)
    rows = json.loads(outcome.read_text())["submissions"]
    verdicts = {f"verdict {r['student']}": json.dumps(r | {"seconds": 0}, indent=1) for r in rows}
    return {"exit": shown[0]} | verdicts | followed(course)


def synthetic() -> dict:
    """The made-up class of tests/grading/synthetic.py."""
    from tests.grading import synthetic as made

    course = Path(tempfile.mkdtemp())
    shutil.copytree(CHECKOUT / "course" / made.NAME, course / "course" / made.NAME)
    made.on_file(Course(course), made.a_class())
    found = followed(course)
    shutil.rmtree(course)
    return found


def followed(course: Path) -> dict[str, str]:
    commands = [["feedback"], ["report"], ["export", "csv"], ["export", "canvas"], ["export", "moodle"]]
    words = {" ".join(command): "\n".join(said(*command, course=course)) for command in commands}
    return words | pages(course)


def main(file: Path) -> int:
    os.chdir(tempfile.gettempdir())
    found = {"demo": demo(), "synthetic": synthetic()}
    if not file.exists():
        file.write_text(json.dumps(found, indent=1))
        print(f"recorded {sum(map(len, found.values()))} things in {file}")
        return 0
    before, differ = json.loads(file.read_text()), 0
    for part in found:
        for name in sorted(before[part].keys() | found[part].keys()):
            old, new = (table[part].get(name, "").splitlines() for table in (before, found))
            if old != new:
                differ += 1
                print(f"--- {part}: {name}")
                print("\n".join([line[:300] for line in difflib.unified_diff(old, new, n=0, lineterm="")][2:12]))
    print(f"{differ} of {sum(map(len, before.values()))} things differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
