"""The device law names the line that makes a tensor on the CPU, and what to write there."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from dgmlib.checks import ASSIGNMENTS, check
from dgmlib.checks.assignments import find
from dgmlib.checks.run import split
from dgmlib.checks.run.device import OneDevice
from dgmlib.checks.run.record import Record, seeded

RIGHT = find("gaussian_kl").reference


def eye(mean_p, cov_p, mean_q, cov_q):
    one = torch.eye(len(mean_p), dtype=cov_p.dtype)
    return RIGHT(mean_p, cov_p, mean_q, one @ cov_q)


def other_dtype(mean_p, cov_p, mean_q, cov_q):
    one = torch.ones(len(mean_p))
    return RIGHT(mean_p * one, cov_p, mean_q, cov_q)


def whole(mean_p, cov_p, mean_q, cov_q):
    place = torch.arange(len(mean_p))
    return RIGHT(mean_p + 0 * place, cov_p, mean_q, cov_q)


def joined(mean_p, cov_p, mean_q, cov_q):
    longer = torch.cat([torch.zeros(1, dtype=mean_p.dtype), mean_p])
    return RIGHT(longer[1:], cov_p, mean_q, cov_q)


def by_numpy(mean_p, cov_p, mean_q, cov_q):
    size = np.size(mean_p.detach().numpy())
    return RIGHT(mean_p, cov_p, mean_q, cov_q) + size - len(mean_p)


NOISE = torch.ones(4, dtype=torch.float64)


def from_elsewhere(mean_p, cov_p, mean_q, cov_q):
    return RIGHT(mean_p * NOISE[: len(mean_p)].to(mean_p.dtype), cov_p, mean_q, cov_q)


MADE, WRITE = "makes a tensor on the CPU", "device=mean_p.device)"
SAYS = {
    eye: f"`one = torch.eye(len(mean_p), dtype=cov_p.dtype)` {MADE}; write torch.eye(..., {WRITE}",
    other_dtype: f"`one = torch.ones(len(mean_p))` {MADE}; write torch.ones(..., dtype=mean_p.dtype, {WRITE}",
    whole: f"`place = torch.arange(len(mean_p))` {MADE}; write torch.arange(..., {WRITE}",
    joined: f"dtype=mean_p.dtype), mean_p])` {MADE}; write torch.zeros(..., {WRITE}",
    by_numpy: "numpy takes no tensor of a GPU (at `size = np.size(mean_p.detach().numpy())`); stay in torch",
    from_elsewhere: "NOISE[: len(mean_p)]",
}


@pytest.mark.parametrize("answer", SAYS, ids=lambda answer: answer.__name__)
def test_the_line_and_its_cure_are_named(answer):
    message = next(law.message for law in check("gaussian_kl", answer).laws if law.law == "device")
    assert message.startswith("this would fail on a GPU: ")
    assert SAYS[answer] in message


def test_a_number_of_the_cpu_is_right_anywhere():
    two = torch.tensor(2.0)
    assert check("gaussian_kl", lambda a, b, c, d: two * RIGHT(a, b, c, d) / two).state == "solved"


GRADED = [e.name for a in ASSIGNMENTS.values() for e in a.exercises.values() if not e.written]
MADE_FROM_A_LIST = {"shape of W"}  # torch.tensor(..., device="meta"): no operation sees its numbers


@pytest.mark.parametrize("name", GRADED)
def test_the_numbers_on_the_second_device_are_the_cpus(name):
    """An answer that looks at its numbers, a loop that waits for them, goes the same way there."""
    exercise = find(name)
    inputs = exercise.inputs(np.random.default_rng(5))
    case, arrays = next(iter(split(inputs).items()))
    want = {key: value for key, value in split(exercise.expected(inputs))[case].items() if not key.startswith("grad.")}
    record, watch = Record(), OneDevice()
    given = {key: watch.twins.on_meta(value.clone()) for key, value in arrays.items()}
    with seeded(arrays), watch:
        exercise.invocation.call(exercise.reference, given, record)
    for key in want.keys() - MADE_FROM_A_LIST - {"random"}:
        got = watch.twins.on_cpu(record[key]) if record[key].is_meta else record[key]
        torch.testing.assert_close(got.detach(), want[key])


def views_and_places(x):
    """What pairs of tensors could get wrong: views written through, in-place changes of shape and value, detach."""
    y = x.clone()
    y[:, 0] = y[:, 1].exp()
    y.T[1].add_(1.0)
    z = y.detach().clone().unsqueeze_(0).squeeze_(0)
    z.t_()
    z[z > 0.5] *= 2
    rows, columns = (z > 1).nonzero(as_tuple=True)
    total = z[rows, columns].sum() + float(z.sum()) + sum(z[0].tolist())
    flat = x.new_zeros(6).index_add(0, torch.arange(6, device=x.device), y.reshape(-1)[:6])
    return total, flat.cumsum(0), torch.where(y > 0, y, y.neg()).mT, torch.linalg.qr(y).R, y.sort(0).values


def test_views_and_changes_in_place_go_through_to_the_numbers():
    x, watch = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)), OneDevice()
    given = watch.twins.on_meta(x.clone())
    with watch:
        got = views_and_places(given)
    assert all(value.is_meta for value in got)
    for value, want in zip(got, views_and_places(x.clone()), strict=True):
        torch.testing.assert_close(watch.twins.on_cpu(value), want)


def test_gradients_go_through_to_the_numbers():
    x, watch = torch.randn(4, 3, dtype=torch.float64), OneDevice()

    def slope(leaf):
        leaf = leaf.requires_grad_()
        y = leaf * 1.0
        y[:, 0] = leaf[:, 1].tanh().detach() * leaf[:, 2]
        return torch.autograd.grad((y.softmax(1).square().sum(1) ** 0.5).exp().sum(), leaf)[0]

    given = watch.twins.on_meta(x.clone())
    with watch:
        got = slope(given)
    torch.testing.assert_close(watch.twins.on_cpu(got), slope(x.clone()))


def test_nothing_is_compiled_for_it():
    """torch's compiler takes a second to import, in every worker."""
    code = """
import sys, numpy as np
from dgmlib.checks import evaluate
from dgmlib.checks.assignments import find
from dgmlib.checks.run import split
from dgmlib.checks.run.device import OneDevice
from dgmlib.checks.run.record import Record, seeded
for name in ("kl_to_standard_normal", "e_step", "ppca_posterior", "forward_kl_loss", "LULinear"):
    exercise = find(name)
    assert all(law.passed or law.law in exercise.reference_breaks for law in evaluate(exercise, exercise.reference, 1))
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
