"""`em_mixture`: E-step and M-step in turn, and the bound that they climb."""

from dataclasses import replace

import torch

from ...engine import (
    CaseResults,
    Exercise,
    Failure,
    Mistake,
    compare,
    custom,
    interface_laws,
    normal,
    shapes,
    single,
    stable,
    value,
)
from ...run.fixtures import argument
from ._mixture import FAR, SLIDE, THETA, e_step, hard_e_step, log_joint, m_step, mixture
from .mixture_elbo import mixture_elbo, no_entropy, only_diagonal


def em_mixture(x, weights, means, covariances, num_iters):
    theta, history = (weights, means, covariances), []
    for _ in range(num_iters):
        q = e_step(x, *theta)
        history.append(mixture_elbo(x, q, *theta))
        theta = m_step(x, q)
    return *theta, torch.stack(history)


def start(rng, n, K, m, num_iters, scale=1.0, noise=0.8):
    """Overlapping clusters of unequal size, and a start that is not their own."""
    given = mixture(rng, n, K, m)
    ladder = 2.5 * torch.arange(K, dtype=torch.float64).roll(1)  # in no order: an answer that sorts by it shows
    centres = torch.cat([ladder[:, None], normal(rng, K, m - 1)], 1)
    k = torch.as_tensor(rng.choice(K, n, p=given["weights"].numpy()))
    k[: 3 * K] = torch.arange(3 * K) % K
    x = centres[k] + normal(rng, n, m)
    means = centres + normal(rng, K, m, scale=noise)
    arrays = {"x": scale * x, "means": scale * means, "covariances": scale**2 * given["covariances"]}
    return arrays | {"weights": given["weights"].flip(0), "num_iters": torch.tensor(num_iters)}


def alive(draw):
    """Drawn again until no component comes near to an end, by soft or by hard EM: then right answers agree to
    rounding, and the hard one is told by its numbers."""
    while True:
        given = draw()
        if survives(given, e_step) and survives(given, hard_e_step):
            return given


def survives(given, step):
    """Every component keeps more points than columns, and some spread in every direction."""
    x, theta = given["x"], (given["weights"], given["means"], given["covariances"])
    for _ in range(int(given["num_iters"])):
        q = step(x, *theta)
        if q.sum(0).min() < x.shape[1] + 2:
            return False
        theta = m_step(x, q)
        if torch.linalg.eigvalsh(theta[2]).min() < 0.02 * x.var(0).min():
            return False
    return True


def moved(given):
    """Far from the origin, where float32 loses the digits that matter."""
    return given | {"x": given["x"] + 5, "means": given["means"] + 5}


def narrow_start(rng):
    """Far from every mode: covariances so small that every density at the start is 0.0."""
    given = start(rng, 30, 2, 2, 3)
    return given | {"covariances": 1e-4 * given["covariances"]}


def cases(rng):
    value_case = alive(lambda: start(rng, 40, 3, 2, 4))
    return {
        "value": value_case,
        "narrow": moved(alive(lambda: start(rng, 40, 3, 2, 3, scale=0.02))),
        "one iteration": alive(lambda: start(rng, 30, 2, 3, 1)),
        "many iterations": alive(lambda: start(rng, 30, 2, 2, 100, noise=0.3)),
        "float32": single(value_case),
        "one feature": alive(lambda: start(rng, 30, 2, 1, 3)),
        "one component": alive(lambda: start(rng, 10, 1, 2, 2)),
        "extreme": alive(lambda: narrow_start(rng)),
    }


def probe(answer, given, record):
    """Components have no order of their own: put them in order of their mean's first coordinate."""
    names = ["weights", "means", "covariances"]
    try:
        theta = [argument(name, given) for name in names]
        record.returned(answer(given["x"], *theta, int(given["num_iters"])), *names, "history")
    finally:
        means = record.get("means")
        if means is not None and means.ndim == 2 and means.shape[1]:
            order = means[:, 0].argsort()
            for name in names:
                if name in record and record[name].shape[:1] == order.shape:
                    record[name] = record[name][order]


def em_with(e=e_step, m=m_step, note=lambda x, q, old, new: mixture_elbo(x, q, *old), pack=torch.stack):
    """A wrong loop: a step replaced, or what history notes: of (x, q, θ before the M-step, θ after it)."""

    def answer(x, weights, means, covariances, num_iters):
        theta, history = (weights, means, covariances), []
        for _ in range(num_iters):
            q = e(x, *theta)
            new = m(x, q)
            history.append(note(x, q, theta, new))
            theta = new
        return *theta, pack(history)

    return answer


def one_less(x, weights, means, covariances, num_iters):
    """The last M-step is missing; the history is whole."""
    theta = (weights, means, covariances)
    before = em_mixture(x, *theta, num_iters - 1)[:3] if num_iters > 1 else theta
    return *before, em_mixture(x, *theta, num_iters)[3]


def one_more(x, weights, means, covariances, num_iters):
    return em_mixture(x, weights, means, covariances, num_iters + 1)


