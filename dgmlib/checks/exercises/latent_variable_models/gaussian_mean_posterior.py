"""`gaussian_mean_posterior`: Bayes' rule in closed form."""

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, shapes, single, uniform, value


def conjugate(x, noise_std, prior_mean, prior_std):
    precision = prior_std**-2 + len(x) * noise_std**-2
    return (prior_mean * prior_std**-2 + x.sum() * noise_std**-2) / precision, precision**-0.5


def measurements(rng, n, noise, prior):
    """n values about 3, a prior about -1.5; `noise` and `prior` bound the two scales."""
    return {
        "x": normal(rng, n, shift=3.0),
        "noise_std": uniform(rng, *noise),
        "prior_mean": normal(rng, scale=0.2, shift=-1.5),
        "prior_std": uniform(rng, *prior),
    }


def cases(rng):
    value_case = measurements(rng, 7, (1.4, 1.8), (0.5, 0.7))
    return {
        "value": value_case,
        "wide prior": measurements(rng, 4, (0.5, 0.7), (2.5, 3.5)),
        "float32": single(value_case),
        "one value": measurements(rng, 1, (1.4, 1.8), (0.5, 0.7)),
    }


def precision_with(prior_precision, data_precision):
    """A wrong answer: other precisions of the prior, and of all data, as functions of (n, s, t)."""

    def answer(x, s, m, t):
        a, b = prior_precision(len(x), s, t), data_precision(len(x), s, t)
        return (a * m + b * x.mean()) / (a + b), (a + b) ** -0.5

    return answer


def conjugate_with(mean=None, std=None):
    """A wrong answer: mean and std as functions of (x, noise_std, prior_mean, prior_std)."""

    def answer(x, s, m, t):
        right = conjugate(x, s, m, t)
        wrong = [f and f(x, s, m, t) for f in (mean, std)]
        return tuple(r if w is None else w for r, w in zip(right, wrong, strict=True))

    return answer


def std_of(x, s, m, t):
    return conjugate(x, s, m, t)[1]


def one_by_one(x, s, m, t):
    for i in range(len(x)):
        m, std = conjugate(x[i : i + 1], s, m, t)
    return m, std


