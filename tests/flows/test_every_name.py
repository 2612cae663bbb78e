"""Every public name of flows and networks on every odd input: the right answer, or a ValueError that says what to do.

The odd inputs are those of tests/lvm/test_every_name.py. A layer reads no values, so there a nan comes out where it
went in; a density says so.
"""

import re

import pytest
import torch
from torch.testing import assert_close

from dgmlib import flows
from dgmlib.nn import MADE, AffineConditioner, MaskedLinear
from tests.flows.table import TABLE, Triangular, events, make, weight
from tests.lvm.test_every_name import MEANT, SPOILT, answers

VALUES = {"one nan", "one inf", "all nan"}
LAYERS = [name for name in TABLE if name != "AffineCoupling"]  # its conditioner here is a user's, of one width
X, W = events(4, 3), weight(3)


def both(name):
    return lambda x: [make(name, 3).forward(x), make(name, 3).inverse(x)]


def flow(name):
    return flows.Flow(flows.StandardNormal(3), make(name, 3)).double()


# name: (call of one tensor, that tensor)
CALLS = {
    **{name: (both(name), X) for name in LAYERS},
    "LULinear of": (lambda weight: flows.LULinear(weight).forward(X.to(weight))[0], W),
    "QRLinear of": (lambda weight: flows.QRLinear(weight).inverse(X.to(weight))[0], W),
    "Permutation of": (lambda order: flows.Permutation(order).forward(X)[0], torch.tensor([2, 0, 1])),
    "autoregressive_forward": (lambda x: flows.autoregressive_forward(x, Triangular(3).double()), X),
    "autoregressive_inverse": (lambda z: flows.autoregressive_inverse(z, Triangular(3).double()), X),
    "AffineConditioner": (AffineConditioner(3, 2, (4,)).double(), X),
    "MADE": (MADE(3, (4,)).double(), X),
    "MaskedLinear": (MaskedLinear(torch.eye(3) > 0).double(), X),
    "batch_jacobian": (lambda x: flows.batch_jacobian(torch.sin, x), X),
    "StandardNormal.log_prob": (flows.StandardNormal(3).double().log_prob, X),
    **{f"Flow.log_prob of {name}": (lambda x, name=name: flow(name).log_prob(x), X) for name in LAYERS},
}
# A user's conditioner, of one width and dtype, says for itself what it cannot take.
OWN = ("Autoregressive", "Flow.log_prob of Autoregressive", "autoregressive_forward", "autoregressive_inverse")
USERS = {(name, what) for name in OWN for what in ("a column more", "a vector", "float32 alone")}


def answer_or_refusal(name: str, x):
    """The tensors that come out, or None where a ValueError says what was expected, what came and what to do."""
    message = "none"
    try:
        return [t.detach() for t in answers(CALLS[name][0](x))]
    except ValueError as error:
        message = str(error)
    assert re.match(r"(?s).+: expected .+, got .+[;:,] .+", message), message
    return None


def test_the_table_holds_every_public_name():
    held = " ".join(CALLS) + " change_of_variables_log_prob AffineCoupling Bijection Flow"  # what calls, or is, another
    assert [name for name in flows.__all__ if name not in held] == []


@pytest.mark.parametrize("name", CALLS)
def test_odd_input_is_answered_right_or_refused(name):
    x = CALLS[name][1]
    for what, spoil in SPOILT.items():
        if (name, what) in USERS or (what in VALUES and not x.is_floating_point()):
            continue
        odd = spoil(x)
        got = answer_or_refusal(name, odd)
        if got is None:
            continue
        if what not in VALUES:
            assert not any(t.isnan().any() for t in got), f"{what}: a silent nan"
        if what in MEANT and x.is_floating_point():
            right = answer_or_refusal(name, odd.double())
            assert_close([t.double() for t in got], right, rtol=1e-3, atol=1e-3, msg=lambda m, w=what: f"{w}: {m}")


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith("Flow.log_prob")])
def test_a_density_says_that_there_is_a_nan(name):
    x = X.clone()
    x[1, 2] = torch.nan
    assert answer_or_refusal(name, x) is None
