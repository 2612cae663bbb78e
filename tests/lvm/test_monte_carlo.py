"""The naive estimate against the exact PPCA likelihood and against broadcasting."""

import math

import pytest
import torch
from torch.distributions import Normal
from torch.testing import assert_close

from benchmarks.timing import peak_memory
from tests.lvm import library as lib
from tests.lvm.cases import normal, ppca


def pairs(model):
    """log p(x|z) of every pair: (K, n)."""
    return lambda x, z: model.log_likelihood(x, z.unsqueeze(1))


def broadcast(x, means, sigma):
    """The formula: all pairs at once."""
    log_likelihood = Normal(means.unsqueeze(1), sigma).log_prob(x).sum(-1)
    return torch.logsumexp(log_likelihood, 0) - math.log(len(means))


@pytest.mark.parametrize("chunk", [1, 7, 20, 1000])
def test_chunks_do_not_change_the_estimate(chunk, device):
    W, mu, sigma = ppca(4, 2, device)
    x, z = normal(6, 4, device=device), normal(20, 2, device=device, seed=1)
    expected = broadcast(x, z @ W.mT + mu, sigma)
    assert_close(lib.naive_log_likelihood(x, z, pairs(lib.PPCA(W, mu, sigma)), chunk), expected)
    assert_close(lib.naive_gaussian_log_likelihood(x, z @ W.mT + mu, sigma, chunk), expected)


def test_estimate_at_quantiles_of_the_prior_is_the_exact_likelihood(device):
    model = lib.PPCA(*ppca(3, 1, device))
    x, _ = model.sample(5)
    levels = (torch.arange(40_000, dtype=torch.float64, device=device) + 0.5) / 40_000
    z = Normal(0.0, 1.0).icdf(levels).unsqueeze(-1)
    assert_close(lib.naive_log_likelihood(x, z, pairs(model), 4096), model.log_prob(x), rtol=1e-4, atol=1e-4)


def test_estimate_is_unbiased_before_the_log_and_low_after(device):
    """z on every pair of 40 quantiles of the prior: all estimates with K = 2, so the averages have no noise."""
    model = lib.PPCA(torch.ones(2, 1).to(device).double(), torch.zeros(2).to(device).double(), 1.0)
    x = torch.tensor([[1.0, -0.5]], dtype=torch.float64, device=device)
    z = Normal(0.0, 1.0).icdf((torch.arange(40, dtype=torch.float64, device=device) + 0.5) / 40)
    estimates = torch.stack(
        [lib.naive_log_likelihood(x, pair[:, None], pairs(model)) for pair in torch.cartesian_prod(z, z)]
    )
    exact = model.log_prob(x)
    assert_close(estimates.exp().mean(0), exact.exp(), rtol=0.03, atol=0)
    assert (estimates.mean(0) < exact - 0.05).all()


def test_log_likelihoods_far_below_zero_do_not_underflow(device):
    x, z = normal(5, 2, device=device), normal(8, 2, device=device, seed=1)
    far = lib.naive_log_likelihood(x, z, lambda x, z: Normal(z.unsqueeze(1), 1.0).log_prob(x).sum(-1) - 1e6)
    assert_close(far, broadcast(x, z, 1.0) - 1e6)


def test_gradients_are_those_of_broadcasting(device):
    inputs = [normal(5, 3, device=device), normal(8, 3, device=device, seed=1), torch.tensor(0.7, device=device)]
    inputs = [i.double().requires_grad_() for i in inputs]
    ours = torch.autograd.grad(lib.naive_gaussian_log_likelihood(*inputs, chunk=3).sum(), inputs)
    assert_close(ours, torch.autograd.grad(broadcast(*inputs).sum(), inputs))


def test_memory_is_bounded_by_the_chunk():
    """All pairs would take 120 MB, broadcasting them 2 GB; a chunk takes 1 MB."""
    x, means = normal(1000, 16).float(), normal(30_000, 16, seed=1).float()
    peak = peak_memory(lambda: lib.naive_gaussian_log_likelihood(x, means, 0.7, chunk=256))
    assert peak < 40 * 2**20
