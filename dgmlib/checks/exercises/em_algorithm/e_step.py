"""`e_step`: q = p(z|x)."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, shapes, single, stable, value
from ._mixture import SLIDE, e_step, far, hard_e_step, log_joint, mixture
from ._scores import WRONG_SCORES


def cases(rng):
    value_case = mixture(rng, 7, 3, 2)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": mixture(rng, 1, 4, 3),
        "one feature": mixture(rng, 5, 2, 1),
        "one component": mixture(rng, 4, 1, 2),
        "extreme": far(rng),
    }


def unnormalised(x, weights, means, covariances):
    return log_joint(x, weights, means, covariances).exp()


def with_joint(formula):
    """A wrong E-step: softmax over k of another score; `formula` takes (x, weights, means, covariances)."""
    return lambda *given: torch.softmax(formula(*given), dim=1)


MISTAKES = (
    Mistake("The weights come after the softmax, and the rows no longer sum to 1: log w_k is added before it.", lambda x, w, *rest: w * e_step(x, torch.ones_like(w), *rest)),
    *(Mistake(message, with_joint(score)) for message, score in WRONG_SCORES),
    Mistake("These are plain distances, neither squared nor measured by Sigma_k.", with_joint(lambda x, weights, means, covariances: weights.log() - torch.cdist(x, means) / 2)),
    Mistake("The score is halved, or the softmax has a temperature: p(z|x) is the softmax of log p(x, z = k) itself.", with_joint(lambda *given: log_joint(*given) / 2)),
    Mistake("The softmax runs over the points; each row, over the components, sums to 1.", lambda *given: torch.softmax(log_joint(*given), 0)),
    Mistake("These are joint densities; divide them by their sum over the components.", unnormalised),
    Mistake("The softmax is given densities; it takes their exponential itself, so give it logarithms.", lambda *given: torch.softmax(unnormalised(*given), 1)),
    Mistake("These are log-responsibilities; take exp.", lambda *given: torch.log_softmax(log_joint(*given), 1)),
    Mistake("The responsibilities stand transposed: (n, K) is wanted.", lambda *given: e_step(*given).T),
    Mistake("This is a hard assignment; q = p(z|x) is soft.", hard_e_step),
    Mistake("The values are right and cut off the graph: no detach, no no_grad.", lambda *given: e_step(*given).detach()),
    Mistake("The covariances are used as Cholesky factors (scale_tril).", with_joint(lambda x, w, mu, S: log_joint(x, w, mu, S.tril() @ S.tril().mT))),
    Mistake("All components share one covariance, the mean of theirs; each has its own.", with_joint(lambda x, w, mu, S: log_joint(x, w, mu, S.mean(0).expand_as(S)))),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide=SLIDE,
    call="x, weights:simplex, means, covariances:symmetric",
    returns="responsibilities",
    cases=cases,
    reference=e_step,
    laws=(
        value("value", "q_ik = w_k N(x_i; mu_k, Sigma_k) / sum over the components."),
        gradient(0.5),
        stable(0.5, ["extreme"], "Far from every mode all densities are 0.0: take the softmax of their logarithms."),
        shapes(0.125, ["one row", "one feature", "one component"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
