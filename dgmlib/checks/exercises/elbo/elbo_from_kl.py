"""`elbo_from_kl`: the average of log p(x given z) over K samples of q, minus a KL that is known exactly."""

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, single, stable, value
from ._samples import AXIS, CUT, ROWS, log_mean


def from_kl(log_likelihood, kl):
    return log_likelihood.mean(0) - kl


def likelihoods(rng, K, n, shift=-3.0):
    return {"log_likelihood": normal(rng, K, n, scale=2.0, shift=shift), "kl": normal(rng, n).square() + 0.5}


def at_the_prior(arrays):
    """The same with a q that is the prior in one row, and nearly so in another."""
    kl = arrays["kl"].clone()
    kl[1], kl[2] = 0.0, 1e-4
    return arrays | {"kl": kl}


def kl_cases(rng):
    value_case = at_the_prior(likelihoods(rng, 7, 4))
    return {
        "value": value_case,
        "square": likelihoods(rng, 5, 5),
        "float32": single(value_case),
        "one sample": likelihoods(rng, 1, 3),
        "one row": likelihoods(rng, 6, 1),
        "extreme": single(likelihoods(rng, 5, 4, shift=-4000.0)),
    }


MISTAKES = (
    Mistake("The best sample alone is used; E_q is estimated by the average of all.", lambda l, kl: l.amax(0) - kl),
    Mistake("This is the median over the samples; E_q is estimated by their average.", lambda l, kl: l.median(0).values - kl),
    Mistake("The KL is added; it is subtracted: it is the price of leaving the prior.", lambda l, kl: l.mean(0) + kl),
    Mistake("This takes the log of the mean likelihood; the ELBO wants the mean of the logs.", lambda l, kl: log_mean(l) - kl),
    Mistake("The KL is missing.", lambda l, kl: l.mean(0)),
    Mistake("The likelihood is missing.", lambda l, kl: -kl),
    Mistake("The sign is flipped: this is the negative ELBO, a loss.", lambda l, kl: kl - l.mean(0)),
    Mistake("The KL is divided by the number of samples; it is exact, not an average.", lambda l, kl: l.mean(0) - kl / len(l)),
    Mistake("The KL is averaged over the rows; each row has its own.", lambda l, kl: l.mean(0) - kl.mean()),
    Mistake("The KL is summed over the rows; each row has its own.", lambda l, kl: l.mean(0) - kl.sum()),
    Mistake("The KL is subtracted from every sample and then they are summed.", lambda l, kl: (l - kl).sum(0)),
    Mistake("This is the sum over the samples; E_q is estimated by their average.", lambda l, kl: l.sum(0) - kl),
    Mistake("This is the mean of the likelihoods; E_q log p(x|z) is the mean of their logarithms.", lambda l, kl: l.exp().mean(0) - kl),
    Mistake("The KL is given as it is: no exp, no log.", lambda l, kl: l.mean(0) - kl.log()),
    Mistake("The KL is given as it is: no exp, no log.", lambda l, kl: l.mean(0) - kl.exp()),
    Mistake("The KL is subtracted once for every sample; it stands there once.", lambda l, kl: l.mean(0) - len(l) * kl),
    Mistake("The KL has one number for each row already, shape (n,): no new axis.", lambda l, kl: l.mean(0) - kl[:, None]),
    Mistake("The KL is halved; its 1/2 is in it already.", lambda l, kl: l.mean(0) - kl / 2),
    Mistake("The sum is divided by K - 1; a mean of K samples by K.", lambda l, kl: l.sum(0) / (len(l) - 1) - kl),
    Mistake("The KL is clamped; it is taken as it is, 0 where q is the prior.", lambda l, kl: l.mean(0) - kl.clamp_min(1e-2)),
    Mistake(AXIS, lambda l, kl: l.mean(1)),
    Mistake(AXIS, lambda l, kl: l.mean(1) - kl),
    Mistake("The samples stay apart: average them, shape (n,).", lambda l, kl: l - kl),
    Mistake(ROWS, lambda l, kl: l.mean() - kl),
    Mistake(ROWS, lambda l, kl: (l.mean(0) - kl).mean()),
    Mistake("Only the first sample is used.", lambda l, kl: l[0] - kl),
    Mistake(CUT, lambda l, kl: l.mean(0) - kl.detach()),
    Mistake(CUT, lambda l, kl: l.mean(0).detach() - kl),
    Mistake("The KL is cut off from below (free bits); it is subtracted as it is.", lambda l, kl: l.mean(0) - kl.clamp_min(0.5)),
    Mistake("The KL is cut off from below (free bits); it is subtracted as it is.", lambda l, kl: l.mean(0) - kl.clamp_min(1.0)),
    Mistake("The KL is weighted (as in a beta-VAE); it is subtracted once.", lambda l, kl: l.mean(0) - 2 * kl),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=1,
    slide="Variational Evidence Lower Bound (ELBO)",
    call="log_likelihood, kl",
    returns="elbo",
    cases=kl_cases,
    reference=from_kl,
    laws=(
        value(
            "value",
            "The average over k of log p(x|z_k), minus the KL, shape (n,).",
            cases=["square", "value", "one sample", "one row"],
        ),
        gradient(0.125),
        stable(0.125, ["extreme"], "Stay with the logarithms: exp leaves the range of floats here."),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("log p(x|z)", lambda l, kl: l.mean(0)),
        Mistake("The KL", lambda l, kl: -kl),
    ),
)
