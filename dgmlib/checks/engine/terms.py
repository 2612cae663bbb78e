"""A wrong output as the right one in which a term, or two, came out otherwise: by another factor, through a function,
with another row's value. Exercises list their `terms`, which add up to the right output."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from ..run import Arrays, values
from .closeness import close
from .verdict import CaseResults, Mistake

Places = Sequence[tuple[str, str]]  # case and output
Change = Callable[[Tensor], Tensor]
RATIOS = {
    0.0: "is missing.",
    -1.0: "has the wrong sign.",
    2.0: "counts twice.",
    0.5: "counts half.",
    -2.0: "counts twice, with the wrong sign.",
    -0.5: "counts half, with the wrong sign.",
    1 / math.log(2): "has the base 2; logarithms are natural here.",
    1 / math.log(10): "has the base 10; logarithms are natural here.",
}
ROWS: dict[str, Change] = {  # of a term with a number for each row
    "is averaged over the rows; each row has its own.": lambda t: t.mean(0).expand_as(t),
    "is added up over the rows; each row has its own.": lambda t: t.sum(0).expand_as(t),
    "is the first row's, in every row; each row has its own.": lambda t: t[:1].expand_as(t),
    "is the last row's, in every row; each row has its own.": lambda t: t[-1:].expand_as(t),
    "is left out in the last row: does a loop stop one short?": lambda t: torch.cat([t[:-1], 0 * t[-1:]]),
    "is left out in the first row.": lambda t: torch.cat([0 * t[:1], t[1:]]),
}
FUNCTIONS: dict[str, Change] = {
    "enters by its absolute value; its sign counts.": torch.abs,
    "enters by its exponential; it enters as it is.": torch.exp,
    "enters by its logarithm; it enters as it is.": lambda t: t.abs().log(),
    "is squared; it enters as it is.": torch.square,
    "is rooted; it enters as it is.": lambda t: t.abs().sqrt(),
    "is clamped at 0; its sign counts.": torch.relu,
}
SCALES = (1.0, -1.0, 2.0, -2.0)  # of what the function takes, beside the term itself
MEANS: dict[str, Change] = {  # of the numbers whose mean is the right output
    "The last row is left out: does a loop stop one short?": lambda t: t[:-1].sum(0) / len(t),
    "The mean leaves the last row out: does a loop stop one short?": lambda t: t[:-1].mean(0),
    "The mean leaves the first row out.": lambda t: t[1:].mean(0),
    "The first row is left out.": lambda t: t[1:].sum(0) / len(t),
    "This is the first row's number; the mean is over all of them.": lambda t: t[0],
    "This is the last row's number; the mean is over all of them.": lambda t: t[-1],
    "This is the largest number of a row; the mean is over all of them.": lambda t: t.amax(0),
    "This is the smallest number of a row; the mean is over all of them.": lambda t: t.amin(0),
    "The rows' numbers are clamped at 0; they may have either sign.": lambda t: t.relu().mean(0),
    "The rows' numbers enter by their absolute values; their signs count.": lambda t: t.abs().mean(0),
    "The rows' numbers are squared; their mean is wanted.": lambda t: t.square().mean(0),
    "The sum is divided by the square root of n; a mean divides by n.": lambda t: t.sum(0) / len(t) ** 0.5,
}
BOUNDS = [sign * size for size in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0) for sign in (1, -1)]


def term_at_fault(seen: CaseResults, here: Places) -> str:
    """Which terms of the right output came out otherwise, and how, in words; else an empty string."""
    if not seen.exercise.terms or len({key for _, key in here}) != 1 or here[0][1].startswith("grad."):
        return ""
    got = [seen.outputs.get(case, {}).get(key) for case, key in here]
    want = [seen.expected[case][key] for case, key in here]
    if any(g is None or g.shape != w.shape or not finite(g) for g, w in zip(got, want, strict=True)):
        return ""
    return weighed(seen, here, got, want) or bent(seen, here, got, want)


def finite(value: Tensor) -> bool:
    """Infinities are the same for many mistakes."""
    return value.is_floating_point() and bool(value.isfinite().all())


def cut_off(seen: CaseResults, cases: Sequence[str], keys: Sequence[str]) -> str:
    """Which term is cut off the graph, by the gradients of the right value; else an empty string."""
    here = [(case, key) for case in cases for key in keys if key in seen.expected[case]]
    got = [grad_or_zeros(seen.outputs.get(case, {}), key, seen.expected[case][key]) for case, key in here]
    for term in seen.exercise.terms:
        parts = [seen.wrong_output(term, case, key) for case, key in here]
        want = [seen.expected[case][key] for case, key in here]
        less = [right - (0 if part is None else part) for right, part in zip(want, parts, strict=True)]
        if all(close(want, g) for want, g in zip(less, got, strict=True)):
            return f"{term.message} is cut off the graph: no detach, no .data, no .item(), no no_grad."
    return ""


def grad_or_zeros(arrays: Arrays, key: str, like: Tensor) -> Tensor:
    return arrays[key] if key in arrays else torch.zeros_like(like)


def weighed(seen: CaseResults, here: Places, got: list, want: list) -> str:
    """Which one or two terms carry another factor."""
    parts = [[seen.wrong_output(term, *at) for at in here] for term in seen.exercise.terms]
    changes = [(place, ratio) for place in range(len(parts)) for ratio in RATIOS]
    for chosen in [*combinations(changes, 1), *combinations(changes, 2)]:
        whole = len(chosen) == len(parts) and len({ratio for _, ratio in chosen}) == 1  # a factor before all of it
        if (
            not whole
            and len({place for place, _ in chosen}) == len(chosen)
            and all(
                close(w + sum((ratio - 1) * parts[place][n] for place, ratio in chosen), g)
                for n, (g, w) in enumerate(zip(got, want, strict=True))
            )
        ):
            return " ".join(f"{seen.exercise.terms[place].message} {RATIOS[ratio]}" for place, ratio in chosen)
    return ""


def bent(seen: CaseResults, here: Places, got: list, want: list) -> str:
    """Which one or two terms went through a function, or took another row's value; how rows came to a wrong mean."""
    came = Came(got, want, bool(seen.exercise.mean_over))
    part = by_row if came.mean else CaseResults.wrong_output
    rows = [[found for at in here if (found := part(seen, term, *at)) is not None] for term in seen.exercise.terms]
    if any(len(found) < len(here) for found in rows):
        return ""
    rights = [torch.stack([found[n] for found in rows]).sum(0) if came.mean else w for n, w in enumerate(want)]
    return wrong_mean(came, rights) or changed_terms(seen, came, rights, rows)


