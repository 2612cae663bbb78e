"""The library as one namespace, and copies of it with a line changed (the planted bugs).

A test here takes `lib` with the real library as its default, so that the same law runs on a planted copy.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import patch

import dgmlib

MODULES = ["_valid", "kl", "bayes", "lvm.mixture", "lvm.ppca", "lvm.monte_carlo", "elbo", "em", "lvm.mixture_em"]


def _names(modules: list[ModuleType]) -> SimpleNamespace:
    public = {}
    for module in modules:
        public |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return SimpleNamespace(**public)


LIBRARY = _names([import_module(f"dgmlib.{name}") for name in MODULES])


def planted(changed: str, old: str, new: str) -> SimpleNamespace:
    """A fresh copy of all modules, where `old`, which occurs once in module `changed`, reads `new`."""
    fresh: dict[str, ModuleType] = {}
    with patch.dict(sys.modules):
        for name in MODULES:
            source = (Path(dgmlib.__file__).parent / f"{name.replace('.', '/')}.py").read_text()
            if name == changed:
                assert source.count(old) == 1, f"{changed}: {old!r} occurs {source.count(old)} times"
                source = source.replace(old, new)
            module = ModuleType(f"planted.{name}")
            sys.modules[module.__name__] = fresh[name] = module
            exec(compile(source.replace("from dgmlib.", "from planted."), f"planted {name}", "exec"), vars(module))
    return _names(list(fresh.values()))
