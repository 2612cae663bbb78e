"""`reverse_kl_loss`: Monte-Carlo KL(p_θ‖π) by the LOTUS trick; f is never called."""

import math

import torch

from ...engine import Exercise, Mistake, counted, gradient, interface_laws, shapes, stable, value
from ...run.fixtures.densities import normal_log_prob
from ._shared import EXTREME, flow_cases, reductions


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


def reverse_with(combine):
    """A wrong reverse loss out of (log p(z), log_det, log π(x)), and of what they were made of."""

    def answer(flow, z, target_log_prob):
        x, log_det = flow.inverse(z)
        return combine(flow.base.log_prob(z), log_det, target_log_prob(x)).mean()

    return answer


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


def weighted_by_p(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    log_p = flow.base.log_prob(z) - log_det
    return (log_p.exp() * (log_p - target_log_prob(x))).mean()


def pointwise_kl(flow, z, target_log_prob):
    """As F.kl_div sums: π (log π - log p)."""
    ratio, log_target = log_ratio(flow, z, target_log_prob), target_log_prob(flow.inverse(z)[0])
    return -(log_target.exp() * ratio).mean()


REVERSE_SIGN = "The sign is flipped: log p(x) - log π(x) under the model."


def exponential_target(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x).exp()).mean()


def weighted_by_ratio(flow, z, target_log_prob):
    ratio = log_ratio(flow, z, target_log_prob)
    return (ratio.exp() * ratio).mean()


def cut_inverse(flow, z, target):
    """x without a graph, its density by f."""
    x = flow.inverse(z)[0].detach()
    back, log_det = flow.forward(x)
    return (flow.base.log_prob(back) + log_det - target(x)).mean()


MISTAKES = (
    Mistake("The value is right, but z is cut off the graph before g: log π and log|det J_g| depend on it, too.", lambda flow, z, target: (flow.base.log_prob(z) + log_ratio(flow, z.detach(), target) - flow.base.log_prob(z.detach())).mean()),
    Mistake("The samples are weighted by π/p, which makes it the forward KL; z drawn from the base gives a plain mean.", lambda *a: ((-log_ratio(*a)).softmax(0) * log_ratio(*a)).sum()),
    Mistake("The samples are weighted by π/p, which makes it the forward KL; z drawn from the base gives a plain mean.", lambda *a: -((-log_ratio(*a)).exp() * log_ratio(*a)).mean()),
    Mistake("The samples are weighted by π/p, which makes it the forward KL; z drawn from the base gives a plain mean.", lambda *a: ((-log_ratio(*a)).exp() * -log_ratio(*a)).mean()),
    Mistake("The samples are weighted by π/p, which makes it the forward KL; z drawn from the base gives a plain mean.", lambda *a: ((-log_ratio(*a)).exp() * log_ratio(*a)).mean()),
    Mistake("log π is normalised over the samples at hand (log_softmax); it stays as it is given.", lambda flow, z, target: (log_ratio(flow, z, target) + torch.logsumexp(target(flow.inverse(z)[0]), 0)).mean()),
    Mistake("The entropy of N(0, I) stands where -log p(z) belongs: flow.base may be another.", lambda flow, z, target: (-flow.inverse(z)[1] - target(flow.inverse(z)[0])).mean() - z.shape[1] * (1 + math.log(2 * math.pi)) / 2),
    Mistake("The value is right, but x = g(z) is cut off the graph, and sent through f: g itself must be trained.", cut_inverse),
    Mistake("π itself is subtracted; target_log_prob is a logarithm already, so take no exp.", exponential_target),
    Mistake("The samples are weighted by p/π; z is drawn from the base already, so a plain mean is right.", weighted_by_ratio),
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
    Mistake("The samples come from p already: no weight p(x) before the logarithms.", weighted_by_p),
    Mistake("The terms are weighted by π, as in torch's kl_div; the samples come from p, and want no weight.", pointwise_kl),
    Mistake("The value is right, but x is cut off the graph: log π(g(z)) must train g (no detach, no no_grad).", reverse_detached_path),
    Mistake("The value is right, but log_det is cut off the graph.", reverse_with(lambda base, d, pi: base - d.detach() - pi)),
    Mistake("The value is right, but log p(z) is cut off the graph: it depends on z and on the parameters of flow.base.", constant_base),
    Mistake("The value is right, but z is cut off the graph.", lambda f, z, target: reverse(f, z.detach(), target)),
    Mistake("log p(x) enters with a minus: the KL is the mean of log p(x) - log π(x).", lambda flow, z, target: (log_ratio(flow, z, target) - 2 * (flow.base.log_prob(z) - flow.inverse(z)[1])).mean()),
    Mistake("log p(x) enters with a minus: the KL is the mean of log p(x) - log π(x).", lambda flow, z, target: -(flow.base.log_prob(z) + flow.inverse(z)[1] + target(flow.inverse(z)[0])).mean()),
    Mistake("The terms are squared; a Monte-Carlo KL is their plain mean.", lambda flow, z, target: log_ratio(flow, z, target).square().mean()),
    Mistake("This is the median over the samples; the expectation is their mean.", lambda flow, z, target: log_ratio(flow, z, target).median()),
    Mistake("The mean divides by n - 1; an expectation is estimated by the sum over n.", lambda flow, z, target: log_ratio(flow, z, target).sum() / max(len(z) - 1, 1)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=4,
    slide="Forward KL vs. Reverse KL",
    call="flow(), z, target_log_prob()",
    returns="loss",
    counts={"forward_calls": "flow.forward_calls"},
    cases=flow_cases("z", 30.0),
    reference=reverse,
    laws=(
        value(
            "value",
            "E_p(z) [log p(z) - log|det J_g| - log π(g(z))]: the mean over the samples.",
            cases=["value", "unnormalised"],
        ),
        gradient(0.875, ["W", "b", "z", "location", "log_scale"]),
        counted(
            0.375,
            "forward_calls",
            "flow.forward ran {got} times; the LOTUS trick needs g alone: inverse returns log|det J_g| with x.",
            law="f is never called",
        ),
        stable(0.375, ["extreme"], EXTREME),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    mean_over=("z",),
    terms=(
        Mistake("log p(z)", lambda flow, z, target: flow.base.log_prob(z).mean()),
        Mistake("log|det J_g|", lambda flow, z, target: -flow.inverse(z)[1].mean()),
        Mistake("log π(x)", lambda flow, z, target: -target(flow.inverse(z)[0]).mean()),
    ),
)
