"""Wrong answers whose message the judge finds by itself, not by a known mistake: a function of the right numbers, a
frozen or a missing factor, another width, what a sample looks like."""

import torch
from torch import nn
from torch.distributions import MultivariateNormal

from dgmlib import bayes, flows, lvm

from . import wrong


@wrong("gaussian_mean_posterior", law="mean", says="This is the square of the right one")
def squared_mean(x, noise_std, prior_mean, prior_std):
    mean, std = bayes.gaussian_mean_posterior(x, noise_std, prior_mean, prior_std)
    return mean.square(), std


@wrong("gaussian_mean_posterior", law="std", says="This is the logarithm of the right one")
def log_of_the_std(x, noise_std, prior_mean, prior_std):
    mean, std = bayes.gaussian_mean_posterior(x, noise_std, prior_mean, prior_std)
    return mean, std.log()


@wrong("ppca_log_prob", law="value", says="This is one over the right one")
def reciprocal(x, W, mu, sigma):
    return 1 / lvm.PPCA(W, mu, sigma).log_prob(x)


@wrong("ppca_mle", law="sigma", says="This is the square root of the right one")
def root_of_sigma(x, d):
    model = lvm.PPCA.maximum_likelihood(x, d)
    return model.W, model.mu, model.sigma.sqrt()


class Frozen(flows.LULinear):
    def __init__(self, weight):
        super().__init__(weight)
        self.requires_grad_(False)


@wrong("LULinear", law="trained factors", says="parameters are frozen")
class FrozenFactors(Frozen):
    pass


@wrong("QRLinear", law="trained factors", says="upper triangle alone is trained")
class FixedRotation(nn.Module):
    def __init__(self, weight):
        super().__init__()
        Q, R = torch.linalg.qr(weight.detach())
        self.register_buffer("Q", Q)
        self.R = nn.Parameter(R)

    def log_det(self, x):
        return self.R.diagonal().abs().log().sum().expand(len(x))

    def forward(self, x):
        return x @ (self.Q @ self.R.triu()).T, self.log_det(x)

    def inverse(self, z):
        return torch.linalg.solve_triangular(self.R.triu(), (z @ self.Q).T, upper=True).T, -self.log_det(z)


@wrong("LULinear", law="cost", says="linalg_pinv")
class PseudoInverse(flows.LULinear):
    def inverse(self, z):
        W = self.forward(torch.eye(z.shape[1], dtype=z.dtype, device=z.device))[0].T
        return z @ torch.linalg.pinv(W).T, super().inverse(z)[1]


@wrong("AffineCoupling", law="z", says="the conditioner takes x1, the first split")
class HalfOfTheColumns(flows.AffineCoupling):
    def __init__(self, conditioner, split):
        super().__init__(conditioner, split)

    def forward(self, x):
        self.split = x.shape[1] // 2
        return super().forward(x)


def draws(n, weights):
    return torch.multinomial(weights, n, replacement=True)


@wrong("sample_mixture", law="components", says="Every draw is of the same component")
def the_largest_component(n, weights, means, covariances):
    k = weights.argmax().expand(n)
    return MultivariateNormal(means[k], covariances[k]).sample(), k


@wrong("sample_mixture", law="components", says="one column a component came")
def one_hot_k(n, weights, means, covariances):
    k = draws(n, weights)
    return MultivariateNormal(means[k], covariances[k]).sample(), nn.functional.one_hot(k, len(weights))


@wrong("sample_mixture", law="x given k", says="every row is the mean itself")
def without_noise(n, weights, means, covariances):
    k = draws(n, weights)
    return means[k], k


@wrong("sample_mixture", law="x given k", says="The noise is uniform")
def uniform_noise(n, weights, means, covariances):
    k = draws(n, weights)
    noise = torch.rand(n, means.shape[1], 1, dtype=means.dtype)
    return means[k] + (torch.linalg.cholesky(covariances)[k] @ noise)[..., 0], k


@wrong("sample_mixture", law="x given k", says="a component of its own")
def a_component_for_each_coordinate(n, weights, means, covariances):
    m = means.shape[1]
    k = draws(n * m, weights).reshape(n, m)
    x = MultivariateNormal(means, covariances).sample((n,))
    return x.gather(1, k[:, None]).squeeze(1), k[:, 0]


@wrong("sample_mixture", law="random counts", says="n · weights times in every call")
def counted_out(n, weights, means, covariances):
    ends = (weights.cumsum(0) * n).round().long()
    k = torch.bucketize(torch.arange(n), ends, right=True).clamp_max(len(weights) - 1)
    return MultivariateNormal(means[k], covariances[k]).sample(), k


@wrong("fit_posterior", law="gaussian posterior", says="hardly left its start")
def three_steps(log_joint, q_mean, q_cov, num_steps):
    mean, factor = q_mean.clone().requires_grad_(), torch.linalg.cholesky(q_cov).requires_grad_()
    optimiser = torch.optim.Adam([mean, factor], 0.02)
    for _ in range(3):
        optimiser.zero_grad()
        z = mean + torch.randn(16, len(mean), dtype=mean.dtype, device=mean.device) @ factor.tril().T
        (-log_joint(z).mean() - factor.diagonal().abs().log().sum()).backward()
        optimiser.step()
    return mean.detach(), (factor.tril() @ factor.tril().T).detach()


@wrong("sample_mixture", law="x given k", says="the inverse of the Cholesky factor")
def inverse_factor(n, weights, means, covariances):
    k = draws(n, weights)
    noise = torch.randn(n, means.shape[1], 1, dtype=means.dtype)
    return means[k] + (torch.linalg.inv(torch.linalg.cholesky(covariances))[k] @ noise)[..., 0], k


@wrong("sample_mixture", law="x given k", says="rooted one by one")
def entrywise_root(n, weights, means, covariances):
    k = draws(n, weights)
    noise = torch.randn(n, means.shape[1], 1, dtype=means.dtype)
    return means[k] + (covariances.abs().sqrt()[k] @ noise)[..., 0], k
