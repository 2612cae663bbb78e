"""Mixture of Gaussians against torch.distributions, scikit-learn, numpy and quadrature."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as Sklearn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import generator, mixture, normal, responsibilities

SIZES = [(1, 1), (1, 3), (3, 1), (4, 3)]


def reference(weights, means, covariances):
    return MixtureSameFamily(Categorical(weights), MultivariateNormal(means, covariances))


def scikit(weights, means, covariances) -> Sklearn:
    model = Sklearn(len(weights))
    model.weights_, model.means_ = weights.cpu().numpy(), means.cpu().numpy()
    model.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(covariances.cpu().numpy()))
    return model


@pytest.mark.parametrize(("K", "m"), SIZES)
@pytest.mark.parametrize("batch", [(), (6,), (2, 3)])
def test_log_prob_is_that_of_torch_distributions(K, m, batch, device):
    theta, x = mixture(K, m, device), 3 * normal(*batch, m, device=device)
    assert_close(lib.GaussianMixture(*theta).log_prob(x), reference(*theta).log_prob(x))


def test_gradients_are_those_of_torch_distributions(device):
    theta = [p.requires_grad_() for p in mixture(3, 2, device)]
    x = normal(6, 2, device=device).requires_grad_()
    ours = torch.autograd.grad(lib.GaussianMixture(*theta).log_prob(x).sum(), [*theta[1:], x])
    theirs = torch.autograd.grad(reference(*theta).log_prob(x).sum(), [*theta[1:], x])
    assert_close(ours[0], theirs[0])
    assert_close(ours[1] + ours[1].mT, theirs[1] + theirs[1].mT)
    assert_close(ours[2], theirs[2])


def test_density_integrates_to_one(device):
    line = torch.linspace(-12, 12, 401, dtype=torch.float64, device=device)
    density = lib.GaussianMixture(*mixture(3, 2, device)).log_prob(torch.cartesian_prod(line, line)).exp()
    assert_close(density.sum() * (line[1] - line[0]) ** 2, density.new_tensor(1.0))


@pytest.mark.parametrize(("K", "m"), SIZES)
def test_posterior_is_that_of_scikit_learn(K, m, device):
    theta, x = mixture(K, m, device), 3 * normal(20, m, device=device)
    q = lib.GaussianMixture(*theta).posterior(x)
    assert_close(q.cpu(), torch.from_numpy(scikit(*theta).predict_proba(x.cpu().numpy())))
    assert_close(q.sum(-1), torch.ones_like(q[:, 0]))


def test_posterior_over_batch_axes(device):
    model, x = lib.GaussianMixture(*mixture(3, 2, device)), normal(2, 3, 2, device=device)
    assert_close(model.posterior(x)[1], model.posterior(x[1]))


def test_samples_follow_the_mixture(device):
    weights, means, covariances = mixture(3, 2, device)
    x, k = lib.GaussianMixture(weights, means, covariances).sample(60_000)
    assert (x.shape, k.shape, k.dtype) == ((60_000, 2), (60_000,), torch.int64)
    for j in range(3):
        chosen = x[k == j]
        assert float((k == j).double().mean() - weights[j]) == pytest.approx(0, abs=0.01)
        assert_close(chosen.mean(0), means[j], rtol=0, atol=0.05)
        assert_close(chosen.mT.cov(), covariances[j], rtol=0, atol=0.06)


def test_sampling_obeys_a_generator():
    model = lib.GaussianMixture(*mixture(3, 2))
    assert_close(model.sample(5, generator(1)), model.sample(5, generator(1)))


def test_elbo_is_below_log_prob_and_touches_it_at_the_posterior(device):
    model, x = lib.GaussianMixture(*mixture(4, 2, device)), normal(30, 2, device=device)
    log_prob, posterior = model.log_prob(x), model.posterior(x)
    q = responsibilities(30, 4, device)
    kl = (q * (q / posterior).log()).sum(-1)
    assert_close(model.elbo(x, q) + kl, log_prob)
    assert_close(model.elbo(x, posterior), log_prob)


def test_elbo_of_a_point_mass_is_the_log_joint(device):
    model, x = lib.GaussianMixture(*mixture(4, 2, device)), normal(5, 2, device=device)
    point = torch.nn.functional.one_hot(torch.tensor([0, 1, 2, 3, 3], device=device), 4)
    assert_close(model.elbo(x, point.double()), model.log_joint(x)[point.bool()])


def test_e_step_returns_the_posterior_and_its_bound(device):
    model, x = lib.GaussianMixture(*mixture(4, 2, device)), normal(30, 2, device=device)
    q, bound = model.e_step(x)
    assert_close(q, model.posterior(x))
    assert_close(bound, model.elbo(x, q).mean())


@pytest.mark.parametrize(("K", "m"), SIZES)
def test_m_step_is_numpys_weighted_average_and_covariance(K, m, device):
    x, q = 2 + normal(40, m, device=device), responsibilities(40, K, device)
    model = lib.GaussianMixture(*mixture(K, m, device)).m_step(x, q)
    for k in range(K):
        rows, weights = x.cpu().numpy(), q[:, k].cpu().numpy()
        covariance = np.cov(rows.T, aweights=weights, ddof=0).reshape(m, m)
        assert_close(model.weights[k].cpu(), torch.tensor(weights.mean()))
        assert_close(model.means[k].cpu(), torch.from_numpy(np.average(rows, axis=0, weights=weights)))
        assert_close(model.covariances[k].cpu(), torch.from_numpy(covariance))


def test_m_step_is_where_the_gradient_of_the_bound_vanishes(device):
    """In the free parameters: logits of the weights, means, Cholesky factors."""
    x, q = normal(40, 2, device=device), responsibilities(40, 3, device)
    best = lib.GaussianMixture(*mixture(3, 2, device)).m_step(x, q)
    free = [best.weights.log(), best.means, torch.linalg.cholesky(best.covariances)]
    logits, means, root = (p.detach().requires_grad_() for p in free)
    bound = lib.GaussianMixture(torch.softmax(logits, -1), means, root @ root.mT).elbo(x, q).mean()
    for gradient in torch.autograd.grad(bound, [logits, means, root]):
        assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("K", "m"), SIZES)
def test_em_is_that_of_scikit_learn_from_the_same_start(K, m, device):
    """Parameters and log-likelihood after the same number of iterations."""
    x = torch.cat([normal(150, m, device=device), 3 + 2 * normal(150, m, device=device, seed=1)])
    theta = mixture(K, m, device)
    model, history = lib.em(lib.GaussianMixture(*theta), x, num_iters=25)
    start = {"weights_init": theta[0].cpu(), "means_init": theta[1].cpu()}
    theirs = Sklearn(K, tol=0, max_iter=25, reg_covar=0, precisions_init=theta[2].inverse().cpu(), **start)
    with pytest.warns(match="did not converge"):
        theirs.fit(x.cpu().numpy())
    assert float(history[-1]) == pytest.approx(theirs.lower_bound_, abs=1e-8)
    assert float(model.log_prob(x).mean()) == pytest.approx(theirs.score(x.cpu().numpy()), abs=1e-8)
    assert_close(model.covariances.cpu(), torch.from_numpy(theirs.covariances_), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("method", ["log_prob", "posterior"])
def test_the_gradient_in_a_weight_of_zero_is_that_of_a_tiny_one(method, dtype, device):
    """d log p(x)/d w_k = p(x|k)/p(x); the limit from above, by float64 far from the zero."""
    means, covariances = (p.to(dtype) for p in mixture(3, 2, device)[1:])
    x = normal(5, 2, device=device).to(dtype)

    def gradient(last: float):
        theta = torch.tensor([0.25, 0.75 - last, last], dtype=dtype, device=device).requires_grad_()
        value = getattr(lib.GaussianMixture(theta, means, covariances), method)(x)
        return torch.autograd.grad((value * torch.arange(value.numel()).to(value).view(value.shape)).sum(), theta)[0]

    assert_close(gradient(0.0), gradient(1e-6), rtol=1e-3, atol=1e-3)


def test_the_gradient_of_the_bound_leaves_out_what_q_leaves_out(device):
    _, means, covariances = mixture(2, 2, device)
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64, device=device).requires_grad_()
    q = torch.tensor([[1.0, 0.0]] * 4, dtype=torch.float64, device=device)
    bound = lib.GaussianMixture(weights, means, covariances).elbo(normal(4, 2, device=device), q).sum()
    assert_close(torch.autograd.grad(bound, weights)[0], torch.tensor([4.0, 0.0]).to(weights))


@pytest.mark.parametrize("shift", [0.0, 80.0, 1e5])
def test_weights_from_a_softmax_that_underflows(shift, device):
    """The lost component is far more likely at some x, where its density over the others' may overflow."""
    logits = torch.tensor([0.0, -2000.0], device=device).requires_grad_()
    means = torch.tensor([[0.0], [shift]], device=device)
    model = lib.GaussianMixture(torch.softmax(logits, 0), means, torch.ones(2, 1, 1, device=device))
    x = torch.tensor([[0.5], [shift]], device=device)
    log_prob = model.log_prob(x)
    assert_close(log_prob, MultivariateNormal(means[0], torch.eye(1, device=device)).log_prob(x))
    (gradient,) = torch.autograd.grad(log_prob.sum(), logits)
    assert_close(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("K", [1, 3])
def test_kmeans_plus_plus_starts_in_every_cluster(K, device):
    """Three clusters, 100 standard deviations apart: a start at random rows misses one in 7 of 9 draws."""
    centres = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]], dtype=torch.float64, device=device)[:K]
    x = centres.repeat_interleave(20, 0) + normal(20 * K, 2, device=device)
    for seed in range(10):
        start = lib.GaussianMixture.kmeans_plus_plus(x, K, torch.Generator(device).manual_seed(seed))
        assert set(torch.cdist(start.means, centres).argmin(1).tolist()) == set(range(K))
        assert all((x == mean).all(-1).any() for mean in start.means)
        assert_close(start.weights.sum(), start.weights.new_tensor(1.0))
        assert (start.covariances.diagonal(dim1=-2, dim2=-1) < 9).all()


@pytest.mark.parametrize("rows", [1, 2])
def test_kmeans_plus_plus_needs_more_rows_than_components(rows):
    with pytest.raises(ValueError, match=r"covariances: .* singular"):
        lib.GaussianMixture.kmeans_plus_plus(normal(2, 2)[:rows], 2)


def test_samples_of_many_components_are_drawn_in_chunks(device):
    """More rows than a chunk: the same law, and K does not matter."""
    weights = torch.full((300,), 1 / 300, dtype=torch.float64, device=device)
    means = torch.arange(300.0, device=device).double().unsqueeze(-1).repeat(1, 8)
    model = lib.GaussianMixture(weights, means, 1e-4 * torch.eye(8, device=device).double().repeat(300, 1, 1))
    x, k = model.sample(5000)
    assert_close(x.round(), means[k])
    assert float((x - means[k]).std()) == pytest.approx(1e-2, rel=0.05)
