"""Latent variable models beside scikit-learn, broadcasting, and our own plain references."""

import math
from collections.abc import Iterator

import torch
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture as ScikitMixture
from torch import Tensor

from benchmarks.timing import Growth, Row, Work
from dgmlib.em import em
from dgmlib.kl import gaussian_kl
from dgmlib.lvm import PPCA, GaussianMixture, fit_mixture, naive_gaussian_log_likelihood, naive_log_likelihood

# Plain torch's chunks: temporaries of half a megabyte.
ROWS_OF_MIXTURE, ROWS_OF_PPCA = 512, 256


def rows() -> Iterator[Row]:
    yield mixture_em(100_000, 8, 16, iterations=3)
    yield from large_mixture(1_000_000, 8, 16)
    yield mixture_sample(8000, 8)
    yield from ppca(50_000, 256, 16)
    yield naive_monte_carlo(1000, 1000, 256)
    yield one_covariance(10_000, 64)


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


def clusters(n: int, m: int, K: int) -> tuple[Tensor, GaussianMixture]:
    """Data in K clusters, and a start."""
    centres = 3 * torch.randn(K, m, dtype=torch.float64)
    x = centres[torch.randint(K, (n,))] + torch.randn(n, m, dtype=torch.float64)
    weights = torch.full((K,), 1 / K, dtype=torch.float64)
    return x, GaussianMixture(weights, x[:K].clone(), torch.eye(m, dtype=torch.float64).expand(K, m, m))


def mixture_em(n: int, m: int, K: int, iterations: int) -> Row:
    """All from the same start, for the same number of iterations; the difference is that of the log-likelihoods."""
    x, model = clusters(n, m, K)
    weights = model.weights
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
    return Row(work, lambda: fit_mixture(model, x, iterations), peers, "scikit-learn", 8.0, error=error)


def large_mixture(n: int, m: int, K: int) -> Iterator[Row]:
    """Against the formulas as straight lines, by chunks; the promise is 1.2 times their time, and 200 MB."""
    x, model = clusters(n, m, K)
    root = torch.linalg.cholesky(model.covariances)
    constant = model.weights.log() - root.diagonal(dim1=-2, dim2=-1).log().sum(-1) - m * math.log(2 * math.pi) / 2

    def log_joint(rows: Tensor) -> Tensor:
        white = torch.linalg.solve_triangular(root, rows.mT - model.means.unsqueeze(-1), upper=False)
        return constant.unsqueeze(-1) - white.square().sum(1) / 2

    def log_prob() -> Tensor:
        return torch.cat([torch.logsumexp(log_joint(rows), 0) for rows in x.split(ROWS_OF_MIXTURE)])

    def posterior() -> Tensor:
        return torch.cat([torch.softmax(log_joint(rows), 0).mT for rows in x.split(ROWS_OF_MIXTURE)])

    def iteration() -> tuple[Tensor, Tensor]:
        q = posterior()
        mass, pairs = q.sum(0), list(zip(x.split(ROWS_OF_MIXTURE), q.split(ROWS_OF_MIXTURE), strict=True))
        means = sum(shares.mT @ rows for rows, shares in pairs) / mass.unsqueeze(-1)
        centred = ((shares, rows - means.unsqueeze(1)) for rows, shares in pairs)
        return means, sum((shares.mT.unsqueeze(-1) * c).mT @ c for shares, c in centred) / mass[:, None, None]

    work, promise = f"GaussianMixture {{}}, n={n} d={m} K={K} float64", {"against": "plain torch", "at_least": 1 / 1.2}
    error = float((model.log_prob(x) - log_prob()).abs().max())
    calls = {
        "log_prob": (lambda: model.log_prob(x), log_prob),
        "posterior": (lambda: model.posterior(x), posterior),
        "em, 1 iteration": (lambda: em(model, x, 1), iteration),
    }
    for name, (ours, plain) in calls.items():
        peers = {"plain torch": plain}
        yield Row(work.format(name), ours, peers, **promise, memory=True, at_most_mb=200, error=error)


