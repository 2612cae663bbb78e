"""`python -m benchmarks [WORD ...]`: every row, or those whose text holds one of the words."""

import importlib
import pkgutil
import platform
import sys
import warnings

import torch

import benchmarks
from benchmarks.timing import HEADER, measure, table_line


def main(words: list[str]) -> int:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")  # the peers' own
    print(f"torch {torch.__version__}, {platform.machine()}, one thread, medians\n\n{HEADER}")
    missed = 0
    for module in sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__)):
        rows = getattr(importlib.import_module(f"benchmarks.{module}"), "rows", None) if module != "__main__" else None
        for row in rows() if rows else ():
            if not words or any(word in row.work for word in words):
                measured = measure(row)
                missed += measured.met is False
                print(table_line(measured), flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
