"""docs/add_an_exercise.md, followed step by step on a copy of the checkout, does what it promises."""

from pathlib import Path

import pytest
from nbformat import v4

from dgmlib.checks import ASSIGNMENTS

from .worked_example import Follower, WrongPage, copy_checkout, steps

CHECKOUT = Path(__file__).parent.parent
PAGE = (CHECKOUT / "docs" / "add_an_exercise.md").read_text()
NEW = "effective_sample_size"
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
    assert len(PAGE.splitlines()) <= 150
    assert len(followed.done) == PAGE.count("\n```") / 2 > 8
    where = followed.run('python -c "import dgmlib, grading; print(dgmlib.__file__, grading.__file__)"')
    assert all(file.startswith(str(followed.root)) for file in where.split())
    assert "05_vae" not in ASSIGNMENTS


def test_students_get_the_exercise_without_its_solution_and_with_its_numbers(followed):
    solved, blank = (followed.read(f"{folder}/03_elbo/elbo.ipynb") for folder in ("solutions", "course"))
    answer, check = (graded_cells(blank)[name] for name in (NEW, f"check_{NEW}"))
    assert graded_cells(solved)[NEW].source.splitlines()[-2].strip() not in str(blank)
    assert answer.source.endswith("raise NotImplementedError()")
    assert (check.source, check.metadata.nbgrader.points) == (f'check("{NEW}", {NEW})', 1)
    assert graded_cells(blank)["check_fit_posterior"].metadata.nbgrader.points == 2
    text = "\n".join(cell.source for cell in blank.cells if cell.cell_type == "markdown")
    for line in ("15 points · 9 exercises", "`fit_posterior`\n**2 points ·", f"### Exercise 9 · `{NEW}`\n**1 point ·"):
        assert line in text


def graded_cells(notebook) -> dict:
    """The cells that nbgrader knows, by id."""
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def test_what_was_written_is_in_style_released_and_synchronised(followed):
    followed.run("python -m ruff check . && python -m ruff format --check .")
    assert "up to date" in followed.run("python -m grading release --check 03_elbo")
    assert NEW in (followed.root / "solutions/03_elbo/elbo.py").read_text()


def test_an_unfinished_exercise_is_not_released(followed):
    with pytest.raises(WrongPage, match=r"vae_loss.*says TODO"):
        followed.run("python -m grading release 05_vae")


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
