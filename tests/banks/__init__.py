"""Banks of answers: right ones written differently, and wrong ones with the law that must catch each.

`right("name")` and `wrong("name", law="...", says="...")` register the decorated answer; `says` is a part of the
message that names the mistake. A new answer is one decorated function or class in the assignment's module.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    exercise: str
    answer: Callable
    law: str = ""
    says: str = ""

    @property
    def label(self) -> str:
        return f"{self.exercise}-{self.answer.__name__}"


RIGHT: list[Entry] = []
WRONG: list[Entry] = []


def right(exercise: str):
    def register(answer):
        RIGHT.append(Entry(exercise, answer))
        return answer

    return register


def wrong(exercise: str, law: str, says: str = ""):
    def register(answer):
        WRONG.append(Entry(exercise, answer, law, says))
        return answer

    return register


from . import (  # noqa: E402
    elbo,  # noqa: F401
    elbo_fit,  # noqa: F401
    elbo_gap,  # noqa: F401
    elbo_importance,  # noqa: F401
    elbo_ppca,  # noqa: F401
    elbo_prior,  # noqa: F401
    em_algorithm,  # noqa: F401
    em_elbo,  # noqa: F401
    em_loop,  # noqa: F401
    em_m_step,  # noqa: F401
    em_ppca,  # noqa: F401
    em_ppca_mle,  # noqa: F401
    flows_layers,  # noqa: F401
    flows_recap,  # noqa: F401
    forward_reverse_kl,  # noqa: F401
    kl_duality,  # noqa: F401
    latent_estimates,  # noqa: F401
    latent_mixture,  # noqa: F401
    latent_posterior,  # noqa: F401
    latent_ppca,  # noqa: F401
    latent_samples,  # noqa: F401
    latent_variable_models,  # noqa: F401
)
