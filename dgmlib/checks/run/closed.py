"""The parts of dgmlib that answers must not call, and what stands in their place.

The sandbox holds none of them, and in a notebook they are closed while a check calls an answer. There they can be
imported, named, subclassed and annotated with, as an honest cell does; a call raises `ClosedInGrading`.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pkgutil import iter_modules
from types import ModuleType

from torch import nn

ALWAYS_OPEN = ("_module_list", "_valid", "checks", "data", "guesses", "plotting")


class ClosedInGrading(RuntimeError):
    """An answer called a part of dgmlib that grading closes."""

    __module__ = "builtins"  # as a traceback names it, without a path

    def __init__(self):
        super().__init__("this part of dgmlib is closed while grading: write it yourself")


def refuse(*arguments, **options):
    raise ClosedInGrading


class Base(nn.Module):
    """In the place of a class that a student's inherits from."""

    __init__ = refuse


class StandIn:
    """In the place of a class or a function."""

    __call__ = refuse

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __mro_entries__(self, bases):
        return (Base,)

    def __instancecheck__(self, instance):
        return False

    def itself(self, other):
        return self

    __getitem__ = __or__ = __ror__ = itself


STAND_IN = StandIn()


class ClosedModule(ModuleType):
    """Whatever is asked of it is the stand-in."""

    __path__: list[str] = []  # noqa: RUF012 (a module's, as Python wants it)

    def __getattr__(self, name: str):
        return getattr(STAND_IN, name)


class Finder(Loader):
    """Of `sys.meta_path`: gives a `ClosedModule` for each of the modules of dgmlib called `names`, and all in them."""

    def __init__(self, names: Sequence[str]):
        self.names = names

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if is_closed(fullname, self.names) else None

    def create_module(self, spec: ModuleSpec) -> ClosedModule:
        return ClosedModule(spec.name)

    def exec_module(self, module: ModuleType):
        pass


def closed(open_modules: Sequence[str], library: Sequence[str]) -> tuple[str, ...]:
    """Of the modules in the folders of dgmlib those that neither all assignments nor this one leaves open. Raises
    ValueError."""
    modules = sorted(found.name for found in iter_modules(library))
    if unknown := sorted(set(open_modules) - set(modules)):
        raise ValueError(f"open_modules: dgmlib has no module {unknown[0]!r}; there are {', '.join(modules)}")
    return tuple(name for name in modules if name not in (*ALWAYS_OPEN, *open_modules))


def is_closed(module: str, names: Sequence[str]) -> bool:
    package, _, rest = module.partition(".")
    return package == "dgmlib" and rest.partition(".")[0] in names


def close(library: ModuleType, names: Sequence[str]):
    """For good, where they are not installed anyway."""
    sys.meta_path.append(Finder(names))
    for name in names:
        setattr(library, name, STAND_IN)
