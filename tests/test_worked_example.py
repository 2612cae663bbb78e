"""docs/add_an_exercise.md, followed step by step on a copy of the checkout, does what it promises."""

from pathlib import Path

import pytest
from nbformat import v4

from dgmlib.checks import ASSIGNMENTS

from .worked_example import Follower, WrongPage, copy_checkout, steps

CHECKOUT = Path(__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "add_an_exercise.md").read_text()
ADDED = {
    "03_elbo/elbo.ipynb": "effective_sample_size",
    "05_importance_sampling/importance_sampling.ipynb": "self_normalised_mean",
}
EACH = pytest.mark.parametrize(("notebook", "exercise"), ADDED.items(), ids=ADDED.values())
pytestmark = pytest.mark.xdist_group("worked_example")


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Follower:
    """The whole page, in order; its own promises (what a command prints) are held here."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("the copy holds what git tracks, and this is no clone")
    follower = Follower(tmp_path_factory.mktemp("copy"))
    copy_checkout(CHECKOUT, follower.root)
    for step in steps(PAGE):
        follower.follow(*step)
    return follower


def test_every_block_was_followed_and_in_the_copy_alone(followed):
    assert len(followed.done) == PAGE.count("\n```") / 2 > 20
    where = followed.run('python -c "import dgmlib, grading; print(dgmlib.__file__, grading.__file__)"')
    assert all(file.startswith(str(followed.root)) for file in where.split())
    assert "05_importance_sampling" not in ASSIGNMENTS


@EACH
def test_students_get_the_exercise_without_its_solution(followed, notebook, exercise):
    solved, blank = (graded_cells(followed.read(f"{folder}/{notebook}")) for folder in ("solutions", "course"))
    assert "BEGIN SOLUTION" in solved[exercise]
    assert solved[exercise].splitlines()[-2].strip() not in str(followed.read(f"course/{notebook}"))
    assert blank[exercise].endswith("raise NotImplementedError()")
    assert blank[f"check_{exercise}"] == f'check("{exercise}", {exercise})'


def graded_cells(notebook) -> dict[str, str]:
    """The sources of the cells that nbgrader knows, by id."""
    return {c.metadata.nbgrader.grade_id: c.source for c in notebook.cells if "nbgrader" in c.metadata}


def test_the_solution_was_saved_with_a_green_card(followed):
    *_, last = followed.read("solutions/05_importance_sampling/importance_sampling.ipynb").cells
    assert "self_normalised_mean: 6 of 6 laws passed" in last.outputs[0].data["text/plain"]


def test_what_was_written_is_in_style_and_released(followed):
    followed.run("python -m ruff check . && python -m ruff format --check .")
    assert "up to date" in followed.run("python -m grading release --check 03_elbo 05_importance_sampling")


BAD = {
    "a sentence that names no step": "Somewhere:\n\n```python\nx = 1\n```\n",
    "a file that is there already": "`a.py`, a new file:\n\n```python\nx = 1\n```\n",
    "a diff that fits nowhere": "In `a.py`:\n\n```diff\n-y = 1\n+y = 2\n```\n",
    "a diff that fits twice": "In `a.py`:\n\n```diff\n-x = 0\n+x = 2\n```\n",
    "a cell that is not there": "In `a.ipynb`, below `nothing`, a *Markdown* cell:\n\n```markdown\nText\n```\n",
    "a command that fails": "```sh\ncat a.py\npython -c 'raise SystemExit(1)'\n```\n",
    "a promise that is not kept": "```sh\ncat a.py\n```\n\n```text\nx = 1\n...\n```\n",
}


@pytest.mark.parametrize("page", BAD.values(), ids=BAD.keys())
def test_a_wrong_page_is_found(page, tmp_path):
    (tmp_path / "a.py").write_text("x = 0\nx = 0\n")
    follower = Follower(tmp_path)
    follower.write("a.ipynb", v4.new_notebook())
    (step, *more) = steps(page)
    if more:
        follower.follow(*step)
    with pytest.raises(WrongPage):
        follower.follow(*(more or [step])[0])
