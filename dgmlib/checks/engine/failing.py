"""The case that made an answer's card red, for a student who wants to look at it."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ..run.fixtures import argument
from .verdict import CaseResults, Law


@dataclass(frozen=True)
class Failing:
    """The answer's arguments by name, and what is right for them."""

    inputs: dict[str, object]
    expected: dict[str, Tensor]


def failing(seen: CaseResults, law: Law) -> Failing:
    """The first case at which `law` does not hold. Empty where no case breaks it alone, or the reference does too."""
    cases = [] if law.name in seen.exercise.reference_breaks else seen.inputs
    case = next((case for case in cases if broken(law, seen, case)), None)
    return Failing(given(seen, case), wanted(seen, law, case)) if case else Failing({}, {})


def broken(law: Law, seen: CaseResults, case: str) -> bool:
    """Whether the law fails by the outputs of this case, all others being right. No mistake need be recognised."""
    outputs = seen.expected | {case: seen.outputs.get(case, {})}
    try:
        return (
            law.test(replace(seen, exercise=replace(seen.exercise, mistakes=(), terms=()), outputs=outputs)) is not None
        )
    except Exception:
        return True


def given(seen: CaseResults, case: str) -> dict[str, Any]:
    """The arguments; where the answer is called in a way of its own, the case's other arrays too."""
    arrays = {name: value.clone() for name, value in seen.inputs[case].items()}
    call = seen.exercise.invocation.arguments
    named = {text.partition(":")[0].removesuffix("()"): argument(text, arrays) for text in call}
    return named | ({name: value for name, value in arrays.items() if name not in named} if seen.exercise.probe else {})


def wanted(seen: CaseResults, law: Law, case: str) -> dict[str, Tensor]:
    """What is right there, or where the law is about gradients, the right ones of a fixed sum of all outputs."""
    wants, found = law.gradient_by is not None, seen.expected[case].items()
    return {
        name: value.clone() for name, value in found if value.dtype != torch.uint8 and name.startswith("grad.") == wants
    }
