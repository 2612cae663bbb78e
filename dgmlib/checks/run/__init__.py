"""What runs beside a student's code: it calls the answer and writes down what came out. It knows no right values.

Inputs and outputs are flat dictionaries of tensors with keys `case/name`, so that they cross a process border as raw
bytes. A text (an exception, say) is a uint8 tensor of UTF-8. This package imports torch and nothing of dgmlib.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .device import on_meta
from .invocation import Invocation
from .modes import defaults
from .record import Record, seeded, text, untext

__all__ = ["Invocation", "join", "run", "run_here", "split", "text", "untext"]

Arrays = dict[str, Tensor]


def split(flat: Arrays) -> dict[str, Arrays]:
    """`{"case/name": tensor}` to `{"case": {"name": tensor}}`."""
    cases: dict[str, Arrays] = {}
    for key, value in flat.items():
        case, name = key.split("/", 1)
        cases.setdefault(case, {})[name] = value
    return cases


def join(cases: dict[str, Arrays]) -> Arrays:
    """The inverse of `split`."""
    return {f"{case}/{name}": value for case, arrays in cases.items() for name, value in arrays.items()}


def run(invocation: Invocation, answer: Callable, inputs: Arrays) -> Arrays:
    """Call `answer` on every case, and on the first one on a second device. Never raises for a student's mistake: it is
    written down as `case/error...`."""
    case, arrays = next(iter(split(inputs).items()))
    outputs = run_here(invocation, answer, inputs)
    with defaults():
        return outputs | join({case: on_meta(invocation, answer, arrays)})


def run_here(invocation: Invocation, answer: Callable, inputs: Arrays) -> Arrays:
    """The same on the inputs' own device alone."""
    outputs = {}
    with defaults():
        for case, arrays in split(inputs).items():
            outputs[case] = values(invocation, answer, arrays)
            if invocation.differentiates(case):
                outputs[case] |= gradients(invocation, answer, arrays)
    return join(outputs)


def values(invocation: Invocation, answer: Callable, arrays: Arrays) -> Arrays:
    """One plain call: what it returned, and the names of the inputs that it changed."""
    given = {name: value.clone() for name, value in arrays.items()}
    record = Record()
    with seeded(arrays) as drawn, record.section("call"):
        invocation.call(answer, given, record)
        if drawn():
            record.text("random", "yes")
    changed = [name for name, value in arrays.items() if not untouched(given[name], value)]
    if changed:
        record.text("changed", ", ".join(changed))
    return record.plain()


def untouched(now: Tensor, before: Tensor) -> bool:
    return (
        not now.requires_grad
        and now.shape == before.shape
        and now.dtype == before.dtype
        and torch.equal(torch.nan_to_num(now), torch.nan_to_num(before))
    )


def gradients(invocation: Invocation, answer: Callable, arrays: Arrays) -> Arrays:
    """The gradient of a fixed projection of all outputs, by each input that `grad` names: `grad.<input>`."""
    leaves = {
        name: value.clone().requires_grad_(name in invocation.grad and value.is_floating_point())
        for name, value in arrays.items()
    }
    record, found = Record(), {}
    with seeded(arrays), record.section("gradient"):
        invocation.call(answer, dict(leaves), record)
        wanted = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad and leaf.is_leaf}
        if (projection := record.projection()) is not None:
            found = dict(
                zip(wanted, torch.autograd.grad(projection, [*wanted.values()], allow_unused=True), strict=True)
            )
    errors = {key: value for key, value in record.items() if key.startswith("error")}
    return {f"grad.{name}": g.detach() for name, g in found.items() if g is not None} | errors
