"""The grader's fixtures, and how many attacks run: every third in the tests, all by `make attacks`."""

import pytest

from grading.running import session as sessions

from ..grading.conftest import bundle, cage, canaries, course, exposed, grade, hand_in, start

__all__ = ["bundle", "cage", "canaries", "course", "exposed", "grade", "hand_in", "start"]


def pytest_collection_modifyitems(config, items):
    if config.getoption("--attacks") == "all":
        return
    mine = [item for item in items if item.get_closest_marker("attack")]
    left_out = {id(item) for number, item in enumerate(mine) if number % 3}
    items[:] = [item for item in items if id(item) not in left_out]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Hanging attacks hang for less long."""
    monkeypatch.setattr(sessions, "CPU", 1.5)
