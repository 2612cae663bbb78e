"""`e_step` and `hard_e_step`: q = p(z|x), and the best point mass."""

import torch
from torch.nn.functional import one_hot

from ..exercise import Exercise, Mistake, Seen
from ..inputs import normal, single
from ..laws import custom, form, gradient, shapes, stable, value
from .mixture import SLIDE, THETA, e_step, far, hard_e_step, log_joint, mixture, parameters


def e_step_cases(rng):
    value_case = mixture(rng, 7, 3, 2)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": mixture(rng, 1, 4, 3),
        "one feature": mixture(rng, 5, 2, 1),
        "one component": mixture(rng, 4, 1, 2),
        "extreme": far(rng),
    }


def hard_cases(rng):
    value_case = decided(mixture(rng, 240, 4, 2, spread=1.0, skew=0.7))
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": decided(mixture(rng, 12, 4, 3), 1),
        "one feature": decided(mixture(rng, 60, 2, 1)),
        "ties": twins(rng),
        "extreme": decided(mixture(rng, 30, 3, 2) | {"x": normal(rng, 30, 2, scale=400.0)}),
    }


def decided(given, n=None):
    """Only points whose best component leads by more than rounding can undo, `n` of them at most."""
    best = log_joint(**given).topk(2, dim=1).values
    return given | {"x": given["x"][best[:, 0] - best[:, 1] > 0.02][:n]}


def twins(rng):
    """Components 1 and 2 are the same and best: any of them may win, one of them must."""
    given = parameters(rng, 3, 2)
    given = {name: array[[0, 2, 2]] for name, array in given.items()}
    return given | {
        "weights": torch.tensor([0.2, 0.4, 0.4]).double(),
        "x": given["means"][1] + normal(rng, 5, 2, scale=0.1),
    }


NO_CLASSES = "A column for a component that wins nowhere is missing too: one_hot needs K as its second argument."


def one_winner(seen: Seen) -> str | None:
    """At a tie: zeros and a single one in each row, the one at a best component."""
    q, given = seen.outputs["ties"].get("one-hot q"), seen.inputs["ties"]
    K = len(given["weights"])
    if q is not None and q.ndim == 2 and q.shape[1] < K:
        return f"one-hot q: {q.shape[1]} columns for {K} components. {NO_CLASSES}"
    if q is None or q.shape != seen.expected["ties"]["one-hot q"].shape:
        return seen.error("ties") or "the shape at a tie is not (n, K)"
    q, scores = q.double(), log_joint(**given)
    if not bool(((q == 0) | (q == 1)).all() & (q.sum(1) == 1).all()):
        return "two components tie here, and a row holds not exactly a single 1: pick one of them (argmax does)"
    lost = scores.max(1).values - (q * scores).sum(1)
    return None if bool((lost < 1e-9).all()) else "at a tie of two components a third one was chosen"


def unnormalised(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances).exp()


def with_joint(formula):
    """A wrong E-step: softmax over k of another score; `formula` takes (x, weights, means, covariances)."""
    return lambda *given: torch.softmax(formula(*given), dim=1)


def no_weights(x, weights, means, covariances):
    return log_joint(x, torch.ones_like(weights), means, covariances)


def no_determinant(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances) + torch.linalg.slogdet(covariances).logabsdet / 2


def whole_determinant(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances) - torch.linalg.slogdet(covariances).logabsdet / 2


def raw_weights(x, weights, means, covariances):
    return no_weights(x, weights, means, covariances) + weights


def diagonal(x, weights, means, covariances):
    return log_joint(x, weights, means, torch.diag_embed(covariances.diagonal(dim1=-2, dim2=-1)))


def inverted(x, weights, means, covariances):
    return log_joint(x, weights, means, torch.linalg.inv(covariances))


def no_half(x, weights, means, covariances):
    return 2 * no_weights(x, weights, means, covariances) + weights.log()


def squared_distance(x, weights, means, covariances):
    return -torch.cdist(x, means).square() / 2


def identity_joint(x, weights, means, covariances):
    return weights.log() - torch.cdist(x, means).square() / 2


def first_covariance(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances[:1].expand_as(covariances))


def mahalanobis(x, weights, means, covariances):
    return no_determinant(x, torch.ones_like(weights), means, covariances)


def times_weights(x, weights, means, covariances):
    return weights * no_weights(x, weights, means, covariances)


