"""One bundle and one sandbox for all of the grader's tests."""

import json
import socket

import pytest

from grading.course import Course
from grading.judging import judge
from grading.judging.verdict import without
from grading.notebook.parse import Refused
from grading.notebook.submission import prepare
from grading.running import preloads, sandbox
from grading.running.session import Session

from . import classroom
from .canaries import Canaries


@pytest.fixture(scope="session")
def bundle():
    made = sandbox.Bundle().fill()
    yield made
    made.close()


@pytest.fixture(scope="session")
def cage():
    """The sandbox that `auto` takes, with a fork server in front."""
    made = sandbox.ForkServerSandbox(sandbox.choose("auto"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def canaries():
    """What there is to steal."""
    planted = Canaries().plant()
    yield planted
    planted.remove()


@pytest.fixture(scope="session")
def start(cage, bundle, canaries):
    return lambda link: cage.start(bundle, link, canaries.hidden, tuple(preloads.WORDS))


@pytest.fixture(scope="session")
def exposed(bundle):
    """Starts workers without any sandbox, quickly: what a test calls denied must work here first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.forkserver, "WARMS", ("none",))
        made = sandbox.ForkServerSandbox(sandbox.choose("none"))
        made.server(bundle)
    yield lambda link: fork(made.server(bundle), link)
    made.close()


def fork(server, link: int):
    socket.send_fds(server.control, [" ".join(("fork", *preloads.WORDS)).encode()], [link])
    return sandbox.forkserver.Forked()


@pytest.fixture(scope="module")
def shared_session(start):
    """One worker for harmless probes."""
    with Session(start, 1, 600) as session:
        yield session


@pytest.fixture
def session(start):
    """A worker of one's own."""
    with Session(start, 1, 600) as made:
        yield made


@pytest.fixture(scope="session")
def grade(start, cage):
    """The verdict on a notebook of the small assignment."""
    released = classroom.data(classroom.released())

    def graded(submission: bytes, student: str = "ann", secret: str = "s") -> dict:
        try:
            prepared = prepare(released, submission)
        except Refused as refusal:
            return without(student, classroom.TINY, str(refusal), cage.kind)
        return judge.grade(prepared.repaired, student, classroom.TINY, secret, start, cage.kind)

    return graded


@pytest.fixture
def course(tmp_path):
    """A course folder with the small assignment released, and the library's table reduced to it."""
    table, whole = classroom.ASSIGNMENTS, dict(classroom.ASSIGNMENTS)
    folder = tmp_path / "course" / classroom.TINY.name
    folder.mkdir(parents=True)
    (folder / f"{classroom.TINY.notebook}.ipynb").write_text(json.dumps(classroom.released()))
    table.clear()
    table[classroom.TINY.name] = classroom.TINY
    yield Course(tmp_path)
    table.clear()
    table.update(whole)  # in the old order, which the index of reports keeps


@pytest.fixture
def hand_in(course):
    def put(student: str, data: bytes, name: str = f"{classroom.TINY.notebook}.ipynb"):
        path = course.submitted / student / classroom.TINY.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return put
