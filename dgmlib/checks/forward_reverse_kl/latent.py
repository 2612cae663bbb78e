"""`latent_log_prob` and `latent_reverse_kl`: the theorem's other side."""

import torch

from ..exercise import Exercise, Mistake
from ..laws import form, shapes, stable, value
from ..run.fixtures import normal_log_prob
from .cases import EXTREME, RENAMED, cases, gradients, reductions

SLIDE = "Normalizing Flows KL Duality"


def log_prob(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return target_log_prob(x) + log_det


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


def density_with(combine):
    """A wrong density out of (log π(g(z)), log|det J_g|)."""

    def answer(flow, z, target_log_prob):
        x, log_det = flow.inverse(z)
        return combine(target_log_prob(x), log_det)

    return answer


def ratio_with(combine):
    """A wrong latent KL out of (log π(x), log|det J_f|, log p(f(x)))."""

    def answer(flow, x, target_log_prob):
        z, log_det = flow.forward(x)
        return combine(target_log_prob(x), log_det, flow.base.log_prob(z)).mean()

    return answer


def forward_at_z(flow, z, target_log_prob):
    return target_log_prob(flow.inverse(z)[0]) - flow.forward(z)[1]


def forward_at_z_plus(flow, z, target_log_prob):
    return target_log_prob(flow.inverse(z)[0]) + flow.forward(z)[1]


def other_way(flow, z, target_log_prob):
    x, log_det = flow.forward(z)
    return target_log_prob(x) + log_det


def other_way_minus(flow, z, target_log_prob):
    x, log_det = flow.forward(z)
    return target_log_prob(x) - log_det


def model_density(flow, z, target_log_prob):
    """log p(x|θ) at z: the model, not the induced law."""
    value, log_det = flow.forward(z)
    return flow.base.log_prob(value) + log_det


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


WRONG_LOG_DET = "log_det comes from flow.forward at z: another direction and another point. flow.inverse(z) returns it."
DENSITY_MISTAKES = (
    Mistake("The sign of log_det is flipped: log p(z|θ) = log π(g(z)) + log|det J_g|.", density_with(lambda pi, d: pi - d)),
    Mistake("The log-determinant is missing.", density_with(lambda pi, d: pi)),
    Mistake("The target is missing.", density_with(lambda pi, d: d)),
    Mistake("log π is taken at z; it belongs at x = g(z).", lambda f, z, target: target(z) + f.inverse(z)[1]),
    Mistake(WRONG_LOG_DET, forward_at_z),
    Mistake(WRONG_LOG_DET, forward_at_z_plus),
    Mistake("This runs f on z; the data point that lands at z is g(z): flow.inverse.", other_way),
    Mistake("This runs f on z; the data point that lands at z is g(z): flow.inverse.", other_way_minus),
    Mistake("This is the base density p(z); p(z|θ) is the law of f(x) for x from the target.", lambda f, z, target: f.base.log_prob(z)),
    Mistake("This is the model's density p(x|θ); p(z|θ) is the law of f(x) for x from the target.", model_density),
    Mistake("This is the model's density p(x|θ) at x = g(z); the target's belongs there: p(z|θ) is the law of f(x) for x from the target.", lambda f, z, target: f.base.log_prob(z) - f.inverse(z)[1]),
    Mistake("The base density of z stands where the target's belongs: log π at g(z).", lambda f, z, target: f.base.log_prob(z) + f.inverse(z)[1]),
    Mistake("The sign is flipped: a log density, not a loss.", density_with(lambda pi, d: -pi - d)),
    Mistake("This is log p(z|θ) - log p(z), the integrand of the KL; the density alone is asked for.", lambda f, z, target: log_prob(f, z, target) - f.base.log_prob(z)),
    Mistake("This is p(z|θ), not its logarithm.", density_with(lambda pi, d: torch.exp(pi + d))),
    Mistake("The mean over the samples came back; a density has one value for each z.", density_with(lambda pi, d: (pi + d).mean())),
    Mistake("The sum over the samples came back; a density has one value for each z.", density_with(lambda pi, d: (pi + d).sum())),
    Mistake("The log-determinants of all rows are averaged; each row has its own.", density_with(lambda pi, d: pi + d.mean())),
    Mistake("The log-determinants of all rows are summed; each row has its own.", density_with(lambda pi, d: pi + d.sum())),
    Mistake("The density is normalised over the samples at hand; log π stays as it is given.", density_with(lambda pi, d: torch.log_softmax(pi + d, 0))),
    Mistake("The value is right, but log_det is cut off the graph.", density_with(lambda pi, d: pi + d.detach())),
    Mistake("The value is right, but g(z) is cut off the graph.", density_with(lambda pi, d: pi.detach() + d)),
)  # fmt: skip
KL_MISTAKES = (
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
)  # fmt: skip

EXERCISES = (
    Exercise(
        "latent_log_prob",
        3,
        SLIDE,
        cases=cases("z", 30.0),
        reference=log_prob,
        laws=(
            value("value", 1.5, ["log_prob"], ["value", "unnormalised"], "log p(z|θ) = log π(g(z)) + log|det J_g|, shape (n,)."),
            gradients(0.625, "z", "W", "b"),
            stable(0.25, ["log_prob"], ["extreme"], EXTREME),
            shapes(0.25, ["log_prob"], ["one row", "one feature"]),
            *form(["log_prob"], renamed=RENAMED),
        ),
        mistakes=DENSITY_MISTAKES,
    ),
    Exercise(
        "latent_reverse_kl",
        3,
        SLIDE,
        cases=cases("x", -30.0),
        reference=reverse_kl,
        laws=(
            value("value", 1.5, ["loss"], ["value", "unnormalised"], "E_π(x) [log π(x) - log|det J_f| - log p(f(x))]: the mean over the samples."),
            gradients(0.625, "W", "b", "x", "location", "log_scale"),
            stable(0.25, ["loss"], ["extreme"], EXTREME),
            shapes(0.25, ["loss"], ["one row", "one feature"]),
            *form(["loss"], renamed=RENAMED),
        ),
        mistakes=KL_MISTAKES,
    ),
)  # fmt: skip
