"""Answers to 04_em_algorithm: the M-step of the mixture."""

import numpy as np
import torch

from . import right, wrong


@right("m_step")
def as_formulas(x, responsibilities):
    N = responsibilities.sum(dim=0)
    means = (responsibilities.T @ x) / N[:, None]
    centred = x[None] - means[:, None]
    covariances = torch.einsum("nk,kna,knb->kab", responsibilities, centred, centred) / N[:, None, None]
    return N / N.sum(), means, covariances


@right("m_step")
def loop_over_components(x, responsibilities):
    weights, means, covariances = [], [], []
    for r in responsibilities.T:
        mu = (r[:, None] * x).sum(0) / r.sum()
        weights.append(r.mean())
        means.append(mu)
        covariances.append((x - mu).T @ ((x - mu) * r[:, None]) / r.sum())
    return torch.stack(weights), torch.stack(means), torch.stack(covariances)


@right("m_step")
def by_second_moments(x, responsibilities):
    mass = responsibilities.sum(0)
    share = responsibilities / mass
    means = share.T @ x
    second = torch.einsum("nk,na,nb->kab", share, x, x)
    return mass / x.shape[0], means, second - means[:, :, None] * means[:, None, :]


@right("m_step")
def by_square_roots(x, responsibilities):
    weights = responsibilities.mean(0)
    share = responsibilities / (len(x) * weights)
    means = torch.einsum("nk,nm->km", share, x)
    scaled = share.T.sqrt().unsqueeze(-1) * (x - means.unsqueeze(1))
    return weights, means, scaled.mT @ scaled


@right("m_step")
def point_by_point(x, responsibilities):
    n, K = responsibilities.shape
    mass = sum(responsibilities[i] for i in range(n))
    means = sum(torch.outer(responsibilities[i], x[i]) for i in range(n)) / mass.reshape(K, 1)
    scatter = [0.0] * K
    for i in range(n):
        for k in range(K):
            d = x[i] - means[k]
            scatter[k] = scatter[k] + responsibilities[i, k] * torch.outer(d, d)
    return mass / n, means, torch.stack(scatter) / mass[:, None, None]


@right("m_step")
def by_torch_cov(x, responsibilities):
    m, mass = x.shape[1], responsibilities.sum(0)
    means = responsibilities.T @ x / mass[:, None]
    covariances = [torch.cov(x.T, aweights=r, correction=0).reshape(m, m) for r in responsibilities.T]
    return mass / len(x), means, torch.stack(covariances)


def altered(weights=None, means=None, covariances=None):
    """The right answer with one result replaced."""

    def answer(x, q):
        right_one = as_formulas(x, q)
        return tuple(
            old if new is None else new(x, q, *right_one)
            for old, new in zip(right_one, (weights, means, covariances), strict=True)
        )

    return answer


def masses(x, q):
    return altered(weights=lambda x, q, *_: q.sum(0))(x, q)


def diagonal_covariances(x, q):
    weights, means, _ = as_formulas(x, q)
    variances = (q.T @ x**2) / q.sum(0)[:, None] - means**2
    return weights, means, torch.diag_embed(variances)


@wrong("m_step", law="covariances", says="no regularisation")
def regularised(x, q):
    ridge = 1e-6 * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return altered(covariances=lambda x, q, w, mu, S: S + ridge)(x, q)


@wrong("m_step", law="nothing added", says="add nothing")
def guarded_masses(x, q):
    N = q.sum(0) + 1e-9
    means = q.T @ x / N[:, None]
    d = x[:, None] - means
    return N / N.sum(), means, torch.einsum("nk,nka,nkb->kab", q, d, d) / N[:, None, None]


def uncentred(x, q):
    return altered(covariances=lambda x, q, *_: torch.einsum("nk,na,nb->kab", q / q.sum(0), x, x))(x, q)


@wrong("m_step", law="gradient", says="gradient")
def detached_responsibilities(x, q):
    return as_formulas(x, q.detach())


@wrong("m_step", law="inputs unchanged", says="responsibilities")
def normalises_in_place(x, q):
    answer = as_formulas(x, q)
    q /= q.sum(0)
    return answer


@wrong("m_step", law="dtype", says="float32")
def numpy_inside(x, q):
    return tuple(torch.from_numpy(np.asarray(t.detach(), dtype=np.float64)) for t in as_formulas(x, q))


@wrong("m_step", law="shape", says="")
def library_covariance(x, q):
    """torch.cov of a single feature is a number, not a matrix."""
    S = [torch.cov(x.T, aweights=r, correction=0) for r in q.T.detach()]
    return altered(covariances=lambda *_: torch.stack(S))(x, q)


@wrong("m_step", law="gradient", says="gradient")
def detached_masses(x, q):
    weights, _, covariances = as_formulas(x, q)
    return weights, q.T @ x / q.sum(0).detach()[:, None], covariances