def extra_bound(x, *given):
    weights, means, covariances, history = em_mixture(x, *given)
    return (
        weights,
        means,
        covariances,
        torch.cat(
            [history, mixture_elbo(x, e_step(x, weights, means, covariances), weights, means, covariances)[None]]
        ),
    )


def unweighted_e(x, weights, means, covariances):
    return e_step(x, torch.ones_like(weights), means, covariances)


def old_means(x, weights, means, covariances, num_iters):
    """Covariances about the means of the step before."""
    theta, history = (weights, means, covariances), []
    for _ in range(num_iters):
        q = e_step(x, *theta)
        history.append(mixture_elbo(x, q, *theta))
        new = m_step(x, q)
        shift = new[1] - theta[1]
        theta = new[0], new[1], new[2] + shift[:, :, None] * shift[:, None, :]
    return *theta, torch.stack(history)


def patched_m(weights=lambda w: w, covariances=lambda S, q: S):
    def step(x, q):
        w, mu, S = m_step(x, q)
        return weights(w), mu, covariances(S, q)

    return step


def less_one(S, q):
    return S * (q.sum(0) / (q.sum(0) - 1))[:, None, None]


def ridge(S, q):
    return S + 1e-6 * torch.eye(S.shape[-1], dtype=S.dtype)


def bound_after(x, q, old, new):
    return mixture_elbo(x, q, *new)


def likelihood_after(x, q, old, new):
    return mixture_elbo(x, e_step(x, *new), *new)


def one_kept(place):
    """The parameter at `place` stays as it was given."""

    def answer(x, weights, means, covariances, num_iters):
        start = (weights, means, covariances)

        def step(x, q):
            return tuple(
                old if at == place else new for at, (old, new) in enumerate(zip(start, m_step(x, q), strict=True))
            )

        return em_with(m=step)(x, *start, num_iters)

    return answer


def tied(S, q):
    return (q.mean(0)[:, None, None] * S).sum(0).expand_as(S)


def uniform_start(x, weights, means, covariances, num_iters):
    theta, history = m_step(x, x.new_full((len(x), len(weights)), 1 / len(weights))), []
    for at in range(num_iters):
        q = e_step(x, *theta)
        history.append(mixture_elbo(x, q, *theta))
        theta = m_step(x, q) if at < num_iters - 1 else theta
    return *theta, torch.stack(history)


def in_between(x, weights, means, covariances, num_iters):
    theta, history = (weights, means, covariances), []
    for _ in range(num_iters):
        q = e_step(x, *theta)
        history.append(mixture_elbo(x, q, *theta))
        weights, means, _ = m_step(x, q)
        q = e_step(x, weights, means, theta[2])
        centred = x[:, None] - means
        spread = torch.einsum("nk,nka,nkb->kab", q / q.sum(0), centred, centred)
        theta = weights, means, spread
    return *theta, torch.stack(history)


def sorted_means(descending):
    def answer(x, *given):
        weights, means, covariances, history = em_mixture(x, *given)
        return weights, means[means[:, 0].argsort(descending=descending)], covariances, history

    return answer


def stale(place):
    """The E-step's parameter at `place` is the first one for ever."""

    def answer(x, *given):
        def old(theta):
            return (*theta[:place], given[place], *theta[place + 1 :])

        def step(x, *theta):
            return e_step(x, *old(theta))

        def note(x, q, theta, _):
            return mixture_elbo(x, q, *old(theta))

        return em_with(step, note=note)(x, *given)

    return answer


def smoothed_weights(x, weights, means, covariances, num_iters):
    K = len(weights)
    step = patched_m(weights=lambda w: (len(x) * w + 1) / (len(x) + K))
    return em_with(m=step)(x, weights, means, covariances, num_iters)


def first_normals(x, weights, means, covariances, num_iters):
    def step(x, w, mu, S):
        return e_step(x, w, means, covariances)

    def note(x, q, theta, _):
        return mixture_elbo(x, q, theta[0], means, covariances)

    return em_with(step, note=note)(x, weights, means, covariances, num_iters)


