"""Predictions that a student commits to before a figure, shown beside what came out. Nothing here is graded."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeGuard

NONE, RIGHT, OTHER = "#8a8a8a", "#009E73", "#0072B2"  # a guess that was another is no error: blue, not red


@dataclass(frozen=True)
class Outcome:
    """One question with the guess and what came out; a notebook shows it as a line."""

    question: str
    guess: object
    truth: object
    right: bool
    note: str = ""

    @property
    def color(self) -> str:
        return NONE if self.guess is None else RIGHT if self.right else OTHER

    def __repr__(self) -> str:
        sign = "○" if self.guess is None else "✓" if self.right else "→"
        guessed = self.note or f"Your guess: {shown(self.guess)}."
        return f"{sign} {self.question} {guessed} It is: {shown(self.truth)}."

    def _repr_html_(self) -> str:
        return boxed(self.color, repr(self))


@dataclass(frozen=True)
class Count:
    """All outcomes of a notebook so far."""

    outcomes: tuple[Outcome, ...]

    def __repr__(self) -> str:
        made = [outcome for outcome in self.outcomes if outcome.guess is not None]
        if not made:
            return f"○ {len(self.outcomes)} questions, no guess yet: write one where a cell says guess_."
        right = sum(outcome.right for outcome in made)
        counted = f"You guessed {len(made)} of {len(self.outcomes)} times; {right} came out as you thought."
        others = [outcome for outcome in made if not outcome.right]
        if not others:
            return counted
        first = others[0]
        return (
            f"{counted} The one to think about: {first.question} "
            f"You said {shown(first.guess)}, it is {shown(first.truth)}."
        )

    def _repr_html_(self) -> str:
        return boxed(OTHER, repr(self))


class Guesses:
    """The predictions of one notebook. The set-up cell makes it; then for each question two cells:

        guess_modes = None  # "forward" or "reverse"                                        (the student's)

        plotting.kl_landscape(...)
        guesses.compare("Which KL covers both bumps?", guess_modes, "forward", ["forward", "reverse"])  (last line)

    and at the end `guesses.count()`. Both return something that the notebook shows below its cell; None is no guess.
    """

    def __init__(self):
        self.outcomes: dict[str, Outcome] = {}

    def compare(
        self, question: str, guess: object, truth: object, choices: Sequence[object] = (), *, within: float = 0.0
    ) -> Outcome:
        """The guess beside the truth. A number is right where it is at most `within` away; a text, whatever its case.

        A guess that is none of `choices`, or no number where the truth is one, is named and not counted.
        """
        read, note = reading(guess, truth, choices)
        near = is_number(read) and is_number(truth) and abs(read - truth) <= within
        right = read is not None and (near or read == plain(truth))
        outcome = Outcome(question, None if read is None else guess, truth, right, note)
        self.outcomes[question] = outcome
        return outcome

    def count(self) -> Count:
        """How many guesses were made, how many came out, and the first that did not."""
        return Count(tuple(self.outcomes.values()))


def reading(guess: object, truth: object, choices: Sequence[object]) -> tuple[object, str]:
    """The guess as it is compared, or None and what to write instead."""
    if guess is None:
        return None, "No guess yet: write it in the cell above, run that cell, then this one."
    if choices and plain(guess) not in [plain(choice) for choice in choices]:
        return None, f"Your guess {guess!r} is none of {', '.join(map(repr, choices))}."
    if is_number(truth) and not choices and not is_number(guess):
        return None, f"Your guess {guess!r} is no number."
    return plain(guess), ""


def is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(value: object) -> object:
    """A text without its case and its outer spaces."""
    return value.strip().casefold() if isinstance(value, str) else value


def shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def boxed(color: str, words: str) -> str:
    return (
        f'<div style="border-left:5px solid {color};padding:4px 12px;margin:2px 0;max-width:56em;'
        f'font-family:system-ui,sans-serif;font-size:14px;line-height:1.5">{escape(words)}</div>'
    )
