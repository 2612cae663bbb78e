"""Torch's global switches. One that a cell turned decides nothing about another exercise: every call runs with them as
torch starts."""

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import Any

import torch


def switches() -> tuple[tuple[Any, Callable, Any], ...]:
    """Of each switch: what it is now, how it is set, and how torch starts."""
    return (
        (torch.get_default_device(), torch.set_default_device, torch.device("cpu")),
        (torch.get_default_dtype(), torch.set_default_dtype, torch.float32),
        (torch.are_deterministic_algorithms_enabled(), torch.use_deterministic_algorithms, False),
        (torch.get_float32_matmul_precision(), torch.set_float32_matmul_precision, "highest"),
        (torch.is_anomaly_enabled(), torch.autograd.set_detect_anomaly, False),
    )


@contextmanager
def defaults():
    """Torch's own switches inside; afterwards those that stood before."""
    before = switches()
    with ExitStack() as held:
        held.enter_context(torch.inference_mode(False))
        held.enter_context(torch.enable_grad())
        held.enter_context(torch.autocast("cpu", enabled=False))
        for now, turn, start in before:
            if now != start:
                turn(start)
        try:
            yield
        finally:
            for (was, turn, _), (now, _, _) in zip(before, switches(), strict=True):
                if now != was:
                    turn(was)