MISTAKES = (
    Mistake("The weights are smoothed by a count for each component; they are N_k/n.", smoothed_weights),
    Mistake("The E-step takes the means and covariances that were given, in every iteration; it takes the newest.", first_normals),
    Mistake("The E-step is hard (k-means-like); q = p(z|x) is soft.", em_with(hard_e_step, patched_m(covariances=ridge))),
    Mistake("q is taken again within the M-step, at its new weights and means; one q serves all of an M-step.", in_between),
    *(Mistake("The components of the means stand in another order than those of weights and covariances: sort all or none.", sorted_means(descending)) for descending in (False, True)),
    *(Mistake(f"The E-step takes the {words} that were given, in every iteration; it takes the newest.", stale(place)) for place, words in enumerate(("weights", "means", "covariances"))),
    Mistake("history is taken after the M-step; note L(q, θ) right after each E-step, with the parameters that the E-step used.", em_with(note=bound_after)),
    Mistake("history is one step late: it holds log p(x) after the M-step; note L(q, θ) right after each E-step.", em_with(note=likelihood_after)),
    Mistake("history holds sums over the samples; it wants means.", em_with(note=lambda x, q, old, new: len(x) * mixture_elbo(x, q, *old))),
    Mistake("history lacks the entropy of q.", em_with(note=lambda x, q, old, new: no_entropy(q, log_joint(x, *old)))),
    Mistake("history holds the negative bound.", em_with(note=lambda x, q, old, new: -mixture_elbo(x, q, *old))),
    Mistake("history holds the last bound alone; it wants one for each iteration, (num_iters,).", em_with(pack=lambda history: history[-1])),
    Mistake("history has one entry too many: num_iters of them, one for each E-step.", extra_bound),
    Mistake("history is a column; its shape is (num_iters,).", em_with(pack=lambda history: torch.stack(history)[:, None])),
    Mistake("The last M-step is missing: each iteration is an E-step and an M-step.", one_less),
    Mistake("This runs one iteration too many.", one_more),
    Mistake("The E-step forgets the weights.", em_with(unweighted_e)),
    Mistake("The E-step is hard (k-means-like); q = p(z|x) is soft.", em_with(hard_e_step)),
    Mistake("The M-step keeps only the diagonals of the covariances.", em_with(m=patched_m(covariances=only_diagonal))),
    Mistake("The M-step's covariances divide by N_k - 1; the maximum of the ELBO divides by N_k.", em_with(m=patched_m(covariances=less_one))),
    Mistake("Something is added to the covariances: no regularisation here.", em_with(m=patched_m(covariances=ridge))),
    Mistake("The weights are not updated, or stay 1/K.", em_with(m=patched_m(weights=lambda w: torch.ones_like(w) / len(w)))),
    Mistake("The weights are not updated, or stay 1/K.", one_kept(0)),
    Mistake("The means are not updated.", one_kept(1)),
    Mistake("The covariances are not updated.", one_kept(2)),
    Mistake("All components share one covariance; each has its own.", em_with(m=patched_m(covariances=tied))),
    Mistake("The parameters come back as they were given; return those after the last M-step.", lambda x, *given: (*given[:3], em_mixture(x, *given)[3])),
    Mistake("history holds the largest log p(x, z); after a soft E-step the bound is their logsumexp.", em_with(note=lambda x, q, old, new: log_joint(x, *old).amax(1).mean())),
    Mistake("The covariances are about the means of the step before; centre at the new means.", old_means),
    Mistake("q is taken once; every iteration begins with an E-step at the newest parameters.", lambda x, w, mu, S, num_iters: (*m_step(x, e_step(x, w, mu, S)), mixture_elbo(x, e_step(x, w, mu, S), w, mu, S).expand(num_iters))),
    Mistake("history holds the last bound alone; it wants one for each iteration, (num_iters,).", em_with(pack=lambda history: history[-1][None])),
    Mistake("history has one entry too few: num_iters of them, one for each E-step.", em_with(pack=lambda history: torch.stack(history[:-1]) if history[1:] else history[0][:0])),
    Mistake("The loop begins with an M-step, or with uniform responsibilities: start with an E-step at the parameters that you are given.", uniform_start),
    Mistake("The covariances start at the identity; start with an E-step at the parameters that you are given.", lambda x, w, mu, S, num_iters: em_mixture(x, w, mu, torch.eye(S.shape[-1], dtype=S.dtype).expand_as(S), num_iters)),
    Mistake("The weights start at 1/K; start with an E-step at the parameters that you are given.", lambda x, w, mu, S, num_iters: em_mixture(x, torch.ones_like(w) / len(w), mu, S, num_iters)),
)  # fmt: skip


def far_from_every_mode(seen: CaseResults) -> Failure | None:
    """nan in one step makes torch.distributions raise in the next: say why in either case."""
    failure = compare(seen, ["extreme"], [*THETA, "history"], FAR)
    return replace(failure, mistake=FAR) if failure else None


EXERCISE = Exercise(
    __name__,
    points=4,
    slide=SLIDE,
    call="x, weights, means, covariances, num_iters:int",
    returns="weights, means, covariances, history",
    probe=probe,
    cases=cases,
    reference=em_mixture,
    laws=(
        value(
            "parameters",
            "num_iters times: q = E-step at θ, then θ = M-step at q. Components may come in any order.",
            cases=["value", "narrow"],
            outputs=THETA,
        ),
        value(
            "history",
            "history[t] = L(q, θ), mean over samples, right after E-step t: a tensor (num_iters,).",
            cases=["value", "narrow"],
            outputs=["history"],
            weight=1.0,
        ),
        stable(0.25, ["one iteration"], "After one iteration it differs already.", name="one iteration"),
        stable(
            0.25, ["many iterations"], "Does it stop early? num_iters iterations are wanted.", name="many iterations"
        ),
        custom("stability", 0.5, far_from_every_mode),
        shapes(0.125, ["one feature", "one component"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
