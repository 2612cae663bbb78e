"""EM's loop and what it asks of a model; it knows no model. The public door is `dgmlib.em`."""

from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor

from dgmlib._valid import require_count


class EMModel(Protocol):
    """What `em` asks of a model. For `num_starts` above 1 it also asks for `restart(x, generator)`: another start."""

    def e_step(self, x: Any, /) -> tuple[Any, Tensor]:
        """q = argmax_q L(q, θ) within the model's family, and L(q, θ), mean over samples, float64."""
        ...

    def m_step(self, x: Any, q: Any, /) -> Self:
        """The model at argmax_θ L(q, θ)."""
        ...


class EMResult(NamedTuple("EMResult", [("model", Any), ("history", Tensor)])):
    """The pair (model, history), which also knows whether EM `converged`: None where no `tol` was asked for."""

    converged: bool | None

    def __new__(cls, model: Any, history: Tensor, converged: bool | None = None) -> Self:
        result = super().__new__(cls, model, history)
        result.converged = converged
        return result


@torch.no_grad()
def em(
    model: EMModel,
    x: Any,
    num_iters: int = 100,
    tol: float | None = None,
    num_starts: int = 1,
    generator: torch.Generator | None = None,
) -> EMResult:
    """Alternate E-step and M-step; return the model after the last M-step, and the history of the bound.

    E: q = argmax_q L(q, θ);  M: θ = argmax_θ L(q, θ). history_t = L(q, θ) right after E-step t
    (float64, (T,)): it never falls.

    `num_iters` >= 1 iterations, fewer if `tol` is given and the bound gains less than `tol` nats a sample: then
    `.converged` of the result is True. With `num_starts` above 1 the best of that many is kept, by its last bound:
    the first from `model`, the others from `model.restart(x, generator)`; starts that fail are passed over.
    The loop never waits for the device; a `tol` does, once an iteration, and so may a model's own checks.
    Raises ValueError where no start has a finite bound. Source: Lecture 3, "EM-Algorithm".
    """
    require_count("num_iters", num_iters, remedy="without a step the model is your start")
    require_count("num_starts", num_starts, remedy="1 is from the model alone")
    if tol is not None and not tol >= 0:
        raise ValueError(f"tol: expected nats of at least 0, got {tol}; None runs all iterations.")
    if num_starts > 1 and not hasattr(model, "restart"):
        raise ValueError(
            f"num_starts: expected 1 for a {type(model).__name__}, which has no `restart`, got {num_starts}; "
            "give it restart(x, generator), which returns another start."
        )
    fits, troubles = [], []
    for i in range(num_starts):
        try:
            start = model.restart(x, generator) if i else model  # pyright: ignore[reportAttributeAccessIssue] - asked above
            fits.append(_ascend(start, x, num_iters, tol))
        except ValueError as error:
            troubles.append(error)
    if not fits:
        raise troubles[-1]
    return max(fits, key=lambda fit: fit.history[-1])


def _ascend(model: EMModel, x: Any, num_iters: int, tol: float | None) -> EMResult:
    """EM from one start."""
    history: list[Tensor] = []
    converged = None if tol is None else False
    while len(history) < num_iters and not converged:
        q, bound = model.e_step(x)
        model = model.m_step(x, q)
        del q  # as long as the data: not needed while the next one is made
        history.append(bound)
        if tol is not None and len(history) > 1:
            converged = bool(bound - history[-2] < tol)
    return EMResult(model, _require_finite(torch.stack(history)), converged)


def _require_finite(history: Tensor) -> Tensor:
    if not bool(history.isfinite().all()):
        t = int((~history.isfinite()).nonzero()[0])
        raise ValueError(
            f"history: expected finite bounds, got {float(history[t])} at iteration {t}; a component is "
            "empty or singular, or x is empty or not finite: use another start, or check x."
        )
    return history
