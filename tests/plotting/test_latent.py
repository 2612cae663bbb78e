"""Figures of Bayes' theorem and of latent variables: shared axes, labels, what is drawn, bad input named."""

import pytest
import torch

from dgmlib import data, plotting
from dgmlib.lvm import PPCA
from tests.plotting import drawn

GRID = torch.linspace(0.05, 0.95, 19)
FLAT = torch.ones(19)


def line_figure():
    x = data.correlated_gaussian(30)
    model = PPCA.maximum_likelihood(x, 1)
    z = model.posterior(x)[0]
    plotting.latent_line(model.log_prob, lambda z: z @ model.W.T + model.mu, x, z, feet=x.clone())


def mixture_figure():
    x, k = data.clusters(60)
    plotting.ancestral(x, k, torch.stack([x[k == c].mean(0) for c in range(3)]), x)


def narrowing(count: int, averages: int | None = None):
    averages = torch.zeros(count - 1 if averages is None else averages)
    plotting.narrowing_posterior(torch.zeros(count), torch.ones(count), averages, truth=0.2, even=4)


def plane_figure(z):
    plotting.latent_plane(z, torch.arange(len(z)), torch.eye(2), lambda z: z @ torch.ones(2, 64))


PANELS = {
    "bayes_updates": lambda: plotting.bayes_updates(
        GRID, FLAT, {"n = 1": (GRID, FLAT), "n = 2": (GRID, FLAT)}, truth=0.5
    ),
    "fitted_curves": lambda: plotting.fitted_curves(
        GRID[:4], FLAT[:4], GRID, {"one": FLAT, "many": torch.rand(5, 19)}, truth=FLAT
    ),
    "ancestral": mixture_figure,
    "latent_line": line_figure,
    "latent_plane": lambda: plane_figure(torch.randn(8, 2)),
    "estimates": lambda: plotting.estimates([1, 10], {"a": (torch.randn(4, 2), 0.0), "b": (torch.randn(4, 2), 1.0)}),
}
OWN_SCALE = ("bayes_updates", "estimates")  # a posterior of 300 flips is ten times as high as one of three
SINGLE = {
    "narrowing_posterior": lambda: narrowing(21),
    "dying_estimate": lambda: plotting.dying_estimate(
        [1, 2, 4], {"K = 1": torch.randn(9, 3), "K = 2": torch.randn(9, 3)}
    ),
}


@pytest.mark.parametrize("name", PANELS)
def test_panels_share_axes_and_are_labelled(name):
    PANELS[name]()
    axes = drawn().axes
    assert len(axes) >= 2
    assert len({ax.get_xlim() for ax in axes}) == 1
    assert len({ax.get_ylim() for ax in axes}) == 1 or name in OWN_SCALE
    assert all(ax.get_title() and ax.get_xlabel() for ax in axes)
    assert axes[0].get_ylabel()


@pytest.mark.parametrize("name", SINGLE)
def test_single_figures_are_labelled_and_have_a_legend(name):
    SINGLE[name]()
    (ax,) = drawn().axes
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_legend()


@pytest.mark.parametrize("name", PANELS | SINGLE)
def test_fits_the_width_of_colab(name):
    (PANELS | SINGLE)[name]()
    assert drawn().get_figwidth() <= plotting.style.WIDTH


def test_likelihood_is_scaled_to_area_one():
    plotting.bayes_updates(GRID, FLAT, {"n = 1": (1000 * GRID, FLAT)})
    (likelihood,) = [line.get_ydata() for line in drawn().axes[0].lines if "likelihood" in line.get_label()]
    assert likelihood.sum() * 0.05 == pytest.approx(1, abs=1e-5)


def test_line_connects_each_event_with_its_point():
    line_figure()
    _, right = drawn().axes
    assert sum(len(line.get_xdata()) == 2 for line in right.lines) == 30
    assert {text.get_text() for text in right.get_legend().get_texts()} == {"nearest place on the line", "E[z given x]"}


def test_image_rows_share_one_grey_scale_and_name_each_row():
    plotting.image_rows({"unseen": torch.rand(3, 64), "d = 2": 2 * torch.rand(2, 64)})
    images = [image for ax in drawn().axes for image in ax.images]
    assert len(images) == 5
    assert {image.get_clim() for image in images} == {(0, 1)}
    assert {text.get_text() for ax in drawn().axes for text in ax.texts} == {"unseen", "d = 2"}


def test_an_unknown_pixel_is_shown_as_one():
    images = torch.rand(2, 64)
    images[:, 32:] = torch.nan
    plotting.image_rows({"seen": images}, titles=("one", "two"))
    assert [ax.get_title() for ax in drawn().axes] == ["one", "two"]
    unknown = drawn().axes[0].images[0].get_cmap()(float("nan"))
    assert unknown[2] > unknown[0]  # bluish: no grey, which would be a value


BAD = {
    "updates": lambda: plotting.bayes_updates(GRID, FLAT, {"a": (GRID, FLAT[:3])}),
    "stds": lambda: plotting.narrowing_posterior(torch.zeros(3), torch.zeros(2), torch.zeros(2), truth=0.0, even=1),
    "averages": lambda: narrowing(3, averages=3),
    "fits": lambda: plotting.fitted_curves(GRID, FLAT, GRID, {"a": FLAT[:3]}, truth=FLAT),
    "means": lambda: plotting.ancestral(torch.zeros(3, 2), torch.zeros(3).long(), torch.zeros(2, 3), torch.zeros(3, 2)),
    "rows": lambda: plotting.image_rows({"a": torch.zeros(2, 63)}),
    "z": lambda: plane_figure(torch.zeros(3, 1)),
    "estimates": lambda: plotting.estimates([1, 2, 3], {"a": (torch.zeros(4, 2), 0.0)}),
    "errors": lambda: plotting.dying_estimate([1, 2, 3], {"a": torch.zeros(4, 2)}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name):
    with pytest.raises(ValueError, match=name):
        BAD[name]()
