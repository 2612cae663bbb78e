"""`hard_e_step`: the best point mass."""

import torch
from torch.nn.functional import one_hot

from ...engine import CaseResults, Exercise, Failure, Mistake, custom, interface_laws, normal, single, stable, value
from ._mixture import SLIDE, e_step, hard_e_step, log_joint, mixture, parameters
from ._scores import WRONG_SCORES


def cases(rng):
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


def one_winner(seen: CaseResults) -> Failure | str | None:
    """At a tie: zeros and a single one in each row, the one at a best component."""
    q, given = seen.outputs["ties"].get("one-hot q"), seen.inputs["ties"]
    K = len(given["weights"])
    if q is not None and q.ndim == 2 and q.shape[1] < K:
        return f"one-hot q: {q.shape[1]} columns for {K} components. {NO_CLASSES}"
    if q is None or q.shape != seen.expected["ties"]["one-hot q"].shape:
        return seen.raised("ties") or "the shape at a tie is not (n, K)"
    q, scores = q.double(), log_joint(**given)
    if not bool(((q == 0) | (q == 1)).all() & (q.sum(1) == 1).all()):
        return "two components tie here, and a row holds not exactly a single 1: pick one of them (argmax does)"
    lost = scores.max(1).values - (q * scores).sum(1)
    return None if bool((lost < 1e-9).all()) else "at a tie of two components a third one was chosen"


def hard(formula):
    return lambda *given: one_hot(formula(*given).argmax(1), len(given[1])).to(given[0].dtype)


MISTAKES = (
    Mistake("The softmax runs over the points before the argmax; the winner is that of log p(x, z = k) over the components.", lambda *given: one_hot(log_joint(*given).softmax(0).argmax(1), given[1].shape[0]).to(given[0].dtype)),
    Mistake("The winner keeps its responsibility; q is 1 there.", lambda *given: e_step(*given) * hard_e_step(*given)),
    *(Mistake(message, hard(score)) for message, score in WRONG_SCORES),
    Mistake(NO_CLASSES, lambda *given: one_hot(log_joint(*given).argmax(1)).to(given[0].dtype)),
    Mistake("q stands transposed: (n, K) is wanted.", lambda *given: hard_e_step(*given).T),
    Mistake("This picks the worst component: argmax, not argmin.", hard(lambda *given: -log_joint(*given))),
    Mistake("This is the soft E-step; q is restricted to point masses here.", e_step),
    Mistake("These are the indices; a one-hot row for each is wanted.", lambda *given: log_joint(*given).argmax(1)),
    Mistake("The argmax runs over the points; it runs over the components.", lambda *given: one_hot(log_joint(*given).argmax(0), len(given[0])).T.to(given[0].dtype)),
    Mistake("The responsibilities are rounded: where none exceeds ½, the row is all zeros. Take the argmax.", lambda *given: e_step(*given).round()),
    Mistake("Every point goes to the component with the largest weight; its distance to the means counts too.", lambda *given: one_hot(given[1].argmax().expand(len(given[0])), len(given[1])).to(given[0].dtype)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=1,
    slide=SLIDE,
    call="x, weights:simplex, means, covariances:symmetric",
    returns="one-hot q",
    cases=cases,
    reference=hard_e_step,
    laws=(
        value("value", "1 at argmax_k log p(x, z = k), else 0.", cases=["value", "one row", "one feature"]),
        custom("ties", 0.125, one_winner),
        stable(0.125, ["extreme"], "Far from every mode all densities are 0.0: compare their logarithms."),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
