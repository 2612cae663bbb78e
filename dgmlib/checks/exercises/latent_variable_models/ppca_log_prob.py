"""`ppca_log_prob`: log N(x; mu, W Wᵀ + sigma² I) without an m-by-m matrix."""

import math

import torch
from torch.distributions import LowRankMultivariateNormal

from ...engine import (
    Exercise,
    Mistake,
    gradient,
    interface_laws,
    shapes,
    silent,
    single,
    stable,
    value,
)
from ...run.watch import Largest
from ._ppca import SLIDE, eye_like, posterior, ppca

LOG_2PI = math.log(2 * math.pi)


def gaussian(x, mu, C):
    """log N(x; mu, C) through an m-by-m matrix: the definition, at its own cost."""
    scale = torch.linalg.cholesky(C)
    squares = torch.linalg.solve_triangular(scale, (x - mu).T, upper=False).square().sum(0)
    return -squares / 2 - scale.diagonal().log().sum() - x.shape[1] * LOG_2PI / 2


def log_prob(x, W, mu, sigma):
    """The same without it: torch's own."""
    return LowRankMultivariateNormal(mu, W, sigma.square().expand(len(mu)), validate_args=False).log_prob(x)


def cases(rng):
    value_case = ppca(rng, 5, 6, 2)
    return {
        "value": value_case,
        "large sigma": ppca(rng, 4, 5, 3, (1.5, 2.0)),
        "float32": single(value_case),
        "one row": ppca(rng, 1, 4, 2),
        "one latent": ppca(rng, 3, 4, 1),
        "wide": ppca(rng, 3, 400, 2, (0.1, 0.12)),
        "many latents": small(rng, 3, 80, 60, 1e-4),
    }


def small(rng, n, m, d, scale):
    """The same data in other units: det M, d-by-d, leaves the range of float64 as well."""
    arrays = ppca(rng, n, m, d)
    return {name: scale * array for name, array in arrays.items()}


def probe(answer, given, record):
    """In the case "wide" the memory is watched: m² numbers in one tensor is what the contract forbids."""
    arguments, m = (given["x"], given["W"], given["mu"], given["sigma"]), len(given["mu"])
    record.returned(answer(*arguments), "log_prob")
    if m >= 100:
        with record.section("cost"):
            with Largest() as largest:
                answer(*arguments)
            record.text("costly.seen", "yes")
            record.text("costly.found", f"shape {largest.shape}" if largest.numbers >= m * m else "")


def with_covariance(change):
    """A wrong density: N(mu, change(W, sigma, I))."""
    return lambda x, W, mu, sigma: gaussian(x, mu, change(W, sigma, eye_like(W, len(mu))))


def shifted(change):
    """The right density plus change(W, mu, sigma, log det M, m, d)."""

    def answer(x, W, mu, sigma):
        m, d = W.shape
        log_det = torch.linalg.slogdet(W.T @ W + sigma**2 * eye_like(W, d)).logabsdet
        return log_prob(x, W, mu, sigma) + change(sigma.log(), log_det, m, d)

    return answer


def parts_of(term):
    """term(log sigma, log det M, m, d) for every row."""
    change = shifted(term)
    return lambda *a: change(*a) - log_prob(*a)


def woodbury(matrix, inverse=torch.linalg.inv):
    """The formula with another M, or another inverse of it."""

    def answer(x, W, mu, sigma):
        (m, d), M, p = W.shape, matrix(W, sigma, eye_like(W, W.shape[1])), (x - mu) @ W
        squares = ((x - mu).square().sum(1) - (p @ inverse(M) * p).sum(1)) / sigma**2
        log_det = torch.linalg.slogdet(M).logabsdet + 2 * (m - d) * sigma.log()
        return -(squares + log_det + m * LOG_2PI) / 2

    return answer


def quadratic(x, W, mu, sigma):
    C = W @ W.T + sigma**2 * eye_like(W, len(mu))
    return ((x - mu) * torch.linalg.solve(C, (x - mu).T).T).sum(-1)


def joint_at_mode(x, W, mu, sigma):
    z = posterior(x, W, mu, sigma)[0]
    return conditional(x, z, W, mu, sigma) - (z.square() + LOG_2PI).sum(-1) / 2


def conditional(x, z, W, mu, sigma):
    return -(((x - mu - z @ W.T) / sigma).square() + 2 * sigma.log() + LOG_2PI).sum(-1) / 2


def changed(f):
    """The right density, changed afterwards."""
    return lambda *a: f(log_prob(*a))


def along(x, W, mu, sigma):
    """pᵀ M⁻¹ p with p = Wᵀ(x - mu): what Woodbury subtracts, before it is divided by sigma²."""
    p = (x - mu) @ W
    return (p @ torch.linalg.inv(W.T @ W + sigma**2 * eye_like(W, W.shape[1])) * p).sum(1)


