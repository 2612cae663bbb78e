"""`python -m benchmarks [WORD ...]`: every row, or those whose text holds one of the words.

`python -m benchmarks growth` draws how the work grows with n, m and K.
"""

import importlib
import pkgutil
import platform
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import torch

import benchmarks
from benchmarks.timing import HEADER, Growth, measure, seconds, table_line


def main(words: list[str]) -> int:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")  # the peers' own
    if words == ["growth"]:
        draw([line for topic in topics() for line in getattr(topic, "growth", list)()])
        return 0
    print(f"torch {torch.__version__}, {platform.machine()}, one thread, medians\n\n{HEADER}")
    missed = 0
    for topic in topics():
        for row in topic.rows():
            if not words or any(word in row.work for word in words):
                measured = measure(row)
                missed += measured.met is False
                print(table_line(measured), flush=True)
    return missed


def topics() -> Iterator[ModuleType]:
    """The benchmark files: those with `rows`."""
    for name in sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if m.name != "__main__"):
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "rows"):
            yield module


def draw(lines: list[Growth]) -> None:
    """Time against size, both logarithmic, one panel for each of n, m, K; the best of seven runs."""
    axes = sorted({line.axis for line in lines})
    figure, panels = plt.subplots(1, len(axes), figsize=(4.5 * len(axes), 4), squeeze=False, layout="constrained")
    for axis, panel in zip(axes, panels[0], strict=True):
        for line in (line for line in lines if line.axis == axis):
            works = [line.at(size) for size in line.sizes]
            times = [min(seconds(work) for _ in range(7)) for work in works]
            panel.loglog(line.sizes, [1e3 * t for t in times], "o-", label=line.work)
        panel.set(xlabel=axis, ylabel="ms" if panel is panels[0, 0] else None)
        panel.legend(fontsize="x-small", frameon=False)
    path = Path(__file__).with_name("growth.png")
    figure.savefig(path, dpi=110)
    print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
