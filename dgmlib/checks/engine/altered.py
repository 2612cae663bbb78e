"""A wrong output as the right one of other inputs: transposed, squared, left out, exchanged, a small number added."""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .verdict import Mistake

if TYPE_CHECKING:
    from .exercise import Exercise

ITERATIONS = {"num_iters", "num_steps"}  # what is given is a start, and not what the output depends on
Change = Callable[[Tensor], Tensor]
NUMBERS: dict[str, Change] = {
    "0": torch.zeros_like,
    "1": torch.ones_like,
    "-{}": torch.neg,
    "{}²": torch.square,
    "√{}": torch.sqrt,
    "1/{}": torch.reciprocal,
    "1/{}²": lambda t: 1 / t.square(),
    "|{}|": torch.abs,
    "exp({})": torch.exp,
    "log {}": torch.log,
    "2 {}": lambda t: 2 * t,
    "{}/2": lambda t: t / 2,
    "{} rounded to float32": lambda t: t.float().to(t.dtype),
    **{f"{{}} + {size:g}": partial(torch.add, other=size) for size in (10.0**-k for k in range(2, 11))},
}
VECTORS: dict[str, Change] = {
    "softmax of {}": lambda t: t.softmax(-1),
    "log_softmax of {}": lambda t: t.log_softmax(-1),
    "{} divided by its sum": lambda t: t / t.sum(),
    "{} divided by its norm": lambda t: t / t.norm(),
    "equal entries of {}": lambda t: t.mean().expand_as(t),
    "{} sorted": lambda t: t.sort().values,
    "{} in the reversed order": lambda t: t.flip(0),
}
ROWS: dict[str, Change] = {
    "{} minus the mean of its rows": lambda t: t - t.mean(0),
    "{} standardised over its rows": lambda t: (t - t.mean(0)) / t.std(0),
    "{} standardised over its rows (dividing by n)": lambda t: (t - t.mean(0)) / t.std(0, correction=0),
    **{
        f"{{}} standardised over its rows, {size:g} added to the deviation": lambda t, size=size: (
            (t - t.mean(0)) / (t.std(0) + size)
        )
        for size in (1e-5, 1e-6, 1e-8)
    },
    "{} minus the mean of all its entries": lambda t: t - t.mean(),
    "{} without its last row": lambda t: t[:-1],
    "{} without its first row": lambda t: t[1:],
    "the mean of {}'s rows in every row": lambda t: t.mean(0).expand_as(t),
    "the first row of {} in every row": lambda t: t[:1].expand_as(t),
    "each row of {} divided by its norm": lambda t: t / t.norm(dim=-1, keepdim=True),
}
SQUARES: dict[str, Change] = {
    "the transpose of {}": lambda t: t.mT,
    "the inverse of {}": torch.linalg.inv,
    "the diagonal of {} alone": lambda t: torch.diag_embed(t.diagonal(dim1=-2, dim2=-1)),
    "{} times its transpose": lambda t: t @ t.mT,
    "the covariance whose Cholesky factor (scale_tril) {} would be": lambda t: t.tril() @ t.tril().mT,
    "{}'s diagonal squared (variances as standard deviations) alone": lambda t: torch.diag_embed(
        t.diagonal(dim1=-2, dim2=-1).square()
    ),
    "the roots of {}'s diagonal alone": lambda t: torch.diag_embed(t.diagonal(dim1=-2, dim2=-1).sqrt()),
    "a Cholesky factor of {}": lambda t: torch.linalg.cholesky(t),
    "the transposed Cholesky factor of {}": lambda t: torch.linalg.cholesky(t).mT,
    "the identity": lambda t: torch.eye(t.shape[-1], dtype=t.dtype).expand_as(t),
    "the lower triangle of {}": torch.tril,
    "the upper triangle of {}": torch.triu,
    "a multiple of the identity, of {}'s mean variance": lambda t: (
        t.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None] * torch.eye(t.shape[-1], dtype=t.dtype)
    ),
    "the mean of all of {}": lambda t: t.mean(0, keepdim=True).expand_as(t) if t.ndim == 3 else t,
    "the first of {}, for all": lambda t: t[:1].expand_as(t) if t.ndim == 3 else t,
    **{
        f"{{}} + {size:g} I": lambda t, size=size: t + size * torch.eye(t.shape[-1], dtype=t.dtype)
        for size in (10.0**-k for k in range(2, 11))
    },
}


def altered(exercise: "Exercise") -> tuple[Mistake, ...]:
    """The right formula of changed inputs, as mistakes that have words of their own."""
    if not exercise.mistakes or exercise.reference is None or inspect.isclass(exercise.reference):
        return ()
    names = [name.partition(":")[0].strip() for name in exercise.call.split(",")] if exercise.call else []
    names = names or [*inspect.signature(exercise.reference).parameters]
    if ITERATIONS & {*names}:
        return ()
    return (*exchanged(exercise.reference, names), *changed(exercise.reference, names))


def exchanged(reference: Callable, names: list[str]) -> Iterator[Mistake]:
    """Two arguments swapped, and one of them in both places."""
    for i, j in combinations(range(len(names)), 2):
        swap = {i: j, j: i}
        yield Mistake(f"{names[i]} and {names[j]} are swapped.", with_places(reference, swap))
        for at, other in ((i, j), (j, i)):
            yield Mistake(f"{names[other]} stands where {names[at]} belongs.", with_places(reference, {at: other}))


def with_places(reference: Callable, places: dict[int, int]) -> Callable:
    def answer(*given):
        if any(not tensors(given[a], given[b]) or given[a].shape != given[b].shape for a, b in places.items()):
            raise ValueError("not of one shape")
        return reference(*(given[places.get(n, n)] for n in range(len(given))))

    return answer


def changed(reference: Callable, names: list[str]) -> Iterator[Mistake]:
    """One argument changed; the same change to all arguments that are alike."""
    for fits, changes in ((is_square, SQUARES), (is_vector, VECTORS), (has_rows, ROWS), (any_number, NUMBERS)):
        for words, change in changes.items():
            for place, name in enumerate(names):
                said = f"These are the right numbers for {words.format(name)} in place of {name}."
                yield Mistake(said, with_change(reference, {place}, fits, change))
            for chosen in combinations(range(len(names)), 2) if changes is SQUARES or changes is ROWS else ():
                both = " and ".join(names[place] for place in chosen)
                said = f"These are the right numbers for {words.format('each')} in place of {both}."
                yield Mistake(said, with_change(reference, {*chosen}, fits, change))


def with_change(reference: Callable, places: set[int], fits: Callable[[Tensor], bool], change: Change) -> Callable:
    def answer(*given):
        if any(not tensors(given[place]) or not fits(given[place]) for place in places):
            raise ValueError("of another kind")
        return reference(*(change(value) if n in places else value for n, value in enumerate(given)))

    return answer


def tensors(*values) -> bool:
    return all(isinstance(value, Tensor) and value.is_floating_point() for value in values)


def any_number(_: Tensor) -> bool:
    return True


def is_vector(value: Tensor) -> bool:
    return value.ndim == 1 and len(value) > 1


def has_rows(value: Tensor) -> bool:
    return value.ndim in (1, 2) and len(value) > 1


def is_square(value: Tensor) -> bool:
    return value.ndim > 1 and value.shape[-1] == value.shape[-2] > 1
