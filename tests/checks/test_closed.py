"""What grading closes of dgmlib is closed in a notebook's check too, however an answer got hold of it."""

import functools
import gc
import importlib
import subprocess
import sys
from types import FunctionType

import pytest
import torch
from torch import nn

import dgmlib
from dgmlib import data, flows, kl
from dgmlib.checks import ASSIGNMENTS, check
from dgmlib.checks.engine.shut import home, made_in, shut

NAMES = ASSIGNMENTS["00_flows_recap"].closed
SAID = "ClosedInGrading: this part of dgmlib is closed while grading: write it yourself"


class Inherited(flows.AffineCoupling):
    pass


class Wrapped(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.inner = flows.AffineCoupling(conditioner, split)

    def forward(self, x):
        return self.inner.forward(x)

    def inverse(self, z):
        return self.inner.inverse(z)


class Borrowed(nn.Module):
    """Of the library its methods alone."""

    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    forward, inverse = flows.AffineCoupling.forward, flows.AffineCoupling.inverse


class Bound:
    """An attribute that is called."""

    loss = staticmethod(kl.reverse_kl_loss)

    def __call__(self, flow, z, target_log_prob):
        return self.loss(flow, z, target_log_prob)


def imported(flow, z, target_log_prob):
    from dgmlib.kl import reverse_kl_loss

    return reverse_kl_loss(flow, z, target_log_prob)


def by_name(flow, z, target_log_prob):
    return importlib.import_module("dgmlib.kl").reverse_kl_loss(flow, z, target_log_prob)


def attribute(flow, z, target_log_prob):
    return dgmlib.kl.reverse_kl_loss(flow, z, target_log_prob)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("AffineCoupling", flows.AffineCoupling),
        ("AffineCoupling", Inherited),
        ("AffineCoupling", Wrapped),
        ("AffineCoupling", Borrowed),
        ("reverse_kl_loss", kl.reverse_kl_loss),
        ("reverse_kl_loss", functools.partial(kl.reverse_kl_loss)),
        ("reverse_kl_loss", functools.lru_cache(kl.reverse_kl_loss)),
        ("reverse_kl_loss", torch.enable_grad()(kl.reverse_kl_loss)),
        ("reverse_kl_loss", Bound()),
        ("reverse_kl_loss", lambda flow, z, target: kl.reverse_kl_loss(flow, z, target)),
        ("reverse_kl_loss", imported),
        ("reverse_kl_loss", by_name),
        ("reverse_kl_loss", attribute),
    ],
)
def test_the_librarys_own_is_red_with_the_reason(name, answer):
    card = check(name, answer)
    assert card.state == "wrong"
    assert SAID in repr(card)


def annotated(flow: flows.Flow, z, target_log_prob):
    x, log_det = flow.inverse(z)
    assert not isinstance(flow, flows.Flow)
    assert data.moons(2).shape == (2, 2)
    return (flow.base.log_prob(z) - log_det - target_log_prob(x)).mean()


def test_naming_it_costs_nothing():
    assert check("reverse_kl_loss", annotated).state == "solved"


def test_all_is_open_again_afterwards():
    before = {name for name in sys.modules if name.startswith("dgmlib.")}
    check("AffineCoupling", Wrapped)
    check("reverse_kl_loss", imported)
    assert {name for name in sys.modules if name.startswith("dgmlib.")} == before
    assert sys.modules["dgmlib.kl"] is dgmlib.kl is kl
    layer = Inherited(lambda x1: (x1, x1), 1)
    x = torch.ones(2, 2)
    torch.testing.assert_close(layer.inverse(layer.forward(x)[0])[0], x)


def test_it_is_open_again_where_an_answer_breaks_all():
    with pytest.raises(KeyboardInterrupt), shut(NAMES):
        raise KeyboardInterrupt
    assert flows.LULinear(torch.eye(2)).forward(torch.ones(1, 2))[0].shape == (1, 2)


def test_every_function_and_class_of_the_closed_modules_is_found():
    """`gc` knows them all, those in a decorated one and in a property too."""
    for name in NAMES:
        importlib.import_module(f"dgmlib.{name}")
    modules = {name: module for name, module in sys.modules.items() if name.startswith("dgmlib.")}
    theirs = {name for name in modules if name.split(".")[1] in NAMES}
    known = {id(part) for part in made_in(NAMES)}
    functions = [f for f in gc.get_objects() if type(f) is FunctionType and home(f) in theirs]
    current = [f for f in functions if f.__globals__ is vars(modules[home(f)]) and "<locals>" not in f.__qualname__]
    classes = [c for c in gc.get_objects() if type(c) is type and home(c) in theirs]
    assert len(current) > 100
    assert len(classes) > 20
    missed = [part.__qualname__ for part in [*current, *classes] if id(part) not in known]
    assert missed == []


def test_closed_are_the_parts_that_no_notebook_needs():
    assert {"bayes", "elbo", "em", "flows", "kl", "lvm", "nn"} < set(NAMES)
    assert not {"checks", "data", "guesses", "plotting", "_valid"} & set(NAMES)


class Odd(BaseException):
    pass


def odd(*given):
    raise Odd("no Exception")


class Everything:
    """Returned: every attribute of it ends the program."""

    def __getattr__(self, name):
        raise SystemExit(name)


@pytest.mark.parametrize(
    "answer", [odd, lambda *given: Everything(), lambda *given: (_ for _ in ()).throw(GeneratorExit)]
)
def test_whatever_an_answer_raises_or_returns_is_a_red_card(answer):
    assert check("gaussian_kl", answer).state == "wrong"


@pytest.mark.parametrize("name", [[], {}, None, slice(1), torch.ones(2), kl.reverse_kl_loss])
def test_what_is_no_name_gets_a_card(name):
    assert "no exercise has this name" in repr(check(name, odd))


UNUSUAL = {
    "quantised": lambda *given: torch.quantize_per_tensor(torch.ones(()), 0.1, 0, torch.qint8),
    "nested": lambda *given: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "sparse_coo": lambda *given: torch.ones(2).to_sparse(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", UNUSUAL)
def test_a_tensor_of_another_kind_is_red_and_named(kind):
    card = check("gaussian_kl", UNUSUAL[kind])
    assert card.state == "wrong"
    assert f"expected an ordinary tensor for kl, got a {kind} one" in repr(card)


SCRIPT = """
from dgmlib.checks import check
check("flow_log_prob", lambda layers, x: x)
check("no such exercise")
"""


def test_a_script_prints_its_cards():
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, check=True, env={"PYTHONIOENCODING": "ascii"}
    )
    assert ran.stdout.startswith(b"? flow_log_prob: ")
    assert b"no exercise has this name" in ran.stdout
