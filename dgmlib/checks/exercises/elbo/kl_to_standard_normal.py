"""`kl_to_standard_normal`: the KL term of every variational autoencoder, in closed form."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, shapes, single, stable, value


def reference(mean, log_var):
    return (log_var.exp() - 1 - log_var + mean.square()).sum(-1) / 2


def arrays(rng, n, d, shift=0.0):
    return {"mean": normal(rng, n, d), "log_var": normal(rng, n, d, scale=0.8, shift=shift)}


def cases(rng):
    value_case = arrays(rng, 5, 3, shift=-0.4)
    small, large = arrays(rng, 1, 240, shift=-4.0), arrays(rng, 1, 240, shift=4.0)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": arrays(rng, 1, 4),
        "one feature": arrays(rng, 4, 1),
        "narrow": single(arrays(rng, 3, 2, shift=-30.0)),
        "extreme": single({name: torch.cat([small[name], large[name]]) for name in small}),
    }


def wrong(per_feature, reduce=lambda entries: entries.sum(-1) / 2):
    """A wrong answer: another summand of the sum over features, or another way of adding them up."""
    return lambda mean, log_var: reduce(per_feature(mean, log_var))


def right(mean, v):
    return v.exp() - 1 - v + mean.square()


def swapped(mean, v):
    return (1 + mean.square()) * torch.exp(-v) - 1 + v


MISTAKES = (
    Mistake("log_var is used as the variance itself, and log|log_var| as its logarithm; the variance is exp(log_var).", lambda mean, log_var: (log_var.abs() - 1 - log_var.abs().log() + mean.square()).sum(1) / 2),
    Mistake("The two arguments are swapped: this is KL(N(0, I)‖q), the formula wants KL(q‖N(0, I)).", wrong(swapped)),
    Mistake("log_var is the logarithm of the variance; it is used as log sigma, so that exp(2 log_var) stands where exp(log_var) belongs.", wrong(lambda m, v: (2 * v).exp() - 1 - 2 * v + m.square())),
    Mistake("log_var is the logarithm of the variance; it is used as log sigma, so that exp(2 log_var) stands where exp(log_var) belongs.", wrong(lambda m, v: (2 * v).exp() - 1 - v + m.square())),
    Mistake("log_var is the logarithm of the variance; exp(log_var / 2), the standard deviation, stands where the variance belongs.", wrong(lambda m, v: (v / 2).exp() - 1 - v + m.square())),
    Mistake("log_var is the logarithm of the variance; exp(log_var / 2), the standard deviation, stands where the variance belongs.", wrong(lambda m, v: (v / 2).exp() - 1 - v / 2 + m.square())),
    Mistake("log_var is a logarithm; it is used as if it were the variance itself.", wrong(lambda m, v: v - 1 - v.log() + m.square())),
    Mistake("log_var is a logarithm; it is used as if it were the variance itself.", wrong(lambda m, v: v - 1 - v.abs().log() + m.square())),
    Mistake("The 1 is added; it is subtracted, so that the KL is 0 at the prior.", wrong(lambda m, v: v.exp() + 1 - v + m.square())),
    Mistake("log_var is a logarithm; it is used as if it were the standard deviation.", wrong(lambda m, v: v.square() - 1 - v.square().log() + m.square())),
    Mistake("log_var is a logarithm; it is used as if it were the standard deviation.", wrong(lambda m, v: v.square() - 1 - 2 * v.log() + m.square())),
    Mistake("The features are averaged; the KL of independent features is the sum of theirs.", wrong(right, lambda e: e.mean(-1) / 2)),
    Mistake("The factor 1/2 is missing.", wrong(right, lambda e: e.sum(-1))),
    Mistake("The -1 of each feature is missing (the d of the formula).", wrong(lambda m, v: v.exp() - v + m.square())),
    Mistake("The 1 is subtracted once; every feature has its own (the d of the formula).", lambda m, v: (v.exp() - v + m.square()).sum(-1) / 2 - 0.5),
    Mistake("The sign is flipped: a KL is never negative. (-KL is what enters the ELBO.)", wrong(right, lambda e: -e.sum(-1) / 2)),
    Mistake("The sign of log_var is flipped: a narrow q has a large KL, so it is - log_var.", wrong(lambda m, v: v.exp() - 1 + v + m.square())),
    Mistake("The term - log_var is missing: it is what keeps q from shrinking to a point.", wrong(lambda m, v: v.exp() - 1 + m.square())),
    Mistake("The term exp(log_var) is missing.", wrong(lambda m, v: -1 - v + m.square())),
    Mistake("The mean is not squared.", wrong(lambda m, v: v.exp() - 1 - v + m)),
    Mistake("The mean is left out: q is not centred at the prior's mean.", wrong(lambda m, v: v.exp() - 1 - v)),
    Mistake("The mean is not squared.", wrong(lambda m, v: v.exp() - 1 - v + m.abs())),
    Mistake("mean² is not halved: the 1/2 stands before the whole sum.", wrong(lambda m, v: v.exp() - 1 - v + 2 * m.square())),
    Mistake("The means are added up before they are squared; every feature has its own square.", lambda m, v: ((v.exp() - 1 - v).sum(-1) + m.sum(-1).square()) / 2),
    Mistake("mean² is subtracted; it is added.", wrong(lambda m, v: v.exp() - 1 - v - m.square())),
    Mistake("mean² is divided by the variance; that belongs to the KL the other way round. The prior's variance is 1.", wrong(lambda m, v: v.exp() - 1 - v + m.square() * (-v).exp())),
    Mistake("The features are not added up: one number a row, shape (n,).", wrong(right, lambda e: e / 2)),
    Mistake("The rows are summed or averaged as well; each row has its own KL, shape (n,).", wrong(right, lambda e: e.sum() / 2)),
    Mistake("The rows are summed or averaged as well; each row has its own KL, shape (n,).", wrong(right, lambda e: e.sum(-1).mean() / 2)),
    Mistake("The sum runs over the rows; it runs over the features, the last axis.", wrong(right, lambda e: e.sum(0) / 2)),
    Mistake("log_var is cut off the graph: no detach, no .data, no no_grad.", lambda m, v: reference(m, v.detach())),
    Mistake("The mean's norm enters; it is squared.", lambda mean, log_var: (log_var.exp() - 1 - log_var).sum(-1) / 2 + mean.norm(dim=-1) / 2),
    Mistake("log_var is clamped; the formula takes it as it is.", lambda mean, log_var: reference(mean, log_var.clamp(-1, 1))),
    Mistake("log_var is clamped; the formula takes it as it is.", lambda mean, log_var: reference(mean, log_var.clamp_min(0))),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="Variational Evidence Lower Bound (ELBO)",
    call="mean, log_var",
    returns="kl",
    cases=cases,
    reference=reference,
    laws=(
        value("value", "KL = 1/2 sum_j (exp(log_var_j) - 1 - log_var_j + mean_j²)."),
        gradient(0.375),
        stable(
            0.25,
            ["extreme", "narrow"],
            "The product of variances leaves the range of floats, and a variance near exp(-30) vanishes beside any small constant: add log_var as it is.",
        ),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("exp(log_var)", lambda mean, log_var: log_var.exp().sum(-1) / 2),
        Mistake("mean²", lambda mean, log_var: mean.square().sum(-1) / 2),
        Mistake("log_var", lambda mean, log_var: -log_var.sum(-1) / 2),
        Mistake("The 1 of each feature", lambda mean, log_var: mean.new_full((len(mean),), -mean.shape[1] / 2)),
    ),
)
