"""The card that a student sees: a line a law, green or red, and for a red one what is wrong. Grey: not solved yet."""

from dataclasses import dataclass, field
from html import escape

from torch import Tensor

from .verdict import WAITS, LawResult

# Okabe and Ito's colours, told apart by the colour-blind; the signs say the same without colour.
COLOURS = {"solved": "#009E73", "wrong": "#D55E00", "unsolved": "#8a8a8a"}
LOOK = "In a cell of your own: card = check({name!r}, {name}), then card.inputs and card.expected, of the first case that failed."
SIGNS = {"solved": "✓", "wrong": "✗", "unsolved": "○"}


@dataclass(frozen=True)
class Card:
    """The outcome of one check: `state` is "solved", "wrong" or "unsolved".

    Of a wrong one: `inputs`, the arguments of the first case at which its first red law fails, by name, and what is
    `expected` there.
    """

    name: str
    state: str
    laws: tuple[LawResult, ...] = ()
    note: str = ""
    inputs: dict[str, object] = field(default_factory=dict, compare=False)
    expected: dict[str, Tensor] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        if self.note or self.state == "unsolved":
            return f"{self.name}: {self.note or 'not solved yet'}"
        passed = sum(law.passed for law in self.laws)
        return f"{self.name}: {passed} of {len(self.laws)} laws passed"

    def lines(self) -> list[tuple[str, str, str]]:
        """State, laws and message a line: one for each law that was judged, one for all that wait for the values."""
        if self.state == "unsolved":
            return []
        waiting = ", ".join(law.law for law in self.laws if law.waiting)
        judged = [
            ("solved" if law.passed else "wrong", law.law, law.message.removeprefix(f"{law.law}: "))
            for law in self.laws
            if not law.waiting
        ]
        return judged + ([("unsolved", waiting, WAITS.message)] if waiting else [])

    @property
    def look(self) -> str:
        """How to look at the case that failed."""
        return LOOK.format(name=self.name) if self.inputs else ""

    def __repr__(self) -> str:
        rows = [f"  {SIGNS[state]} {laws}" + (f": {said}" if said else "") for state, laws, said in self.lines()]
        return "\n".join([f"{SIGNS[self.state]} {self.title}", *rows, *([f"  {self.look}"] if self.look else [])])

    def _repr_html_(self) -> str:
        return (
            f'<div style="border-left:5px solid {COLOURS[self.state]};padding:4px 12px;margin:2px 0;max-width:56em;'
            f'font-family:system-ui,sans-serif;font-size:14px;line-height:1.5">{headline(self)}'
            f"{''.join(row(*line) for line in self.lines())}"
            + (f'<div style="margin-left:1em;opacity:.85">{escape(self.look)}</div>' if self.look else "")
            + "</div>"
        )


def headline(card: Card) -> str:
    colour = COLOURS[card.state]
    return f'<div><b style="color:{colour}">{SIGNS[card.state]}</b> <b>{escape(card.title)}</b></div>'


def row(state: str, laws: str, said: str) -> str:
    name = f'<span style="color:{COLOURS[state]}">{SIGNS[state]} {escape(laws)}</span>'
    message = f' <span style="opacity:.85">{escape(said)}</span>' if said else ""
    return f'<div style="margin-left:1em">{name}{message}</div>'


class NotPassed(AssertionError):
    """A card as an error: its text, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows."""
        return str(self).splitlines()
