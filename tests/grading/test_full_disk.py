"""A disk that is full, a real one of 3 MB: one line, nothing lost, and with room the same command ends its work."""

import os
import subprocess

import pytest

from grading import cli

from . import classroom
from .test_collect import zipped

NAME = "00_flows_recap"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="to mount a small disk needs root")


@pytest.fixture
def disk(course):
    """`course/grading` on a file system of its own; `fill()` leaves a few kilobytes, `room()` takes the filling out."""
    course.data.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", course.data], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no mount here: {made.stderr.strip()}")
    filling = course.data / "filling"

    def fill():
        with open(filling, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    yield fill, filling.unlink
    subprocess.run(["umount", "-l", course.data], check=True)


@pytest.fixture
def say(course, capsys):
    def run(*words) -> tuple[int, list[str]]:
        code = cli.main([*map(str, words), "--course", str(course.root)])
        return code, capsys.readouterr().err.strip().splitlines()

    return run


def test_nothing_is_lost_and_what_was_asked_is_done_later(course, disk, say, tmp_path):
    fill, room = disk
    paths = [tmp_path / f"{number}.zip" for number in range(2)]
    for number, path in enumerate(paths):
        work = classroom.edited(lambda notebook, n=number: notebook["metadata"].update(n=n, much="x" * 20_000))
        path.write_bytes(
            zipped({f"{who}_{100 + i}_assignsubmission_file_/x.ipynb": work for i, who in enumerate("abc")})
        )
    assert say("collect", paths[0], NAME) == (0, [])
    before = held(course)
    for words in (["collect", paths[1], NAME], ["autograde"]):
        fill()
        code, said = say(*words)
        assert (code, len(said)) == (1, 1), said
        assert "No space left" in said[0] or "disk is full" in said[0]
        assert held(course) == before
        room()
        assert say(*words) == (0, [])
        before = held(course)
    for words in (["feedback"], ["report"], ["export", "csv"]):
        fill()
        code, said = say(*words)
        assert (code, len(said)) == (1, 1), said
        room()
        assert say(*words)[0] == 0


def held(course) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in course.submitted.glob("*/*/*.ipynb")}
