"""A notebook's process while an answer is called, as the sandbox is: what grading closes of dgmlib is closed here too.

Imports and the package's attributes are the sandbox's. What a student has bound before, wrapped or inherited, is found
by its code: every function made in a closed module refuses until the answer is done.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
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
        for module in [module for module in sys.modules if is_closed(module, names)]:
            back.callback(sys.modules.__setitem__, module, sys.modules.pop(module))
        for name in names:
            back.callback(restore, name, vars(dgmlib).get(name))
            setattr(dgmlib, name, STAND_IN)
        for found in gc.get_objects():
            if type(found) is FunctionType and lies_in(found.__globals__.get("__name__"), names):
                back.callback(setattr, found, "__code__", found.__code__)
                found.__code__ = refusal(len(found.__code__.co_freevars))
            elif inherits(found, names):
                back.callback(delattr, found, "__init__")
                found.__init__ = refuse
        finder = Finder(names)
        sys.meta_path.insert(0, finder)
        back.callback(sys.meta_path.remove, finder)
        yield


def take_out(names: Sequence[str]):
    """The stand-ins that an answer imported, and no module has come back for."""
    for module in [module for module in sys.modules if is_closed(module, names)]:
        if isinstance(sys.modules[module], ClosedModule):
            del sys.modules[module]


def inherits(found, names: Sequence[str]) -> bool:
    """Whether this is a class of a closed module that has its `__init__` from elsewhere."""
    if not issubclass(type(found), type) or "__init__" in vars(found):
        return False
    return lies_in(vars(found).get("__module__"), names)


def lies_in(module, names: Sequence[str]) -> bool:
    return isinstance(module, str) and is_closed(module, names)


def restore(name: str, module):
    if module is None:
        vars(dgmlib).pop(name, None)
    else:
        setattr(dgmlib, name, module)


@cache
def refusal(free: int) -> CodeType:
    """The code of a function that refuses, with as many free names as the one whose place it takes."""
    scope: dict = {}
    text = REFUSAL.format(free=", ".join(f"name{number}" for number in range(free)))
    exec(compile(text, "<dgmlib closed>", "exec"), scope)
    return scope["made"](*[None] * free).__code__
