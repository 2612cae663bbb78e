"""`pooled_estimate`: batch estimates of log p(x), put together so that the result is that of one large batch."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..engine.puzzle import Puzzle

EASY, FAR = torch.tensor([[0.0, -2.0], [math.log(3), -2.0]]), torch.tensor([[-2000.0, 900.0], [-1990.0, 901.0]])


def pooled(batches: Tensor) -> Tensor:
    return torch.logsumexp(batches, dim=0) - math.log(len(batches))


def value(answer: Callable[[Tensor], Tensor]) -> str | None:
    if not callable(answer):
        return "expected a function of the batch estimates; pass `pooled_estimate`, without calling it"
    got = answer(EASY.clone())
    right = pooled(EASY)
    if not isinstance(got, Tensor) or got.shape != right.shape:
        return f"expected one number for each event, {tuple(right.shape)}, got {described(got)}"
    if close(got, right):
        return None
    for mistake, said in ((EASY.mean(dim=0), MEAN_OF_LOGS), (torch.logsumexp(EASY, dim=0), SUM)):
        if close(got, mistake):
            return said
    return f"batches {EASY[:, 0].tolist()} of one event: expected {right[0]:.4g}, got {got[0]:.4g}"


MEAN_OF_LOGS = "this is the mean of the logs again: by Jensen's inequality too low, however many batches there are"
SUM = "this is the log of the sum of the batches; the estimate is the log of their mean"


def far(answer: Callable[[Tensor], Tensor]) -> str | None:
    got, right = answer(FAR.clone()), pooled(FAR)
    return None if close(got, right) else f"at estimates near -2000 and 900: expected {right[0]:.6g}, got {got[0]:.6g}"


def close(got: Tensor, right: Tensor) -> bool:
    return torch.allclose(got.to(right.dtype), right, rtol=1e-5, atol=1e-5)


def described(got: object) -> str:
    return str(tuple(got.shape)) if isinstance(got, Tensor) else type(got).__name__


PUZZLE = Puzzle(__name__, {"value": value, "stability": far})
