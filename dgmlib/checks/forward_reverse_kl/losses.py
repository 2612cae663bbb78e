"""`forward_kl_loss` and `reverse_kl_loss`."""

import torch

from ..exercise import Exercise, Mistake
from ..laws import counted, form, shapes, stable, value
from ..run.fixtures import normal_log_prob
from .cases import EXTREME, RENAMED, cases, gradients, reductions

SLIDE = "Forward KL vs. Reverse KL"
SIGN = "This is the mean log-likelihood; the loss is its negative."
REVERSE_SIGN = "The sign is flipped: log p(x) - log π(x) under the model."
LOG_DENSITY = "E_π(x) -[log p(f(x)) + log|det J_f|]: the mean over the samples."


def log_likelihood(flow, x):
    z, log_det = flow.forward(x)
    return flow.base.log_prob(z) + log_det


def forward(flow, x):
    return -log_likelihood(flow, x).mean()


def log_ratio(flow, z, target_log_prob):
    """log p(x) - log π(x) at x = g(z), by LOTUS."""
    x, log_det = flow.inverse(z)
    return flow.base.log_prob(z) - log_det - target_log_prob(x)


def reverse(flow, z, target_log_prob):
    return log_ratio(flow, z, target_log_prob).mean()


def constant_base(flow, z, target_log_prob):
    """Trains a flow with a fixed base; wrong by z, and by the base's parameters."""
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z).detach() - log_det - target_log_prob(x)).mean()


def forward_with(combine):
    """A wrong forward loss out of (flow, x, z, log_det)."""
    return lambda flow, x: combine(flow, x, *flow.forward(x)).mean()


def other_way_minus(flow, x):
    z, log_det = flow.inverse(x)
    return -(flow.base.log_prob(z) - log_det).mean()


def reverse_with(combine):
    """A wrong reverse loss out of (log p(z), log_det, log π(x)), and of what they were made of."""

    def answer(flow, z, target_log_prob):
        x, log_det = flow.inverse(z)
        return combine(flow.base.log_prob(z), log_det, target_log_prob(x)).mean()

    return answer


def other_way(flow, x):
    """g where f belongs."""
    z, log_det = flow.inverse(x)
    return -(flow.base.log_prob(z) + log_det).mean()


