"""What counts as the same number."""

import pytest
import torch

from dgmlib.checks.engine import close

WANT = torch.tensor([-3.0, 1.0, 2.0, 4.0], dtype=torch.float64)
SAME = {
    "the same": WANT,
    "another order of operations": WANT * (1 + 1e-14),
    "a constant in float32": WANT + 2e-7,
    "all of it in float32, which another law says": WANT.float() / 3 * 3,
}
OTHER = {
    "float32 on the way": (WANT.float() / 7).double() * 7,
    "something added in a logarithm": (WANT.exp() + 1e-6).log(),
    "a constant that no float32 makes": WANT + 1e-5,
    "one entry": WANT + torch.tensor([0.0, 0.0, 0.0, 2e-7]),
    "nan": WANT * float("nan"),
    "another shape": WANT[:, None],
}


@pytest.mark.parametrize("got", SAME.values(), ids=SAME)
def test_close(got):
    assert close(WANT, got)


@pytest.mark.parametrize("got", OTHER.values(), ids=OTHER)
def test_not_close(got):
    assert not close(WANT, got)


def test_infinities_are_equal_by_sign():
    want = torch.tensor([float("inf"), 1.0], dtype=torch.float64)
    assert close(want, want.clone())
    assert not close(want, -want)
