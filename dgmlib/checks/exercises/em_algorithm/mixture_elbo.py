"""`mixture_elbo`: the bound of a mixture, at any q."""

import math

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, shapes, single, stable, value
from ._mixture import FAR, far, log_joint, mixture


def mixture_elbo(x, responsibilities, weights, means, covariances):
    joint = log_joint(x, weights, means, covariances)
    return (responsibilities * joint + torch.special.entr(responsibilities)).sum(1).mean()


def any_q(rng, n, K):
    """Rows that are no posterior of anything."""
    return {"responsibilities": torch.softmax(normal(rng, n, K), 1)}


def with_zeros(rng, n, K):
    """A one-hot row, and zeros in the others."""
    q = torch.softmax(normal(rng, n, K), 1)
    q[torch.arange(n), torch.arange(n) % K] = 0.0
    q[0] = torch.eye(K)[0]
    q[1, 1 % K], q[2, 2 % K] = 3e-4, 1e-5
    return {"responsibilities": q / q.sum(1, keepdim=True)}


def with_small_numbers(rng, n, K):
    """One in every row that a clamp of the logarithm at 0.001 would raise, by most."""
    q = torch.softmax(normal(rng, n, K), 1)
    q[torch.arange(n), torch.arange(n) % K] = 3.7e-4
    return {"responsibilities": q / q.sum(1, keepdim=True)}


def cases(rng):
    value_case = mixture(rng, 7, 3, 2) | any_q(rng, 7, 3)
    return {
        "value": value_case,
        "zeros": mixture(rng, 6, 3, 2) | with_zeros(rng, 6, 3),
        "float32": single(value_case),
        "one row": mixture(rng, 1, 4, 3) | any_q(rng, 1, 4),
        "one feature": mixture(rng, 5, 2, 1) | any_q(rng, 5, 2),
        "one component": mixture(rng, 4, 1, 2) | any_q(rng, 4, 1),
        "extreme": far(rng) | any_q(rng, 8, 2),
        "small q": mixture(rng, 6, 3, 2) | with_small_numbers(rng, 6, 3),
    }


def elbo_of(reduce):
    """A wrong ELBO: `reduce(q, log p(x, z))`."""
    return lambda x, q, *theta: reduce(q, log_joint(x, *theta))


def no_entropy(q, joint):
    return (q * joint).sum(1).mean()


def log_likelihood(q, joint):
    return torch.logsumexp(joint, 1).mean()


def entropy(q):
    return torch.special.entr(q).sum(1)


def through_clamp(x, q, *theta):
    """log of q + 0.001."""
    return (q * (log_joint(x, *theta) - (q + 1e-3).log())).sum(1).mean()


def prior_forgotten(x, q, weights, means, covariances):
    return mixture_elbo(x, q, torch.ones_like(weights), means, covariances)


def prior_alone(x, q, weights, means, covariances):
    return ((q * weights.log()).sum(1) + entropy(q)).mean()


def raw_weights(x, q, weights, means, covariances):
    return prior_forgotten(x, q, weights, means, covariances) + (q * weights).sum(1).mean()


# It takes q as every change of the M-step's covariances in `loop` does.
def only_diagonal(S, q):
    return torch.diag_embed(S.diagonal(dim1=-2, dim2=-1))


def diagonals(x, q, weights, means, covariances):
    return mixture_elbo(x, q, weights, means, only_diagonal(covariances, q))


def other_kl(x, q, *theta):
    joint = log_joint(x, *theta)
    log_p = torch.log_softmax(joint, 1)
    return (torch.logsumexp(joint, 1) - (log_p.exp() * (log_p - q.clamp_min(1e-30).log())).sum(1)).mean()


def smoothed(size, again):
    """q + size, made to sum to 1 again or not."""

    def answer(x, q, *theta):
        wide = q + size
        wide = wide / wide.sum(1, keepdim=True) if again else wide
        return mixture_elbo(x, wide, *theta)

    return answer