def reverse_other_way(flow, z, target_log_prob):
    x, log_det = flow.forward(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()


def reverse_other_way_plus(flow, z, target_log_prob):
    x, log_det = flow.forward(z)
    return (flow.base.log_prob(z) + log_det - target_log_prob(x)).mean()


def reverse_at_z(flow, z, target_log_prob):
    return (flow.base.log_prob(z) - flow.inverse(z)[1] - target_log_prob(z)).mean()


def reverse_forward_log_det(flow, z, target_log_prob):
    return (flow.base.log_prob(z) + flow.forward(z)[1] - target_log_prob(flow.inverse(z)[0])).mean()


def reverse_forward_log_det_minus(flow, z, target_log_prob):
    return (flow.base.log_prob(z) - flow.forward(z)[1] - target_log_prob(flow.inverse(z)[0])).mean()


def reverse_standard_base(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (normal_log_prob(z) - log_det - target_log_prob(x)).mean()


def reverse_base_at_x(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(x) - log_det - target_log_prob(x)).mean()


def reverse_detached_path(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x.detach())).mean()


def weighted(flow, z, target_log_prob):
    """Importance weights: the forward KL in disguise."""
    ratio = log_ratio(flow, z, target_log_prob)
    return -(torch.softmax(-ratio, 0) * ratio).sum()


FORWARD_MISTAKES = (
    *reductions(lambda flow, x: -log_likelihood(flow, x), SIGN),
    Mistake("The sign of log_det is flipped: log p(x) = log p(z) + log|det J_f|.", forward_with(lambda f, x, z, d: -f.base.log_prob(z) + d)),
    Mistake("The log-determinant is missing.", forward_with(lambda f, x, z, d: -f.base.log_prob(z))),
    Mistake("The base density is missing: only the log-determinant is there.", forward_with(lambda f, x, z, d: -d)),
    Mistake("N(0, I) stands where flow.base belongs: another flow may have another base.", forward_with(lambda f, x, z, d: -normal_log_prob(z) - d)),
    Mistake("The base density is taken at x; it belongs at z = f(x).", forward_with(lambda f, x, z, d: -f.base.log_prob(x) - d)),
    Mistake("This runs g (flow.inverse) on x; the forward KL needs f: flow.forward.", other_way),
    Mistake("This runs g (flow.inverse) on x; the forward KL needs f: flow.forward.", other_way_minus),
    Mistake("log_det is taken from flow.inverse at x; it belongs to flow.forward.", lambda f, x: -(f.base.log_prob(f.forward(x)[0]) + f.inverse(x)[1]).mean()),
    Mistake("log_det is taken from flow.inverse at x; it belongs to flow.forward.", lambda f, x: -(f.base.log_prob(f.forward(x)[0]) - f.inverse(x)[1]).mean()),
    Mistake("The log-determinants are summed over the samples, the base densities averaged: the mean is over both.", forward_with(lambda f, x, z, d: -f.base.log_prob(z) - d.sum())),
    Mistake("The value is right, but log_det is cut off the graph.", forward_with(lambda f, x, z, d: -f.base.log_prob(z) - d.detach())),
    Mistake("The value is right, but z is cut off the graph: the base density does not train f.", forward_with(lambda f, x, z, d: -f.base.log_prob(z.detach()) - d)),
    Mistake("The value is right, but log p(z) is cut off the graph: the base density does not train f.", forward_with(lambda f, x, z, d: -f.base.log_prob(z).detach() - d)),
)  # fmt: skip
REVERSE_MISTAKES = (
    *reductions(log_ratio, REVERSE_SIGN),
    Mistake("log p(z) is missing: θ would train without it, but the value is not the KL.", reverse_with(lambda base, d, pi: -d - pi)),
    Mistake("The sign of log_det is flipped: log p(x) = log p(z) - log|det J_g|.", reverse_with(lambda base, d, pi: base + d - pi)),
    Mistake("The log-determinant is missing: without it the model collapses onto one mode's peak.", reverse_with(lambda base, d, pi: base - pi)),
    Mistake("The entropy is left out: only -log π is there, so the model would collapse onto one point.", reverse_with(lambda base, d, pi: -pi)),
    Mistake("The target is missing: this is the model's negative entropy alone.", reverse_with(lambda base, d, pi: base - d)),
    Mistake("log π is added; it is subtracted.", reverse_with(lambda base, d, pi: base - d + pi)),
    Mistake("log π is taken at z; it belongs at x = g(z).", reverse_at_z),
    Mistake("log_det comes from flow.forward at z: another direction and another point.", reverse_forward_log_det),
    Mistake("log_det comes from flow.forward at z: another direction and another point.", reverse_forward_log_det_minus),
    Mistake("This runs f (flow.forward) on z; sampling needs g: flow.inverse.", reverse_other_way),
    Mistake("This runs f (flow.forward) on z; sampling needs g: flow.inverse.", reverse_other_way_plus),
    Mistake("N(0, I) stands where flow.base belongs: another flow may have another base.", reverse_standard_base),
    Mistake("The base density is taken at x; it belongs at z.", reverse_base_at_x),
    Mistake("KL is never negative, but up to the unknown log Z it may be: do not clamp it.", lambda *a: reverse(*a).clamp(min=0)),
    Mistake("KL is never negative, but up to the unknown log Z it may be: no absolute value.", lambda *a: reverse(*a).abs()),
    Mistake("The samples are weighted; z drawn from the base gives a plain mean.", weighted),
    Mistake("The value is right, but x is cut off the graph: log π(g(z)) must train g (no detach, no no_grad).", reverse_detached_path),
    Mistake("The value is right, but log_det is cut off the graph.", reverse_with(lambda base, d, pi: base - d.detach() - pi)),
    Mistake("The value is right, but log p(z) is cut off the graph: it depends on z and on the parameters of flow.base.", constant_base),
    Mistake("The value is right, but z is cut off the graph.", lambda f, z, target: reverse(f, z.detach(), target)),
)  # fmt: skip

EXERCISES = (
    Exercise(
        "forward_kl_loss",
        3,
        SLIDE,
        cases=cases("x", 0.0),
        reference=forward,
        laws=(
            value("value", 1.5, ["loss"], ["value", "unnormalised"], LOG_DENSITY),
            gradients(0.625, "x", "W", "b", "location", "log_scale"),
            stable(0.25, ["loss"], ["extreme"], EXTREME),
            shapes(0.25, ["loss"], ["one row", "one feature"]),
            *form(["loss"], renamed=RENAMED),
        ),
        mistakes=FORWARD_MISTAKES,
    ),
    Exercise(
        "reverse_kl_loss",
        4,
        SLIDE,
        cases=cases("z", 30.0),
        reference=reverse,
        laws=(
            value(
                "value",
                1.75,
                ["loss"],
                ["value", "unnormalised"],
                "E_p(z) [log p(z) - log|det J_g| - log π(g(z))]: the mean over the samples.",
            ),
            gradients(0.875, "W", "b", "z", "location", "log_scale"),
            counted(
                0.375,
                "forward_calls",
                "flow.forward ran {got} times; the LOTUS trick needs g alone: inverse returns log|det J_g| with x.",
                law="f is never called",
            ),
            stable(0.375, ["loss"], ["extreme"], EXTREME),
            shapes(0.25, ["loss"], ["one row", "one feature"]),
            *form(["loss"], renamed=RENAMED),
        ),
        mistakes=REVERSE_MISTAKES,
    ),
)
