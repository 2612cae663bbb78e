"""A proof is whatever the student wrote in its place: words and pictures reach a person, code does not."""

import base64
import json

import pytest

from grading.course import CHECKOUT
from grading.notebook.submission import prepare

from .classroom import own
from .test_outputs import png

ASSIGNMENT, PROOF = "01_forward_reverse_kl", "duality_proof"
RELEASED = (CHECKOUT / "course" / ASSIGNMENT / "forward_reverse_kl.ipynb").read_bytes()
WORDS = "By the change of variables both sides are equal."
PHOTO = base64.b64encode(png(3, 2)).decode()
DISPLAYED = {"output_type": "display_data", "metadata": {}, "data": {"image/png": PHOTO}}


def prepared(*cells: dict, turned: bool = False):
    """The released notebook with these cells below its proof, or in its place."""
    notebook = json.loads(RELEASED)
    at = next(i for i, c in enumerate(notebook["cells"]) if c["id"] == PROOF)
    if turned:
        cells = [cells[0] | {"id": PROOF, "metadata": notebook["cells"][at]["metadata"]}]
    notebook["cells"][at + (not turned) : at + 1] = cells
    return prepare(RELEASED, json.dumps(notebook).encode())


IN_CODE = {
    "%%latex": f"%%latex\n{WORDS}",
    "%%markdown": f"%%markdown\n{WORDS}",
    "comments": f"# {WORDS}",
    "a string": f'"""{WORDS}"""',
    "a named string": f'proof = "{WORDS}"',
    "Markdown(...)": f'from IPython.display import Markdown\nMarkdown(r"{WORDS}")',
    "display(Latex(...))": f'display(Latex("{WORDS}"))',
    "no Python": WORDS,
}


@pytest.mark.parametrize("turned", [False, True], ids=["beside", "turned into code"])
@pytest.mark.parametrize("name", IN_CODE)
def test_words_in_a_code_cell_reach_a_person(name, turned):
    repaired = prepared(own(IN_CODE[name]), turned=turned).repaired
    assert PROOF in repaired.written
    assert WORDS in repaired.answers[PROOF]


@pytest.mark.parametrize("turned", [False, True], ids=["beside", "turned into code"])
def test_a_picture_that_a_cell_shows_reaches_a_person(turned):
    made = prepared(own("Image('proof.png')") | {"outputs": [DISPLAYED]}, turned=turned)
    assert PROOF in made.repaired.written
    ((name, (kind, data)),) = made.pictures.items()
    assert (kind, data) == ("image/png", PHOTO)
    assert f"![](attachment:{name})" in made.repaired.answers[PROOF]


def test_a_picture_below_a_written_proof_is_part_of_it():
    notebook = json.loads(RELEASED)
    at = next(i for i, c in enumerate(notebook["cells"]) if c["id"] == PROOF)
    notebook["cells"][at]["source"] = WORDS
    notebook["cells"].insert(at + 1, own("Image('proof.png')") | {"outputs": [DISPLAYED]})
    made = prepare(RELEASED, json.dumps(notebook).encode())
    assert made.repaired.answers[PROOF].startswith(WORDS)
    assert len(made.pictures) == 1


@pytest.mark.parametrize("source", ["x = 1", "print(2)", "# a test\nassert True", "import math"])
def test_code_that_computes_is_no_proof(source):
    assert PROOF not in prepared(own(source)).repaired.written
