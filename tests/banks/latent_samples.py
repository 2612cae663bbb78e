"""Answers to 02_latent_variable_models: samples of a mixture."""

import math

import torch
from torch import distributions as D

from . import right, wrong


def noise_like(means, n):
    return torch.randn(n, means.shape[1], dtype=means.dtype, device=means.device)


@right("sample_mixture")
def draw_by_index(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    L = torch.linalg.cholesky(covariances)
    return means[k] + torch.einsum("nab,nb->na", L[k], noise_like(means, n)), k


@right("sample_mixture")
def draw_with_distributions(n, weights, means, covariances):
    k = D.Categorical(weights).sample((n,))
    return D.MultivariateNormal(means[k], covariances[k]).sample(), k


@right("sample_mixture")
def draw_row_by_row(n, weights, means, covariances):
    rows, ks = [], []
    for _ in range(n):
        k = int(torch.multinomial(weights, 1))
        L = torch.linalg.cholesky(covariances[k])
        rows.append(means[k] + L @ torch.randn(len(L), dtype=L.dtype, device=L.device))
        ks.append(k)
    return torch.stack(rows), torch.tensor(ks, device=weights.device)


@right("sample_mixture")
def draw_component_by_component(n, weights, means, covariances):
    x = noise_like(means, n)
    k = torch.searchsorted(weights.cumsum(0), torch.rand(n, dtype=weights.dtype, device=weights.device))
    k = k.clamp(max=len(weights) - 1)
    for c in range(len(weights)):
        chosen = k == c
        values, vectors = torch.linalg.eigh(covariances[c])
        root = vectors @ torch.diag(values.sqrt()) @ vectors.T
        x = torch.where(chosen[:, None], means[c] + x @ root, x)
    return x, k


@right("sample_mixture")
def draw_all_then_choose(n, weights, means, covariances):
    everything = D.MultivariateNormal(means, covariances).sample((n,))
    k = (weights.log() - torch.log(-torch.log(torch.rand_like(everything[:, :, 0])))).argmax(1)
    return everything[torch.arange(n, device=k.device), k], k


@wrong("sample_mixture", law="random counts", says="in no order")
def draw_one_component_after_the_other(n, weights, means, covariances):
    counts = torch.multinomial(weights, n, replacement=True).bincount(minlength=len(weights))
    rows = [D.MultivariateNormal(m, S).sample((int(c),)) for m, S, c in zip(means, covariances, counts, strict=True)]
    return torch.cat(rows), torch.arange(len(weights), device=weights.device).repeat_interleave(counts)


@wrong("sample_mixture", law="random counts", says="in no order")
def draw_counts_first(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True).sort().values
    L = torch.linalg.cholesky(covariances)
    return torch.stack([means[c] + L[c] @ e for c, e in zip(k, noise_like(means, n), strict=True)]), k


def drawn_with(scale):
    """x = means_k + scale(covariances)_k noise."""

    def answer(n, weights, means, covariances):
        k = torch.multinomial(weights, n, replacement=True)
        return means[k] + (scale(covariances)[k] @ noise_like(means, n)[..., None]).squeeze(-1), k

    return answer


@wrong("sample_mixture", law="x given k", says="multiplied by the covariance")
def draw_covariance_scale(n, weights, means, covariances):
    return drawn_with(lambda c: c)(n, weights, means, covariances)


@wrong("sample_mixture", law="x given k", says="transposed")
def draw_transposed(n, weights, means, covariances):
    return drawn_with(lambda c: torch.linalg.cholesky(c).mT)(n, weights, means, covariances)


@wrong("sample_mixture", law="x given k", says="only the variances")
def draw_diagonal(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    return means[k] + covariances.diagonal(dim1=1, dim2=2).sqrt()[k] * noise_like(means, n), k


@wrong("sample_mixture", law="x given k", says="variances scale the noise")
def draw_variances_as_scales(n, weights, means, covariances):
    return D.Normal(means, covariances.diagonal(dim1=1, dim2=2)).sample((n,))[
        torch.arange(n, device=means.device), (k := torch.multinomial(weights, n, replacement=True))
    ], k


@wrong("sample_mixture", law="x given k", says="variance 1")
def draw_unit_noise(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    return means[k] + noise_like(means, n), k


@wrong("sample_mixture", law="x given k", says="serves for all")
def draw_one_covariance(n, weights, means, covariances):
    return drawn_with(lambda c: torch.linalg.cholesky(c[:1]).expand_as(c))(n, weights, means, covariances)


@wrong("sample_mixture", law="x given k", says="independent of k")
def draw_k_twice(n, weights, means, covariances):
    x, _ = draw_by_index(n, weights, means, covariances)
    return x, torch.multinomial(weights, n, replacement=True)


@wrong("sample_mixture", law="x given k", says="not added")
def draw_without_means(n, weights, means, covariances):
    return draw_by_index(n, weights, torch.zeros_like(means), covariances)


@wrong("sample_mixture", law="x given k", says="not Gaussian")
def draw_uniform_noise(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    noise = math.sqrt(12) * (torch.rand_like(noise_like(means, n)) - 0.5)
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise), k


@wrong("sample_mixture", law="x given k", says="all rows lie on a line")
def draw_shared_noise(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    noise = noise_like(means, n)[:, :1].expand(n, means.shape[1])
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise), k


@wrong("sample_mixture", law="components", says="equally likely")
def draw_equal_weights(n, weights, means, covariances):
    return draw_by_index(n, torch.ones_like(weights), means, covariances)


@wrong("sample_mixture", law="components", says="softmax")
def draw_weights_as_logits(n, weights, means, covariances):
    return draw_by_index(n, torch.softmax(weights, 0), means, covariances)


@wrong("sample_mixture", law="components", says="frequencies")
def draw_one_component(n, weights, means, covariances):
    k = torch.multinomial(weights, 1).expand(n)
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise_like(means, n)), k


@wrong("sample_mixture", law="random counts", says="n · weights times")
def draw_fixed_counts(n, weights, means, covariances):
    edges = (weights.cumsum(0) * n).round()
    k = torch.searchsorted(edges, torch.randperm(n, device=weights.device).to(edges) + 0.5).clamp(max=len(weights) - 1)
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise_like(means, n)), k


@wrong("sample_mixture", law="random counts", says="the same k")
def draw_seeded_k(n, weights, means, covariances):
    k = torch.multinomial(weights.cpu(), n, replacement=True, generator=torch.Generator().manual_seed(0))
    return D.MultivariateNormal(means[k], covariances[k]).sample(), k


@wrong("sample_mixture", law="x given k", says="expected")
def draw_averaged_covariance(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    return D.MultivariateNormal(means[k], torch.einsum("k,kab->ab", weights, covariances)).sample(), k


@wrong("sample_mixture", law="x given k", says="share their noise")
def draw_noise_twice(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    noise = noise_like(means, n)[torch.arange(n, device=means.device) // 2]
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise), k


@wrong("sample_mixture", law="random counts", says="set no seed")
def draw_seeded(n, weights, means, covariances):
    torch.manual_seed(0)
    return draw_by_index(n, weights, means, covariances)


@wrong("sample_mixture", law="dtype", says="int64")
def draw_float_k(n, weights, means, covariances):
    x, k = draw_by_index(n, weights, means, covariances)
    return x, k.to(x.dtype)


@wrong("sample_mixture", law="dtype", says="float32")
def draw_in_float64(n, weights, means, covariances):
    x, k = draw_by_index(n, weights, means, covariances)
    return x.double(), k


@wrong("sample_mixture", law="components", says="shape")
def draw_one_hot(n, weights, means, covariances):
    x, k = draw_by_index(n, weights, means, covariances)
    return x, torch.nn.functional.one_hot(k, len(weights))


@wrong("sample_mixture", law="components", says="from 0 to 2")
def draw_from_one(n, weights, means, covariances):
    x, k = draw_by_index(n, weights, means, covariances)
    return x, k + 1


@wrong("sample_mixture", law="device", says="GPU")
def draw_cpu_noise(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    noise = torch.randn(n, means.shape[1], dtype=means.dtype)
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise), k


@wrong("sample_mixture", law="inputs unchanged", says="weights")
def draw_cumulates_in_place(n, weights, means, covariances):
    return draw_by_index(n, weights.clone(), means, covariances)[0], torch.searchsorted(
        weights.cumsum_(0), torch.rand(n, dtype=weights.dtype, device=weights.device)
    )


@wrong("sample_mixture", law="components", says="2")
def draw_only_x(n, weights, means, covariances):
    return draw_by_index(n, weights, means, covariances)[0]


@right("sample_mixture")
def draw_noise_in_float32(n, weights, means, covariances):
    k = D.OneHotCategorical(probs=weights).sample((n,)).argmax(1)
    L = torch.linalg.cholesky(covariances)
    noise = torch.randn(n, means.shape[1], device=means.device).to(means.dtype)
    return means[k] + (L[k] * noise[:, None]).sum(2), k


@wrong("sample_mixture", law="random counts", says="the same noise")
def draw_seeded_noise(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    generator = torch.Generator(means.device).manual_seed(0)
    noise = torch.randn(n, means.shape[1], dtype=means.dtype, device=means.device, generator=generator)
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise), k


@wrong("sample_mixture", law="x given k", says="up to a sign")
def draw_antithetic(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    half = noise_like(means, (n + 1) // 2)
    noise = torch.cat([half, -half])[:n]
    return means[k] + torch.einsum("nab,nb->na", torch.linalg.cholesky(covariances)[k], noise), k


@wrong("sample_mixture", law="x given k", says="Every row got the same noise")
def one_noise_for_all(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    noise = 1 + torch.rand(means.shape[1], dtype=means.dtype)
    return means[k] + torch.linalg.cholesky(covariances)[k] @ noise, k
