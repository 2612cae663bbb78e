"""The device law names the line that makes a tensor on the CPU, and what to write there."""

import numpy as np
import pytest
import torch

from dgmlib.checks import check
from dgmlib.checks.assignments import find

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
