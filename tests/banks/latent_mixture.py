"""Answers to 02_latent_variable_models: a mixture's density and its samples."""

import math

import torch
from torch import distributions as D

from . import right, wrong

# ---------------------------------------------------------------- mixture_log_prob


@right("mixture_log_prob")
def mix_broadcast(x, weights, means, covariances):
    log_normal = D.MultivariateNormal(means, covariances).log_prob(x[:, None])
    return torch.logsumexp(weights.log() + log_normal, dim=1)


@right("mixture_log_prob")
def mix_same_family(x, weights, means, covariances):
    components = D.MultivariateNormal(means, covariance_matrix=covariances)
    return D.MixtureSameFamily(D.Categorical(probs=weights), components).log_prob(x)


@right("mixture_log_prob")
def mix_loop(x, weights, means, covariances):
    columns = []
    for w, mean, cov in zip(weights, means, covariances, strict=True):
        centred = x - mean
        squares = (centred @ torch.linalg.inv(cov) * centred).sum(1)
        log_det = torch.linalg.slogdet(cov)[1]
        columns.append(torch.log(w) - 0.5 * (squares + log_det + x.shape[1] * math.log(2 * math.pi)))
    return torch.logsumexp(torch.stack(columns, 1), 1)


@right("mixture_log_prob")
def mix_einsum(x, weights, means, covariances):
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, torch.linalg.inv(covariances), centred)
    log_joint = weights.log() - 0.5 * squares - 0.5 * torch.logdet(covariances) - x.shape[1] / 2 * math.log(2 * math.pi)
    top = log_joint.max(1, keepdim=True).values
    return top[:, 0] + (log_joint - top).exp().sum(1).log()


@right("mixture_log_prob")
def mix_eigenvalues(x, weights, means, covariances):
    values, vectors = torch.linalg.eigh(covariances)
    turned = torch.einsum("nka,kab->nkb", x[:, None] - means, vectors)
    log_normal = -0.5 * (turned.square() / values + values.log() + math.log(2 * math.pi)).sum(-1)
    total = log_normal[:, 0] + weights[0].log()
    for k in range(1, len(weights)):
        total = torch.logaddexp(total, log_normal[:, k] + weights[k].log())
    return total


@right("mixture_log_prob")
def mix_row_by_row(x, weights, means, covariances):
    L = torch.linalg.cholesky(covariances)
    rows = [
        torch.logsumexp(torch.log(weights) + D.MultivariateNormal(means, scale_tril=L).log_prob(row), -1) for row in x
    ]
    return torch.stack(rows)


@right("mixture_log_prob")
def mix_precisions(x, weights, means, covariances):
    normal = D.MultivariateNormal(means, precision_matrix=torch.linalg.inv(covariances))
    return torch.logsumexp(normal.log_prob(x[:, None]) + weights.log(), -1)


@wrong("mixture_log_prob", law="value", says="weighted mean of the log-densities")
def mix_mean_of_logs(x, weights, means, covariances):
    return D.MultivariateNormal(means, covariances).log_prob(x[:, None]) @ weights


@wrong("mixture_log_prob", law="value", says="weights are forgotten")
def mix_without_weights(x, weights, means, covariances):
    return torch.logsumexp(D.MultivariateNormal(means, covariances).log_prob(x[:, None]), 1)


@wrong("mixture_log_prob", law="value", says="equal")
def mix_equal_weights(x, weights, means, covariances):
    return torch.logsumexp(D.MultivariateNormal(means, covariances).log_prob(x[:, None]), 1) - math.log(len(weights))


@wrong("mixture_log_prob", law="value", says="diagonals")
def mix_diagonal(x, weights, means, covariances):
    scales = covariances.diagonal(dim1=1, dim2=2).sqrt()
    return torch.logsumexp(weights.log() + D.Normal(means, scales).log_prob(x[:, None]).sum(-1), 1)


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_exp_then_log(x, weights, means, covariances):
    return (D.MultivariateNormal(means, covariances).log_prob(x[:, None]).exp() @ weights).log()


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_log_of_det(x, weights, means, covariances):
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, torch.linalg.inv(covariances), centred)
    constant = torch.log((2 * math.pi) ** x.shape[1] * torch.linalg.det(covariances))
    return torch.logsumexp(weights.log() - 0.5 * (squares + constant), 1)


@wrong("mixture_log_prob", law="stability", says="log space")
def mix_with_epsilon(x, weights, means, covariances):
    return (D.MultivariateNormal(means, covariances).log_prob(x[:, None]).exp() @ weights + 1e-12).log()


