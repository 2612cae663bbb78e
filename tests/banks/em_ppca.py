"""Answers to 04_em_algorithm: PPCA by EM; in closed form: `em_ppca_mle`."""

import torch

from . import right, wrong


def posterior(x, W, mu, sigma):
    identity = torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    M = W.T @ W + sigma**2 * identity
    return torch.linalg.solve(M, W.T @ (x - mu).T).T, sigma**2 * torch.linalg.inv(M)


@right("ppca_em_step")
def as_tipping_and_bishop(x, W, mu, sigma):
    n, m = x.shape
    z, S = posterior(x, W, mu, sigma)
    d = x - mu
    zz = n * S + z.T @ z
    new_W = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ new_W)).sum() + torch.trace(zz @ new_W.T @ new_W)
    return new_W, x.mean(0), torch.sqrt(squares / (n * m))


@right("ppca_em_step")
def by_the_covariance_matrix(x, W, mu, sigma):
    """Their equations 27 and 28: through S, no latents."""
    m, d = W.shape
    S = (x - x.mean(0)).T @ (x - x.mean(0)) / len(x)
    like = {"dtype": x.dtype, "device": x.device}
    M_inverse = torch.linalg.inv(W.T @ W + sigma**2 * torch.eye(d, **like))
    new_W = S @ W @ torch.linalg.inv(sigma**2 * torch.eye(d, **like) + M_inverse @ W.T @ S @ W)
    return new_W, x.mean(0), (torch.trace(S - S @ W @ M_inverse @ new_W.T) / m).sqrt()


@right("ppca_em_step")
def by_conditioning(x, W, mu, sigma):
    """The posterior from the joint Gaussian of x and z; mu as x̄ - W E[z]."""
    m, d = W.shape
    C = W @ W.T + sigma**2 * torch.eye(m, dtype=x.dtype, device=x.device)
    gain = torch.linalg.solve(C, W).T
    z = (x - mu) @ gain.T
    S = torch.eye(d, dtype=x.dtype, device=x.device) - gain @ W
    centred_x, centred_z = x - x.mean(0), z - z.mean(0)
    cov_zz = centred_z.T @ centred_z / len(x) + S
    new_W = torch.linalg.solve(cov_zz, centred_z.T @ centred_x / len(x)).T
    new_mu = (x - z @ new_W.T).mean(0)
    residual = x - new_mu - z @ new_W.T
    return new_W, new_mu, ((residual.square().mean()) + torch.trace(new_W @ S @ new_W.T) / m).sqrt()


@right("ppca_em_step")
def by_augmented_regression(x, W, mu, sigma):
    """W and mu together: a regression on (z, 1)."""
    n, m = x.shape
    z, S = posterior(x, W, mu, sigma)
    one = torch.ones(n, 1, dtype=x.dtype, device=x.device)
    design = torch.cat([z, one], 1)
    second = design.T @ design + n * torch.block_diag(S, torch.zeros_like(one[:1]))
    both = torch.linalg.solve(second, design.T @ x).T
    new_W, new_mu = both[:, :-1], both[:, -1]
    spread = torch.einsum("ma,ab,mb->", new_W, S, new_W)
    return new_W, new_mu, (((x - new_mu - z @ new_W.T) ** 2).sum() / n + spread).div(m).sqrt()


@right("ppca_em_step")
def row_by_row(x, W, mu, sigma):
    n, m = x.shape
    z, S = posterior(x, W, mu, sigma)
    cross = sum(torch.outer(x[i] - mu, z[i]) for i in range(n))
    second = sum(torch.outer(z[i], z[i]) + S for i in range(n))
    new_W = cross @ second.pinverse()
    total = sum(((x[i] - mu - new_W @ z[i]) ** 2).sum() + (new_W.T @ new_W * S).sum() for i in range(n))
    return new_W, mu.clone(), (total / n / m) ** 0.5


