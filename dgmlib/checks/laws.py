"""The laws that exercises share. A law looks at what came and says nothing where it is right, else what is wrong.

Numbers are compared with a tolerance of the expected dtype, relative to the size of the whole output: 1e-6 in float64,
1e-3 in float32, far above what another order of the same operations costs and far below any mistake.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .exercise import WAITS, Law, Mistake, Seen

TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
NUMBERS = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.bool)


def value(name: str, weight: float, outputs: Sequence[str], cases: Sequence[str] = ("value",), hint: str = "") -> Law:
    """The outputs equal the reference's, in every one of `cases`."""
    return Law(name, weight, lambda seen: compare(seen, cases, outputs, hint))


def stable(weight: float, outputs: Sequence[str], cases: Sequence[str], hint: str, name: str = "stability") -> Law:
    """As `value`, at inputs where a density or determinant leaves the range of floats. Waits for all values."""
    return Law(name, weight, lambda seen: compare(seen, cases, outputs, hint), waits=all)


def beside(name: str, weight: float, outputs: Sequence[str], cases: Sequence[str], hint: str = "") -> Law:
    """As `value`, of something too easily right to count alone. Waits for any value."""
    return Law(name, weight, lambda seen: compare(seen, cases, outputs, hint), waits=any)


def shapes(weight: float, outputs: Sequence[str], cases: Sequence[str], hint: str = "", name: str = "shape") -> Law:
    """As `value`, at the smallest sizes: one row, one feature, one component. Waits for any value."""
    return Law(name, weight, lambda seen: about_form(seen, outputs, compare(seen, cases, outputs, hint)), waits=any)


def gradient(
    weight: float,
    names: Sequence[str],
    cases: Sequence[str] = ("value",),
    hint: str = "",
    renamed: dict[str, str] | None = None,
) -> Law:
    """The gradient reaches every differentiable input, fixtures' parameters too, and is right. Waits for all values.
    `renamed` gives a fixture's arrays the name under which a student knows the fixture."""
    return Law("gradient", weight, lambda seen: compare_gradients(seen, cases, names, hint, renamed or {}), waits=all)


def keeps_dtype(weight: float, outputs: Sequence[str], cases: Sequence[str] = ("float32", "value")) -> Law:
    """float32 in, float32 out, with float32's accuracy; float64 likewise."""

    def test(seen: Seen) -> str | None:
        for case, name in pairs(cases, outputs):
            if (message := wrong_dtype(seen, case, name)) is not None:
                return message
        message = compare(seen, cases, outputs, "float32 inputs lose more digits here than they need to")
        return about_form(seen, outputs, message)

    return Law("dtype", weight, test, waits=any)


def keeps_inputs(weight: float, what: dict[str, str] | None = None) -> Law:
    """No input is changed: not its values, not requires_grad, not a list. `what` renames a fixture's arrays."""

    def test(seen: Seen) -> str | None:
        for case in seen.inputs:
            if changed := seen.error(case, "changed"):
                named = sorted({(what or {}).get(name, name) for name in changed.split(", ")})
                return f"your answer changed its input ({', '.join(named)}); work on a copy, not in place"
        return None

    return Law("inputs unchanged", weight, test, waits=any)


def keeps_device(weight: float) -> Law:
    """Nothing is made on the CPU for inputs that live elsewhere."""

    def test(seen: Seen) -> str | None:
        for case in seen.inputs:
            if found := seen.error(case, "device").removeprefix("MixedDevices: "):
                return f"this would fail on a GPU: {found}; make new tensors from an input, e.g. torch.zeros_like(x)"
        return None

    return Law("device", weight, test, waits=any)


def counted(weight: float, name: str, message: str, case: str = "value", law: str = "cost", waits=any) -> Law:
    """The counter `name` equals the reference's."""

    def test(seen: Seen) -> str | None:
        want, got = seen.expected[case].get(name), seen.outputs.get(case, {}).get(name)
        if got is not None and want.shape == got.shape and torch.equal(want.double(), got.double()):
            return None
        return message.format(got=brief(got) if got is not None else "nothing", want=brief(want))

    return Law(law, weight, test, waits=waits)


def silent(weight: float, law: str, key: str, message: str, cases: Sequence[str] = ("value",), waits=any) -> Law:
    """The probe wrote no complaint under `key`; it did reach the place where it looks (`key.seen`)."""

    def test(seen: Seen) -> str | None:
        for case in cases:
            if f"{key}.seen" not in seen.outputs.get(case, {}):
                return seen.error(case) or "your answer ended before this could be looked at"
            if found := seen.error(case, key + ".found"):
                return message.format(found=found)
        return None

    return Law(law, weight, test, waits=waits)


def pairs(cases: Sequence[str], outputs: Sequence[str]):
    return [(case, name) for case in cases for name in outputs]


def about_form(seen: Seen, outputs: Sequence[str], message: str | None) -> str | None:
    """`message`, unless the same outputs are wrong in the first place: then it says nothing about form."""
    names = [name for name in outputs if name in seen.expected.get("value", {})]
    return WAITS if message is not None and compare(seen, ["value"], names, "") is not None else message


def compare(seen: Seen, cases: Sequence[str], outputs: Sequence[str], hint: str) -> str | None:
    """The first output that differs from the expected one, in words; the mistake that gives the same, if any does."""
    for case, name in pairs(cases, outputs):
        message = differs(seen.expected[case][name], seen.outputs.get(case, {}).get(name), name)
        if message == "":
            continue
        if message is None:
            return f"your answer raised {seen.error(case)}" if seen.error(case) else f"{name} did not come back"
        known = "" if case == "extreme" else diagnosis(seen, cases, outputs)
        return f"{message} {known or hint}".strip()
    return None


