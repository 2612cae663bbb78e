"""An answer's outputs beside the expected ones: what differs, and the known mistake that it is."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .closeness import BELOW_DOUBLE, NUMBERS, bound, close, first
from .likeness import alike
from .terms import cut_off, finite, term_at_fault
from .verdict import WAITS, CaseResults, Failure, Mistake


def pairs(cases: Sequence[str], outputs: Sequence[str]):
    return [(case, name) for case in cases for name in outputs]


def about_form(seen: CaseResults, outputs: Sequence[str], failure: Failure | None) -> Failure | None:
    """`failure`, unless the same outputs are wrong in the first place: then it says nothing about form."""
    names = [name for name in outputs if name in seen.expected.get("value", {})]
    return WAITS if failure is not None and compare(seen, ["value"], names, "") is not None else failure


def compare(seen: CaseResults, cases: Sequence[str], outputs: Sequence[str], hint: str) -> Failure | None:
    """The first output that differs from the expected one, in words; the mistake that gives the same, if any does."""
    for case, name in pairs(cases, outputs):
        got, own = seen.outputs.get(case, {}).get(name), seen.exercise.tolerances.get(name, 0.0)
        message = differs(seen.expected[case][name], got, name, own)
        if message == "":
            continue
        if message is None:
            raised = seen.raised(case) or Failure(f"{name} did not come back")
            return replace(raised, mistake=hint) if case.startswith("extreme") else raised
        if case.startswith("extreme"):
            return Failure(message, mistake=in_extremes(seen, case, outputs) or hint)
        kind = in_other_place(seen, case, name) or drawn(seen, case)
        kind = kind or alike(seen.expected[case][name], seen.outputs[case][name], own)
        return Failure(message, mistake=diagnosis(seen, cases, outputs) or f"{kind} {hint}".strip())
    return None


def in_other_place(seen: CaseResults, case: str, name: str) -> str:
    """Whether what was asked for came back as another output."""
    want = seen.expected[case][name]
    returned = [key for key in seen.exercise.invocation.returns if key in seen.expected[case]]
    for other in returned if name in returned else ():
        got = received(seen, (case, other))
        if other != name and got is not None and want.any() and same(got, want):
            return f"What belongs to {name} came back as {other}: mind the order of what you return."
    return ""


def drawn(seen: CaseResults, case: str) -> str:
    """Whether the answer drew random numbers, and the reference none."""
    alone = seen.error(case, "random") and "random" not in seen.expected[case]
    return "Random numbers were drawn; what is asked for depends on the inputs alone." if alone else ""


def differs(want: Tensor, got: Tensor | None, name: str, tolerance: float = 0.0) -> str | None:
    """Empty where `got` is right, None where it is missing, else what came for what. The larger tolerance counts."""
    if got is None:
        return None
    if got.shape != want.shape:
        return f"{name}: expected shape {tuple(want.shape)}, got {tuple(got.shape)}."
    if got.dtype not in NUMBERS:
        return f"{name}: expected {want.dtype}, got {got.dtype}."
    if close(want, got, tolerance):
        return ""
    if want.is_floating_point() and bool(want.isfinite().all()) and not bool(got.double().isfinite().all()):
        return f"{name}: expected finite numbers, got {first(got, ~got.double().isfinite())}."
    worst = ~torch.isclose(got.double(), want.double(), rtol=0, atol=bound(want, tolerance), equal_nan=True)
    if first(want, worst) == first(got, worst):
        gap = float((got.double() - want.double()).abs()[worst].max())
        return f"{name}: expected {first(want, worst)}, got a number {gap:.1e} away."
    return f"{name}: expected {first(want, worst)}, got {first(got, worst)}."


def not_finite(seen: CaseResults) -> str:
    """The first output that is not finite where a finite one was expected, in words; else an empty string."""
    for case, arrays in seen.expected.items():
        for name, want in arrays.items():
            got = seen.outputs.get(case, {}).get(name)
            if got is not None and bool(want.double().isfinite().all()) and not bool(got.double().isfinite().all()):
                return f"{name}: expected finite numbers, got {first(got, ~got.double().isfinite())}."
    return ""


def diagnosis(seen: CaseResults, cases: Sequence[str], keys: Sequence[str]) -> str:
    """The message of the known mistake with these outputs; of several, of the one that is alike in most others too."""
    here = pairs(cases, keys)
    if not any(numbers(received(seen, at)) for at in here):  # then all else that came must be the mistake's too
        returned = [key for key in seen.exercise.invocation.returns if key not in keys]
        here += [at for at in pairs(cases, returned) if at[1] in seen.expected[at[0]]]
    exercise = seen.exercise
    if found := fitting(seen, here, exercise.mistakes):
        return max(found, key=lambda mistake: likeness(seen, mistake)).message
    if said := term_at_fault(seen, here):
        return said
    told = not keys[0].startswith("grad.") and all((got := received(seen, at)) is None or finite(got) for at in here)
    for mistake in fitting(seen, here, exercise.altered) if told else ():
        if all(exactly(received(seen, at), seen.wrong_output(mistake, *at)) for at in here):
            return mistake.message
    found = fitting(seen, [at for at in here if at[0] == cases[0]], exercise.mistakes)  # it tells most apart
    return max(found, key=lambda mistake: likeness(seen, mistake)).message if found else ""


def in_extremes(seen: CaseResults, case: str, outputs: Sequence[str]) -> str:
    """The known mistake with these outputs, in the first case too, and where all of them are finite: infinities, and
    zeros alone, are the same for many."""
    first_case = next(iter(seen.expected))
    here = pairs([case, first_case], [name for name in outputs if name in seen.expected[case]])
    came = [received(seen, at) for at in here]
    if any(got is None or not bool(got.double().isfinite().all()) for got in came):
        return ""
    known = next((mistake.message for mistake in fitting(seen, here, seen.exercise.mistakes)), "")
    return known or term_at_fault(seen, here[:1])


def fitting(seen: CaseResults, here: list[tuple[str, str]], mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Those of these mistakes that have these outputs, if any of them is wrong."""
    wrong = [at for at in here if not same(received(seen, at), seen.expected[at[0]].get(at[1]))]
    return [
        mistake
        for mistake in mistakes
        if all(same(received(seen, at), seen.wrong_output(mistake, *at)) for at in here)
        and any(not same(seen.wrong_output(mistake, *at), seen.expected[at[0]].get(at[1])) for at in wrong)
    ]


