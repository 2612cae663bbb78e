"""Card and grade agree for every habit, for a right answer and for a wrong one: a real kernel beside the sandbox."""

import json

import pytest
from jupyter_client.manager import start_new_kernel

from grading.judging.verdict import Verdict

from ..grading import classroom
from ..grading.classroom import NAMES, at
from .cells import ANSWER, HABITS, RED
from .files import FILES, utf8

SECONDS = 120
WRONG = ".mT"  # the Jacobian's transpose
EVERY = 3  # one of three is in `make test`


def some(names):
    """Every third in `make test`, the others in `make slow`."""
    return [
        pytest.param(name, marks=[] if number % EVERY == 0 else [pytest.mark.slow]) for number, name in enumerate(names)
    ]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """`kernel(notebook)` runs it in a namespace of its own and gives what each check's card shows."""
    folder = tmp_path_factory.mktemp("student")
    (folder / "studytools.py").write_text("def helper(): return 1\n")
    (folder / "notes.txt").write_text("mine\n")
    manager, client = start_new_kernel(cwd=str(folder))

    def execute(source: str) -> str:
        shown = []

        def look(message):
            if message["msg_type"] == "execute_result":
                shown.append(message["content"]["data"]["text/plain"])

        client.execute_interactive(
            source, allow_stdin=True, stdin_hook=lambda _: client.input("3"), output_hook=look, timeout=SECONDS,
            stop_on_error=False,
        )  # fmt: skip
        return "".join(shown)

    def run(notebook: dict) -> dict[str, str]:
        execute("%reset -f")
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        shown = {cell["id"]: execute(cell["source"]) for cell in cells}
        return {name: shown[f"check_{name}"] for name in NAMES}

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def solved(right: bool) -> dict:
    notebook = classroom.solved()
    at(notebook, ANSWER)["source"] += "" if right else WRONG
    return notebook


def full(verdict: Verdict) -> dict[str, bool]:
    assert verdict.graded, verdict.reason
    return {name: e.score == e.max_score for name, e in verdict.exercises.items()}


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("name", some(HABITS))
def test_card_and_grade_agree(name, right, kernel, grade):
    notebook = solved(right)
    HABITS[name](notebook)
    green = {exercise: card.startswith("✓") for exercise, card in kernel(notebook).items()}
    verdict = grade(utf8(notebook))
    assert green == {ANSWER: right and name not in RED, NAMES[1]: True}
    assert full(verdict) == green, verdict.notes


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("name", some(FILES))
def test_a_file_is_graded_whoever_wrote_it(name, right, kernel, grade):
    change, write = FILES[name]
    notebook = solved(right)
    green = {exercise: card.startswith("✓") for exercise, card in kernel(notebook).items()}
    notebook = json.loads(json.dumps(notebook))
    change(notebook)
    assert full(grade(write(notebook))) == green == {ANSWER: right, NAMES[1]: True}


def test_the_bank_is_large():
    assert len(HABITS) + len(FILES) >= 60