def differs(want: Tensor, got: Tensor | None, name: str) -> str | None:
    """Empty where `got` is right, None where it is missing, else what came for what."""
    if got is None:
        return None
    if got.shape != want.shape:
        return f"{name}: expected shape {tuple(want.shape)}, got {tuple(got.shape)}."
    if got.dtype not in NUMBERS:
        return f"{name}: expected {want.dtype}, got {got.dtype}."
    if close(want, got):
        return ""
    if want.is_floating_point() and bool(want.isfinite().all()) and not bool(got.double().isfinite().all()):
        return f"{name}: expected finite numbers, got {first(got, ~got.double().isfinite())}."
    worst = ~torch.isclose(got.double(), want.double(), rtol=0, atol=bound(want), equal_nan=True)
    if first(want, worst) == first(got, worst):
        gap = float((got.double() - want.double()).abs()[worst].max())
        return f"{name}: expected {first(want, worst)}, got a number {gap:.1e} away."
    return f"{name}: expected {first(want, worst)}, got {first(got, worst)}."


def close(want: Tensor, got: Tensor) -> bool:
    """Equal shapes, and equal numbers up to the tolerance of the expected dtype."""
    if want.shape != got.shape or got.dtype not in NUMBERS:
        return False
    return torch.allclose(got.double(), want.double(), rtol=0, atol=bound(want), equal_nan=True)


def bound(want: Tensor) -> float:
    """The tolerance: relative to the largest expected number."""
    finite = want.double()[want.double().isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    return TOLERANCE.get(want.dtype, 0.0) * max(size, 1e-3)


def first(tensor: Tensor, where: Tensor) -> str:
    """The first marked entry, with its place."""
    if tensor.ndim == 0:
        return brief(tensor)
    place = tuple(int(i) for i in where.nonzero()[0])
    return f"{brief(tensor[place])} at {list(place)}"


def brief(number: Tensor) -> str:
    return " ".join(f"{float(entry):.5g}" for entry in number.reshape(-1)[:12])


def diagnosis(seen: Seen, cases: Sequence[str], keys: Sequence[str]) -> str:
    """The message of the known mistake with these outputs; of several, of the one that is alike in most others too."""
    here = pairs(cases, keys)
    wrong = [at for at in here if not same(received(seen, at), seen.expected[at[0]].get(at[1]))]
    alike = [
        mistake
        for mistake in seen.exercise.mistakes
        if all(same(received(seen, at), seen.wrong_output(mistake, *at)) for at in here)
        and any(not same(seen.wrong_output(mistake, *at), seen.expected[at[0]].get(at[1])) for at in wrong)
    ]
    return max(alike, key=lambda mistake: likeness(seen, mistake)).message if alike else ""


def likeness(seen: Seen, mistake: Mistake) -> int:
    """How many outputs of a known mistake are the student's."""
    everything = [(case, key) for case, arrays in seen.expected.items() for key in arrays]
    return sum(same(received(seen, at), seen.wrong_output(mistake, *at)) for at in everything)


def received(seen: Seen, at: tuple[str, str]) -> Tensor | None:
    return seen.outputs.get(at[0], {}).get(at[1])


def same(a: Tensor | None, b: Tensor | None) -> bool:
    """Equal up to the tolerance; both may be missing."""
    return close(a, b) if a is not None and b is not None else a is b


OVERWRITTEN = "a tensor that the gradient needs was overwritten in place: build a new one (cat, stack, where)."


def compare_gradients(
    seen: Seen, cases: Sequence[str], names: Sequence[str], hint: str, renamed: dict[str, str]
) -> str | None:
    keys = [f"grad.{name}" for name in names]
    for case, key in pairs(cases, keys):
        want, got = seen.expected[case].get(key), seen.outputs.get(case, {}).get(key)
        if want is None or (got is not None and close(want, got)):
            continue
        known, name = diagnosis(seen, cases, keys) or hint, renamed.get(key[5:], key[5:])
        if error := seen.error(case, "error.gradient"):
            overwritten = "inplace operation" in error or "in-place operation" in error
            return OVERWRITTEN if overwritten else f"differentiating your answer raised {error} {known}".strip()
        if got is None or not bool(got.double().any()):
            return f"no gradient reaches {name}: look for detach, .data, .item(), numpy or no_grad. {known}".strip()
        return f"the value is right, its gradient is not: by {differs(want, got, name)} {known}".strip()
    return None


def wrong_dtype(seen: Seen, case: str, name: str) -> str | None:
    want, got = seen.expected[case][name], seen.outputs.get(case, {}).get(name)
    if got is None or got.dtype == want.dtype:
        return None
    return f"{name}: expected {want.dtype}, got {got.dtype}; a constant inside has its own dtype: take an input's"


def custom(name: str, weight: float, test: Callable[[Seen], str | None], waits: Callable | None = all) -> Law:
    """A law of one exercise."""
    return Law(name, weight, test, waits)


def form(outputs: Sequence[str], weight: float = 0.125, renamed: dict[str, str] | None = None) -> tuple[Law, ...]:
    """The three laws of form that nearly every exercise has: dtype, inputs unchanged, device; `weight` points each."""
    return keeps_dtype(weight, outputs), keeps_inputs(weight, renamed), keeps_device(weight)
