"""What one case gave: named tensors and the exceptions on the way."""

import linecache
import random
import traceback
import warnings
import zlib
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from .modes import defaults

LONGEST_TEXT = 1000
KEPT_RNG_DEVICES: list[int] = []


def text(value: str) -> Tensor:
    """A string as a uint8 tensor."""
    return torch.tensor(list(value.encode()[:LONGEST_TEXT]), dtype=torch.uint8)


def untext(value: Tensor) -> str:
    """The string in a uint8 tensor with one axis. Raises ValueError for any other tensor."""
    if value.dtype != torch.uint8 or value.ndim != 1:
        raise ValueError(f"a text as {value.dtype} of shape {tuple(value.shape)}")
    return bytes(value[:LONGEST_TEXT].tolist()).decode(errors="replace")


class Record(dict):
    """Outputs by name. `returned` takes what the answer gave apart and says what is wrong with its form."""

    def text(self, key: str, value: str) -> Tensor:
        self[key] = text(value)
        return self[key]

    @contextmanager
    def section(self, name: str):
        """Run a part of the call; an exception ends this part alone and is kept as `error.<name>`."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.text(f"error.{name}", describe(error))

    def returned(self, result, *names: str):
        """Keep `result` under `names`: one tensor, or a tuple of as many tensors."""
        values = (result,) if len(names) == 1 and not isinstance(result, tuple | list) else result
        if not isinstance(values, tuple | list) or len(values) != len(names):
            raise TypeError(f"expected {form(names)}, got {kind(result)}")
        for name, value in zip(names, values, strict=True):
            if not isinstance(value, Tensor):
                raise TypeError(f"expected a tensor for {name}, got {kind(value)}")
            if value.layout != torch.strided or value.is_nested or value.is_quantized:
                raise TypeError(f"expected an ordinary tensor for {name}, got a {unusual(value)} one")
            if value.is_complex():
                raise TypeError(f"expected real numbers for {name}, got {value.dtype}")
            self[name] = value

    def projection(self) -> Tensor | None:
        """A fixed linear function of all differentiable outputs; None where there is none."""
        terms = [(value * weights_like(value)).sum() for value in self.values() if value.requires_grad]
        return torch.stack([term.to(torch.float64) for term in terms]).sum() if terms else None

    def plain(self) -> dict[str, Tensor]:
        return {name: value.detach() for name, value in self.items()}


def weights_like(value: Tensor) -> Tensor:
    """Fixed weights without a pattern that an answer could cancel."""
    count = torch.arange(value.numel(), dtype=value.dtype, device=value.device)
    return torch.cos(1.0 + 1.7 * count).reshape(value.shape)


def form(names) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} values ({', '.join(names)})"


def kind(value) -> str:
    if value is None:
        return "None (is the return missing?)"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def unusual(value: Tensor) -> str:
    if value.is_nested or value.is_quantized:
        return "nested" if value.is_nested else "quantised"
    return str(value.layout).removeprefix("torch.")


def describe(error: BaseException) -> str:
    """`Type: message`, and the student's own line where it happened."""
    try:
        message = " ".join(str(error).split())[:300]
    except KeyboardInterrupt:
        raise
    except BaseException:
        message = ""
    line = student_line(error)
    if isinstance(error, RuntimeError) and ("same dtype" in message or "expected scalar type" in message):
        message += "; the check tries float64 and float32: make a new tensor from an input, such as torch.zeros_like(x)"
    return f"{type(error).__name__}: {message}" + (f" (at `{line[:120]}`)" if line else "")


OURS = ("site-packages", "dist-packages", "dgmlib", "<frozen", "/lib/python")


def student_line(error: BaseException) -> str:
    """The last line of the traceback that is neither a library's nor ours."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return theirs(reversed(frames))


def line_at_work() -> str:
    """The innermost line now running that is neither a library's nor ours."""
    return theirs(traceback.walk_stack(None))


def theirs(frames) -> str:
    for frame, line in frames:
        file = frame.f_code.co_filename
        if not any(part in file for part in OURS):
            return linecache.getline(file, line).strip()
    return ""


def generators() -> tuple:
    """The states of all random number generators."""
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    return (
        random.getstate(),
        state["key"].tobytes(),
        state["pos"],
        torch.default_generator.get_state().numpy().tobytes(),
    )


@contextmanager
def seeded(arrays: dict[str, Tensor]):
    """Every random number generator set by the inputs, every switch of torch's as it starts, and both put back
    afterwards; a warning is no error here. Gives a function that tells whether a random number was drawn since."""
    first = next(iter(arrays.values()))
    seed = zlib.crc32(first.detach().cpu().contiguous().numpy().tobytes()) if first.numel() else 0
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 (a student may use it)
    with defaults(), torch.random.fork_rng(devices=KEPT_RNG_DEVICES), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(
            seed
        )  # torch.manual_seed notes three tracebacks for GPUs that are not there
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        start = generators()
        try:
            yield lambda: generators() != start
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
