"""`forward_kl_loss`: the mean negative log-likelihood, which is KL(π‖p_θ) up to a constant of the data."""

from ...engine import Exercise, Mistake, gradient, interface_laws, shapes, stable, value
from ...run.fixtures.densities import normal_log_prob
from ._shared import EXTREME, flow_cases, reductions


def cases(rng):
    """In "unnormalised" the densities are above 1, and the loss is below 0."""
    made = flow_cases("x", 0.0)(rng)
    dense = made["unnormalised"]
    return made | {"unnormalised": dense | {"x": dense["x"] / 1000, "W": 1000 * dense["W"]}}


def log_likelihood(flow, x):
    z, log_det = flow.forward(x)
    return flow.base.log_prob(z) + log_det


def forward(flow, x):
    return -log_likelihood(flow, x).mean()


def forward_with(combine):
    """A wrong forward loss out of (flow, x, z, log_det)."""
    return lambda flow, x: combine(flow, x, *flow.forward(x)).mean()


def other_way(flow, x):
    """g where f belongs."""
    z, log_det = flow.inverse(x)
    return -(flow.base.log_prob(z) + log_det).mean()


def other_way_minus(flow, x):
    z, log_det = flow.inverse(x)
    return -(flow.base.log_prob(z) - log_det).mean()


SIGN = "This is the mean log-likelihood; the loss is its negative."
LOG_DENSITY = "E_π(x) -[log p(f(x)) + log|det J_f|]: the mean over the samples."
MISTAKES = (
    Mistake("The terms are weighted by the model's density; the samples are the target's, and want no weight.", lambda flow, x: -(log_likelihood(flow, x).exp() * log_likelihood(flow, x)).mean()),
    Mistake("The terms are weighted over the samples (softmax); the mean is plain.", lambda flow, x: -(log_likelihood(flow, x).softmax(0) * log_likelihood(flow, x)).sum()),
    Mistake("The mean divides by n - 1; an expectation is estimated by the sum over n.", lambda flow, x: -log_likelihood(flow, x).sum() / max(len(x) - 1, 1)),
    Mistake("This is the median over the samples; the expectation is their mean.", lambda flow, x: -log_likelihood(flow, x).median()),
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
    Mistake("N(0, I) without its constant stands where flow.base belongs: another flow may have another base.", forward_with(lambda flow, x, z, log_det: z.square().sum(-1) / 2 - log_det)),
    Mistake("This is minus the mean density; the loss is minus the mean of its logarithm.", lambda flow, x: -log_likelihood(flow, x).exp().mean()),
    Mistake("This is the mean density; the loss is minus the mean of its logarithm.", lambda flow, x: log_likelihood(flow, x).exp().mean()),
    Mistake("The terms are squared; the expectation is of -log p(x) itself.", lambda flow, x: log_likelihood(flow, x).square().mean()),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Forward KL vs. Reverse KL",
    call="flow(), x",
    returns="loss",
    cases=cases,
    reference=forward,
    laws=(
        value("value", LOG_DENSITY, cases=["value", "unnormalised"]),
        gradient(0.625),
        stable(0.25, ["extreme"], EXTREME),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    mean_over=("x",),
    terms=(
        Mistake("log p(z)", lambda flow, x: -flow.base.log_prob(flow.forward(x)[0]).mean()),
        Mistake("log|det J_f|", lambda flow, x: -flow.forward(x)[1].mean()),
    ),
)
