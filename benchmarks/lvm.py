"""Latent variable models beside scikit-learn, broadcasting, and our own plain references."""

import math
from collections.abc import Iterator

import torch
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture as ScikitMixture
from torch import Tensor

from benchmarks.timing import Growth, Row, Work
from dgmlib.em import em
from dgmlib.lvm import PPCA, GaussianMixture, naive_gaussian_log_likelihood, naive_log_likelihood
from dgmlib.lvm.mixture_em import fit_mixture


def rows() -> Iterator[Row]:
    yield mixture_em(100_000, 8, 16, iterations=3)
    yield from ppca(50_000, 256, 16)
    yield naive_monte_carlo(1000, 1000, 128)


def growth() -> Iterator[Growth]:
    """How an EM iteration, the PPCA fit and naive Monte Carlo grow with the rows n and with K."""

    def iteration(n: int, K: int) -> Work:
        x = torch.randn(n, 8, dtype=torch.float64)
        weights = torch.full((K,), 1 / K, dtype=torch.float64)
        model = GaussianMixture(weights, x[:K].clone(), torch.eye(8, dtype=torch.float64).expand(K, 8, 8))
        return lambda: fit_mixture(model, x, 1)

    def fit(n: int) -> Work:
        x = torch.randn(n, 64, dtype=torch.float64)
        return lambda: PPCA.maximum_likelihood(x, 8)

    def monte_carlo(K: int) -> Work:
        x, means, sigma = torch.randn(1000, 64), torch.randn(K, 64), torch.tensor(1.0)
        return lambda: naive_gaussian_log_likelihood(x, means, sigma)

    rows, components = [1000, 4000, 16_000, 64_000], [1, 4, 16, 64]
    yield Growth("mixture EM iteration, m=8 K=16", "n", rows, lambda n: iteration(n, 16))
    yield Growth("PPCA fit, m=64 d=8", "n", rows, fit)
    yield Growth("mixture EM iteration, n=16k m=8", "K", components, lambda K: iteration(16_000, K))
    yield Growth("naive Monte Carlo, n=1000 m=64", "K", [100, 1000, 10_000], monte_carlo)


def mixture_em(n: int, m: int, K: int, iterations: int) -> Row:
    """All from the same start, for the same number of iterations; the difference is that of the log-likelihoods."""
    centres = 3 * torch.randn(K, m, dtype=torch.float64)
    x = centres[torch.randint(K, (n,))] + torch.randn(n, m, dtype=torch.float64)
    weights = torch.full((K,), 1 / K, dtype=torch.float64)
    model = GaussianMixture(weights, x[:K].clone(), torch.eye(m, dtype=torch.float64).expand(K, m, m))
    peer = ScikitMixture(
        K,
        tol=0,
        reg_covar=0,
        max_iter=iterations,
        weights_init=weights.numpy(),
        means_init=model.means.numpy(),
        precisions_init=model.covariances.inverse().numpy(),
    )
    bound = fit_mixture(model, x, iterations)[1][-1]
    error = abs(float(bound) - peer.fit(x.numpy()).lower_bound_)
    peers = {
        "scikit-learn": lambda: peer.fit(x.numpy()),
        "em, the reference": lambda: em(model, x, iterations),
    }
    work = f"mixture EM, full covariance, n={n} d={m} K={K} float64, {iterations} iterations"
    return Row(work, lambda: fit_mixture(model, x, iterations), peers, "scikit-learn", 6.0, error=error)


def ppca(n: int, m: int, d: int) -> Iterator[Row]:
    """scikit-learn divides by n - 1, so log-likelihoods are compared at its parameters."""
    latent = 2 * torch.randn(n, d, dtype=torch.float64)
    x = latent @ torch.randn(d, m, dtype=torch.float64) + torch.randn(n, m, dtype=torch.float64) + 5
    full, covariance = PCA(d, svd_solver="full"), PCA(d, svd_solver="covariance_eigh")
    ours, theirs = PPCA.maximum_likelihood(x, d), full.fit(x.numpy())
    error = abs(float(ours.sigma.square()) / (theirs.noise_variance_ * (n - 1) / n) - 1)
    fits = {
        "scikit-learn": lambda: full.fit(x.numpy()),
        "scikit-learn, covariance_eigh": lambda: covariance.fit(x.numpy()),
    }
    work = f"PPCA {{}}, n={n} d={m} k={d} float64"
    fit = lambda: PPCA.maximum_likelihood(x, d)  # noqa: E731
    yield Row(work.format("fit"), fit, fits, "scikit-learn", 6.0, error=error)
    variance = torch.as_tensor(theirs.noise_variance_)
    axes = torch.from_numpy(theirs.components_).mT * (torch.from_numpy(theirs.explained_variance_) - variance).sqrt()
    same = PPCA(axes, torch.from_numpy(theirs.mean_), variance.sqrt())
    error = float((same.log_prob(x) - torch.from_numpy(theirs.score_samples(x.numpy()))).abs().max())
    peers = {"scikit-learn": lambda: theirs.score_samples(x.numpy())}
    yield Row(work.format("log_prob"), lambda: same.log_prob(x), peers, "scikit-learn", 5.0, error=error)


def naive_monte_carlo(n: int, K: int, m: int) -> Row:
    """The promised memory is what one chunk of 1024 rows needs, whatever K is."""
    x, means = torch.rand(n, m), torch.rand(K, m)
    constant = m * math.log(0.5 * math.sqrt(2 * math.pi))

    def pairs(x: Tensor, means: Tensor) -> Tensor:
        return -((x - means.unsqueeze(1)) / 0.5).square().sum(-1) / 2 - constant

    def broadcasting() -> Tensor:
        return torch.logsumexp(pairs(x, means), 0) - math.log(K)

    ours = lambda: naive_gaussian_log_likelihood(x, means, 0.5)  # noqa: E731
    error = float((ours() - broadcasting()).abs().max())
    peers = {
        "broadcasting": broadcasting,
        "naive_log_likelihood, 32 at a time": lambda: naive_log_likelihood(x, means, pairs, 32),
    }
    work = f"naive Monte Carlo {n}x{K}, d={m} float32"
    return Row(work, ours, peers, "broadcasting", 30.0, memory=True, error=error)