def numbers(came: Tensor | None) -> bool:
    """Whether there are any: nan alone is the same for many mistakes."""
    return came is None or not bool(came.double().isnan().all())


def likeness(seen: CaseResults, mistake: Mistake) -> int:
    """How many outputs of a known mistake are the student's."""
    everything = [(case, key) for case, arrays in seen.expected.items() for key in arrays]
    return sum(same(received(seen, at), seen.wrong_output(mistake, *at)) for at in everything)


def received(seen: CaseResults, at: tuple[str, str]) -> Tensor | None:
    return seen.outputs.get(at[0], {}).get(at[1])


def same(a: Tensor | None, b: Tensor | None) -> bool:
    """Equal up to the tolerance; both may be missing."""
    return close(a, b) if a is not None and b is not None else a is b


def exactly(a: Tensor | None, b: Tensor | None) -> bool:
    """Equal without the room for a constant in float32, in which a small number that is added would hide."""
    if a is None or b is None:
        return a is b
    return torch.allclose(a.double(), b.double(), rtol=0, atol=bound(b), equal_nan=True)


OVERWRITTEN = "a tensor that the gradient needs was overwritten in place: build a new one (cat, stack, where)."


def compare_gradients(seen: CaseResults, cases: Sequence[str], names: Sequence[str], hint: str) -> Failure | None:
    """The first gradient that is missing or differs, in words."""
    keys = [f"grad.{name}" for name in names]
    for case, key in pairs(cases, keys):
        want, got = seen.expected[case].get(key), seen.outputs.get(case, {}).get(key)
        if want is None or (got is not None and close(want, got, 1e-4 if in_single(seen, case) else 0.0)):
            continue
        known = cut(seen, cases, keys)
        if not known:
            missed = diagnosis(seen, cases, keys)
            known = f"In the gradient: {missed}" if missed else hint
        name = seen.exercise.known_as.get(key[5:], key[5:])
        if error := seen.error(case, "error.gradient"):
            overwritten = "inplace operation" in error or "in-place operation" in error
            raised = Failure("differentiating your answer raised", error, known)
            return Failure("", mistake=OVERWRITTEN) if overwritten else raised
        if got is None or not bool(got.double().any()):
            return Failure(
                f"no gradient reaches {name}: look for detach, .data, .item(), numpy or no_grad.", mistake=known
            )
        return Failure(f"the value is right, its gradient is not: by {differs(want, got, name)}", mistake=known)
    return None


def cut(seen: CaseResults, cases: Sequence[str], keys: Sequence[str]) -> str:
    """What is cut off the graph: the known mistake whose values are right, and these its gradients; else a term."""
    here, values = pairs(cases, keys), pairs(cases, seen.exercise.outputs)
    known = [
        mistake
        for mistake in fitting(seen, here, seen.exercise.mistakes)
        if all(same(seen.wrong_output(mistake, *at), seen.expected[at[0]].get(at[1])) for at in values)
    ]
    return known[0].message if known else cut_off(seen, cases, keys)


def in_single(seen: CaseResults, case: str) -> bool:
    """Whether an output came in fewer digits than expected: the law of dtype says so, and takes its points alone."""
    came = [(received(seen, (case, name)), want) for name, want in seen.expected[case].items() if name[:5] != "grad."]
    return any(got is not None and got.dtype in BELOW_DOUBLE and want.dtype not in BELOW_DOUBLE for got, want in came)


def wrong_dtype(seen: CaseResults, case: str, name: str) -> str | None:
    want, got = seen.expected[case][name], seen.outputs.get(case, {}).get(name)
    if got is None or got.dtype == want.dtype:
        return None
    return f"{name}: expected {want.dtype}, got {got.dtype}; a constant inside has its own dtype: take an input's"
