"""A switch of torch's that a student's cell turned costs no exercise, and stands as it stood after a check."""

import pytest
import torch

from dgmlib.checks import check
from dgmlib.checks.assignments import find
from dgmlib.checks.run.modes import switches

TURNED = {
    "grad": (lambda: torch.set_grad_enabled(False), lambda: torch.set_grad_enabled(True)),
    "device": (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)),
    "dtype": (lambda: torch.set_default_dtype(torch.float64), lambda: torch.set_default_dtype(torch.float32)),
    "deterministic": (
        lambda: torch.use_deterministic_algorithms(True),
        lambda: torch.use_deterministic_algorithms(False),
    ),
    "anomaly": (lambda: torch.autograd.set_detect_anomaly(True), lambda: torch.autograd.set_detect_anomaly(False)),
    "precision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        lambda: torch.set_float32_matmul_precision("highest"),
    ),
}
NAMES = ("batch_jacobian", "gaussian_kl", "ppca_log_prob", "m_step")


@pytest.fixture(params=TURNED)
def turn(request):
    on, off = TURNED[request.param]
    yield on
    off()


def state():
    return torch.is_grad_enabled(), *(now for now, _, _ in switches())


@pytest.mark.parametrize("name", NAMES)
def test_a_switch_in_a_cell_costs_nothing_and_stays(turn, name):
    turn()
    before = state()
    assert check(name, find(name).reference).state == "solved"
    assert state() == before


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_switch_inside_an_answer_ends_with_the_check(turn, name):
    before = state()

    def turning(*arguments):
        turn()
        return find(name).reference(*arguments)

    check(name, turning)
    assert state() == before


def test_inference_and_autocast_of_a_cell_end_at_the_check():
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert check("gaussian_kl", find("gaussian_kl").reference).state == "solved"
        assert torch.is_inference_mode_enabled()
