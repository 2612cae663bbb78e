"""What the KL figures promise: shared axes and limits, the right numbers, bad input named."""

import pytest
import torch
from torch.distributions import Normal

from dgmlib import plotting
from tests.plotting import drawn


def standard_normal(x):
    return Normal(0.0, 1.0).log_prob(x).sum(-1)


class Shift:
    """z = x + 1."""

    def forward(self, x):
        return x + 1, x.new_zeros(len(x))


def test_integrands_name_both_kls():
    model = Normal(1.0, 2.0)
    plotting.kl_integrands(Normal(0.0, 1.0).log_prob, {"model": model.log_prob})
    above, below = drawn().axes
    forward = torch.distributions.kl_divergence(Normal(0.0, 1.0), model)
    reverse = torch.distributions.kl_divergence(model, Normal(0.0, 1.0))
    assert f"{forward:.2f}" in below.get_title()
    assert f"{reverse:.2f}" in below.get_title()
    assert above.get_xlim() == below.get_xlim() == (-5, 5)


def test_integrands_of_two_models_share_their_axes():
    models = {"one": Normal(1.0, 2.0).log_prob, "two": Normal(0.0, 0.5).log_prob}
    plotting.kl_integrands(Normal(0.0, 1.0).log_prob, models)
    axes = drawn().axes
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[2].get_ylim() == axes[3].get_ylim()


def test_integrands_want_a_model():
    with pytest.raises(ValueError, match="models: expected at least one"):
        plotting.kl_integrands(standard_normal, {})


def test_landscape_finds_the_only_minimum_of_a_normal():
    plotting.kl_landscape(Normal(0.5, 1.0).log_prob)
    for ax in drawn().axes[:2]:
        (star,) = [line for line in ax.lines if line.get_marker() == "*"]
        assert abs(star.get_xdata()[0] - 0.5) < 0.12
        assert abs(star.get_ydata()[0] - 1.0) < 0.07


@pytest.mark.parametrize("start", [(-2.0, 0.5), (2.0, 3.0)])
def test_both_paths_lead_from_the_start_to_the_minimum(start):
    plotting.kl_landscape(Normal(0.5, 1.0).log_prob, start=start)
    for ax in drawn().axes[:2]:
        path = max(ax.lines, key=lambda line: len(line.get_xdata())).get_xydata()
        assert path[0].tolist() == pytest.approx(start)
        assert path[-1].tolist() == pytest.approx([0.5, 1.0], abs=0.1)


def test_latent_dual_shares_axes_and_keeps_each_half_of_the_data_in_its_shade():
    x = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    plotting.latent_dual({"untrained": Shift()}, x)
    pushed, base = drawn().axes
    assert pushed.get_xlim() == base.get_xlim() == (-3.5, 3.5)
    assert pushed.collections[0].get_offsets().tolist() == [[0.0, 1.0], [2.0, 1.0]]
    assert len(set(map(tuple, pushed.collections[0].get_facecolors().tolist()))) == 2


def test_latent_dual_wants_the_plane():
    with pytest.raises(ValueError, match=r"x: expected points of the plane"):
        plotting.latent_dual({"untrained": Shift()}, torch.zeros(4, 3))


def test_latent_densities_share_one_colour_scale():
    plotting.latent_densities({"one": standard_normal, "two": lambda z: standard_normal(z) + 1})
    first, second = drawn().axes[:2]
    assert first.collections[0].get_clim() == second.collections[0].get_clim()
    assert first.get_xlabel() == "$z_1$"


def test_sample_by_sample_wants_as_many_of_each():
    plotting.sample_by_sample(torch.arange(3.0), torch.arange(3.0))
    assert drawn().axes[0].get_xlabel()
    with pytest.raises(ValueError, match="latent_space: expected one number a sample"):
        plotting.sample_by_sample(torch.zeros(3), torch.zeros(4))
