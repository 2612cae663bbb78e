"""Random flows, bases and targets, and the reductions that every loss gets wrong in the same way."""

import torch

from ...engine import Mistake, normal, regular, rotation, single

EXTREME = "Densities leave the range of floats here: stay in log space, without exp and log in between."


def flow(rng, name: str, n: int, m: int, log_z: float = 0.0) -> dict:
    """Inputs of one call: points called `name`, the flow's parameters, the base's, the target's."""
    return {
        name: normal(rng, n, m),
        "W": regular(rng, m),
        "b": normal(rng, m),
        "location": normal(rng, m),
        "log_scale": normal(rng, m, scale=0.4, shift=0.4),
        "centres": normal(rng, 3, m, scale=2.0),
        "log_weights": normal(rng, 3, shift=log_z),
    }


def flow_cases(name: str, log_z: float):
    """The cases of one exercise. A loss has one sign in "value" and the other in "unnormalised", whose target is
    larger by exp(`log_z`): an answer that clamps the loss or takes its absolute value shows. In "extreme" the flow's
    determinant overflows and the target's density underflows, each on its own."""

    def make(rng):
        value_case = flow(rng, name, 6, 3, -log_z / 2)
        wide = flow(rng, name, 4, 120, -1500.0)
        return {
            "value": value_case,
            "unnormalised": flow(rng, name, 5, 2, log_z),
            "float32": single(value_case),
            "one row": flow(rng, name, 1, 3),
            "one feature": flow(rng, name, 5, 1),
            "extreme": single(wide | {"W": 3e-3 * rotation(rng, 120)}),
        }

    return make


def reductions(terms, sign: str) -> tuple[Mistake, ...]:
    """What goes wrong between the terms of a loss, (n,), and its mean."""
    return (
        Mistake("This is the sum over the samples; the expectation is their mean.", lambda *a: terms(*a).sum()),
        Mistake("One number a sample came back; a loss is their mean.", lambda *a: terms(*a)),
        Mistake(sign, lambda *a: -terms(*a).mean()),
        Mistake(
            "This divides by the number of features as well: a log density is no mean over features.",
            lambda *a: terms(*a).mean() / a[1].shape[1],
        ),
        Mistake(
            "This is the logarithm of a mean of densities; the formula wants the mean of logarithms.",
            lambda *a: torch.logsumexp(terms(*a), 0) - terms(*a).new_tensor(len(a[1])).log(),
        ),
        Mistake(
            "This is the logarithm of a mean of densities; the formula wants the mean of logarithms.",
            lambda *a: terms(*a).new_tensor(len(a[1])).log() - torch.logsumexp(-terms(*a), 0),
        ),
        Mistake(
            "The value is right, but the graph was cut: training by it would change nothing.",
            lambda *a: terms(*a).mean().detach(),
        ),
    )
