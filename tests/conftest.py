"""Options and fixtures that every test may use."""

import pytest
import torch


def pytest_addoption(parser):
    parser.addoption("--device", default="cpu", help="where the library's laws run: cpu, cuda, ...")
    parser.addoption("--attacks", choices=("some", "all"), default="some", help="how much of the bank of attacks runs")
    parser.addoption("--seeds", type=int, default=1, help="secret seeds for each answer of the banks")


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="no GPU here"))


def pytest_configure():
    torch.set_num_threads(1)  # many small products: two threads wait for each other, far slower on busy cores


@pytest.fixture
def device(request) -> torch.device:
    return torch.device(request.config.getoption("--device"))


@pytest.fixture
def seeds(request) -> range:
    return range(1000, 1000 + request.config.getoption("--seeds"))


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
