"""`latent_log_prob`: log p(z given θ), the density that f induces on the latent space."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, shapes, stable, value
from ._shared import EXTREME, flow_cases


def log_prob(flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    return target_log_prob(x) + log_det


def density_with(combine):
    """A wrong density out of (log π(g(z)), log|det J_g|)."""

    def answer(flow, z, target_log_prob):
        x, log_det = flow.inverse(z)
        return combine(target_log_prob(x), log_det)

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


WRONG_LOG_DET = "log_det comes from flow.forward at z: another direction and another point. flow.inverse(z) returns it."
MISTAKES = (
    Mistake("g is called twice: log π belongs at x = g(z).", lambda f, z, target: target(f.inverse(f.inverse(z)[0])[0]) + f.inverse(z)[1]),
    Mistake("The base density is taken at g(z) where the target's belongs: log π(g(z)).", lambda f, z, target: f.base.log_prob(f.inverse(z)[0]) + f.inverse(z)[1]),
    Mistake("z is a latent already: g is called at z, not at f(z).", lambda f, z, target: target(f.inverse(f.forward(z)[0])[0]) + f.inverse(f.forward(z)[0])[1]),
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
    Mistake("log p(z) is added; the law of f(x) knows nothing of the base: log π(g(z)) + log|det J_g|.", lambda flow, z, target: log_prob(flow, z, target) + flow.base.log_prob(z)),
    Mistake("log p(z) is added; the law of f(x) knows nothing of the base: log π(g(z)) + log|det J_g|.", lambda flow, z, target: target(flow.inverse(z)[0]) + flow.base.log_prob(z)),
    Mistake("π itself is taken; target_log_prob is a logarithm already, so take no exp.", density_with(lambda target, log_det: target.exp() + log_det)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Normalizing Flows KL Duality",
    call="flow(), z, target_log_prob()",
    returns="log_prob",
    cases=flow_cases("z", 30.0),
    reference=log_prob,
    laws=(
        value("value", "log p(z|θ) = log π(g(z)) + log|det J_g|, shape (n,).", cases=["value", "unnormalised"]),
        gradient(0.625),
        stable(0.25, ["extreme"], EXTREME),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("log π(g(z))", density_with(lambda target, log_det: target)),
        Mistake("log|det J_g|", density_with(lambda target, log_det: log_det)),
    ),
)
