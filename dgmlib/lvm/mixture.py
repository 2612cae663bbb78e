"""Mixture of Gaussians: a latent variable that takes K values, so every integral over z is a sum."""

import math

import torch
from torch import Tensor

from dgmlib._valid import require_finite, require_positive_definite, require_samples, require_shape


class GaussianMixture:
    """p(z = k) = weights_k,  p(x|z = k) = N(x; means_k, covariances_k),  p(x) = Σ_k p(z = k) p(x|z = k).

    Shapes: weights (K,), means (K, m), covariances (K, m, m); x (..., m). Log-densities are computed in
    float64 and returned in x's dtype: 1e4 standard deviations away, float32 rounds log p(x, k) to 4 nats, and
    a posterior is made of their differences. Making a model reads one number back from the device (checks).
    Raises ValueError for a wrong shape, weights that are no distribution, a singular covariance.
    Source: Lecture 3, "Latent Variable Models (LVM)".

    >>> model = GaussianMixture(torch.ones(2) / 2, torch.tensor([[-1.0], [1.0]]), torch.ones(2, 1, 1))
    >>> model.posterior(torch.tensor([[0.0], [1e4]]))
    tensor([[0.5000, 0.5000],
            [0.0000, 1.0000]])
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor):
        self.weights, self.means, self.covariances = weights, means, covariances
        num_components, m = means.shape
        require_shape("weights", weights, (num_components,))
        require_shape("covariances", covariances, (num_components, m, m))
        if not bool((weights >= 0).all() & ((weights.double().sum() - 1).abs() < 1e-4)):
            raise ValueError(f"weights: expected numbers >= 0 with sum 1, got {weights.tolist()}; divide by their sum.")
        require_finite("means", means)
        self._scale_tril = require_positive_definite("covariances", covariances)

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, z = k) = log weights_k + log p(x|z = k): (..., K), float64. O(n K m²)."""
        require_shape("x", x, (..., self.means.shape[-1]))
        rows = x.reshape(-1, x.shape[-1]).double()
        centred = rows.mT - self.means.double().unsqueeze(-1)  # (K, m, n)
        white = torch.linalg.solve_triangular(self._scale_tril, centred, upper=False)
        log_det = self._scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        constant = self.weights.double().log() - log_det - x.shape[-1] * math.log(2 * math.pi) / 2
        return (constant - white.square().sum(1).mT / 2).reshape(*x.shape[:-1], len(self.weights))

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log Σ_k p(x, z = k), (...)."""
        return torch.logsumexp(self.log_joint(x), -1).to(x.dtype)

    def posterior(self, x: Tensor) -> Tensor:
        """p(z = k|x), the responsibilities, (..., K); rows sum to 1, also far from every mode."""
        return torch.softmax(self.log_joint(x), -1).to(x.dtype)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Ancestral: k ~ weights, then x ~ N(means_k, covariances_k). Returns x (n, m), k (n,) int64."""
        k = torch.multinomial(self.weights.expand(n, -1), 1, generator=generator).squeeze(-1)
        m, like = self.means.shape[-1], {"dtype": self.means.dtype, "device": self.means.device}
        noise = torch.randn(n, m, 1, generator=generator, **like)
        return self.means[k] + (self._scale_tril.to(noise.dtype)[k] @ noise).squeeze(-1), k

    def elbo(self, x: Tensor, q: Tensor) -> Tensor:
        """L(q, θ) = Σ_k q_k (log p(x, z = k) - log q_k), (...), for any q (..., K); q_k = 0 adds 0."""
        log_joint = self.log_joint(x).masked_fill(q == 0, 0)
        return (q * log_joint + torch.special.entr(q)).sum(-1).to(x.dtype)

    def e_step(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q = p(z|x), (n, K), and the bound L(q, θ), mean over x: at this q it is log p(x).

        Source: Lecture 3, "EM-Algorithm".
        """
        log_joint = self.log_joint(x)
        return torch.softmax(log_joint, -1).to(x.dtype), torch.logsumexp(log_joint, -1).mean()

    def m_step(self, x: Tensor, q: Tensor) -> "GaussianMixture":
        """argmax_θ L(q, θ): weights = mean of q, means and covariances = averages over x weighted by q.

        Shapes: x (n, m), q (n, K). Cost: O(n K m²). The covariance is about the new mean; no regularisation.
        Raises ValueError for a component that is empty or has collapsed. Source: Lecture 3, "EM-Algorithm".
        """
        require_samples("x", x)
        rows, q = x.double(), q.double()
        mass = q.sum(0)
        means = (q.mT @ rows) / mass.unsqueeze(-1)
        centred = rows - means.unsqueeze(1)  # (K, n, m)
        covariances = (q.mT.unsqueeze(-1) * centred).mT @ centred / mass[:, None, None]
        _require_alive(mass, covariances, rows)
        return type(self)(*(p.to(x.dtype) for p in (mass / mass.sum(), means, covariances)))


def _require_alive(mass: Tensor, covariances: Tensor, x: Tensor) -> None:
    """Every component holds some mass, and more than one point: its spread is above the rounding of x."""
    rounding = torch.finfo(x.dtype).eps * x.abs().amax(0)
    spread = covariances.diagonal(dim1=-2, dim2=-1).sqrt()
    dead = ~((mass > 0) & (spread > rounding).all(-1))
    if bool(dead.any()):
        k = int(dead.nonzero()[0])
        raise ValueError(
            f"component {k}: expected mass on more than one distinct point, got mass {float(mass[k]):.3g} "
            f"and spread {spread[k].tolist()}; use fewer components or another start, and check x for nan."
        )
