"""A guess beside the truth, and the count: never an error, whatever the student typed."""

import pytest

from dgmlib.guesses import Guesses

KL = ["forward", "reverse"]


@pytest.mark.parametrize(
    ("guess", "starts", "right", "made"),
    [
        ("forward", "✓ Which? Your guess: forward. It is: forward.", True, True),
        (" Forward", "✓", True, True),
        ("reverse", "→ Which? Your guess: reverse. It is: forward.", False, True),
        (None, "○ Which? No guess yet", False, False),
        ("foward", "○ Which? Your guess 'foward' is none of 'forward', 'reverse'. It is: forward.", False, False),
        ([1], "○ Which? Your guess [1] is none of", False, False),
    ],
)
def test_a_choice(guess, starts, right, made):
    outcome = Guesses().compare("Which?", guess, "forward", KL)
    assert repr(outcome).startswith(starts)
    assert (outcome.right, outcome.guess is not None) == (right, made)


@pytest.mark.parametrize(
    ("guess", "sign"), [(0.65, "✓"), (0.8, "→"), (1, "→"), ("0.69", "○"), (None, "○"), (True, "○")]
)
def test_a_number(guess, sign):
    assert repr(Guesses().compare("How much?", guess, 0.6931, within=0.1)).startswith(sign)


@pytest.mark.parametrize(("guess", "sign"), [(8, "✓"), (80, "→"), (" Never", "→"), ("soon", "○"), (9, "○")])
def test_a_number_or_a_word(guess, sign):
    assert repr(Guesses().compare("After how many?", guess, 8, [8, 80, "never"])).startswith(sign)


def test_the_count_names_the_first_that_came_out_otherwise():
    guesses = Guesses()
    assert "no guess yet" in repr(guesses.count())
    guesses.compare("One?", "reverse", "reverse", KL)
    guesses.compare("Two?", None, 3)
    assert repr(guesses.count()) == "You guessed 1 of 2 times; 1 came out as you thought."
    guesses.compare("Two?", 2, 3)
    guesses.compare("Three?", 2, 3)
    said = repr(guesses.count())
    assert said.startswith("You guessed 3 of 3 times; 1 came out as you thought. The one to think about: Two?")
    assert said.endswith("You said 2, it is 3.")


def test_what_a_student_typed_is_text():
    page = Guesses().compare("Which?", "<b>x</b>", "forward")._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "no guess yet" in Guesses().count()._repr_html_()
