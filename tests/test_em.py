"""One loop, a table of models: the bound never falls, and stays below log p(x)."""

from itertools import product

import pytest
import torch
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import mixture, normal, ppca

MODELS = {
    "GaussianMixture": lambda m, device: lib.GaussianMixture(*mixture(3, m, device)),
    "HardMixture": lambda m, device: lib.HardMixture(*mixture(3, m, device)),
    "PPCA": lambda m, device: lib.PPCA(*ppca(m, 2, device)),
    "MeanFieldPPCA": lambda m, device: lib.MeanFieldPPCA(*ppca(m, 2, device)),
}
EXACT = ["GaussianMixture", "PPCA"]


def data(m: int, device, n: int = 200):
    rows = normal(n, m, device=device, seed=20) * torch.arange(1, m + 1, device=device)
    return rows + 3 * (normal(n, 1, device=device, seed=21) > 0)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("m", [1, 3])
def test_bound_never_falls_and_stays_below_log_prob(name, m, device):
    x, model = data(m, device), MODELS[name](m, device)
    previous = -torch.inf
    for _ in range(15):
        log_prob = model.log_prob(x).mean()
        model, history = lib.em(model, x, num_iters=1)
        assert previous - 1e-12 <= history[0] <= log_prob + 1e-12
        previous = history[0]


@pytest.mark.parametrize("name", EXACT)
def test_history_is_the_bound_right_after_each_e_step(name, device):
    """With q = p(z|x) it is the log-likelihood of the model that entered the iteration."""
    x, model = data(3, device), MODELS[name](3, device)
    _, history = lib.em(model, x, num_iters=4)
    assert history.shape == (4,)
    for t in range(4):
        assert_close(history[t], model.log_prob(x).mean())
        model, _ = lib.em(model, x, num_iters=1)


@pytest.mark.parametrize("name", MODELS)
def test_start_and_data_are_left_alone(name, device):
    x, model = data(3, device), MODELS[name](3, device)
    kept = {k: v.clone() for k, v in vars(model).items() if isinstance(v, torch.Tensor)}, x.clone()
    lib.em(model, x, num_iters=3)
    assert_close(({k: vars(model)[k] for k in kept[0]}, x), kept, rtol=0, atol=0)


def test_tolerance_stops_the_loop(device):
    x, model = data(2, device), MODELS["GaussianMixture"](2, device)
    _, history = lib.em(model, x, num_iters=500, tol=1e-4)
    gains = history.diff()
    assert 2 < len(history) < 500
    assert gains[-1] < 1e-4
    assert (gains[:-1] >= 1e-4).all()


@pytest.mark.parametrize(("tol", "converged"), [(None, None), (1e-2, True), (0.0, False)])
def test_the_result_says_whether_it_converged(tol, converged, device):
    result = lib.em(MODELS["GaussianMixture"](2, device), data(2, device), num_iters=30, tol=tol)
    assert result.converged is converged
    model, history = result
    assert (model, history) == (result.model, result.history)


@pytest.mark.parametrize("name", MODELS)
def test_more_starts_are_never_worse_and_the_first_is_the_model(name, device):
    x, start = data(3, device), MODELS[name](3, device)
    random = torch.Generator(device).manual_seed
    one = lib.em(start, x, 5)
    several = [lib.em(start, x, 5, num_starts=k, generator=random(0)).history[-1] for k in (1, 2, 4)]
    assert several[0] == one.history[-1]
    assert several == sorted(several)
    assert_close(lib.em(start, x, 5, num_starts=4, generator=random(0)).history[-1], several[-1], rtol=0, atol=0)


def test_a_start_that_fails_is_passed_over(device):
    """The given start loses a component at once; alone it is an error, and so are starts that all fail."""
    x, start = data(2, device), MODELS["GaussianMixture"](2, device)
    lost = lib.GaussianMixture(start.weights, start.means + 1e4 * torch.eye(3, 2).to(start.means), start.covariances)
    with pytest.raises(ValueError, match="component"):
        lib.em(lost, x)
    assert lib.em(lost, x, 20, num_starts=3, generator=torch.Generator(device).manual_seed(0)).history.isfinite().all()
    with pytest.raises(ValueError, match="covariances"):
        lib.em(lost, x[:1].expand(9, 2), num_starts=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_starts": 0}, "num_starts: expected at least 1"),
        ({"num_iters": 2.0}, "num_iters: expected at least 1, a whole number"),
        ({"tol": -1.0}, "tol: expected nats of at least 0"),
        ({"tol": float("nan")}, "tol: expected"),
    ],
)
def test_bad_arguments_say_so(arguments, message):
    with pytest.raises(ValueError, match=message):
        lib.em(MODELS["PPCA"](2, "cpu"), data(2, "cpu"), **arguments)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("offset", [0, 1e4, 3e6])