WRONG_SCORES = (
    ("The weights are forgotten: score each component by log p(x, z = k) = log w_k + log N(x; mu_k, Sigma_k).", no_weights),
    ("The weights are added as they are; it is their logarithm.", raw_weights),
    ("log det Sigma_k is missing; it differs between components.", no_determinant),
    ("log det Sigma_k counts half.", whole_determinant),
    ("The ½ of the exponent and of log det Sigma_k is missing.", no_half),
    ("Only the diagonals of the covariances are used.", diagonal),
    ("Sigma_k stands where its inverse belongs (or the reverse).", inverted),
    ("This looks at the distance to the means alone (k-means); weights and covariances count too.", squared_distance),
    ("The covariances are forgotten.", identity_joint),
    ("Every component is scored with the first covariance; each has its own.", first_covariance),
    ("These are Mahalanobis distances alone; log w_k and -½ log det Sigma_k belong to the score.", mahalanobis),
    ("The weights multiply the log-densities; their logarithm is added to them.", times_weights),
)  # fmt: skip


def hard(formula):
    return lambda *given: one_hot(formula(*given).argmax(1), len(given[1])).to(given[0].dtype)


E_STEP_MISTAKES = (
    *(Mistake(message, with_joint(score)) for message, score in WRONG_SCORES),
    Mistake("The softmax runs over the points; each row, over the components, sums to 1.", lambda *given: torch.softmax(log_joint(*given), 0)),
    Mistake("These are joint densities; divide them by their sum over the components.", unnormalised),
    Mistake("The softmax is given densities; it takes their exponential itself, so give it logarithms.", lambda *given: torch.softmax(unnormalised(*given), 1)),
    Mistake("These are log-responsibilities; take exp.", lambda *given: torch.log_softmax(log_joint(*given), 1)),
    Mistake("The responsibilities stand transposed: (n, K) is wanted.", lambda *given: e_step(*given).T),
    Mistake("This is a hard assignment; q = p(z|x) is soft.", hard_e_step),
    Mistake("The values are right and cut off the graph: no detach, no no_grad.", lambda *given: e_step(*given).detach()),
)  # fmt: skip

HARD_MISTAKES = (
    *(Mistake(message, hard(score)) for message, score in WRONG_SCORES),
    Mistake(NO_CLASSES, lambda *given: one_hot(log_joint(*given).argmax(1)).to(given[0].dtype)),
    Mistake("q stands transposed: (n, K) is wanted.", lambda *given: hard_e_step(*given).T),
    Mistake("This picks the worst component: argmax, not argmin.", hard(lambda *given: -log_joint(*given))),
    Mistake("This is the soft E-step; q is restricted to point masses here.", e_step),
    Mistake("These are the indices; a one-hot row for each is wanted.", lambda *given: log_joint(*given).argmax(1)),
    Mistake("The argmax runs over the points; it runs over the components.", lambda *given: one_hot(log_joint(*given).argmax(0), len(given[0])).T.to(given[0].dtype)),
    Mistake("The responsibilities are rounded: where none exceeds ½, the row is all zeros. Take the argmax.", lambda *given: e_step(*given).round()),
)  # fmt: skip


EXERCISES = (
    Exercise(
        "e_step",
        3,
        SLIDE,
        cases=e_step_cases,
        reference=e_step,
        laws=(
            value("value", 1.5, ["responsibilities"], hint="q_ik = w_k N(x_i; mu_k, Sigma_k) / sum over the components."),
            gradient(0.5, ["x", *THETA]),
            stable(0.5, ["responsibilities"], ["extreme"], "Far from every mode all densities are 0.0: take the softmax of their logarithms."),
            shapes(0.125, ["responsibilities"], ["one row", "one feature", "one component"]),
            *form(["responsibilities"]),
        ),
        mistakes=E_STEP_MISTAKES,
    ),
    Exercise(
        "hard_e_step",
        1,
        SLIDE,
        cases=hard_cases,
        reference=hard_e_step,
        laws=(
            value("value", 0.375, ["one-hot q"], ["value", "one row", "one feature"], "1 at argmax_k log p(x, z = k), else 0."),
            custom("ties", 0.125, one_winner),
            stable(0.125, ["one-hot q"], ["extreme"], "Far from every mode all densities are 0.0: compare their logarithms."),
            *form(["one-hot q"]),
        ),
        mistakes=HARD_MISTAKES,
    ),
)  # fmt: skip