@dataclass(frozen=True)
class Came:
    """What came and what is right in each case; where `mean`, the means of what is made here row by row."""

    got: list[Tensor]
    want: list[Tensor]
    mean: bool

    def of(self, made: list[Tensor]) -> bool:
        """Whether this is what came, and not what is right."""
        same = all(close(m, g) for m, g in zip(made, self.got, strict=True))
        return same and not all(close(w, m) for w, m in zip(self.want, made, strict=True))

    def of_rows(self, made: list[Tensor]) -> bool:
        return self.of([m.mean(0) for m in made] if self.mean else made)


def wrong_mean(came: Came, rights: list[Tensor]) -> str:
    ways = means() if came.mean else ()
    return next((words for words, wrong in ways if came.of([wrong(right) for right in rights])), "")


def means() -> Iterator[tuple[str, Change]]:
    yield from MEANS.items()
    for limit in BOUNDS:
        yield (
            f"The rows' numbers above {limit:g} are set to it: no clamp.",
            lambda t, limit=limit: t.clamp(max=limit).mean(0),
        )
        yield (
            f"The rows' numbers below {limit:g} are set to it: no clamp.",
            lambda t, limit=limit: t.clamp(min=limit).mean(0),
        )


def changed_terms(seen: CaseResults, came: Came, rights: list[Tensor], rows: list[list[Tensor]]) -> str:
    for chosen in [*combinations(range(len(rows)), 1), *combinations(range(len(rows)), 2)]:
        together = [torch.stack([rows[place][n] for place in chosen]).sum(0) for n in range(len(rights))]
        apart = [right - t for right, t in zip(rights, together, strict=True)]
        for words, change in changes(together[0].ndim):
            if came.of_rows([rest + change(t) for rest, t in zip(apart, together, strict=True)]):
                return f"{named(seen, chosen)} {words}"
    return ""


def changes(ndim: int) -> Iterator[tuple[str, Change]]:
    if ndim == 1:
        yield from ROWS.items()
    for words, function in FUNCTIONS.items():
        for scale in SCALES:
            yield words, lambda t, function=function, scale=scale: function(scale * t) / scale


def named(seen: CaseResults, chosen: Sequence[int]) -> str:
    parts = [seen.exercise.terms[place].message for place in chosen]
    return parts[0] if len(parts) == 1 else f"The sum of {' and '.join(part.removeprefix('The ') for part in parts)}"


def by_row(seen: CaseResults, term: Mistake, case: str, key: str) -> Tensor | None:
    """A term of a mean, one number a row: the same formula of one row after another."""
    arrays, cut = seen.inputs[case], seen.exercise.mean_over
    rows = [arrays | {name: arrays[name][i : i + 1] for name in cut} for i in range(len(arrays[cut[0]]))]
    found = [values(seen.exercise.invocation, term.answer, row).get(key) for row in rows]
    whole = [value for value in found if value is not None]
    return torch.stack(whole) if len(whole) == len(found) else None
