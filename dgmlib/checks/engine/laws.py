"""The laws that exercises share. A law looks at what came and says nothing where it is right, else what is wrong.

`outputs` are all that the answer returns, unless a law names some; `cases` are names of the exercise's own. A `hint` ends
the message where no known mistake gives the same outputs.
"""

import re
from collections.abc import Callable, Sequence

import torch

from .closeness import brief
from .compare import about_form, compare, compare_gradients, pairs, wrong_dtype
from .verdict import CaseResults, Failure, Law

Names = Sequence[str] | None


def value(
    name: str = "value",
    hint: str = "",
    *,
    cases: Sequence[str] = ("value",),
    outputs: Names = None,
    weight: float | None = None,
    tolerance: float | None = None,
) -> Law:
    """The outputs equal the reference's, in every one of `cases`. Without `weight`: what other laws leave of the
    points. `tolerance` is relative to the largest expected number, and holds wherever these outputs are compared."""
    return Law(name, weight, equal(cases, outputs, hint), outputs=outputs, tolerance=tolerance)


def stable(weight: float, cases: Sequence[str], hint: str, *, outputs: Names = None, name: str = "stability") -> Law:
    """As `value`, at inputs where a density or determinant leaves the range of floats. Waits for all values."""
    return Law(name, weight, equal(cases, outputs, hint), requires="all values")


def supporting_value(name: str, weight: float, cases: Sequence[str], hint: str = "", *, outputs: Names = None) -> Law:
    """As `value`, of something too easily right to count alone. Waits for any value."""
    return Law(name, weight, equal(cases, outputs, hint), requires="any value")


def shapes(weight: float, cases: Sequence[str], hint: str = "", *, outputs: Names = None, name: str = "shape") -> Law:
    """As `value`, at the smallest sizes: one row, one feature, one component. Waits for any value."""

    def test(seen: CaseResults) -> Failure | None:
        named = outputs or seen.exercise.outputs
        return about_form(seen, named, compare(seen, cases, named, hint))

    return Law(name, weight, test, requires="any value")


def equal(cases: Sequence[str], outputs: Names, hint: str) -> Callable[[CaseResults], Failure | None]:
    return lambda seen: compare(seen, cases, outputs or seen.exercise.outputs, hint)


def gradient(weight: float, names: Sequence[str] = (), cases: Sequence[str] = ("value",), hint: str = "") -> Law:
    """The gradient reaches every array of the call, fixtures' parameters too, and is right; or those in `names`. Waits
    for all values."""

    def test(seen: CaseResults) -> Failure | None:
        return compare_gradients(seen, cases, names or seen.exercise.differentiable, hint)

    return Law("gradient", weight, test, requires="all values", gradient_by=names, gradient_cases=cases)


def keeps_dtype(weight: float, outputs: Names = None, cases: Sequence[str] = ("float32", "value")) -> Law:
    """float32 in, float32 out, with float32's accuracy; float64 likewise."""

    def test(seen: CaseResults) -> Failure | str | None:
        named = outputs or seen.exercise.outputs
        for case, name in pairs(cases, named):
            if (message := wrong_dtype(seen, case, name)) is not None:
                return message
        failure = compare(seen, cases, named, "float32 inputs lose more digits here than they need to")
        return about_form(seen, named, failure)

    return Law("dtype", weight, test, requires="any value")


def keeps_inputs(weight: float) -> Law:
    """No input is changed: not its values, not requires_grad, not a list."""

    def test(seen: CaseResults) -> str | None:
        for case in seen.inputs:
            if changed := seen.error(case, "changed"):
                named = sorted({seen.exercise.known_as.get(name, name) for name in changed.split(", ")})
                return f"your answer changed its input ({', '.join(named)}); work on a copy, not in place"
        return None

    return Law("inputs unchanged", weight, test, requires="any value")


def keeps_device(weight: float) -> Law:
    """Nothing is made on the CPU for inputs that live elsewhere."""

    def test(seen: CaseResults) -> str | None:
        for case in seen.inputs:
            if found := seen.error(case, "device"):
                return f"this would fail on a GPU: {found}{in_its_place(found, seen.exercise.takes)}"
        return None

    return Law("device", weight, test, requires="any value")


# Functions of torch that make a tensor from no other, and those of them whose numbers are whole.
MAKERS = re.compile(r"torch\.(eye|zeros|ones|full|empty|tensor|linspace|randn|rand|arange|randint|randperm)\(")
WHOLE = ("arange", "randint", "randperm")


def in_its_place(found: str, given: str) -> str:
    """What to write instead on the line that was found."""
    if "numpy" in found:
        return "; stay in torch"
    if (maker := MAKERS.search(found)) is None:
        return f"; a new tensor takes its device from an input: device={given}.device"
    dtype = "" if maker[1] in WHOLE or "dtype=" in found else f"dtype={given}.dtype, "
    return f"; write torch.{maker[1]}(..., {dtype}device={given}.device)"


def counted(
    weight: float, name: str, message: str, case: str = "value", law: str = "cost", requires="any value"
) -> Law:
    """The counter `name` equals the reference's."""

    def test(seen: CaseResults) -> str | None:
        want, got = seen.expected[case][name], seen.outputs.get(case, {}).get(name)
        if got is not None and want.shape == got.shape and torch.equal(want.double(), got.double()):
            return None
        return message.format(got=brief(got) if got is not None else "nothing", want=brief(want))

    return Law(law, weight, test, requires=requires)


def silent(
    weight: float, law: str, key: str, message: str, cases: Sequence[str] = ("value",), requires="any value"
) -> Law:
    """The probe wrote no complaint under `key`; it did reach the place where it looks (`key.seen`)."""

    def test(seen: CaseResults) -> Failure | str | None:
        for case in cases:
            if f"{key}.seen" not in seen.outputs.get(case, {}):
                return seen.raised(case) or "your answer ended before this could be looked at"
            if found := seen.error(case, key + ".found"):
                return message.format(found=found)
        return None

    return Law(law, weight, test, requires=requires)


def custom(
    name: str, weight: float | None, test: Callable[[CaseResults], Failure | str | None], requires: str = "all values"
) -> Law:
    """A law of one exercise."""
    return Law(name, weight, test, requires)


def interface_laws(outputs: Names = None, weight: float = 0.125) -> tuple[Law, ...]:
    """The three laws of form that nearly every exercise has: dtype, inputs unchanged, device; `weight` points each."""
    return keeps_dtype(weight, outputs), keeps_inputs(weight), keeps_device(weight)
