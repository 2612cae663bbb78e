"""`m_step`: weighted averages, which maximise the ELBO over the parameters."""

import torch
from torch.nn.functional import one_hot

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, regular, shapes, single, stable, value
from ...run.fixtures import argument
from ._mixture import SLIDE, m_step


def cases(rng):
    value_case = responsible(rng, 9, 3, 2)
    return {
        "value": value_case,
        "float32": single(value_case),
        "narrow": responsible(rng, 8, 2, 3, scale=1e-2),
        "tiny mass": tiny_mass(rng),
        "one row": responsible(rng, 1, 2, 3),
        "one feature": responsible(rng, 6, 3, 1),
        "one component": responsible(rng, 5, 1, 2),
    }


def responsible(rng, n, K, m, scale=1.0):
    """Points of any mean and covariance, and an arbitrary q(z)."""
    x = scale * (normal(rng, n, m) @ regular(rng, m) + normal(rng, m))
    return {"x": x, "responsibilities": torch.softmax(normal(rng, n, K, scale=1.5), 1)}


def tiny_mass(rng):
    """The first component holds 1e-7 of the points or less, and still has a mean and a covariance."""
    log_q = normal(rng, 8, 3)
    log_q[:, 0] -= 20.0
    return {"x": normal(rng, 8, 2, shift=1.0), "responsibilities": torch.softmax(log_q, 1)}


def probe(answer, given, record):
    x = given["x"]
    x = x.clone() if len(x) == 1 else x  # torch.cov writes into a single column: not the student's doing
    record.returned(answer(x, argument("responsibilities:simplex", given)), "weights", "means", "covariances")


def changed_m(weights=None, means=None, covariances=None):
    """The M-step with one result replaced: by a function of (x, q, right means, right covariances)."""

    def answer(x, q):
        right = m_step(x, q)
        replaced = [f and f(x, q, right[1], right[2]) for f in (weights, means, covariances)]
        return tuple(old if new is None else new for old, new in zip(right, replaced, strict=True))

    return answer


def scatter(x, q, centre):
    """Σ_i q_ik (x_i - c_k)(x_i - c_k)ᵀ / N_k."""
    centred = x[:, None] - centre
    return torch.einsum("nk,nka,nkb->kab", q, centred, centred) / q.sum(0)[:, None, None]


def rescaled(factor):
    return lambda x, q, mu, S: S * factor(x, q)[:, None, None]


def tied(x, q, mu, S):
    return ((q.sum(0) / len(x))[:, None, None] * S).sum(0).expand_as(S)


def padded(size):
    """N_k + size in the place of N_k, everywhere."""

    def answer(x, q):
        mass = q.sum(0) + size
        means = q.T @ x / mass[:, None]
        centred = x[:, None] - means
        return mass / len(x), means, torch.einsum("nk,nka,nkb->kab", q, centred, centred) / mass[:, None, None]

    return answer


