"""Mixture of Gaussians: a latent variable that takes K values, so every integral over z is a sum."""

import math
from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from dgmlib._valid import (
    is_false,
    require_broadcast,
    require_count,
    require_data,
    require_event,
    require_finite,
    require_no_nan,
    require_positive_definite,
    require_tensor,
)
from dgmlib.lvm._model import Model
from dgmlib.lvm._rows import by_rows, chunks, each_row, mean


class GaussianMixture(Model):
    """p(z = k) = weights_k,  p(x|z = k) = N(x; means_k, covariances_k),  p(x) = Σ_k p(z = k) p(x|z = k).

    Shapes: weights (K,), means (K, m), covariances (K, m, m); x (..., m). Log-densities are computed in
    float64 and returned in x's dtype: 1e4 standard deviations away, float32 rounds log p(x, k) to 4 nats, and
    a posterior is made of their differences. Making a model reads one number back from the device (checks).
    Raises ValueError for a wrong shape or dtype, weights that are no distribution, a singular covariance.
    Source: Lecture 3, "Latent Variable Models (LVM)".

    >>> model = GaussianMixture(torch.ones(2) / 2, torch.tensor([[-1.0], [1.0]]), torch.ones(2, 1, 1))
    >>> model.posterior(torch.tensor([[0.0], [1e4]]))
    tensor([[0.5000, 0.5000],
            [0.0000, 1.0000]])
    """

    names = ("weights", "means", "covariances")
    weights: Tensor
    means: Tensor
    covariances: Tensor

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor):
        require_tensor("means", means, ("K", "m"))
        num_components, m = means.shape
        require_tensor("weights", weights, (num_components,), means)
        require_tensor("covariances", covariances, (num_components, m, m), means)
        if is_false((weights >= 0).all() & ((weights.double().sum() - 1).abs() < 1e-4)):
            raise ValueError(f"weights: expected numbers >= 0 with sum 1, got {weights.tolist()}; divide by their sum.")
        require_finite("means", means)
        super().__init__(weights, means, covariances)

    def _prepare(self, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        self._weights, self._means = weights, means
        self._all_alive = is_false((weights.detach() <= 0).any())
        self._scale_tril = require_positive_definite("covariances", covariances, self.covariances.dtype)
        eye = torch.eye(means.shape[-1], dtype=means.dtype, device=means.device)
        self._whitener = torch.linalg.solve_triangular(self._scale_tril, eye, upper=False)  # L⁻¹, Σ = L Lᵀ
        log_det = self._scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        self._constant = -log_det - means.shape[-1] * math.log(2 * math.pi) / 2

    def log_likelihood(self, x: Tensor) -> Tensor:
        """log p(x|z = k) = log N(x; means_k, covariances_k): (..., K), float64. O(n K m²)."""
        return self._each(lambda rows: (self._log_likelihood(rows).mT,), x)[0]

    def log_joint(self, x: Tensor) -> Tensor:
        """log p(x, z = k) = log weights_k + log p(x|z = k): (..., K), float64."""
        return self.log_likelihood(x) + self._weights.log()

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log Σ_k p(x, z = k), (...)."""

        def log_prob(rows: Tensor) -> tuple[Tensor]:
            _, total, top = self._joint(rows)
            return ((top + total.log()).to(x.dtype),)

        return self._each(log_prob, x)[0]

    def posterior(self, x: Tensor) -> Tensor:
        """p(z = k|x), the responsibilities, (..., K); rows sum to 1, also far from every mode."""

        def posterior(rows: Tensor) -> tuple[Tensor]:
            joint, total, _ = self._joint(rows)
            return ((joint / total).mT.to(x.dtype),)

        return self._each(posterior, x)[0]

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Ancestral: k ~ weights, then x ~ N(means_k, covariances_k). Returns x (n, m), k (n,) int64. O(n m²)."""
        require_count("n", n, least=0)
        k = torch.multinomial(self.weights, max(n, 1), replacement=True, generator=generator)[:n]
        m, like = self.means.shape[-1], {"dtype": self.means.dtype, "device": self.means.device}
        noise = torch.randn(n, m, generator=generator, **like)

        def moved(k: Tensor, noise: Tensor) -> tuple[Tensor]:
            spread = (self._scale_tril[k] @ noise.double().unsqueeze(-1)).squeeze(-1)
            return ((self._means[k] + spread).to(noise.dtype),)

        return by_rows(moved, k, noise, width=m * m)[0], k

    def elbo(self, x: Tensor, q: Tensor) -> Tensor:
        """L(q, θ) = Σ_k q_k (log p(x, z = k) - log q_k), (...), for any q (..., K); q_k = 0 adds 0."""
        require_event("x", x, self.means.shape[-1], self.means)
        require_event("q", q, len(self.weights), x)
        require_broadcast(x=x, q=q)
        log_weights = torch.where(q == 0, 1.0, self._weights).log()  # the gradient of 0 log 0 would be nan
        log_joint = torch.where(q == 0, 0.0, self.log_likelihood(x) + log_weights)
        elbo = (q * log_joint + torch.special.entr(q)).sum(-1).to(x.dtype)
        require_no_nan("q", elbo)
        return elbo

    def e_step(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q = p(z|x), (n, K), and the bound L(q, θ), mean over x: at this q it is log p(x).

        Source: Lecture 3, "EM-Algorithm".
        """

        def infer(rows: Tensor) -> tuple[Tensor, Tensor]:
            joint, total, top = self._joint(rows)
            return (joint / total).mT.to(x.dtype), top + total.log()

        require_data("x", x, self.means)
        q, log_prob = self._each(infer, x)
        return q, log_prob.mean()

    def m_step(self, x: Tensor, q: Tensor) -> Self:
        """argmax_θ L(q, θ): weights = mean of q, means and covariances = averages over x weighted by q.

        Shapes: x (n, m), q (n, K). Cost: O(n K m²). The covariance is about the new mean; no regularisation.
        Raises ValueError for a component that is empty or has collapsed. Source: Lecture 3, "EM-Algorithm".
        """
        num_components, m = self.means.shape
        require_data("x", x, self.means)
        require_tensor("q", q, (len(x), num_components), x)
        mass = q.sum(0, dtype=torch.float64)
        means = sum(q.double().mT @ rows.double() for rows, q in chunks(x, q, width=m)) / mass.unsqueeze(-1)
        covariances = means.new_zeros(num_components, m, m)
        for rows, q_rows in chunks(x, q, width=self.means.numel()):
            centred = rows.double() - means.unsqueeze(1)  # (K, rows, m)
            covariances = covariances + (q_rows.double().mT.unsqueeze(-1) * centred).mT @ centred
        covariances = covariances / mass[:, None, None]
        _require_alive(mass, covariances, x)
        return self._fitted(x.dtype, mass / mass.sum(), means, covariances)

    @classmethod
    def kmeans_plus_plus(cls, x: Tensor, num_components: int, generator: torch.Generator | None = None) -> Self:
        """A start for EM: means at rows of x that lie far apart, equal weights, one covariance for all.

        Each next mean is a row drawn with probability ∝ its squared distance to the nearest mean so far; the
        covariance is that of the rows about their nearest mean. Shapes: x (n, m). Cost: O(n K m).
        Raises ValueError where x has too few distinct rows. Source: Arthur and Vassilvitskii 2007.
        """
        require_data("x", x)
        require_count("num_components", num_components)
        require_finite("x", mean(x))
        chosen, distance = [], x.new_ones(len(x), dtype=torch.float64)  # the first is any row
        for _ in range(num_components):
            upto = distance.cumsum(0)
            draw = torch.rand(1, generator=generator, dtype=torch.float64, device=x.device) * upto[-1]
            chosen.append(x[torch.searchsorted(upto, draw).clamp_max(len(x) - 1)])
            to_new = (x - chosen[-1]).double().square().sum(-1)
            distance = torch.minimum(distance, to_new) if len(chosen) > 1 else to_new
        means, weights = torch.cat(chosen), x.new_full((num_components,), 1 / num_components)
        (nearest,) = by_rows(
            lambda rows: ((rows.unsqueeze(1) - means).square().sum(-1).argmin(-1),), x, width=means.numel()
        )
        residual = (x - means[nearest]).double()
        covariance = (residual.mT @ residual / len(x)).to(x.dtype)
        return cls(weights, means, covariance.repeat(num_components, 1, 1))

    def restart(self, x: Tensor, generator: torch.Generator | None = None) -> Self:
        """Another start for EM, by `kmeans_plus_plus`."""
        return self.kmeans_plus_plus(x, len(self.weights), generator)

    def _each(self, f: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor) -> tuple[Tensor, ...]:
        """f of all rows of x (..., m) by chunks, back in x's batch axes."""
        require_event("x", x, self.means.shape[-1], self.means)
        return each_row(f, x, width=self.means.numel())

    def _log_likelihood(self, rows: Tensor) -> Tensor:
        """log p(x|z = k) of rows (n, m), components first, so that sums over k run along memory: (K, n)."""
        white = self._whitener @ (rows.double().mT - self._means.unsqueeze(-1))
        return self._constant.unsqueeze(-1) - torch.linalg.vecdot(white, white, dim=1) / 2

    def _joint(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """p(x, z = k) e^-top, (K, n), its sum over k, (n,), and top (n,), of rows (n, m).

        Weights stay outside of the logarithm: where one is 0, d log p(x)/d weights_k = p(x|k)/p(x) is finite, though
        that of log weights_k is not. It may be too large for the weights' dtype, hence the upper clamp.
        """
        log_likelihood, weights = self._log_likelihood(rows), self._weights.unsqueeze(-1)
        if self._all_alive:
            top = log_likelihood.detach().amax(0)
            relative = log_likelihood - top
        else:
            top = log_likelihood.detach().masked_fill(weights == 0, -torch.inf).amax(0)
            relative = (log_likelihood - top).clamp_max(math.log(torch.finfo(self.weights.dtype).max) / 2)
        joint = weights * relative.exp()
        return joint, joint.sum(0), top


def _require_alive(mass: Tensor, covariances: Tensor, x: Tensor) -> None:
    """Every component holds some mass, and more than one point: its spread is above the rounding of x."""
    size = torch.stack(torch.aminmax(x, dim=0)).abs().amax(0).double()
    spread = covariances.diagonal(dim1=-2, dim2=-1).sqrt()
    dead = ~((mass > 0) & (spread > torch.finfo(torch.float64).eps * size).all(-1))
    if is_false(~dead.any()):
        k = int(dead.nonzero()[0])
        raise ValueError(
            f"component {k}: expected mass on more than one distinct point, got mass {float(mass[k]):.3g} "
            f"and spread {spread[k].tolist()}; use fewer components or another start, and check x for nan."
        )
