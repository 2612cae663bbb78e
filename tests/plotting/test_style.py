"""What all figures share: one palette for components, one ellipse, and numbers that can be drawn."""

import matplotlib.pyplot as plt
import pytest
import torch

from dgmlib import plotting
from dgmlib.plotting.plane import ellipse
from dgmlib.plotting.style import COLORS, COMPONENTS, array


def test_a_component_has_a_colour_of_its_own():
    assert sorted(COMPONENTS) == sorted(COLORS)


def test_an_ellipse_lies_at_its_mahalanobis_distance():
    _, ax = plt.subplots()
    mean, root = torch.tensor([1.0, -2.0]).double(), torch.tensor([[2.0, 0.0], [0.7, 0.3]]).double()
    ellipse(ax, mean, root @ root.mT, 2)
    off = torch.from_numpy(ax.lines[0].get_xydata()) - mean
    distance = (off * torch.linalg.solve(root @ root.mT, off.mT).mT).sum(1).sqrt()
    torch.testing.assert_close(distance, torch.full_like(distance, 2.0))


BAD = {
    "one column": (lambda ax: plotting.points(ax, torch.zeros(3, 1)), r"x: expected points of the plane \(n, 2\)"),
    "a list": (lambda ax: plotting.points(ax, [[0.0, 1.0]]), "x: expected a torch.Tensor, got list"),
    "nan": (lambda ax: plotting.points(ax, torch.full((3, 2), torch.nan)), "x: expected finite numbers"),
    "complex": (lambda ax: array(torch.zeros(3) * 1j), "values to draw: expected real numbers, got complex64"),
    "text": (lambda ax: array(["a"]), "values to draw: expected real numbers"),
    "nothing": (lambda ax: plotting.densities(torch.zeros(3, 2), {}), "models: expected at least one, got none"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_to_do(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call(plt.subplots()[1])