MISTAKES = (
    *(Mistake("The masses N_k are positive, however small: add nothing to a denominator.", padded(size)) for size in (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)),
    Mistake("The weights are the masses N_k; divide by n.", changed_m(weights=lambda x, q, mu, S: q.sum(0))),
    Mistake("The weights ignore the responsibilities (1/K each).", changed_m(weights=lambda x, q, mu, S: torch.ones_like(q[0]) / q.shape[1])),
    Mistake("The weights count hard assignments; average the responsibilities.", changed_m(weights=lambda x, q, mu, S: one_hot(q.argmax(1), q.shape[1]).to(x.dtype).mean(0))),
    Mistake("The weights sum over the components; average each column over the points.", changed_m(weights=lambda x, q, mu, S: q.mean(1))),
    Mistake("The weighted sum for mu_k is divided by n; divide by N_k.", changed_m(means=lambda x, q, mu, S: q.T @ x / len(x))),
    Mistake("The weighted sum for mu_k is not divided by N_k.", changed_m(means=lambda x, q, mu, S: q.T @ x)),
    Mistake("All components get the mean of all points; weight each point by its responsibility.", changed_m(means=lambda x, q, mu, S: x.mean(0).expand_as(mu))),
    Mistake("The means use hard assignments; weight each point by its responsibility.", changed_m(means=lambda x, q, mu, S: m_step(x, one_hot(q.argmax(1), q.shape[1]).to(x.dtype))[1])),
    Mistake("Only the diagonals of the covariances are there.", changed_m(covariances=lambda x, q, mu, S: torch.diag_embed(S.diagonal(dim1=-2, dim2=-1)))),
    Mistake("These are the variances (K, m); the full covariances (K, m, m) are wanted.", changed_m(covariances=lambda x, q, mu, S: S.diagonal(dim1=-2, dim2=-1))),
    Mistake("The covariances are about the mean of all points; centre at the component's new mean.", changed_m(covariances=lambda x, q, mu, S: scatter(x, q, x.mean(0)))),
    Mistake("This is the second moment; centre the points at the component's mean first.", changed_m(covariances=lambda x, q, mu, S: scatter(x, q, torch.zeros_like(mu)))),
    Mistake("The weighted scatter is divided by N_k - 1; the maximum of the ELBO divides by N_k.", changed_m(covariances=rescaled(lambda x, q: q.sum(0) / (q.sum(0) - 1)))),
    Mistake("The covariances carry a factor n/(n - 1); maximum likelihood divides by N_k.", changed_m(covariances=rescaled(lambda x, q: q.sum(0) * 0 + len(x) / (len(x) - 1)))),
    Mistake("The covariances carry torch.cov's correction for weights; divide by N_k (correction=0).", changed_m(covariances=rescaled(lambda x, q: 1 / (1 - (q / q.sum(0)).square().sum(0))))),
    Mistake("The weighted scatter is not divided by N_k.", changed_m(covariances=rescaled(lambda x, q: q.sum(0)))),
    Mistake("The weighted scatter is divided by n; divide by N_k.", changed_m(covariances=rescaled(lambda x, q: q.sum(0) / len(x)))),
    Mistake("The responsibilities count twice (squared).", changed_m(covariances=lambda x, q, mu, S: scatter(x, q.square(), mu) * (q.square().sum(0) / q.sum(0))[:, None, None])),
    Mistake("All components share one covariance; each has its own.", changed_m(covariances=tied)),
    Mistake("The responsibilities are missing from the covariances.", changed_m(covariances=lambda x, q, mu, S: scatter(x, torch.ones_like(q), mu))),
    Mistake("Something is added to the covariances: no regularisation here.", changed_m(covariances=lambda x, q, mu, S: S + 1e-6 * torch.eye(x.shape[1], dtype=x.dtype))),
    Mistake("The values are right and cut off the graph: no detach, no no_grad.", lambda x, q: tuple(t.detach() for t in m_step(x, q))),
    Mistake("The masses pass through softmax; divide them by n.", changed_m(weights=lambda x, q, mu, S: torch.softmax(q.sum(0), 0))),
    Mistake("The responsibilities are squared (and normalised again); each enters once.", lambda x, q: m_step(x, q.square() / q.square().sum(1, keepdim=True))),
    Mistake("The responsibilities are squared; each enters once.", lambda x, q: m_step(x, q.square())),
    Mistake("These are Cholesky factors; the covariances are wanted.", changed_m(covariances=lambda x, q, mu, S: torch.linalg.cholesky_ex(S).L)),
    Mistake("These are the inverses (precisions); the covariances are wanted.", changed_m(covariances=lambda x, q, mu, S: torch.linalg.pinv(S))),
    Mistake("The columns of q are normalised first, and each then averages to 1/n; w_k is the mean of q_ik over the rows.", changed_m(weights=lambda x, q, mu, S: (q / q.sum(0)).mean(0))),
    Mistake("The weights are the masses' share of K; divide N_k by n.", changed_m(weights=lambda x, q, mu, S: q.sum(0) / q.shape[1])),
    Mistake("The weights pass through softmax; N_k / n sums to 1 already.", changed_m(weights=lambda x, q, mu, S: torch.softmax(q.mean(0), 0))),
)  # fmt: skip
EXACT = "The masses N_k are positive, however small: add nothing to a denominator."

EXERCISE = Exercise(
    __name__,
    points=4,
    slide=SLIDE,
    call="x, responsibilities:simplex",
    returns="weights, means, covariances",
    probe=probe,
    cases=cases,
    reference=m_step,
    laws=(
        value("weights", "w_k = N_k / n, N_k = sum_i q_ik.", outputs=["weights"], weight=0.5),
        value("means", "mu_k = sum_i q_ik x_i / N_k.", outputs=["means"], weight=0.75),
        value(
            "covariances",
            "Sigma_k = sum_i q_ik (x_i - mu_k)(x_i - mu_k)ᵀ / N_k, full, at the new mean.",
            cases=["value", "narrow"],
            outputs=["covariances"],
        ),
        gradient(0.5),
        stable(0.25, ["narrow", "tiny mass"], EXACT, name="nothing added"),
        shapes(0.375, ["one row", "one feature", "one component"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