@wrong("mixture_log_prob", law="value", says="expected")
def mix_with_jitter(x, weights, means, covariances):
    ridge = 1e-4 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return mix_broadcast(x, weights, means, covariances + ridge)


@wrong("mixture_log_prob", law="stability", says="")
def mix_clamped(x, weights, means, covariances):
    return torch.logsumexp(
        weights.log() + D.MultivariateNormal(means, covariances).log_prob(x[:, None]).clamp(min=-500), 1
    )


@wrong("mixture_log_prob", law="value", says="scale_tril")
def mix_as_scale_tril(x, weights, means, covariances):
    return torch.logsumexp(
        weights.log() + D.MultivariateNormal(means, scale_tril=torch.tril(covariances)).log_prob(x[:, None]), 1
    )


@wrong("mixture_log_prob", law="value", says="precisions")
def mix_as_precisions(x, weights, means, covariances):
    return torch.logsumexp(
        weights.log() + D.MultivariateNormal(means, precision_matrix=covariances).log_prob(x[:, None]), 1
    )


@wrong("mixture_log_prob", law="value", says="likeliest component")
def mix_hard(x, weights, means, covariances):
    return (weights.log() + D.MultivariateNormal(means, covariances).log_prob(x[:, None])).max(1).values


@wrong("mixture_log_prob", law="value", says="constant")
def mix_no_constant(x, weights, means, covariances):
    return mix_loop(x, weights, means, covariances) + x.shape[1] / 2 * math.log(2 * math.pi)


@wrong("mixture_log_prob", law="value", says="log det")
def mix_without_det(x, weights, means, covariances):
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, torch.linalg.inv(covariances), centred)
    return torch.logsumexp(weights.log() - 0.5 * squares - x.shape[1] / 2 * math.log(2 * math.pi), 1)


@wrong("mixture_log_prob", law="value", says="one Gaussian")
def mix_averaged_parameters(x, weights, means, covariances):
    return D.MultivariateNormal(weights @ means, torch.einsum("k,kab->ab", weights, covariances)).log_prob(x)


@wrong("mixture_log_prob", law="value", says="softmax")
def mix_weights_as_logits(x, weights, means, covariances):
    components = D.MultivariateNormal(means, covariances)
    return D.MixtureSameFamily(D.Categorical(logits=weights), components).log_prob(x)


@wrong("mixture_log_prob", law="value", says="not log p(x)")
def mix_density(x, weights, means, covariances):
    return mix_broadcast(x, weights, means, covariances).exp()


@wrong("mixture_log_prob", law="gradient", says="gradient")
def mix_constant_weights(x, weights, means, covariances):
    return mix_broadcast(x, weights.detach(), means, covariances)


@wrong("mixture_log_prob", law="gradient", says="gradient")
def mix_detached_distance(x, weights, means, covariances):
    with torch.no_grad():
        inverse = torch.linalg.inv(covariances)
    centred = x[:, None] - means
    squares = torch.einsum("nka,kab,nkb->nk", centred, inverse, centred)
    log_joint = weights.log() - 0.5 * (squares + torch.logdet(covariances) + x.shape[1] * math.log(2 * math.pi))
    return torch.logsumexp(log_joint, 1)


@wrong("mixture_log_prob", law="value", says="row")
def mix_total(x, weights, means, covariances):
    return mix_broadcast(x, weights, means, covariances).sum().expand(len(x))


@wrong("mixture_log_prob", law="shape", says="shape")
def mix_squeezed(x, weights, means, covariances):
    return mix_broadcast(x, weights, means, covariances).squeeze()


@wrong("mixture_log_prob", law="device", says="GPU")
def mix_cpu_accumulator(x, weights, means, covariances):
    total = torch.full((len(x),), -math.inf, dtype=x.dtype)
    for w, mean, cov in zip(weights, means, covariances, strict=True):
        total = torch.logaddexp(total, w.log() + D.MultivariateNormal(mean, cov).log_prob(x))
    return total


@wrong("mixture_log_prob", law="inputs unchanged", says="weights")
def mix_logs_in_place(x, weights, means, covariances):
    return torch.logsumexp(weights.log_() + D.MultivariateNormal(means, covariances).log_prob(x[:, None]), 1)


# ---------------------------------------------------------------- sample_mixture


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


@right("sample_mixture")
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


@wrong("sample_mixture", law="x given k", says="expected")
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
