"""Figures of EM: shared axes, what lies where, labels, bad input named."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import torch

from dgmlib import data, plotting
from dgmlib.lvm import PPCA, GaussianMixture


def axes():
    figure = plt.gcf()
    figure.canvas.draw()
    return figure.axes


def mixture(shift=0.0):
    means = torch.tensor([[-1.0, 0.0], [1.0 + shift, 0.0]])
    return GaussianMixture(torch.tensor([0.4, 0.6]), means, torch.eye(2).repeat(2, 1, 1))


def parabola(a, b):
    """A bound that touches -θ² at a."""
    return -torch.square(torch.as_tensor(b)) - torch.square(torch.as_tensor(a) - b)


def test_bounds_touch_log_p_and_the_path_is_a_staircase():
    plotting.bound_climbing(parabola, torch.linspace(-3, 3, 61), [-2.0, -1.0, -0.5])
    left, right = axes()
    dots = [line for line in left.lines if line.get_marker() == "o"]
    assert [(float(d.get_xdata()[0]), float(d.get_ydata()[0])) for d in dots] == [(-2.0, -4.0), (-1.0, -1.0)]
    stairs = right.lines[1].get_xydata().tolist()
    assert stairs == [[-2, -2], [-1, -2], [-1, -1], [-0.5, -1]]


def test_responsibilities_share_axes_and_mix_colours():
    x = torch.tensor([[-6.0, 0.0], [6.0, 0.0]])
    plotting.responsibilities(x, {"a": mixture(), "b": mixture(0.5)}, extent=7)
    one, other = axes()
    assert one.get_xlim() == other.get_xlim() == (-7, 7)
    assert [ax.get_title() for ax in (one, other)] == ["a", "b"]
    first, last = one.collections[0].get_facecolors()[:, :3]
    assert tuple(first) == pytest.approx(mpl.colors.to_rgb(one.lines[1].get_color()), abs=1e-3)
    assert tuple(last) == pytest.approx(mpl.colors.to_rgb(one.lines[4].get_color()), abs=1e-3)


@pytest.mark.parametrize(("t", "title"), [(0, "E-step"), (1, "M-step")])
def test_one_half_step_is_named_and_ringed(t, title):
    x, q = torch.randn(30, 2), torch.full((30, 2), 0.5)
    bounds, log_probs = torch.tensor([1.0, 2.0]), torch.tensor([1.5, 2.5])
    plotting.half_step(x, [(mixture(), q)] * 2, bounds, log_probs, t)
    left, right = axes()
    assert left.get_title().startswith(title)
    ring = right.lines[-1]
    assert ring.get_xydata().tolist() == [[t, bounds[t]], [t, log_probs[t]]]


def test_half_steps_and_histories_are_labelled():
    plotting.half_steps(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([1.0, 2.5, 3.0, 4.5]))
    (ax,) = axes()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["E", "M", "E", "M"]
    plotting.histories({"a": torch.arange(1.0, 4.0), "b": torch.arange(1.0, 6.0)}, first=2, log=True)
    (ax,) = axes()
    assert [line.get_xdata()[0] for line in ax.lines] == [2, 2]
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == "iteration"


def test_latent_axes_share_limits():
    x = data.correlated_gaussian(50)
    fit = PPCA.maximum_likelihood(x, 1)
    plotting.latent_axes(x, {"start": PPCA(torch.ones(2, 1), torch.zeros(2), 1.0), "fit": fit})
    assert len({ax.get_xlim() for ax in axes()}) == 1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: plotting.bound_climbing(parabola, torch.ones(3), []), "path: expected at least one"),
        (lambda: plotting.responsibilities(torch.ones(4, 3), {"a": mixture()}), r"x: expected points of the plane"),
        (lambda: plotting.responsibilities(torch.ones(4, 2), {}), "models: expected at least one"),
        (lambda: plotting.half_steps(torch.ones(4), torch.ones(3)), "log_probs: expected one number a half step"),
        (lambda: plotting.histories({}), "values: expected at least one"),
        (lambda: plotting.latent_axes(torch.ones(4, 2), {}), "fits: expected at least one"),
    ],
)
def test_bad_input_is_named(call, match):
    with pytest.raises(ValueError, match=match):
        call()