def step(x, W, mu, sigma, S=None, residual_W=None, trace=True, divisor=None):
    n, m = x.shape
    z, cov = posterior(x, W, mu, sigma)
    cov = cov if S is None else S(cov)
    new_W = torch.linalg.solve(z.T @ z + n * cov, z.T @ (x - mu)).T
    used = new_W if residual_W is None else residual_W
    squares = (x - mu - z @ used.T).square().sum()
    squares = squares + n * (used.T @ used * cov).sum() if trace else squares
    return new_W, x.mean(0), (squares / (divisor or n * m)).sqrt()


@wrong("ppca_em_step", law="W", says="expected")
def mixes_old_and_new_sigma(x, W, mu, sigma):
    """The noise first, then the E-step again with it."""
    return step(x, W, mu, step(x, W, mu, sigma)[2])[0], mu.clone(), step(x, W, mu, sigma)[2]


def twice(x, W, mu, sigma):
    return step(x, *step(x, W, mu, sigma))


@wrong("ppca_em_step", law="W", says="expected")
def jumps_to_the_end(x, W, mu, sigma):
    values, vectors = torch.linalg.eigh(torch.cov(x.T, correction=0).reshape(x.shape[1], -1))
    d = W.shape[1]
    noise = values[:-d].mean()
    return vectors[:, -d:] * (values[-d:] - noise).sqrt(), x.mean(0), noise.sqrt()


@wrong("ppca_em_step", law="sigma", says="shape")
def sigma_as_a_vector(x, W, mu, sigma):
    new_W, new_mu, new_sigma = step(x, W, mu, sigma)
    return new_W, new_mu, new_sigma[None]


@wrong("ppca_em_step", law="inputs unchanged", says="W")
def writes_into_w(x, W, mu, sigma):
    new_W, new_mu, new_sigma = step(x, W, mu, sigma)
    W.copy_(new_W)
    return W, new_mu, new_sigma


@wrong("ppca_em_step", law="inputs unchanged", says="x")
def centres_x_in_place(x, W, mu, sigma):
    x -= mu
    new_W, _, new_sigma = step(x, W, torch.zeros_like(mu), sigma)
    return new_W, mu.clone(), new_sigma


@wrong("ppca_em_step", law="device", says="GPU")
def identity_on_the_cpu(x, W, mu, sigma):
    M = W.T @ W + sigma**2 * torch.eye(W.shape[1], dtype=W.dtype)
    z, S = (x - mu) @ W @ torch.linalg.inv(M), sigma**2 * torch.linalg.inv(M)
    return step(x, W, mu, sigma, S=lambda cov: S + 0 * z.sum())


@wrong("ppca_em_step", law="dtype", says="float32")
def doubles(x, W, mu, sigma):
    return step(x.double(), W.double(), mu.double(), sigma.double())


def by_parts(x, W, mu, sigma, second=None, spread=None):
    z, S = posterior(x, W, mu, sigma)
    zz = z.T @ z + len(x) * S if second is None else second(z, S)
    new_W = torch.linalg.solve(zz, z.T @ (x - mu)).T
    trace = torch.trace(new_W @ S @ new_W.T) / x.shape[1] if spread is None else spread(S, new_W)
    return new_W, mu.clone(), ((x - mu - z @ new_W.T).square().mean() + trace).sqrt()


@right("ppca_em_step")
def noise_at_the_optimum(x, W, mu, sigma):
    """At the new W the three terms of sigma² collapse into two."""
    z, _ = posterior(x, W, mu, sigma)
    new_W = by_parts(x, W, mu, sigma)[0]
    return new_W, mu.clone(), (((x - mu) ** 2).mean() - (z * ((x - mu) @ new_W)).sum() / x.numel()).sqrt()


@wrong("ppca_em_step", law="gradient", says="gradient")
def detached_covariance(x, W, mu, sigma):
    return step(x, W, mu, sigma, S=lambda cov: cov.detach())
