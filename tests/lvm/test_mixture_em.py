"""The fast EM against its reference, `em(GaussianMixture, x)`, and against scikit-learn."""

import pytest
import torch
from sklearn.mixture import GaussianMixture as Sklearn
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import mixture, normal, ppca

SIZES = [(1, 1), (1, 3), (3, 1), (4, 3), (2, 6)]


def data(n: int, m: int, device="cpu"):
    return torch.cat([normal(n, m, device=device), 3 + 2 * normal(n, m, device=device, seed=1)])


@pytest.mark.parametrize(("K", "m"), SIZES)
def test_features_turn_the_log_joint_into_a_product(K, m, device):
    theta, x = mixture(K, m, device), data(10, m, device)
    fast = lib.QuadraticMixture(*theta)
    assert_close((fast.theta @ lib.quadratic_features(x.mT)).mT, lib.GaussianMixture(*theta).log_joint(x))


@pytest.mark.parametrize(("K", "m"), SIZES)
@pytest.mark.parametrize("n", [100, 6000])
def test_fast_em_is_em(K, m, n, device):
    """6000 columns and their mirror make three chunks on a CPU."""
    model, x = lib.GaussianMixture(*mixture(K, m, device)), data(n, m, device)
    slow, slow_history = lib.em(model, x, 12)
    fast, history = lib.fit_mixture(model, x, 12)
    assert_close(history, slow_history, rtol=0, atol=1e-10)
    for name in ("weights", "means", "covariances"):
        assert_close(getattr(fast, name), getattr(slow, name), rtol=1e-8, atol=1e-9)


def test_fast_em_is_that_of_scikit_learn_from_the_same_start(device):
    x, theta = data(3000, 3, device), mixture(4, 3, device)
    model, history = lib.fit_mixture(lib.GaussianMixture(*theta), x, 30)
    start = {"weights_init": theta[0].cpu(), "means_init": theta[1].cpu()}
    theirs = Sklearn(4, tol=0, max_iter=30, reg_covar=0, precisions_init=theta[2].inverse().cpu(), **start)
    with pytest.warns(match="did not converge"):
        theirs.fit(x.cpu().numpy())
    assert float(history[-1]) == pytest.approx(theirs.lower_bound_, abs=1e-8)
    assert float(model.log_prob(x).mean()) == pytest.approx(theirs.score(x.cpu().numpy()), abs=1e-8)


def test_bound_never_falls_and_tolerance_stops(device):
    _, history = lib.fit_mixture(lib.GaussianMixture(*mixture(3, 2, device)), data(100, 2, device), 500, tol=1e-5)
    assert (history.diff() > 0)[:-1].all()
    assert 2 < len(history) < 500


@pytest.mark.parametrize("offset", [0, 1000, 100_000])
def test_float32_data_far_from_the_origin(offset, device):
    """The same float32 numbers in float64, without the fast path: offset/std up to 1e5."""
    theta, x = mixture(3, 2, device), (data(200, 2, device) + offset).float()
    start = [p.float() for p in (theta[0], theta[1] + offset, theta[2])]
    _, history = lib.fit_mixture(lib.GaussianMixture(*start), x, 10)
    exact = [p.double() for p in start]
    _, expected = lib.em(lib.GaussianMixture(exact[0] / exact[0].sum(), *exact[1:]), x.double(), 10)
    assert_close(history, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("trouble", "x"),
    [
        ("one row", lambda: normal(1, 2)),
        ("no rows", lambda: normal(0, 2)),
        ("equal rows", lambda: normal(1, 2).expand(9, 2)),
        ("rows on a line", lambda: normal(9, 1) * torch.tensor([1.0, 2.0], dtype=torch.float64)),
        ("nan", lambda: normal(9, 2) * torch.nan),
    ],
)
def test_degenerate_data_are_a_value_error(trouble, x):
    with pytest.raises(ValueError, match=r"start.*em\(model, x\) resolves it|drop or fill|at least one sample"):
        lib.fit_mixture(lib.GaussianMixture(*mixture(3, 2)), x(), 50)


def test_an_empty_component_is_a_value_error():
    weights, means, covariances = mixture(3, 2)
    means[2] = 1e4
    with pytest.raises(ValueError, match="a component is empty or singular"):
        lib.fit_mixture(lib.GaussianMixture(weights, means, covariances), data(30, 2), 5)


def test_a_component_too_narrow_for_squares_is_refused_and_em_resolves_it():
    """Two spikes of width 1e-5 at ±1: float64 squares keep 6 digits of their variance."""
    x = torch.cat([1e-5 * normal(50, 1) - 1, 1e-5 * normal(50, 1, seed=1) + 1])
    spikes = torch.full((2, 1, 1), 1e-10, dtype=torch.float64)
    halves = torch.ones(2, dtype=torch.float64) / 2
    model = lib.GaussianMixture(halves, torch.tensor([[-1.0], [1.0]], dtype=torch.float64), spikes)
    with pytest.raises(ValueError, match="very narrow"):
        lib.fit_mixture(model, x, 5)
    fitted, _ = lib.em(model, x, 5)
    assert_close(fitted.covariances[:, 0, 0], torch.stack([x[:50].var(correction=0), x[50:].var(correction=0)]))


def test_only_a_mixture_with_its_own_e_step_has_a_fast_path():
    """Hard EM by the fast path would be soft EM, without a word."""
    for model in (lib.HardMixture(*mixture(3, 2)), lib.PPCA(*ppca(2, 1)), None):
        with pytest.raises(ValueError, match=r"model: expected a GaussianMixture .*; use em"):
            lib.fit_mixture(model, data(30, 2, "cpu"))


def test_more_starts_by_the_fast_path(device):
    x, start = data(300, 2, device), lib.GaussianMixture(*mixture(3, 2, device))
    fits = [lib.fit_mixture(start, x, 5, 1e-9, k, torch.Generator(device).manual_seed(0)) for k in (1, 4)]
    assert fits[0].history[-1] <= fits[1].history[-1]
    assert fits[1].converged is False


@pytest.mark.parametrize("far", [30.0, 1e3])
def test_components_so_far_apart_that_exp_underflows(far, device):
    """Their responsibilities are exactly 0, as in em."""
    x = torch.cat([normal(50, 2, device=device), normal(50, 2, device=device, seed=1) + far])
    means = torch.tensor([[0.0, 0.0], [far, far]], dtype=torch.float64, device=device)
    model = lib.GaussianMixture(torch.ones(2).to(x) / 2, means, torch.eye(2).to(x).repeat(2, 1, 1))
    assert_close(lib.fit_mixture(model, x, 3).history, lib.em(model, x, 3).history)


@pytest.mark.cuda
def test_no_iteration_waits_for_the_gpu():
    theta, columns = mixture(4, 3, "cuda"), data(1000, 3, "cuda").mT.contiguous()
    model = lib.QuadraticMixture(*theta)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            model = model.m_step(columns, model.e_step(columns)[0])
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert model.theta.isfinite().all()
