"""One setting for the repository's address: the badge and the wheel, or neither."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grading
from grading.course import Course, CourseError
from grading.releasing.release import release

CHECKOUT = Path(grading.__file__).resolve().parent.parent
NAME, STEM = "00_flows_recap", "flows_recap"
URL = "https://github.com/owner/course.of-mine"
BADGE = f"https://colab.research.google.com/github/owner/course.of-mine/blob/main/course/{NAME}/{STEM}.ipynb"
WHEEL = f"{URL}/releases/download/v1.2.3/dgmlib-1.2.3-py3-none-any.whl"


@pytest.fixture
def room(tmp_path):
    shutil.copytree(CHECKOUT / "solutions" / NAME, tmp_path / "solutions" / NAME)
    shutil.copy(CHECKOUT / "nbgrader_config.py", tmp_path)
    return Course(tmp_path)


def released(room: Course, settings: str | None) -> dict[str, str]:
    """The released cells by id, under these settings."""
    if settings is not None:
        (room.root / "pyproject.toml").write_text(f'[project]\nversion = "1.2.3"\n{settings}\n')
    release(room, NAME)
    book = json.loads((room.released / NAME / f"{STEM}.ipynb").read_text())
    return {cell["id"]: "".join(cell["source"]) for cell in book["cells"]}


@pytest.mark.parametrize("settings", [None, "", '[tool.dgm]\nurl = ""'], ids=["no file", "no table", "empty"])
def test_without_an_address_no_badge_and_no_wheel(room, settings):
    cells = released(room, settings)
    assert not any("colab.research" in source for source in cells.values())
    assert 'os.environ.get("DGMLIB_WHEEL", "")' in cells["setup"]


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}.git"])
def test_with_an_address_both(room, url):
    title, setup, *_ = released(room, f'[tool.dgm]\nurl = "{url}"').values()
    assert title.startswith(
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({BADGE})\n\n# "
    )
    assert f'WHEEL = os.environ.get("DGMLIB_WHEEL", "{WHEEL}")' in setup
    compile(setup, "setup", "exec")


@pytest.mark.parametrize(
    "url", ["http://github.com/a/b", "https://example.org/a/b", "github.com/a/b", "https://github.com/a"]
)
def test_another_address_is_refused(room, url):
    with pytest.raises(CourseError, match=r"expected https://github\.com/OWNER/REPOSITORY"):
        released(room, f'[tool.dgm]\nurl = "{url}"')


def test_nbgrader_releases_the_same_bytes(room):
    released(room, f'[tool.dgm]\nurl = "{URL}"')
    path = room.released / NAME / f"{STEM}.ipynb"
    ours = path.read_bytes()
    where = dict(os.environ)
    where["PATH"] = f"{Path(sys.executable).parent}:{where['PATH']}"
    command = ["nbgrader", "generate_assignment", NAME, "--force"]
    done = subprocess.run(command, cwd=room.root, env=where, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == ours
    assert (room.solutions / NAME / f"{STEM}.py").is_file()
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # the solution as text is not handed out