@pytest.mark.parametrize("name", ["PPCA", "GaussianMixture"])
def test_in_float32_the_bound_never_falls_however_far_from_the_origin(name, offset, seed, device):
    """Offset over noise up to 1e7; the end is that of the same numbers in float64."""
    direction = torch.tensor([[1.0, 2.0, -1.0]], dtype=torch.float64, device=device)
    line, noise = normal(200, 1, device=device, seed=seed), normal(200, 3, device=device, seed=seed + 99)
    x = (line @ direction + 0.3 * noise + offset).float()
    if name == "PPCA":
        start = lib.PPCA(normal(3, 1, device=device, seed=seed).float(), x.mean(0), 1.0)
    else:
        start = lib.GaussianMixture.kmeans_plus_plus(x, 2, torch.Generator(device).manual_seed(seed))
    fitted, history = lib.em(start, x, 60)
    assert (history.diff() > -1e-9).all()
    exact, expected = lib.em(start.to(torch.float64), x.double(), 60)
    assert_close(history, expected, rtol=0, atol=1e-5)
    assert_close(fitted.log_prob(x).double(), exact.log_prob(x.double()), rtol=1e-4, atol=1e-4)


def test_ppca_far_from_the_origin_ends_at_the_closed_form(device):
    x = (
        normal(200, 1, device=device) @ normal(1, 3, device=device, seed=1) + 0.3 * normal(200, 3, device=device)
    ).float()
    x = x + 3e6
    _, history = lib.em(lib.PPCA(normal(3, 1, device=device).float(), x.mean(0), 1.0), x, 400)
    assert_close(history[-1], lib.PPCA.maximum_likelihood(x, 1).log_prob(x).double().mean(), rtol=0, atol=1e-3)


def test_hard_q_is_the_best_of_all_point_masses(device):
    model, x = MODELS["HardMixture"](2, device), data(2, device, n=4)
    q, bound = model.e_step(x)
    masses = torch.eye(3, dtype=torch.float64, device=device)
    choices = [model.elbo(x, masses[list(k)]).mean() for k in product(range(3), repeat=4)]
    assert_close(bound, torch.stack(choices).max())
    assert_close(bound, model.elbo(x, q).mean())


def test_diagonal_q_is_the_best_of_all_diagonal_gaussians(device):
    """Its bound has no gradient in the mean and the log-variances, and is strictly below log p(x)."""
    theta, x = ppca(4, 2, device), data(4, device)
    (q_mean, q_cov), bound = lib.MeanFieldPPCA(*theta).e_step(x)
    mean, log_var = q_mean.clone().requires_grad_(), q_cov.diagonal().log().requires_grad_()
    elbo = lib.ppca_elbo(x, *theta, mean, log_var.exp().diag()).mean()
    assert_close(elbo, bound)
    for gradient in torch.autograd.grad(elbo, [mean, log_var]):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-10)
    assert bound < lib.PPCA(*theta).log_prob(x).mean() - 1e-3


def test_mean_field_reaches_the_maximum_likelihood(device):
    """PPCA's W may be rotated until the posterior is diagonal, so the restriction costs nothing at the end."""
    x = data(4, device)
    fitted, history = lib.em(MODELS["MeanFieldPPCA"](4, device), x, num_iters=2000)
    best = lib.PPCA.maximum_likelihood(x, 2).log_prob(x).mean()
    assert_close(history[-1], best, rtol=0, atol=1e-4)
    assert_close(fitted.log_prob(x).mean(), best, rtol=0, atol=1e-4)


def test_em_accepts_any_model_with_an_e_step_and_an_m_step():
    """The mean of a Gaussian with known variances and a latent shift z ~ N(0, 1): x ~ N(θ + z, 1)."""

    class Shift:
        def __init__(self, theta):
            self.theta = theta

        def e_step(self, x):
            return (x - self.theta) / 2, torch.distributions.Normal(self.theta, 2**0.5).log_prob(x).mean()

        def m_step(self, x, q):
            return Shift((x - q).mean())

    x = normal(50)
    model, history = lib.em(Shift(torch.tensor(5.0, dtype=torch.float64)), x, num_iters=60)
    assert_close(model.theta, x.mean())
    assert (history.diff() >= -1e-12).all()
    with pytest.raises(ValueError, match=r"num_starts: expected 1 for a Shift.*; give it restart"):
        lib.em(model, x, num_starts=2)
