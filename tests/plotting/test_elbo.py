"""What the figures of the bound promise: bars that add up, limits that stay, labels, bad input named."""

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from dgmlib import plotting
from tests.plotting import drawn


def test_every_bar_ends_at_log_prob():
    plotting.elbo_and_gap({"prior": -3.4, "posterior": -2.3}, -2.3)
    (ax,) = drawn().axes
    tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
    assert tops == pytest.approx([-3.4, -2.3, -2.3, -2.3])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["prior", "posterior"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["log p(x)", "ELBO", "gap, KL(q‖p(z|x))"]


def test_a_bound_above_log_prob_is_refused():
    with pytest.raises(ValueError, match=r"bounds\['q'\]: expected at most log p"):
        plotting.elbo_and_gap({"q": -1.0}, -2.0)
    with pytest.raises(ValueError, match="bounds: expected at least one"):
        plotting.elbo_and_gap({}, -2.0)


@pytest.mark.parametrize("std", [0.1, 1.0, 2.0])
def test_limits_stay_when_q_moves(std):
    z = torch.linspace(-3, 4, 50)
    p, posterior, q = (Normal(*law).log_prob(z).exp() for law in ((0.0, 1.0), (1.0, 0.7), (0.0, std)))
    plotting.q_against_posterior(z, p, posterior, q, -30.0 * std, -2.0, lowest=-6.0)
    left, right = drawn().axes
    assert left.get_xlim() == (-3, 4)
    assert left.get_ylim() == pytest.approx((0, 1.6 * posterior.max().item()))
    assert right.get_ylim() == pytest.approx((-6.0, -2.0 + 0.12 * 4))
    with pytest.raises(ValueError, match="q: expected a density at each z"):
        plotting.q_against_posterior(z, p, posterior, q[1:], -3.0, -2.0, lowest=-6.0)


def test_surface_marks_its_highest_point():
    means, stds = torch.linspace(-1, 3, 41), torch.linspace(0.2, 2, 31)
    bounds = -2 - (means - 1).square() - (stds[:, None] - 0.8).square()
    plotting.elbo_surface(means, stds, bounds, -2.0, {"prior": (0.0, 1.0)})
    ax = drawn().axes[0]
    star = ax.lines[-2]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == pytest.approx((1.0, 0.8))
    assert "prior" in [text.get_text() for text in ax.texts]
    with pytest.raises(ValueError, match="bounds: expected"):
        plotting.elbo_surface(means, stds, bounds.T, -2.0, {})


def test_the_noise_map_is_signed_and_cut():
    means, stds = torch.linspace(-1, 1, 5), torch.linspace(0.5, 2, 4)
    joint, split = torch.ones(4, 5), torch.ones(4, 5)
    joint[0, 0], split[3, 4] = 0.0, 0.25
    plotting.noise_map(means, stds, joint, split, {"posterior": (0.0, 1.0)})
    ax = drawn().axes[0]
    values = ax.collections[0].get_array().reshape(4, 5)
    assert (values[0, 0], values[3, 4], values[1, 1]) == (-3, 2, 0)
    assert "posterior" in [text.get_text() for text in ax.texts]
    with pytest.raises(ValueError, match="split: expected"):
        plotting.noise_map(means, stds, joint, split.T, {})


def test_gaussians_share_axes_and_density():
    law = MultivariateNormal(torch.zeros(2), torch.eye(2))
    gaussians = {"a": (torch.zeros(2), torch.eye(2)), "b": (torch.ones(2), 0.1 * torch.eye(2))}
    plotting.gaussians_over(law.log_prob, gaussians, extent=2.0)
    a, b = drawn().axes
    assert a.get_xlim() == b.get_xlim() == (-2, 2)
    assert (a.get_title(), b.get_title()) == ("a", "b")
    edge = a.lines[1].get_xydata()
    assert (edge**2).sum(1) == pytest.approx(4.0)


def test_ascent_shows_both_curves():
    plotting.bound_and_evidence(torch.tensor([-5.0, -3.0]), torch.tensor([-4.0, -2.0]), best=-1.5)
    ax, gap = drawn().axes
    assert {line.get_label() for line in ax.lines} == {"ELBO", "log p(x)", "maximum likelihood"}
    assert gap.lines[0].get_ydata().tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="log_probs: expected one for each bound"):
        plotting.bound_and_evidence(torch.zeros(2), torch.zeros(3))


def test_estimates_end_where_the_reader_is_told():
    estimates = {"naive": torch.tensor([[-9.0, -4.0], [-7.0, -3.0]]), "ELBO": torch.full((2, 2), -2.5)}
    plotting.samples_needed([10, 100], estimates, -2.0, lowest=-6.0)
    (ax,) = drawn().axes
    assert ax.get_ylim() == pytest.approx((-6.0, -1.0))
    assert ax.lines[0].get_ydata().tolist() == [-8.0, -3.5]
    with pytest.raises(ValueError, match=r"estimates\['naive'\]: expected \(repeats, 3\)"):
        plotting.samples_needed([1, 2, 3], estimates, -2.0, lowest=-6.0)