def mixture_sample(n: int, m: int) -> Row:
    """256 components against 4: independent of K, within noise."""

    def sample(K: int) -> Work:
        model = GaussianMixture(torch.full((K,), 1 / K), torch.randn(K, m), torch.eye(m).repeat(K, 1, 1))
        return lambda: model.sample(n)

    return Row(f"GaussianMixture.sample, n={n} d={m} K=256", sample(256), {"K=4": sample(4)}, "K=4", 0.7)


def one_covariance(n: int, m: int) -> Row:
    """The peer copies the covariance's factor for each mean, as torch's broadcasting does."""
    means, origin, eye = torch.randn(n, m).double(), torch.zeros(m).double(), torch.eye(m).double()
    copies = lambda: gaussian_kl(means, eye, origin, eye.expand(n, m, m))  # noqa: E731
    ours = lambda: gaussian_kl(means, eye, origin, eye)  # noqa: E731
    error = float((ours() - copies()).abs().max())
    work = f"gaussian_kl, {n} means, one covariance, m={m} float64"
    return Row(work, ours, {"a factor for each": copies}, "a factor for each", 40.0, memory=True, error=error)


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
    also = {"scikit-learn, covariance_eigh": 0.9}
    yield Row(work.format("fit"), fit, fits, "scikit-learn", 10.0, error=error, memory=True, also=also)
    variance = torch.as_tensor(theirs.noise_variance_)
    axes = torch.from_numpy(theirs.components_).mT * (torch.from_numpy(theirs.explained_variance_) - variance).sqrt()
    same = PPCA(axes, torch.from_numpy(theirs.mean_), variance.sqrt())
    error = float((same.log_prob(x) - torch.from_numpy(theirs.score_samples(x.numpy()))).abs().max())
    peers = {"scikit-learn": lambda: theirs.score_samples(x.numpy())}
    yield Row(work.format("log_prob"), lambda: same.log_prob(x), peers, "scikit-learn", 5.0, error=error)
    peers = {"scikit-learn": lambda: theirs.transform(x.numpy()), "plain torch": lambda: plain_posterior(same, x)}
    error = float((same.posterior(x)[0] - plain_posterior(same, x)).abs().max())
    yield Row(work.format("posterior"), lambda: same.posterior(x), peers, "scikit-learn", 2.5, error=error)
    step = lambda: same.m_step(x, same.e_step(x)[0])  # noqa: E731
    W, _, variance = plain_em_step(same, x)
    error = max(float((step().W - W).abs().max()), float((step().sigma.square() - variance).abs()))
    peers = {"plain torch": lambda: plain_em_step(same, x)}
    yield Row(work.format("EM step"), step, peers, "plain torch", 1 / 1.2, memory=True, error=error)


def plain_posterior(model: PPCA, x: Tensor) -> Tensor:
    gain = torch.linalg.solve(model.W.mT @ model.W + model.sigma**2 * torch.eye(model.W.shape[1]).double(), model.W.mT)
    return torch.cat([(gain @ (rows - model.mu).mT).mT for rows in x.split(ROWS_OF_PPCA)])


def plain_em_step(model: PPCA, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Tipping and Bishop's equations as straight lines, by chunks, and the energy of the log-likelihood."""
    W, mu, variance, (n, m) = model.W, model.mu, model.sigma**2, x.shape
    M = W.mT @ W + variance * torch.eye(W.shape[1]).double()
    z, energy = [], 0.0
    for rows in x.split(ROWS_OF_PPCA):
        centred = rows - mu
        z.append(torch.linalg.solve(M, W.mT @ centred.mT).mT)
        energy = energy + (centred - z[-1] @ W.mT).square().sum() / variance + z[-1].square().sum()
    z, mean = torch.cat(z), x.mean(0)
    centred_z = z - z.mean(0)
    pairs = list(zip(x.split(ROWS_OF_PPCA), centred_z.split(ROWS_OF_PPCA), strict=True))
    spread = variance * M.inverse()
    cov_zz = centred_z.mT @ centred_z / n + spread
    W = torch.linalg.solve(cov_zz, sum(latent.mT @ (rows - mean) for rows, latent in pairs) / n).mT
    residual = sum((rows - mean - latent @ W.mT).square().sum() for rows, latent in pairs) / n
    return W, energy, (residual + (W @ spread * W).sum()) / m


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
    return Row(work, ours, peers, "broadcasting", 40.0, memory=True, at_most_mb=50, error=error)
