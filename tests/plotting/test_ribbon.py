"""A ribbon of probability: other width, other height, the same area."""

import re

import pytest
import torch

from dgmlib import plotting
from tests.plotting import drawn


def numbers(ax) -> list[float]:
    return [float(n) for n in re.findall(r"\d+\.\d+", ax.get_title())]


@pytest.mark.parametrize("place", [-1.5, 0.0, 1.2])
def test_the_area_of_a_ribbon_stays(place):
    plotting.pushed_ribbon(lambda z: torch.asinh(4 * z) / 1.5, place)
    (width, height, area), (x_width, x_height, x_area, slope) = map(numbers, drawn().axes)
    normal = torch.distributions.Normal(0.0, 1.0)
    assert x_area == area
    assert area == pytest.approx(
        (normal.cdf(torch.tensor(place + 0.15)) - normal.cdf(torch.tensor(place - 0.15))).item(), abs=1e-3
    )
    assert width == pytest.approx(0.3)
    assert x_width * x_height == pytest.approx(width * height, abs=0.02)
    x = torch.asinh(torch.tensor(4 * place)) / 1.5
    assert slope == pytest.approx((0.375 * torch.cosh(1.5 * x)).item(), abs=0.006)


def test_limits_stay_when_the_ribbon_moves():
    limits = []
    for place in (-1.0, 1.0):
        plotting.pushed_ribbon(torch.sinh, place)
        limits.append([(ax.get_xlim(), ax.get_ylim()) for ax in drawn().axes])
    assert limits[0] == limits[1]


def test_a_falling_map_is_named():
    with pytest.raises(ValueError, match="increasing"):
        plotting.pushed_ribbon(lambda z: -z, 0.0)
