"""`latent_reverse_kl`: Monte-Carlo KL(p(z given θ)‖p(z)), which is the forward KL of the data space."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, shapes, stable, value
from ...run.fixtures.densities import normal_log_prob
from ._shared import EXTREME, flow_cases, reductions


def log_ratio(flow, x, target_log_prob):
    """log p(z|θ) - log p(z) at z = f(x), written in x."""
    z, log_det = flow.forward(x)
    return target_log_prob(x) - log_det - flow.base.log_prob(z)


def reverse_kl(flow, x, target_log_prob):
    return log_ratio(flow, x, target_log_prob).mean()


def constant_target(flow, x, target_log_prob):
    """Trains f; wrong by x."""
    z, log_det = flow.forward(x)
    return (target_log_prob(x).detach() - log_det - flow.base.log_prob(z)).mean()


def ratio_with(combine):
    """A wrong latent KL out of (log π(x), log|det J_f|, log p(f(x)))."""

    def answer(flow, x, target_log_prob):
        z, log_det = flow.forward(x)
        return combine(target_log_prob(x), log_det, flow.base.log_prob(z)).mean()

    return answer


def standard_base(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - normal_log_prob(z)).mean()


def target_at_z(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(z) - log_det - flow.base.log_prob(z)).mean()


def base_at_x(flow, x, target_log_prob):
    return (target_log_prob(x) - flow.forward(x)[1] - flow.base.log_prob(x)).mean()


def lotus(flow, x, target_log_prob):
    """KL(p‖π) by g: the reverse KL in the data space."""
    value, log_det = flow.inverse(x)
    return (flow.base.log_prob(x) - log_det - target_log_prob(value)).mean()


def inverse_of_x(flow, x, target_log_prob):
    z, log_det = flow.inverse(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z)).mean()


def integrand_at_x(flow, x, target_log_prob):
    """log p(z|θ) - log p(z) at z = x."""
    value, log_det = flow.inverse(x)
    return (target_log_prob(value) + log_det - flow.base.log_prob(x)).mean()


def inverse_log_det(flow, x, target_log_prob):
    z, _ = flow.forward(x)
    return (target_log_prob(x) + flow.inverse(x)[1] - flow.base.log_prob(z)).mean()


def other_log_det(flow, x, target_log_prob):
    z, _ = flow.forward(x)
    return (target_log_prob(x) - flow.inverse(x)[1] - flow.base.log_prob(z)).mean()


def detached_z(flow, x, target_log_prob):
    z, log_det = flow.forward(x)
    return (target_log_prob(x) - log_det - flow.base.log_prob(z.detach())).mean()


def back_from_detached_z(flow, x, target_log_prob):
    z = flow.forward(x)[0].detach()
    value, log_det = flow.inverse(z)
    return (target_log_prob(value) + log_det - flow.base.log_prob(z)).mean()


MISTAKES = (
    Mistake("The terms are weighted over the samples (softmax); x comes from the target, and the mean is plain.", lambda *a: (log_ratio(*a).softmax(0) * log_ratio(*a)).sum()),
    Mistake("The terms are weighted over the samples (softmax); x comes from the target, and the mean is plain.", lambda *a: ((-log_ratio(*a)).softmax(0) * log_ratio(*a)).sum()),
    Mistake("The terms are weighted by π/p or p/π; x comes from the target, and the mean is plain.", lambda *a: (log_ratio(*a).exp() * log_ratio(*a)).mean()),
    Mistake("The terms are weighted by π/p or p/π; x comes from the target, and the mean is plain.", lambda *a: ((-log_ratio(*a)).exp() * log_ratio(*a)).mean()),
    Mistake("This is the mean of r - 1 - log r, another estimator; the mean of the log ratio is asked for.", lambda *a: ((-log_ratio(*a)).exp() - 1 + log_ratio(*a)).mean()),
    Mistake("This is the mean of r - 1 - log r, another estimator; the mean of the log ratio is asked for.", lambda *a: (log_ratio(*a).exp() - 1 - log_ratio(*a)).mean()),
    Mistake("log π is normalised over the samples at hand; it stays as it is given.", lambda flow, x, target: (log_ratio(flow, x, target) - torch.logsumexp(target(x), 0)).mean()),
    Mistake("The value is right, but z is cut off the graph and sent back by g: f itself must be trained, by f(x).", back_from_detached_z),
    *reductions(log_ratio, "The two arguments are swapped: log p(z|θ) - log p(z), which is log π(x) - log p(x|θ)."),
    Mistake("log π is missing: this is forward_kl_loss, and KL only up to a constant.", ratio_with(lambda pi, d, base: -d - base)),
    Mistake("The sign of log_det is flipped: log|det J_g| at z is -log|det J_f| at x.", ratio_with(lambda pi, d, base: pi + d - base)),
    Mistake("The log-determinant is missing.", ratio_with(lambda pi, d, base: pi - base)),
    Mistake("log p(z) is missing.", ratio_with(lambda pi, d, base: pi - d)),
    Mistake("log π is subtracted; it is added.", ratio_with(lambda pi, d, base: -pi - d - base)),
    Mistake("log p(z) is added; it is subtracted.", ratio_with(lambda pi, d, base: pi - d + base)),
    Mistake("log π is taken at z; it belongs at x.", target_at_z),
    Mistake("The base density is taken at x; it belongs at z = f(x).", base_at_x),
    Mistake("N(0, I) stands where flow.base belongs: another flow may have another base.", standard_base),
    Mistake("log_det is taken from flow.inverse at x: another direction and another point.", inverse_log_det),
    Mistake("log_det is taken from flow.inverse at x: another direction and another point.", other_log_det),
    Mistake("This is reverse_kl_loss on x: x comes from the target here, so it goes through f.", lotus),
    Mistake("This runs g (flow.inverse) on x; x comes from the target, so it goes through f: flow.forward.", inverse_of_x),
    Mistake("log p(z|θ) - log p(z) is taken at x; it belongs at z = f(x).", integrand_at_x),
    Mistake("KL is never negative, but its estimate and an unknown log Z may be: do not clamp it.", lambda *a: reverse_kl(*a).clamp(min=0)),
    Mistake("KL is never negative, but its estimate and an unknown log Z may be: no absolute value.", lambda *a: reverse_kl(*a).abs()),
    Mistake("The value is right, but log_det is cut off the graph.", ratio_with(lambda pi, d, base: pi - d.detach() - base)),
    Mistake("The value is right, but z is cut off the graph.", detached_z),
    Mistake("The value is right, but log p(z) is cut off the graph.", ratio_with(lambda pi, d, base: pi - d - base.detach())),
    Mistake("The value is right, but log π(x) is cut off the graph: it depends on x.", constant_target),
    Mistake("The value is right, but x is cut off the graph.", lambda f, x, target: reverse_kl(f, x.detach(), target)),
    Mistake("The terms are squared; a Monte-Carlo KL is their plain mean.", lambda flow, x, target: log_ratio(flow, x, target).square().mean()),
    Mistake("The terms are weighted by the target's density; the samples come from it, and want no weight.", lambda flow, x, target: (target(x).exp() * log_ratio(flow, x, target)).mean()),
    Mistake("This is the median over the samples; the expectation is their mean.", lambda flow, x, target: log_ratio(flow, x, target).median()),
    Mistake("The mean divides by n - 1; an expectation is estimated by the sum over n.", lambda flow, x, target: log_ratio(flow, x, target).sum() / max(len(x) - 1, 1)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Normalizing Flows KL Duality",
    call="flow(), x, target_log_prob()",
    returns="loss",
    cases=flow_cases("x", -30.0),
    reference=reverse_kl,
    laws=(
        value(
            "value",
            "E_π(x) [log π(x) - log|det J_f| - log p(f(x))]: the mean over the samples.",
            cases=["value", "unnormalised"],
        ),
        gradient(0.625, ["W", "b", "x", "location", "log_scale"]),
        stable(0.25, ["extreme"], EXTREME),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    mean_over=("x",),
    terms=(
        Mistake("log π(x)", lambda flow, x, target: target(x).mean()),
        Mistake("log|det J_f|", lambda flow, x, target: -flow.forward(x)[1].mean()),
        Mistake("log p(z)", lambda flow, x, target: -flow.base.log_prob(flow.forward(x)[0]).mean()),
    ),
)
