"""Planted bugs: the library with one line changed, and the named test that must notice.

A table is `tests/planted/<topic>.py`: a list of `Bug`, and one test that runs `caught(bug)` for each. A bug's
`by` is what must fail: `law(...)` or `test(...)` below names a function of the test-suite and its arguments.

    Bug("log_det has the wrong sign", "dgmlib.flows.coupling", "-log_sigma.sum(-1)", "log_sigma.sum(-1)",
        by=test("tests.flows.test_oracles", "test_coupling_is_a_special_autoregressive_flow", split=2))

The mechanism: inside `planted`, dgmlib and the tests are imported afresh, one module from a changed source.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location

import pytest
from torch.autograd.gradcheck import GradcheckError


@dataclass(frozen=True)
class Bug:
    what: str
    module: str  # "dgmlib.flows.linear"
    right: str  # the text in its source, found exactly once
    wrong: str  # what replaces it
    by: Callable[[], None]


def test(module: str, function: str, **arguments) -> Callable[[], None]:
    """The test function of that name, with these arguments, imported only when it is run."""
    return lambda: getattr(importlib.import_module(module), function)(**arguments)


test.__test__ = False  # a helper, whatever its name


def caught(bug: Bug) -> None:
    """The named test passes on the library as it is, and fails with the bug planted."""
    with planted(bug.module, "", ""):
        bug.by()
    with planted(bug.module, bug.right, bug.wrong), pytest.raises((AssertionError, GradcheckError)):
        bug.by()


@contextmanager
def planted(module: str, right: str, wrong: str) -> Iterator[None]:
    """Fresh imports of dgmlib and the tests, with `right` replaced by `wrong` in one module's source."""
    saved = {name: sys.modules.pop(name) for name in list(sys.modules) if is_fresh(name)}
    finder = Finder(module, right, wrong)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if is_fresh(name)]:
            del sys.modules[name]
        sys.modules.update(saved)


def is_fresh(name: str) -> bool:
    return name.split(".")[0] in ("dgmlib", "tests") and not name.startswith("tests.planted") and name != "tests"


class Finder:
    """Finds one module, and hands its source over changed."""

    def __init__(self, module: str, right: str, wrong: str):
        self.module, self.right, self.wrong = module, right, wrong

    def find_spec(self, name, path=None, target=None):
        if name != self.module or not self.right:
            return None
        origin = PathFinder.find_spec(name, path).origin
        packages = [origin.removesuffix("__init__.py")] if origin.endswith("__init__.py") else None
        loader = Changed(name, origin, self.right, self.wrong)
        return spec_from_file_location(name, origin, loader=loader, submodule_search_locations=packages)


class Changed(SourceFileLoader):
    def __init__(self, name: str, path: str, right: str, wrong: str):
        super().__init__(name, path)
        self.right, self.wrong = right, wrong

    def get_code(self, fullname):
        """The changed source compiled, past every cache of bytecode."""
        source = self.get_data(self.path).decode()
        if source.count(self.right) != 1:
            raise ValueError(
                f"{fullname}: expected {self.right!r} once, got {source.count(self.right)}; mend the table"
            )
        return self.source_to_code(source.replace(self.right, self.wrong), self.path)
