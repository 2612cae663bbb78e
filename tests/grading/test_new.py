"""`python -m grading new`, where it writes nothing; docs/add_an_exercise.md is the test of what it writes."""

import pytest

from grading.cli import main
from grading.course import CHECKOUT

SAID = {
    ("03_elbo", "free bits", "kl"): "'free bits' is no name in Python",
    ("03_elbo", "free_bits", "kl, lambda"): "'lambda' is no name in Python",
    ("03_elbo", "free_bits", "kl, floor:float"): "how it is handed over, ':float', is for the check's `call`",
    ("03_elbo", "free_bits", ""): "'' is no name in Python",
    ("04_em_algorithm", "ppca_elbo", "x"): "ppca_elbo is an exercise of 03_elbo already",
    ("vae", "free_bits", "kl"): "'vae': an assignment is called like 05_vae",
}


@pytest.mark.parametrize(("words", "line"), SAID.items(), ids=SAID.values())
def test_what_can_be_no_exercise_is_one_line(words, line, capsys):
    assignment, name, arguments = words
    assert main(["new", assignment, "--exercise", name, arguments, "--course", str(CHECKOUT)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert line in said


def test_it_writes_into_the_checkout_of_the_library_in_use(tmp_path, capsys):
    (tmp_path / "solutions").mkdir()
    assert main(["new", "03_elbo", "--exercise", "free_bits", "kl", "--course", str(tmp_path)]) == 2
    assert "the library in use lies in" in capsys.readouterr().err
