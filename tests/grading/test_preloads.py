"""What torch imports late is imported before the fork for whoever will ask for it, and by the worker otherwise."""

from types import SimpleNamespace

import pytest

from grading.running import preloads
from grading.running.session import Session
from grading.running.worker import main as worker

LOADED = "import sys; print([name in sys.modules for name in ('torch._dynamo', 'sympy')])"


def steps(*sources):
    return [SimpleNamespace(name=f"cell {n}", source=source) for n, source in enumerate(sources)]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("J = torch.func.vmap(torch.func.jacrev(f))(x)", ("compiler",)),
        ("from torch.func import jacfwd", ("compiler",)),
        ("optimiser = torch.optim.AdamW([root])", ("compiler",)),
        ("torch.autograd.functional.jacobian(f, x, vectorize=True)", ("compiler",)),
        ("p = torch.distributions.MultivariateNormal(mean, cov)", ("shapes",)),
        ("p = MultivariateNormal(mean, cov); Adam([mean])", ("compiler", "shapes")),
        ("return torch.nn.functional.softplus(x), the_function(x)", ()),
        ("return (x - mu) / sigma", ()),
    ],
)
def test_what_code_will_ask_for(source, wanted):
    assert preloads.preloads(steps("x = 1", source)) == wanted


def test_the_set_up_cell_imports_more_than_is_used():
    assert preloads.preloads([SimpleNamespace(name="setup", source="from torch.optim import Adam")]) == ()


def test_the_worker_knows_every_name():
    assert worker.PRELOADS.keys() == preloads.WORDS.keys()


def test_it_is_imported_before_the_fork_only_where_asked_for(cage, bundle):
    """A server imports for the second worker what the first did not want."""
    fresh = type(cage)(cage.cold)
    try:
        for wanted, loaded in (((), [False, False]), (("shapes",), [False, True]), (("compiler",), [True, True])):
            with Session(lambda link, wanted=wanted: fresh.start(bundle, link, (), wanted), 1, 600) as session:
                assert session.cell("cell 0", LOADED)[1].strip() == str(loaded)
    finally:
        fresh.close()


HIDDEN = """
import torch
func = getattr(torch, "fu" + "nc")
jacobian = getattr(func, "v" + "map")(getattr(func, "jac" + "rev")(torch.sin))
print(jacobian(torch.zeros(2, 3)).shape)
"""


def test_the_worker_imports_what_nobody_saw(cage, bundle):
    fresh = type(cage)(cage.cold)
    try:
        with Session(lambda link: fresh.start(bundle, link), 1, 600) as session:
            error, printed = session.cell("cell 0", HIDDEN)
    finally:
        fresh.close()
    assert (error, printed.strip()) == ("", "torch.Size([2, 3, 3])")
