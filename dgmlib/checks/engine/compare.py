"""Outputs compared with what was expected, and the words for what differs: a number, a shape, a known mistake.

Numbers are compared with a tolerance of the expected dtype, relative to the size of the whole output: 1e-8 in float64,
1e-3 in float32, far above what another order of the same operations costs and far below any mistake. A value law may
give its outputs another one. All entries may be off by the same 1e-6: a constant such as torch.tensor(2 * torch.pi).log()
is one in float32, and a right one.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from .verdict import WAITS, CaseResults, Failure, Mistake

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-3}
CONSTANT = SINGLE = 1e-6
BELOW_DOUBLE = (torch.float32, torch.float16, torch.bfloat16)
NUMBERS = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.bool)


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
            return seen.raised(case) or Failure(f"{name} did not come back")
        if case.startswith("extreme"):
            return Failure(message, mistake=in_extremes(seen, case, outputs) or hint)
        kind = in_other_place(seen, case, name) or alike(seen.expected[case][name], seen.outputs[case][name], own)
        return Failure(message, mistake=diagnosis(seen, cases, outputs) or f"{kind} {hint}".strip())
    return None


FACTORS = {
    "The sign is flipped: every entry is minus the right one.": -1.0,
    "Every entry is twice the right one.": 2.0,
    "Every entry is half the right one.": 0.5,
    "The logarithm has base 10; logarithms are natural here.": 1 / math.log(10),
    "The logarithm has base 2; logarithms are natural here.": 1 / math.log(2),
}


FUNCTIONS = {
    "This is the exponential of the right one.": torch.exp,
    "This is the logarithm of the right one.": torch.log,
    "This is the square of the right one.": torch.square,
    "This is the square root of the right one.": torch.sqrt,
    "This is one over the right one.": torch.reciprocal,
    "This is the absolute value of the right one.": torch.abs,
}
MATRICES = {
    "The two last axes are swapped: the matrix stands transposed.": lambda want: want.mT,
    "Only the diagonal is there; off it stand zeros.": lambda want: torch.diag_embed(want.diagonal(dim1=-2, dim2=-1)),
    "This is the inverse of the right one.": torch.linalg.pinv,
    "This is a Cholesky factor of the right one.": lambda want: torch.linalg.cholesky_ex(want).L,
}


def alike(want: Tensor, got: Tensor, tolerance: float = 0.0) -> str:
    """What every exercise's wrong outputs may have in common with the right one, in words; else an empty string."""
    if got.shape != want.shape:
        return other_shape(tuple(want.shape), tuple(got.shape))
    if want.isfinite().all() and got.isnan().any():
        return "nan is the log of a negative number, 0/0 or inf - inf."
    if not (want.is_floating_point() and got.is_floating_point() and got.isfinite().all() and want.any()):
        return ""
    want, got = want.double(), got.double()
    for words, factor in FACTORS.items():
        if close(factor * want, got, max(tolerance, SINGLE)):
            return words
    gap = got - want
    if want.numel() > 2 and close(gap.mean().expand_as(gap), gap) and not close(want.mean().expand_as(want), want, 0.1):
        return f"Every entry is off by the same {brief(gap.mean())}: look at what is the same in all of them."
    if close(want, got, 1e-3 if want.numel() > 2 else 1e-4):
        return "Nearly right: look for something small that is added, a clamp, a rounding, or float32 on the way."
    return cut_off(want, got) or transformed(want, got)


def transformed(want: Tensor, got: Tensor) -> str:
    """Which function of the right numbers came."""
    for words, function in FUNCTIONS.items():
        made = function(want)
        if (
            made.isfinite().all()
            and close(made, got)
            and not close(made, want, 1e-3)
            and float(made.abs().max()) > 1e-3
        ):
            return words
    if want.ndim < 2 or want.shape[-1] != want.shape[-2] or want.shape[-1] == 1:
        return ""
    for words, function in MATRICES.items():
        if close(function(want), got, SINGLE):
            return words
    return ""


