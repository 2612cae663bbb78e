"""Laws of the data makers: shape, seed, no global state, and the densities that they state."""

import sys

import pytest
import torch

from dgmlib import data

PLANE = [data.moons, data.rings, data.checkerboard, data.correlated_gaussian, data.bimodal]
MAKERS = [*PLANE, lambda n, **seed: data.clusters(n, **seed)[0]]


@pytest.mark.parametrize("make", MAKERS)
def test_shape_spread_and_default_dtype(make):
    x = make(2000)
    assert x.shape == (2000, 2)
    assert x.dtype == torch.get_default_dtype()
    assert x.mean(0).abs().max() < 0.5
    assert 0.3 < x.std(0).min() <= x.std(0).max() < 2.5


@pytest.mark.parametrize("make", MAKERS)
def test_seed_decides_and_global_state_stays(make):
    state = torch.random.get_rng_state()
    same = make(64, seed=7), make(64, seed=torch.Generator().manual_seed(7))
    assert torch.equal(*same)
    assert not torch.equal(same[0], make(64, seed=8))
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_generator_goes_on():
    generator = torch.Generator().manual_seed(0)
    assert not torch.equal(data.moons(16, seed=generator), data.moons(16, seed=generator))


@pytest.mark.parametrize("n", [0, -3, 2.0])
@pytest.mark.parametrize("make", PLANE)
def test_bad_count(make, n):
    with pytest.raises(ValueError, match="n: expected at least 1"):
        make(n)


BAD = {
    "seed of text": (lambda: data.moons(3, seed="a"), "seed: expected at least 0, a whole number, got 'a'"),
    "seed below zero": (lambda: data.clusters(3, seed=-1), "seed: expected at least 0"),
    "negative noise": (lambda: data.moons(3, noise=-0.1), "noise: expected a finite number, 0 or more, got -0.1"),
    "endless noise": (lambda: data.rings(3, noise=float("inf")), "noise: expected a finite number"),
    "no rings": (lambda: data.rings(3, radii=()), "radii: expected at least one"),
    "nan distance": (lambda: data.bimodal(3, distance=float("nan")), "distance: expected a finite number"),
    "std of text": (lambda: data.bimodal(3, std="1"), "std: expected a finite number"),
    "density of no width": (
        lambda: data.bimodal_log_prob(torch.zeros(2), std=0.0),
        "std: expected finite numbers above 0",
    ),
    "density of integers": (lambda: data.bimodal_log_prob(torch.zeros(3, 2).long()), "x: expected torch.float32 or"),
    "density of one column": (lambda: data.bimodal_log_prob(torch.zeros(3, 1)), r"x: expected shape \(\.\.\., 2\)"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_to_do(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_correlation():
    with pytest.raises(ValueError, match=r"correlation: .* got 1\.0"):
        data.correlated_gaussian(10, correlation=1.0)


def test_correlation():
    x = data.correlated_gaussian(20_000, correlation=-0.7)
    assert torch.corrcoef(x.T)[0, 1] == pytest.approx(-0.7, abs=0.02)


def test_checkerboard_is_uniform_on_black_squares():
    cell = (data.checkerboard(8000) + 2).floor().long()
    assert ((cell.sum(1) % 2) == 0).all()
    counts = torch.bincount(4 * cell[:, 0] + cell[:, 1], minlength=16)
    assert (counts > 0).sum() == 8
    assert counts[counts > 0].min() > 850


def test_rings_lie_on_their_radii():
    radius = data.rings(500, radii=(1.0, 2.0), noise=0.0).norm(dim=1)
    torch.testing.assert_close(radius, torch.tensor([1.0, 2.0]).repeat(250))


def test_bimodal_density_integrates_to_one_and_fits_the_samples():
    axis = torch.linspace(-6, 6, 301, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    density = data.bimodal_log_prob(grid).exp() * (12 / 300) ** 2
    assert density.sum().item() == pytest.approx(1, abs=1e-6)
    second_moment = (density[:, None] * grid**2).sum(0)
    measured = (data.bimodal(100_000).double() ** 2).mean(0)
    torch.testing.assert_close(measured, second_moment, rtol=0.02, atol=0)


def test_clusters_labels():
    x, k = data.clusters(3000)
    assert k.dtype == torch.int64
    assert torch.bincount(k).tolist() == pytest.approx([1500, 900, 600], abs=100)
    torch.testing.assert_close(x[k == 2].mean(0), torch.tensor([0.3, 1.6]), atol=0.1, rtol=0)


def test_digits():
    pytest.importorskip("sklearn")
    images, labels = data.digits()
    assert images.shape == (1797, 64)
    assert (images.min(), images.max()) == (0, 1)
    assert sorted(labels.unique().tolist()) == list(range(10))


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        data.digits()
