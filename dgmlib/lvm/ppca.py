"""Probabilistic PCA: the linear Gaussian latent variable model, exact in likelihood, posterior and fit."""

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
    require_positive,
    require_positive_definite,
    require_scalar,
    require_tensor,
)
from dgmlib.kl import gaussian_kl
from dgmlib.lvm import _ppca_fast
from dgmlib.lvm._model import Model
from dgmlib.lvm._rows import chunks, each_row, mean

Gaussian = tuple[Tensor, Tensor]  # mean (..., d), covariance (d, d) or (..., d, d)


class PPCA(Model):
    """p(z) = N(0, I),  p(x|z) = N(W z + mu, sigma² I),  so  p(x) = N(mu, C),  C = W Wᵀ + sigma² I.

    Everything goes through the d-by-d matrix M = WᵀW + sigma² I (Woodbury); no m-by-m matrix is formed.

    Shapes: W (m, d), mu (m,), sigma () above 0; x (..., m), z (..., d). All is computed in float64 and returned in
    x's dtype: M's condition number is the square of W's, and float32 rounds away an x far from the origin.
    Making a model reads numbers back (checks).
    Raises ValueError for a wrong shape or dtype, or a sigma that is not above 0.
    Source: Lecture 3, "Latent Variable Models (LVM)"; Tipping and Bishop 1999.

    >>> model = PPCA(torch.ones(3, 1), torch.zeros(3), 1.0)
    >>> mean, covariance = model.posterior(torch.ones(3))
    >>> mean, covariance
    (tensor([0.7500]), tensor([[0.2500]]))
    """

    names = ("W", "mu", "sigma")
    W: Tensor
    mu: Tensor
    sigma: Tensor

    def __init__(self, W: Tensor, mu: Tensor, sigma: float | Tensor):
        require_tensor("W", W, ("m", "d"))
        require_tensor("mu", mu, (W.shape[0],), W)
        require_finite("mu", mu)
        sigma = require_scalar("sigma", sigma, W)
        require_positive("sigma", sigma)
        super().__init__(W, mu, sigma)

    def _prepare(self, W: Tensor, mu: Tensor, sigma: Tensor) -> None:
        self._W, self._mu, self._sigma, self._variance = W, mu, sigma, sigma.square()
        self._eye = torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
        self._M = W.mT @ W + self._variance * self._eye
        self._root = require_positive_definite("WᵀW + sigma² I", self._M)
        self._half_log_det = self._root.diagonal().log().sum() + (W.shape[0] - W.shape[1]) * sigma.log()  # of C
        self._whitener = torch.linalg.solve_triangular(self._root, W.mT, upper=False)  # L⁻¹Wᵀ, M = L Lᵀ
        self._digits_to_spare = _ppca_fast.has_digits_to_spare(self._M, self._variance)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) = log N(x; W z + mu, sigma² I). x (..., m) and z (..., d) broadcast; result (...)."""
        self._require_pair(x, "z", z)
        log_likelihood = self._log_likelihood(x.double(), z.double()).to(x.dtype)
        require_no_nan("x, z", log_likelihood)
        return log_likelihood

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z) = log p(x|z) + log p(z). Shapes: x (..., m) and z (..., d) broadcast; result (...)."""
        log_likelihood = self.log_likelihood(x, z)
        return log_likelihood - z.square().sum(-1) / 2 - z.shape[-1] * math.log(2 * math.pi) / 2

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log N(x; mu, C), (...). Cost: O(n m d)."""
        return self._each(lambda rows: (self._log_prob(rows).to(x.dtype),), x)[0]

    def posterior(self, x: Tensor) -> Gaussian:
        """p(z|x) = N(M⁻¹ Wᵀ(x - mu), sigma² M⁻¹): mean (..., d), covariance (d, d). Cost: O(n m d)."""
        gain = torch.cholesky_solve(self._W.mT, self._root)  # M⁻¹ Wᵀ, (d, m)
        # Not x - mu first, which costs as much as the product: what the difference loses is a float64 rounding of x.
        offset = -gain @ self._mu
        infer = lambda rows: (torch.addmm(offset, rows.double(), gain.mT).to(x.dtype),)  # noqa: E731
        (q_mean,) = self._each(infer, x, width=1 if self.W.dtype == torch.float64 else len(self.mu))
        return q_mean, self._posterior_covariance().to(x.dtype)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Ancestral: z ~ N(0, I), then x ~ p(x|z). Returns x (n, m), z (n, d)."""
        require_count("n", n, least=0)
        m, d = self.W.shape
        like = {"dtype": self.W.dtype, "device": self.W.device, "generator": generator}
        z, noise = torch.randn(n, d, **like), torch.randn(n, m, **like)
        return (self._mu + z.double() @ self._W.mT + self._sigma * noise).to(z.dtype), z

    def elbo(self, x: Tensor, q: Gaussian) -> Tensor:
        """L(q, θ) in closed form for q(z) = N(q_mean, q_cov): E_q log p(x|z) - KL(q‖N(0, I)), (...).

        E_q log p(x|z) = log N(x; W q_mean + mu, sigma² I) - tr(W q_cov Wᵀ) / (2 sigma²)

        Shapes: x (..., m), q_mean (..., d), q_cov (d, d) or (..., d, d). Cost: O(n m d + d³).
        Raises ValueError where q_cov is not positive definite.
        Source: Lecture 3, "Variational Evidence Lower Bound (ELBO)"; Tipping and Bishop 1999.
        """
        q_mean, q_cov = self._require_q(x, q)
        spread = (self._W.mT @ self._W * q_cov).sum((-2, -1))  # tr(W q_cov Wᵀ)
        expected = self._log_likelihood(x.double(), q_mean) - spread / (2 * self._variance)
        elbo = (expected - gaussian_kl(q_mean, q_cov, torch.zeros_like(q_mean), self._eye)).to(x.dtype)
        require_no_nan("x, q", elbo)
        return elbo

    def gap(self, x: Tensor, q: Gaussian) -> Tensor:
        """KL(q‖p(z|x)) for q(z) = N(q_mean, q_cov): what `elbo` lacks to log p(x). Shapes, errors: as `elbo`.

        Source: Lecture 3, "ELBO Derivation II".
        """
        q_mean, q_cov = self._require_q(x, q)
        z = self._infer(x.reshape(-1, x.shape[-1]))[0].reshape(*x.shape[:-1], len(self._M))
        return gaussian_kl(q_mean, q_cov, z, self._posterior_covariance()).to(x.dtype)

    def e_step(self, x: Tensor) -> tuple[Gaussian, Tensor]:
        """q = p(z|x), as (mean, covariance), and the bound L(q, θ), mean over x: at this q it is log p(x)."""
        require_data("x", x, self.W.mT)
        q_mean, log_prob = self._each(self._infer, x)
        return (q_mean.to(x.dtype), self._posterior_covariance().to(x.dtype)), log_prob.mean()

    def m_step(self, x: Tensor, q: Gaussian) -> Self:
        """argmax_θ L(q, θ) over W, mu, sigma together: regression of x on z under q = N(mean, covariance).

        W = Cov(x, z) Cov(z)⁻¹,  mu = E x - W E z,  sigma² = E‖x - mu - W z‖²/m,  with E over the data and q.
        Shapes: x (n, m), q mean (n, d), covariance (d, d). Cost: O(n m d), centred first, in float64.
        Raises ValueError where sigma vanishes. Source: Tipping and Bishop 1999, eq. 27-28.
        """
        m, d = self.W.shape
        require_data("x", x, self.W.mT)
        require_tensor("q mean", q[0], (len(x), d), x)
        require_tensor("q covariance", q[1], (d, d), x)
        q_mean, q_cov = q[0].double(), q[1].double()
        x_mean, z_mean = mean(x), mean(q_mean)
        z_centred = q_mean - z_mean
        cov_zz = z_centred.mT @ z_centred / len(x) + q_cov
        cov_zx = sum(z.mT @ (rows.double() - x_mean) for rows, z in chunks(x, z_centred, width=m)) / len(x)
        W = torch.linalg.solve(cov_zz, cov_zx).mT
        errors = (rows.double() - x_mean - z @ W.mT for rows, z in chunks(x, z_centred, width=m))
        residual = sum(error.square().sum() for error in errors) / len(x)
        sigma = ((residual + (W @ q_cov * W).sum()) / m).sqrt()
        require_positive("sigma", sigma)
        return self._fitted(x.dtype, W, x_mean - W @ z_mean, sigma)

    @classmethod
    def maximum_likelihood(cls, x: Tensor, d: int) -> Self:
        """The fit in closed form, from the eigenvalues λ and eigenvectors U of the covariance (with 1/n).

        W = U_d (Λ_d - sigma² I)^½,  sigma² = mean of the m - d discarded eigenvalues,  mu = mean of x.
        Shapes: x (n, m), 1 <= d < m. Cost: O(n m² + m³). W is unique up to a rotation of the latent space.
        Raises ValueError where the data fill no more than d dimensions, so that sigma would be 0.
        Source: Tipping and Bishop 1999, eq. 15-17.
        """
        require_data("x", x)
        require_count("d", d, most=x.shape[1] - 1, remedy="sigma² averages m - d eigenvalues")
        mu, covariance = _ppca_fast.covariance(x)
        require_finite("x", covariance)
        values, vectors = torch.linalg.eigh(covariance)  # ascending
        variance = values[:-d].mean()
        if is_false(variance > x.shape[-1] * torch.finfo(values.dtype).eps * values[-1]):
            raise ValueError(
                f"x: expected data that fill more than d = {d} dimensions, got a noise variance of "
                f"{float(variance):.3g}; lower d, or pass more distinct rows (n = {len(x)})."
            )
        W = vectors[:, -d:].flip(-1) * (values[-d:].flip(-1) - variance).clamp_min(0).sqrt()  # -0 by rounding
        return cls._fitted(x.dtype, W, mu, variance.sqrt())

    def restart(self, x: Tensor, generator: torch.Generator | None = None) -> Self:
        """Another start for EM: W drawn at random, so that it and the noise share the variance of x (n, m)."""
        require_data("x", x, self.W.mT)
        m, d = self.W.shape
        mu = mean(x)
        variance = (x.double() - mu).square().mean() / 2
        W = torch.randn(m, d, generator=generator, dtype=mu.dtype, device=x.device) * (variance / d).sqrt()
        return self._fitted(x.dtype, W, mu, variance.sqrt())

    def _infer(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The posterior means z (n, d), and log p(x) (n,), of rows x (n, m), in float64.

        xᵀC⁻¹x = ‖x - W z‖²/sigma² + ‖z‖² for centred x, a sum of squares;  det C = det M sigma^2(m-d).
        """
        x = rows.double() - self._mu
        if self._digits_to_spare:
            z, energy = _ppca_fast.infer(x, self._whitener, self._root, self._variance)
        else:
            z = torch.cholesky_solve(self._W.mT @ x.mT, self._root).mT
            energy = ((x - z @ self._W.mT) / self._sigma).square().sum(-1) + z.square().sum(-1)
        return z, self._normalised(energy)

    def _log_prob(self, rows: Tensor) -> Tensor:
        """As `_infer`, which has it for the price of z; where digits are to spare, without z."""
        if not self._digits_to_spare:
            return self._infer(rows)[1]
        return self._normalised(_ppca_fast.energy(rows.double() - self._mu, self._whitener, self._variance))

    def _normalised(self, energy: Tensor) -> Tensor:
        """log p(x) from xᵀC⁻¹x."""
        return -energy / 2 - self._half_log_det - len(self.W) * math.log(2 * math.pi) / 2

    def _posterior_covariance(self) -> Tensor:
        return self._variance * torch.cholesky_inverse(self._root)

    def _log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        residual = (x - self._mu - z @ self._W.mT) / self._sigma
        return -residual.square().sum(-1) / 2 - x.shape[-1] * (self._sigma.log() + math.log(2 * math.pi) / 2)

    def _each(self, f: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor, width: int = 0) -> tuple[Tensor, ...]:
        """f of all rows of x (..., m) by chunks, back in x's batch axes. A row makes `width` temporaries, else m."""
        require_event("x", x, len(self.mu), self.W)
        return each_row(f, x, width=width or len(self.mu))

    def _require_pair(self, x: Tensor, name: str, z: Tensor) -> None:
        require_event("x", x, len(self.mu), self.W)
        require_event(name, z, self.W.shape[1], self.W)
        require_broadcast(**{"x": x, name: z})

    def _require_q(self, x: Tensor, q: Gaussian) -> Gaussian:
        """q in float64."""
        self._require_pair(x, "q_mean", q[0])
        require_tensor("q_cov", q[1], (..., len(self._M), len(self._M)), self.W)
        return q[0].double(), q[1].double()