def cut_off(want: Tensor, got: Tensor) -> str:
    """Whether the entries beyond one number were set to it, the others being right."""
    wrong = ~torch.isclose(got, want, rtol=0, atol=bound(want, 1e-6))
    if int((~wrong).sum()) < 3 or int(wrong.sum()) < 2:
        return ""
    limit = got[wrong].reshape(-1)[0]
    side = "below" if bool((want[wrong] < limit).all()) else "above" if bool((want[wrong] > limit).all()) else ""
    return (
        f"Entries {side} {brief(limit)} are set to it: no clamp." if side and bool((got[wrong] == limit).all()) else ""
    )


def in_other_place(seen: CaseResults, case: str, name: str) -> str:
    """Whether what was asked for came back as another output."""
    want = seen.expected[case][name]
    returned = [key for key in seen.exercise.invocation.returns if key in seen.expected[case]]
    for other in returned if name in returned else ():
        got = received(seen, (case, other))
        if other != name and got is not None and want.any() and same(got, want):
            return f"What belongs to {name} came back as {other}: mind the order of what you return."
    return ""


def other_shape(want: tuple[int, ...], got: tuple[int, ...]) -> str:
    """How the shape that came may have come about."""
    if len(got) == len(want) + 1 and got.count(1) > want.count(1):
        return "An axis of length 1 is left over: look for keepdim, or for [:, None]."
    if len(want) == 1 and got == 2 * want:
        return "Every entry met every other one: (n, 1) and (n,) broadcast to (n, n)."
    if len(want) == 2 and got == want[::-1]:
        return "The two axes are swapped."
    if got == () and len(want) == 1:
        return "One sum or mean too many: each entry keeps its own number."
    if len(got) > len(want) and (want == () or got[: len(want)] == want or got[-len(want) :] == want):
        return "An axis is left over: one sum, mean or logsumexp is missing."
    return ""


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


def close(want: Tensor, got: Tensor, tolerance: float = 0.0) -> bool:
    """Equal shapes, and equal numbers up to the tolerance of the expected dtype."""
    if want.shape != got.shape or got.dtype not in NUMBERS:
        return False
    coarse = SINGLE if got.dtype in BELOW_DOUBLE else 0.0  # the law of dtype says that, and takes its points alone
    want, got, most = want.double(), got.double(), bound(want, max(tolerance, coarse))
    return torch.allclose(got, want, rtol=0, atol=most, equal_nan=True) or shifted(want, got, most)


def shifted(want: Tensor, got: Tensor, most: float) -> bool:
    """Whether the entries are off by one number alone, as a constant in float32 is."""
    gap = got - want
    off = gap.mean()
    return bool((gap - off).abs().le(most).all()) and float(off.abs()) <= bound(want, CONSTANT)