MISTAKES = (
    Mistake("The weights multiply the log-densities; their logarithm is added to them.", lambda x, q, w, *theta: no_entropy(q, w * log_joint(x, torch.ones_like(w), *theta)) + entropy(q).mean()),
    Mistake("-log q is summed over k as it is; E_q weights it by q.", lambda x, q, *theta: no_entropy(q, log_joint(x, *theta)) - q.clamp_min(1e-12).log().sum(1).mean()),
    Mistake("log(1 + q) stands where log q belongs: xlogy, not xlog1py.", lambda x, q, *theta: no_entropy(q, log_joint(x, *theta)) - torch.special.xlog1py(q, q).sum(1).mean()),
    Mistake("This subtracts KL(p(z|x)‖q), its arguments swapped: log p(x) - KL(q‖p(z|x)) is the ELBO.", other_kl),
    Mistake("The entropy is that of the mean of q over the samples; it is the mean of each sample's own.", lambda x, q, *theta: no_entropy(q, log_joint(x, *theta)) + torch.special.entr(q.mean(0)).sum()),
    Mistake("The entropy is that of the weights; it is that of q.", lambda x, q, weights, *theta: no_entropy(q, log_joint(x, weights, *theta)) + torch.special.entr(weights).sum()),
    *(Mistake("A constant is added to q: take it as it is given, xlogy or entr for its zeros.", smoothed(size, again)) for size in (1e-1, 1e-2, 1e-3, 1e-4) for again in (False, True)),
    Mistake("The entropy of q is missing: - sum_k q_k log q_k.", elbo_of(no_entropy)),
    Mistake("The entropy is subtracted; L = E_q log p(x, z) - E_q log q adds it.", elbo_of(lambda q, joint: ((q * joint).sum(1) - entropy(q)).mean())),
    Mistake("This is log p(x): the ELBO only where q is the posterior. Use the q that is given.", elbo_of(log_likelihood)),
    Mistake("This is the sum over the samples; take their mean.", elbo_of(lambda q, joint: ((q * joint).sum(1) + entropy(q)).sum())),
    Mistake("This is the mean over the components too; E_q is a sum over k weighted by q.", elbo_of(lambda q, joint: (q * joint + torch.special.entr(q)).mean())),
    Mistake("This is one bound a sample; the mean over them is wanted.", elbo_of(lambda q, joint: (q * joint).sum(1) + entropy(q))),
    Mistake("log p(z) is missing: log p(x, z = k) = log w_k + log N(x; mu_k, Sigma_k).", prior_forgotten),
    Mistake("log p(x|z) is missing: this is -KL(q‖p(z)) alone.", prior_alone),
    Mistake("The weights are added as they are; it is their logarithm.", raw_weights),
    Mistake("Only the diagonals of the covariances are used.", diagonals),
    Mistake("The entropy is the posterior's; it is that of the q that is given.", elbo_of(lambda q, joint: ((q * joint).sum(1) + entropy(joint.softmax(1))).mean())),
    Mistake("This is E_q log p(x, z) - E_q log q with the posterior for q in the first term; use the q that is given in both.", elbo_of(lambda q, joint: ((joint.softmax(1) * joint).sum(1) + entropy(q)).mean())),
    Mistake("The sign is flipped: this is the negative ELBO.", elbo_of(lambda q, joint: -((q * joint).sum(1) + entropy(q)).mean())),
    Mistake("The logarithm stands outside the average over q: log sum_k q_k p(x, z = k) is not the ELBO.", elbo_of(lambda q, joint: torch.logsumexp(q.log() + joint, 1).mean() + entropy(q).mean())),
    Mistake("The logarithm stands outside the average over q: log sum_k q_k p(x, z = k) is not the ELBO.", elbo_of(lambda q, joint: torch.logsumexp(q.log() + joint, 1).mean())),
    Mistake("This is the gap KL(q‖p(z|x)) (or its negative), not the bound.", elbo_of(lambda q, joint: -(q * joint - torch.logsumexp(joint, 1)[:, None] * q).sum(1).mean() - entropy(q).mean())),
    Mistake("This is log p(x) + KL; the bound lies below log p(x): subtract it.", elbo_of(lambda q, joint: (2 * torch.logsumexp(joint, 1) - (q * joint).sum(1) - entropy(q)).mean())),
    Mistake("q is cut off the graph: the bound depends on q too.", lambda x, q, *theta: mixture_elbo(x, q.detach(), *theta)),
    Mistake("log q is cut off the graph: the entropy depends on q too.", elbo_of(lambda q, joint: ((q * joint).sum(1) + entropy(q.detach())).mean())),
    Mistake("The parameters are cut off the graph: no detach, no no_grad.", lambda x, q, *theta: mixture_elbo(x, q, *(t.detach() for t in theta))),
    Mistake("At q = 0 this is 0 · log 0 = nan; the limit is 0: torch.special.entr or xlogy.", elbo_of(lambda q, joint: (q * (joint - q.log())).sum(1).mean())),
    Mistake("What you add inside the logarithm moves the value; torch.special.entr or xlogy need nothing.", through_clamp),
    Mistake("log p(z|x) stands where log p(x, z) belongs: this is minus the KL to the posterior.", elbo_of(lambda q, joint: (q * joint.log_softmax(1)).sum(1).mean() + entropy(q).mean())),
    Mistake("log w_k is added twice.", lambda x, q, weights, means, covariances: mixture_elbo(x, q, weights, means, covariances) + (q * weights.log()).sum(1).mean()),
    Mistake("log p(x, z = k) is summed over k without q: it is weighted by q_k.", elbo_of(lambda q, joint: (joint.sum(1) + entropy(q)).mean())),
    Mistake("log p(x, z = k) is averaged over k without q: it is weighted by q_k.", elbo_of(lambda q, joint: (joint.mean(1) + entropy(q)).mean())),
    Mistake("The entropy has base 2; logarithms are natural here.", elbo_of(lambda q, joint: ((q * joint).sum(1) + entropy(q) / math.log(2)).mean())),
    Mistake("The entropy counts twice.", elbo_of(lambda q, joint: ((q * joint).sum(1) + 2 * entropy(q)).mean())),
    Mistake("The entropy is averaged over k, not summed.", elbo_of(lambda q, joint: ((q * joint).sum(1) + entropy(q) / q.shape[1]).mean())),
    Mistake("log w_k is not weighted by q_k: E_q log p(x, z) weights both of its terms.", lambda x, q, weights, means, covariances: prior_forgotten(x, q, weights, means, covariances) + weights.log().sum()),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="ELBO Derivation I",
    call="x, responsibilities:simplex, weights:simplex, means, covariances:symmetric",
    returns="elbo",
    cases=cases,
    reference=mixture_elbo,
    laws=(
        value("value", "mean over x of sum_k q_k (log p(x, z = k) - log q_k)."),
        gradient(0.5),
        stable(0.5, ["zeros", "small q"], "Where q = 0 the term q log q is 0.", name="zeros in q"),
        stable(0.25, ["extreme"], FAR),
        shapes(0.125, ["one row", "one feature", "one component"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    mean_over=("x", "responsibilities"),
    terms=(
        Mistake("log w_k", lambda x, q, weights, means, covariances: (q * weights.log()).sum(1).mean()),
        Mistake(
            "log N(x; mu_k, Sigma_k)",
            lambda x, q, w, means, covariances: (
                (q * log_joint(x, torch.ones_like(w), means, covariances)).sum(1).mean()
            ),
        ),
        Mistake("The entropy of q", lambda x, q, *theta: entropy(q).mean()),
    ),
)
