"""What torch imports only once it is asked for, and takes a second for: a submission's code shows whether it will ask.

The fork server then imports it before it forks. One that is not foreseen is imported by the worker, more slowly."""

import re
from collections.abc import Iterable

WORDS = {
    "compiler": re.compile(
        r"\b(func|functorch|vmap|jac\w*|hess\w*|vectorize|compile|export|\w*Adam\w*|SGD|RMSprop|LBFGS)\b"
    ),
    "shapes": re.compile(r"\b(\w*MultivariateNormal|MixtureSameFamily|Dirichlet|broadcast_shapes|distributions)\b"),
}


def preloads(steps: Iterable) -> tuple[str, ...]:
    """The names in `worker.main.PRELOADS` of what these steps will use; the set-up cell imports more than is used."""
    code = "\n".join(step.source for step in steps if step.name != "setup")
    return tuple(name for name, words in WORDS.items() if words.search(code))