def mixed_rows(x, W, mu, sigma):
    mean, p = posterior(x, W, mu, sigma)[0], (x - mu) @ W
    return log_prob(x, W, mu, sigma) + ((mean @ p.T).sum(1) - (mean * p).sum(1)) / (2 * sigma**2)


MISTAKES = (
    Mistake("Every row's part along W holds the products with all other rows: keep the diagonal of p M⁻¹ pᵀ.", mixed_rows),
    Mistake("x - mu is missing in ‖x - mu‖²: x itself is squared there, and centred elsewhere.", lambda x, W, mu, s: log_prob(x, W, mu, s) - (x.square().sum(1) - (x - mu).square().sum(1)) / (2 * s**2)),
    Mistake("‖x - mu‖² is not divided by sigma²; both parts of the distance are.", lambda x, W, mu, s: log_prob(x, W, mu, s) - (x - mu).square().sum(1) * (1 - 1 / s**2) / 2),
    Mistake("sigma is not squared: the covariance is W Wᵀ + sigma² I.", with_covariance(lambda W, s, eye: W @ W.T + s * eye)),
    Mistake("sigma is squared twice: the covariance is W Wᵀ + sigma² I.", with_covariance(lambda W, s, eye: W @ W.T + s**4 * eye)),
    Mistake("The noise has variance 1 here: the covariance is W Wᵀ + sigma² I.", with_covariance(lambda W, s, eye: W @ W.T + eye)),
    Mistake("W is missing: this is N(mu, sigma² I), p(x given z = 0); z has to be integrated out.", with_covariance(lambda W, s, eye: s**2 * eye)),
    Mistake("W Wᵀ carries a factor sigma².", with_covariance(lambda W, s, eye: s**2 * (W @ W.T + eye))),
    Mistake("Only the diagonal of W Wᵀ enters; the features are correlated.", with_covariance(lambda W, s, eye: (W @ W.T + s**2 * eye) * eye)),
    Mistake("x is not centred: subtract mu.", lambda x, W, mu, s: log_prob(x, W, 0 * mu, s)),
    Mistake("x is centred on its own mean; the model's mean is mu.", lambda x, W, mu, s: log_prob(x, W, x.mean(0) + 0 * mu, s)),
    Mistake("log det C lacks (m - d) log sigma²: det C = det M · sigma^(2(m-d)).", shifted(lambda s, det, m, d: (m - d) * s)),
    Mistake("log det C has m log sigma² where m - d belongs: det C = det M · sigma^(2(m-d)).", shifted(lambda s, det, m, d: -d * s)),
    Mistake("log det C has log sigma where log sigma² belongs.", shifted(lambda s, det, m, d: (m - d) * s / 2)),
    Mistake("log det C lacks log det M.", shifted(lambda s, det, m, d: det / 2)),
    Mistake("log det C has the wrong sign of (m - d) log sigma².", shifted(lambda s, det, m, d: 2 * (m - d) * s)),
    Mistake("The 1/2 before log det C is missing.", shifted(lambda s, det, m, d: -(det / 2 + (m - d) * s))),
    Mistake("log det C is missing.", shifted(lambda s, det, m, d: det / 2 + (m - d) * s)),
    Mistake("log det C has the wrong sign: it is subtracted.", shifted(lambda s, det, m, d: det + 2 * (m - d) * s)),
    Mistake("The constant -m/2 log 2π is missing.", shifted(lambda s, det, m, d: m / 2 * LOG_2PI)),
    Mistake("The 1/2 before the squared distance is missing.", lambda *a: log_prob(*a) - quadratic(*a) / 2),
    Mistake("The squared distance takes ‖x - mu‖²/sigma² alone; Woodbury subtracts the part along W.", lambda x, W, mu, s: log_prob(x, W, mu, s) + (quadratic(x, W, mu, s) - ((x - mu) / s).square().sum(-1)) / 2),
    Mistake("M has I where sigma² I belongs: right for unit noise alone.", woodbury(lambda W, s, eye: W.T @ W + eye)),
    Mistake("M is not inverted in the squared distance.", woodbury(lambda W, s, eye: W.T @ W + s**2 * eye, torch.clone)),
    Mistake("M is inverted entry by entry; invert the matrix.", woodbury(lambda W, s, eye: W.T @ W + s**2 * eye, lambda M: 1 / M)),
    Mistake("Only the diagonal of M enters; it is a full matrix.", woodbury(lambda W, s, eye: (W.T @ W + s**2 * eye) * eye)),
    Mistake("The squared distance lacks 1/sigma².", lambda x, W, mu, s: log_prob(x, W, mu, s) + (1 - s**2) * quadratic(x, W, mu, s) / 2),
    Mistake("1/sigma² stands before ‖x - mu‖² alone; it multiplies the part along W too.", lambda x, W, mu, s: log_prob(x, W, mu, s) + (1 - s**2) * (quadratic(x, W, mu, s) - ((x - mu) / s).square().sum(-1)) / 2),
    Mistake("The squared distance adds the part along W; Woodbury subtracts it.", lambda x, W, mu, s: log_prob(x, W, mu, s) + quadratic(x, W, mu, s) - ((x - mu) / s).square().sum(-1)),
    Mistake("The 1/2 is missing, before distance, log det and constant alike.", changed(lambda v: 2 * v)),
    Mistake("The constant is -1/2 log 2π; it wants a factor m.", shifted(lambda s, det, m, d: (m - 1) / 2 * LOG_2PI)),
    Mistake("The constant counts d; x has m features: -m/2 log 2π.", shifted(lambda s, det, m, d: (m - d) / 2 * LOG_2PI)),
    Mistake("log sigma is cut off the graph: torch.log(sigma), not math.log(sigma).", shifted(lambda s, det, m, d: (m - d) * (s - s.detach()))),
    Mistake("log sigma is cut off the graph: torch.log(sigma), not math.log(sigma).", shifted(lambda s, det, m, d: m * (s - s.detach()))),
    Mistake("log det C is cut off the graph: no detach, no .item().", shifted(lambda s, det, m, d: (det - det.detach()) / 2 + (m - d) * (s - s.detach()))),
    Mistake("This is log p(x, z) at the likeliest z; z has to be integrated out.", joint_at_mode),
    Mistake("This is log p(x given z) at the posterior's mean; z has to be integrated out.", lambda x, W, mu, s: conditional(x, posterior(x, W, mu, s)[0], W, mu, s)),
    Mistake("This is p(x), not log p(x).", changed(torch.exp)),
    Mistake("This is minus log p(x).", changed(lambda v: -v)),
    Mistake("log p(x) is summed or averaged over the rows; each row has its own.", changed(lambda v: v.sum().expand(len(v)))),
    Mistake("log p(x) is summed or averaged over the rows; each row has its own.", changed(lambda v: v.mean().expand(len(v)))),
    Mistake("log det takes WᵀW where M = WᵀW + sigma² I belongs.", lambda x, W, mu, s: woodbury(lambda W, s, eye: W.T @ W + s**2 * eye)(x, W, mu, s) - (torch.logdet(W.T @ W) - torch.logdet(W.T @ W + s**2 * eye_like(W, W.shape[1]))) / 2),
    Mistake("The squared distance divides by sigma; it is sigma².", lambda x, W, mu, s: log_prob(x, W, mu, s) + (1 - s) * quadratic(x, W, mu, s) / 2),
    Mistake("The part along W is divided by sigma² twice: (‖x - mu‖² - pᵀ M⁻¹ p) / sigma², p = Wᵀ(x - mu).", lambda x, W, mu, s: log_prob(x, W, mu, s) + (1 / s**2 - 1) * along(x, W, mu, s) / (2 * s**2)),
    Mistake("log det M is divided by sigma² within: det C = det(M / sigma²) sigma^(2m), or det M sigma^(2(m-d)).", shifted(lambda s, det, m, d: d * s)),
    Mistake("M takes sigma for sigma²: M = WᵀW + sigma² I.", woodbury(lambda W, s, eye: W.T @ W + s * eye)),
    Mistake("The constant counts n; x has m features: -m/2 log 2π.", lambda x, W, mu, s: log_prob(x, W, mu, s) + (x.shape[1] - len(x)) / 2 * LOG_2PI),
    Mistake("The part along W takes x where x - mu belongs.", lambda x, W, mu, s: log_prob(x, W, mu, s) + (along(x, W, 0 * mu, s) - along(x, W, mu, s)) / (2 * s**2)),
)  # fmt: skip
COST = "a tensor of {found} is made: with m features, an m-by-m matrix takes 3 GB at m = 20 000. Woodbury needs M = WᵀW + sigma² I, d-by-d, alone."

EXERCISE = Exercise(
    __name__,
    points=3,
    slide=SLIDE,
    call="x, W, mu, sigma",
    returns="log_prob",
    probe=probe,
    cases=cases,
    reference=log_prob,
    laws=(
        value("value", "log N(x; mu, C), C = W Wᵀ + sigma² I.", cases=["value", "large sigma"]),
        gradient(0.5),
        stable(
            0.375,
            ["wide", "many latents"],
            "det C underflows with many features, det M with many latents: add logarithms (slogdet).",
        ),
        silent(0.5, "cost", "costly", COST, ["wide"], requires="all values"),
        shapes(0.25, ["one row", "one latent"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("‖x - mu‖²/sigma²", lambda x, W, mu, s: -((x - mu) / s).square().sum(1) / 2),
        Mistake("The part along W in the squared distance", lambda x, W, mu, s: along(x, W, mu, s) / (2 * s**2)),
        Mistake("log det M", parts_of(lambda s, det, m, d: -det / 2)),
        Mistake("(m - d) log sigma²", parts_of(lambda s, det, m, d: -(m - d) * s)),
        Mistake("The constant -m/2 log 2π", parts_of(lambda s, det, m, d: -m / 2 * LOG_2PI + 0 * s)),
    ),
)
