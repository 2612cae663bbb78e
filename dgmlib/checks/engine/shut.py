"""A notebook's process while an answer is called, as the sandbox is: what grading closes of dgmlib is closed here too.

Imports and the package's attributes are the sandbox's. What a student has bound before, wrapped or inherited, is found
by its code: every function made in a closed module refuses until the answer is done. They are found from their modules:
`gc` knows every object of the notebook, and looking through them takes five times as long as a check.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from types import CodeType, FunctionType

import dgmlib

from ..run.closed import STAND_IN, ClosedModule, Finder, is_closed, refuse

REFUSAL = """def made({free}):
    def refused(*arguments, **options):
        ({free})
        from dgmlib.checks.run.closed import refuse
        refuse()
    return refused"""


@contextmanager
def shut(names: Sequence[str]) -> Iterator[None]:
    """With the modules of dgmlib called `names` closed."""
    if not names:
        yield
        return
    with ExitStack() as back:
        back.callback(take_out, names)
        parts = made_in(names)
        for module in [module for module in sys.modules if is_closed(module, names)]:
            back.callback(sys.modules.__setitem__, module, sys.modules.pop(module))
        for name in names:
            back.callback(restore, name, vars(dgmlib).get(name))
            setattr(dgmlib, name, STAND_IN)
        for part in parts:
            if isinstance(part, FunctionType):
                back.callback(setattr, part, "__code__", part.__code__)
                part.__code__ = refusal(len(part.__code__.co_freevars))
            elif "__init__" not in vars(part):
                back.callback(delattr, part, "__init__")
                part.__init__ = refuse
        finder = Finder(names)
        sys.meta_path.insert(0, finder)
        back.callback(sys.meta_path.remove, finder)
        yield


def take_out(names: Sequence[str]):
    """The stand-ins that an answer imported, and no module has come back for."""
    for module in [module for module in sys.modules if is_closed(module, names)]:
        if isinstance(sys.modules[module], ClosedModule):
            del sys.modules[module]


def made_in(names: Sequence[str]) -> list[FunctionType | type]:
    """The functions, methods and classes of the modules of dgmlib called `names`, as far as they are imported."""
    modules = [vars(module) for name, module in list(sys.modules.items()) if is_closed(name, names)]
    waiting, parts = [value for module in modules for value in module.values()], {}
    while waiting:
        value = waiting.pop()
        if id(value) in parts:
            continue
        waiting += held(value)
        if isinstance(value, type | FunctionType) and lies_in(home(value), names):
            parts[id(value)] = value
            waiting += (*vars(value).values(), *value.__bases__) if isinstance(value, type) else ()
    return list(parts.values())


def held(value) -> list:
    """The functions inside a decorated one, a method or a property."""
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, cached_property):
        return [value.func]
    if isinstance(value, classmethod | staticmethod):
        return [value.__func__]
    return [value.__wrapped__] if "__wrapped__" in getattr(value, "__dict__", ()) else []


def home(value: FunctionType | type):
    """The name of the module whose code it is."""
    return vars(value).get("__module__") if isinstance(value, type) else value.__globals__.get("__name__")


def lies_in(module, names: Sequence[str]) -> bool:
    return isinstance(module, str) and is_closed(module, names)


def restore(name: str, module):
    if module is None:
        dgmlib.__dict__.pop(name, None)
    else:
        setattr(dgmlib, name, module)


@cache
def refusal(free: int) -> CodeType:
    """The code of a function that refuses, with as many free names as the one whose place it takes."""
    scope: dict = {}
    text = REFUSAL.format(free=", ".join(f"name{number}" for number in range(free)))
    exec(compile(text, "<dgmlib closed>", "exec"), scope)
    return scope["made"](*[None] * free).__code__
