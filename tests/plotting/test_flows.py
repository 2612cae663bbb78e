"""What the figures promise: shared axes and limits, labels, bad input named; not how pretty they are."""

import subprocess
import sys

import pytest
import torch

from dgmlib import data, plotting
from tests.plotting import drawn


def standard_normal(x):
    return torch.distributions.Normal(0.0, 1.0).log_prob(x).sum(-1)


class Shift:
    """The smallest layer: x -> x + 1."""

    def inverse(self, z):
        return z - 1, z.new_zeros(len(z))


class Untouchable:
    def inverse(self, z):
        raise AssertionError("the layers are called once each")


FIGURES = {
    "warped_grid": lambda: plotting.warped_grid(lambda x: x**3 / 3 + x),
    "through_layers": lambda: plotting.through_layers([Shift()] * 6, torch.randn(50, 2)),
    "densities": lambda: plotting.densities(data.moons(50), {"a": standard_normal, "b": data.bimodal_log_prob}),
}
LINES = {
    "histogram_and_curves": lambda: plotting.histogram_and_curves(
        torch.randn(100), torch.linspace(-3, 3, 50), {"p": torch.ones(50), "q": torch.zeros(50)}
    ),
    "cost_curves": lambda: plotting.cost_curves([2, 4, 8], {"one": [1, 2, 4], "two": [1, 4, 16]}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_panels_of_the_plane_share_axes_limits_and_colours(name):
    FIGURES[name]()
    axes = [ax for ax in drawn().axes if ax.get_title()]
    assert len(axes) >= 2
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in axes}) == 1
    assert all(ax.get_xlabel() for ax in axes)
    assert axes[0].get_ylabel()
    meshes = [image for ax in axes for image in ax.collections if image.get_array() is not None]
    assert len({image.get_clim() for image in meshes}) <= 1


@pytest.mark.parametrize("name", LINES)
def test_lines_are_labelled_and_told_apart_without_colour(name):
    LINES[name]()
    (ax,) = drawn().axes
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert len({line.get_linestyle() for line in ax.lines}) == len(ax.lines) == 2


@pytest.mark.parametrize("name", FIGURES | LINES)
def test_fits_the_width_of_colab(name):
    (FIGURES | LINES)[name]()
    figure = drawn()
    assert figure.get_figwidth() * figure.dpi <= 900


def test_warped_grid_colours_by_the_jacobian():
    plotting.warped_grid(lambda x: x * torch.tensor([2.0, 0.25]))
    mesh = drawn().axes[1].collections[0]
    torch.testing.assert_close(torch.tensor(mesh.get_array()), torch.full((16, 16), 0.5).log())


def test_through_layers_walks_from_noise_to_data():
    z = torch.zeros(1, 2)
    plotting.through_layers([Shift()] * 3, z, extent=5.0)
    ends = [ax.collections[0].get_offsets().tolist()[0] for ax in drawn().axes]
    assert ends == [[-k, -k] for k in range(4)]


def test_matrices_share_one_scale_about_zero():
    plotting.matrices({"W": torch.tensor([[1.0, -3.0]]), "L": torch.eye(2)})
    images = [image for ax in drawn().axes for image in ax.images]
    assert {image.get_clim() for image in images[:2]} == {(-3.0, 3.0)}


def test_graphs_are_cut_and_double_is_fine():
    z = torch.randn(20, 2, dtype=torch.float64, requires_grad=True)
    (ax,) = plotting.panels("p", labels=("a", "b"))
    plotting.points(ax, z * 2)
    drawn()
    assert z.grad is None


BAD = {
    "x: expected points of the plane": lambda: plotting.densities(torch.zeros(5, 3), {"a": standard_normal}),
    "z: expected points of the plane": lambda: plotting.through_layers([Untouchable()], torch.zeros(5)),
    r"f\(x\): expected points of the plane": lambda: plotting.warped_grid(standard_normal),
    "log_prob: expected one value a point": lambda: plotting.densities(data.moons(9), {"a": torch.abs}),
    "titles: expected at least one": lambda: plotting.panels(labels=("a", "b")),
    r"costs\['one'\]: expected 2 values, got 1": lambda: plotting.cost_curves([1, 2], {"one": [1.0]}),
    "models: expected at least one": lambda: plotting.densities(data.moons(9), {}),
    "matrices: expected at least one": lambda: plotting.matrices({}),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


def test_nothing_happens_at_import():
    code = "import matplotlib as m; a = dict(m.rcParams); import dgmlib.plotting; assert a == dict(m.rcParams)"
    subprocess.run([sys.executable, "-c", code], check=True)