def bound(want: Tensor, tolerance: float = 0.0) -> float:
    """The tolerance: relative to the largest expected number."""
    finite = want.double()[want.double().isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    return max(TOLERANCE.get(want.dtype, 0.0), tolerance) * max(size, 1e-3)


def first(tensor: Tensor, where: Tensor) -> str:
    """The first marked entry, with its place."""
    if tensor.ndim == 0:
        return brief(tensor)
    place = tuple(int(i) for i in where.nonzero()[0])
    return f"{brief(tensor[place])} at {list(place)}"


def brief(number: Tensor) -> str:
    return " ".join(f"{float(entry):.5g}" for entry in number.reshape(-1)[:12])


def diagnosis(seen: CaseResults, cases: Sequence[str], keys: Sequence[str]) -> str:
    """The message of the known mistake with these outputs; of several, of the one that is alike in most others too."""
    here = pairs(cases, keys)
    if not any(numbers(received(seen, at)) for at in here):  # then all else that came must be the mistake's too
        returned = [key for key in seen.exercise.invocation.returns if key not in keys]
        here += [at for at in pairs(cases, returned) if at[1] in seen.expected[at[0]]]
    found = fitting(seen, here)
    if not found and not (said := weighed(seen, here)):  # the first case is the one that tells most apart
        found = fitting(seen, [at for at in here if at[0] == cases[0]])
    return max(found, key=lambda mistake: likeness(seen, mistake)).message if found else said


def in_extremes(seen: CaseResults, case: str, outputs: Sequence[str]) -> str:
    """The known mistake with these outputs, in the first case too, and where all of them are finite: infinities, and
    zeros alone, are the same for many."""
    first_case = next(iter(seen.expected))
    here = pairs([case, first_case], [name for name in outputs if name in seen.expected[case]])
    came = [received(seen, at) for at in here]
    if any(got is None or not bool(got.double().isfinite().all()) for got in came):
        return ""
    return next((mistake.message for mistake in fitting(seen, here)), "")


def fitting(seen: CaseResults, here: list[tuple[str, str]]) -> list[Mistake]:
    """The known mistakes that have these outputs, if any of them is wrong."""
    wrong = [at for at in here if not same(received(seen, at), seen.expected[at[0]].get(at[1]))]
    return [
        mistake
        for mistake in seen.exercise.mistakes
        if all(same(received(seen, at), seen.wrong_output(mistake, *at)) for at in here)
        and any(not same(seen.wrong_output(mistake, *at), seen.expected[at[0]].get(at[1])) for at in wrong)
    ]


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


def weighed(seen: CaseResults, here: list[tuple[str, str]]) -> str:
    """Which one or two terms of the right output carry another factor, in words; else an empty string."""
    if len({key for _, key in here}) != 1 or here[0][1].startswith("grad.") or not seen.exercise.terms:
        return ""
    got = [received(seen, at) for at in here]
    want = [seen.expected[case][key] for case, key in here]
    if any(g is None or g.shape != w.shape for g, w in zip(got, want, strict=True)):
        return ""
    parts = [[seen.wrong_output(term, *at) for at in here] for term in seen.exercise.terms]
    changes = [(place, ratio) for place in range(len(parts)) for ratio in RATIOS]
    for chosen in [*combinations(changes, 1), *combinations(changes, 2)]:
        whole = len(chosen) == len(parts) and len({ratio for _, ratio in chosen}) == 1  # a factor before all of it
        if (
            not whole
            and len({place for place, _ in chosen}) == len(chosen)
            and all(
                same(g, w + sum((ratio - 1) * parts[place][n] for place, ratio in chosen))
                for n, (g, w) in enumerate(zip(got, want, strict=True))
            )
        ):
            return " ".join(f"{seen.exercise.terms[place].message} {RATIOS[ratio]}" for place, ratio in chosen)
    return ""


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


OVERWRITTEN = "a tensor that the gradient needs was overwritten in place: build a new one (cat, stack, where)."


def compare_gradients(seen: CaseResults, cases: Sequence[str], names: Sequence[str], hint: str) -> Failure | None:
    """The first gradient that is missing or differs, in words."""
    keys = [f"grad.{name}" for name in names]
    for case, key in pairs(cases, keys):
        want, got = seen.expected[case].get(key), seen.outputs.get(case, {}).get(key)
        if want is None or (got is not None and close(want, got, 1e-4 if in_single(seen, case) else 0.0)):
            continue
        known, name = diagnosis(seen, cases, keys) or hint, seen.exercise.known_as.get(key[5:], key[5:])
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


def in_single(seen: CaseResults, case: str) -> bool:
    """Whether an output came in fewer digits than expected: the law of dtype says so, and takes its points alone."""
    came = [(received(seen, (case, name)), want) for name, want in seen.expected[case].items() if name[:5] != "grad."]
    return any(got is not None and got.dtype in BELOW_DOUBLE and want.dtype not in BELOW_DOUBLE for got, want in came)


def wrong_dtype(seen: CaseResults, case: str, name: str) -> str | None:
    want, got = seen.expected[case][name], seen.outputs.get(case, {}).get(name)
    if got is None or got.dtype == want.dtype:
        return None
    return f"{name}: expected {want.dtype}, got {got.dtype}; a constant inside has its own dtype: take an input's"