MISTAKES = (
    Mistake("std is divided by √n once more: n is in the precision already.", conjugate_with(None, lambda x, s, m, t: std_of(x, s, m, t) / len(x) ** 0.5)),
    Mistake("std is multiplied by √n: n is in the precision already.", conjugate_with(None, lambda x, s, m, t: std_of(x, s, m, t) * len(x) ** 0.5)),
    Mistake("The posterior of one observation after the other must narrow: prior_std stays as it was here.", one_by_one),
    Mistake("Only the first observation enters; every one adds to the precision and to the sum.", lambda x, s, m, t: conjugate(x[:1], s, m, t)),
    Mistake("n enters squared; every observation adds 1/noise_std² once.", lambda x, s, m, t: (conjugate(x, s, m, t)[0] * (1 / t**2 + len(x) / s**2) / (1 / t**2 + len(x) ** 2 / s**2), (1 / t**2 + len(x) ** 2 / s**2) ** -0.5)),
    Mistake("prior_mean is subtracted; it is added, with its own weight.", lambda x, s, m, t: conjugate(x, s, -m, t)),
    Mistake("Precisions are doubled: a density's 1/2 in front of the square cancels.", lambda x, s, m, t: (conjugate(x, s, m, t)[0], conjugate(x, s, m, t)[1] / 2**0.5)),
    Mistake("This is the variance; its square root is wanted.", conjugate_with(None, lambda *a: std_of(*a) ** 2)),
    Mistake("This is the precision; std is 1 / sqrt(precision).", conjugate_with(None, lambda *a: std_of(*a) ** -2)),
    Mistake("This is the square root of the precision; std is 1 over that.", conjugate_with(None, lambda *a: 1 / std_of(*a))),
    Mistake("The weighted sum is not divided by the precision.", conjugate_with(lambda x, s, m, t: m / t**2 + x.sum() / s**2)),
    Mistake("The prior's mean is not weighted by its precision.", conjugate_with(lambda x, s, m, t: std_of(x, s, m, t) ** 2 * (m + x.sum() / s**2))),
    Mistake("The prior's mean is left out: right for a prior about 0 alone.", conjugate_with(lambda x, s, m, t: conjugate(x, s, 0 * m, t)[0])),
    Mistake("n is forgotten: every observation adds 1/noise_std² of precision.", precision_with(lambda n, s, t: t**-2, lambda n, s, t: s**-2)),
    Mistake("n is forgotten in the precision: every observation adds 1/noise_std².", lambda x, s, m, t: ((m / t**2 + x.sum() / s**2) / (t**-2 + s**-2), (t**-2 + s**-2) ** -0.5)),
    Mistake("The mean of x stands where the sum belongs (or n is forgotten beside it).", conjugate_with(lambda x, s, m, t: (m / t**2 + x.mean() / s**2) / (t**-2 + len(x) * s**-2))),
    Mistake("noise_std and prior_std are not squared: a precision is 1/std².", precision_with(lambda n, s, t: 1 / t, lambda n, s, t: n / s)),
    Mistake("noise_std and prior_std are not squared: a precision is 1/std².", conjugate_with(None, lambda x, s, m, t: (1 / t + len(x) / s) ** -1)),
    Mistake("prior_std is not squared: a precision is 1/std².", precision_with(lambda n, s, t: 1 / t, lambda n, s, t: n / s**2)),
    Mistake("noise_std is not squared: a precision is 1/std².", precision_with(lambda n, s, t: t**-2, lambda n, s, t: n / s)),
    Mistake("n is squared.", precision_with(lambda n, s, t: t**-2, lambda n, s, t: n**2 / s**2)),
    Mistake("The prior is missing: this is the maximum-likelihood answer.", lambda x, s, m, t: (x.mean(), s / len(x) ** 0.5)),
    Mistake("The prior counts as one observation; it weighs noise_std²/prior_std² of them.", precision_with(lambda n, s, t: s**-2, lambda n, s, t: n / s**2)),
    Mistake("The weights of prior and data are swapped: the narrower one weighs more.", precision_with(lambda n, s, t: t**2, lambda n, s, t: s**2 / n)),
    Mistake("The weights of prior and data are swapped: the narrower one weighs more.", conjugate_with(lambda x, s, m, t: (m / (s**2 / len(x)) + x.mean() / t**2) / (t**-2 + len(x) / s**2))),
    Mistake("noise_std and prior_std are swapped.", lambda x, s, m, t: conjugate(x, t, m, s)),
    Mistake("This is the spread of the next observation; the posterior of θ itself is narrower.", conjugate_with(None, lambda x, s, m, t: (std_of(x, s, m, t) ** 2 + s**2) ** 0.5)),
    Mistake("Variances are added; precisions add.", conjugate_with(None, lambda x, s, m, t: (t**2 + s**2 / len(x)) ** 0.5)),
    Mistake("The spread of x stands where noise_std belongs.", lambda x, s, m, t: conjugate(x, x.std() if len(x) > 1 else s, m, t)),
    Mistake("This is the prior itself: x is not used.", lambda x, s, m, t: (m + 0 * x.sum(), t + 0 * s)),
    Mistake("The std is cut off the graph: keep noise_std and prior_std tensors.", conjugate_with(None, lambda *a: std_of(*a).detach())),
    Mistake("This is halfway between the prior's mean and the data's; each weighs as its precision.", conjugate_with(mean=lambda x, s, m, t: (m + x.mean()) / 2)),
    Mistake("The mean is the data's alone; the prior draws it towards prior_mean.", conjugate_with(mean=lambda x, s, m, t: x.mean())),
    Mistake("1/std adds up here; precisions, 1/std², do.", conjugate_with(std=lambda x, s, m, t: 1 / (1 / t + len(x) ** 0.5 / s))),
    Mistake("The mean is multiplied by std; it is std².", conjugate_with(mean=lambda x, s, m, t: (m / t**2 + x.sum() / s**2) * std_of(x, s, m, t))),
    Mistake("n - 1 stands where n belongs: every observation counts.", lambda x, s, m, t: ((m / t**2 + x.sum() / s**2) / (t**-2 + (len(x) - 1) / s**2), (t**-2 + (len(x) - 1) / s**2) ** -0.5)),
    Mistake("n - 1 stands where n belongs: every observation counts.", precision_with(lambda n, s, t: t**-2, lambda n, s, t: (n - 1) / s**2)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="Bayesian Framework",
    call="x, noise_std, prior_mean, prior_std",
    returns="mean, std",
    cases=cases,
    reference=conjugate,
    laws=(
        value(
            "mean",
            "mean = std² (prior_mean/prior_std² + Σ x_i/noise_std²).",
            cases=["value", "wide prior"],
            outputs=["mean"],
        ),
        value(
            "std",
            "1/std² = 1/prior_std² + n/noise_std².",
            cases=["value", "wide prior"],
            outputs=["std"],
            weight=0.5,
        ),
        gradient(0.375, cases=["value", "wide prior"]),
        shapes(0.125, ["one value"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
