"""The laws of `LULinear` and `QRLinear`: values, then what an optimiser step and a gradient make of the layer."""

import sys
from dataclasses import replace

import torch

from ...engine import (
    CaseResults,
    Failure,
    Law,
    close,
    custom,
    differs,
    interface_laws,
    shapes,
    silent,
    stable,
    value,
)
from ._linear import Reference

CASES = ["value", "permuted", "positive"]
LOADED = ["loaded_z", "loaded_log_det", "loaded_x", "loaded_inverse_log_det"]
SAVED = "After load_state_dict the layer should be the saved one: what is neither parameter nor buffer is not saved."
INVERSE = ["x", "inverse_log_det"]


def all_trained(seen: CaseResults) -> Failure | str | None:
    """d W / d parameters has rank m²: every entry of W can be trained, by parameters that all have a gradient."""
    for case in ("value", "permuted"):
        jacobian = seen.outputs[case].get("freedom")
        m = len(seen.inputs[case]["weight"])
        if jacobian is None or jacobian.ndim != 2 or not jacobian.double().isfinite().all():
            return seen.raised(case) or "the layer's parameters could not be read"
        frozen = seen.outputs[case].get("frozen")
        if jacobian.shape[1] == 0 and frozen is not None and bool(frozen > 0):
            return "the layer's parameters are frozen: leave requires_grad as nn.Parameter sets it"
        if jacobian.shape[1] == 0:
            return "the layer has no parameters: make the factors nn.Parameter"
        if (found := rank(jacobian)) < m * m:
            only = f"W has {m * m} entries, and only {found} directions of it can be trained: all {m * m} are wanted, by both factors together"
            return f"{only}. {one_factor(found, m)}".removesuffix(". ")
    return None


def one_factor(found: int, m: int) -> str:
    """What trains in so many directions alone."""
    if found == m * (m + 1) // 2:
        return (
            "It looks as if the upper triangle alone is trained: is the other factor an nn.Parameter, and not detached?"
        )
    if found == m * (m - 1) // 2:
        return "It looks as if the upper triangle (R, or U) is not trained: is it an nn.Parameter, and not detached?"
    return ""


def rank(jacobian: torch.Tensor | None) -> int:
    """In how many directions the parameters move it. One that can't be read is as good as any: another law says so."""
    if jacobian is None or jacobian.ndim != 2 or not bool(jacobian.double().isfinite().all()):
        return sys.maxsize
    return int(torch.linalg.matrix_rank(jacobian.double(), rtol=1e-8))


def reached(seen: CaseResults) -> Failure | str | None:
    """The gradient by x and by z is right; both outputs of both directions reach the parameters."""
    came, given = seen.outputs["value"], seen.inputs["value"]
    for direction, name in (("forward", "x"), ("inverse", "z")):
        gradient = came.get(f"grad_{name}")
        if gradient is None:
            raised = seen.raised("value", f"error.{direction} gradient") or Failure(f"{direction} gave no gradient")
            return replace(raised, ours=f"differentiating {direction}: {raised.ours}")
        if not gradient.double().any():
            return f"no gradient reaches {name} through {direction}: look for detach, .data, .item() or no_grad"
        if not close(seen.expected["value"][f"grad_{name}"], gradient):
            return f"the value of {direction} is right, its gradient by {name} is not: is a part of it detached?"
        for part in ("value", "log_det"):
            reach = came.get(f"{direction}_{part}_reach")
            if reach is None or not reach.double().any():
                return f"the {part} that {direction} returns reaches no parameter: look for detach, .data, .item() or no_grad"
    m = len(given["weight"])
    freedom = came.get("inverse_freedom")
    if freedom is not None and not bool(freedom.double().isfinite().all()):
        return (
            "the gradient of inverse by the parameters is not finite: the SVD has none where singular values are equal"
        )
    if freedom is None or rank(freedom) < min(rank(came.get("freedom")), m * m):
        return "the value that inverse returns reaches only some of the parameters: is a factor detached?"
    return None


def no_weight_gradient(seen: CaseResults) -> Failure | str | None:
    gradient = seen.outputs["value"].get("weight_gradient")
    if gradient is None:
        return seen.raised("value", "error.weight") or "the layer's parameters could not be read"
    if gradient.double().any():
        return "a gradient reaches the given weight: decompose a detached copy, and train the factors"
    return None


def after_step(seen: CaseResults, slipped: str) -> Failure | str | None:
    """The stepped layer is z = W' x for its own W', with log|det W'|, and its inverse undoes it."""
    for case in ("value", "permuted"):
        came, given = seen.outputs[case], seen.inputs[case]
        weight = came.get("stepped_weight")
        if weight is None or weight.shape != given["weight"].shape or not weight.double().isfinite().all():
            return seen.raised(case, "error.optimiser") or "no weight came back after a step"
        if close(given["weight"], weight):
            return "an optimiser step left W as it was: are the factors nn.Parameter, and used in forward?"
        layer = Reference(weight.double())
        if bool(came.get("trains_permutation", False)):
            slipped = PERMUTED
        want = dict(zip(("z", "log_det"), layer.forward(given["x"]), strict=True))
        want |= dict(zip(("x", "inverse_log_det"), layer.inverse(given["z"]), strict=True))
        for name, expected in want.items():
            message = differs(expected.detach(), came.get(f"stepped_{name}"), name)
            if message != "":
                return f"after an optimiser step, {message or 'nothing came'} {slipped if 'log_det' in name else STALE}"
        for name, expected in want.items():
            message = differs(expected.detach(), came.get(f"evaluated_{name}"), name)
            if message != "":
                return f"after an optimiser step, in eval mode, {message or 'nothing came'} {KEPT}"
    return None


PERMUTED = "P is a parameter here, and a step makes it no permutation: register it as a buffer."
KEPT = "What eval mode keeps from before the step is out of date: build the factors at every call."
STALE = "Does it follow the trained factors? forward and inverse use the same ones."


def laws(weights: list[float], costly: str, slipped: str) -> tuple[Law, ...]:
    forward, log_det, trained, stepped, gradient, loaded, cost, stability, size = weights
    return (
        value("forward", "z = W x, row by row.", cases=CASES, outputs=["z"], weight=forward),
        value(
            "log_det",
            "log|det W| = sum log|diag|, one entry a row.",
            cases=CASES,
            outputs=["log_det"],
            weight=log_det,
        ),
        value("inverse", "x = W⁻¹ z with -log|det W|.", cases=CASES, outputs=INVERSE),
        custom("trained factors", trained, all_trained),
        custom("after a step", stepped, lambda seen: after_step(seen, slipped)),
        custom("gradient", gradient, reached),
        stable(loaded, ["value", "permuted"], SAVED, outputs=LOADED, name="state_dict"),
        silent(cost, "cost", "costly", costly, ["value"], requires="all values"),
        stable(stability, ["extreme"], "The determinant underflows: sum log|diag| instead."),
        shapes(size, ["one row", "one feature"]),
        *interface_laws(),
        custom("no gradient to weight", 0.125, no_weight_gradient),
    )
