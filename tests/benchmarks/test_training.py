"""The training row: short runs of it learn, for every library."""

import pytest

from benchmarks import training


@pytest.mark.parametrize("name", training.MODELS)
def test_held_out_points_grow_likelier(name):
    assert training.held_out(name, seed=0, steps=25) < training.held_out(name, seed=0, steps=150) < -1
