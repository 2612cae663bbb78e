"""Probabilistic PCA: the linear Gaussian latent variable model, exact in likelihood, posterior and fit."""

import math

import torch
from torch import Tensor

from dgmlib._valid import require_finite, require_positive, require_positive_definite, require_samples, require_shape

# Rows at a time: those that stay in a CPU's cache, or that fill a GPU.
ROWS = {"cpu": 512, "cuda": 2**18}


class PPCA:
    """p(z) = N(0, I),  p(x|z) = N(W z + mu, sigma² I),  so  p(x) = N(mu, C),  C = W Wᵀ + sigma² I.

    Everything goes through the d-by-d matrix M = WᵀW + sigma² I (Woodbury); no m-by-m matrix is formed.

    Shapes: W (m, d), mu (m,), sigma () above 0; x (..., m), z (..., d). M is kept in float64: it is small,
    and its condition number is the square of W's. Making a model reads numbers back (checks).
    Raises ValueError for a wrong shape, or a sigma that is not above 0.
    Source: Lecture 3, "Latent Variable Models (LVM)"; Tipping and Bishop 1999.

    >>> model = PPCA(torch.ones(3, 1), torch.zeros(3), 1.0)
    >>> mean, covariance = model.posterior(torch.ones(3))
    >>> mean, covariance
    (tensor([0.7500]), tensor([[0.2500]]))
    """

    def __init__(self, W: Tensor, mu: Tensor, sigma: float | Tensor):
        self.W, self.mu, self.sigma = W, mu, torch.as_tensor(sigma).to(W)
        require_shape("W", W, ("m", "d"))
        require_shape("mu", mu, (W.shape[0],))
        require_finite("mu", mu)
        require_positive("sigma", self.sigma)
        wide, variance = W.double(), self.sigma.double().square()
        self._M = wide.mT @ wide + variance * torch.eye(W.shape[1], dtype=wide.dtype, device=W.device)
        self._root = require_positive_definite("WᵀW + sigma² I", self._M)
        self._condition = float((self._M.trace() / variance).detach())

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) = log N(x; W z + mu, sigma² I). x (..., m) and z (..., d) broadcast; result (...)."""
        require_shape("x", x, (..., len(self.mu)))
        residual = (x - self.mu - z @ self.W.mT) / self.sigma
        return -residual.square().sum(-1) / 2 - x.shape[-1] * (self.sigma.log() + math.log(2 * math.pi) / 2)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x, z) = log p(x|z) + log p(z). Shapes: x (..., m) and z (..., d) broadcast; result (...)."""
        log_prior = -z.square().sum(-1) / 2 - z.shape[-1] * math.log(2 * math.pi) / 2
        return self.log_likelihood(x, z) + log_prior

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log N(x; mu, C), (...). Cost: O(n m d), by chunks of rows that stay in cache.

        det C = det M · sigma^2(m-d).
        """
        m, d = self.W.shape
        require_shape("x", x, (..., m))
        half_log_det = self._root.diagonal().log().sum() + (m - d) * self.sigma.double().log()
        energy = self._energy_by_difference if self._digits_to_spare(x) else self._energy
        chunks = x.reshape(-1, m).split(ROWS[x.device.type])
        energy = torch.cat([energy(chunk - self.mu) for chunk in chunks]).reshape(x.shape[:-1])
        return -energy / 2 - (half_log_det + m * math.log(2 * math.pi) / 2).to(x.dtype)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """p(z|x) = N(M⁻¹ Wᵀ(x - mu), sigma² M⁻¹): mean (..., d), covariance (d, d). Cost: O(n m d)."""
        require_shape("x", x, (..., len(self.mu)))
        covariance = self.sigma.double().square() * torch.cholesky_inverse(self._root)
        return (x - self.mu) @ self._gain().to(x.dtype), covariance.to(x.dtype)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Ancestral: z ~ N(0, I), then x ~ p(x|z). Returns x (n, m), z (n, d)."""
        m, d = self.W.shape
        like = {"dtype": self.W.dtype, "device": self.W.device, "generator": generator}
        z = torch.randn(n, d, **like)
        return z @ self.W.mT + self.mu + self.sigma * torch.randn(n, m, **like), z

    def e_step(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """q = p(z|x), as (mean, covariance), and the bound L(q, θ), mean over x: at this q it is log p(x)."""
        return self.posterior(x), self.log_prob(x).mean(dtype=torch.float64)

    def m_step(self, x: Tensor, q: tuple[Tensor, Tensor]) -> "PPCA":
        """argmax_θ L(q, θ) over W, mu, sigma together: regression of x on z under q = N(mean, covariance).

        W = Cov(x, z) Cov(z)⁻¹,  mu = E x - W E z,  sigma² = E‖x - mu - W z‖²/m,  with E over the data and q.
        Shapes: x (n, m), q mean (n, d), covariance (d, d). Cost: O(n m d).
        Raises ValueError where sigma vanishes. Source: Tipping and Bishop 1999, eq. 27-28.
        """
        require_samples("x", x)
        q_mean, q_cov = q
        x_centred, z_centred = x - x.mean(0), q_mean - q_mean.mean(0)
        cov_zz = z_centred.mT @ z_centred / len(x) + q_cov
        W = torch.linalg.solve(cov_zz, z_centred.mT @ x_centred / len(x)).mT
        residual = (x_centred - z_centred @ W.mT).square().sum(-1).mean()
        sigma = ((residual + (W @ q_cov * W).sum()) / x.shape[-1]).sqrt()
        return type(self)(W, x.mean(0) - W @ q_mean.mean(0), sigma)

    @classmethod
    def maximum_likelihood(cls, x: Tensor, d: int) -> "PPCA":
        """The fit in closed form, from the eigenvalues λ and eigenvectors U of the covariance (with 1/n).

        W = U_d (Λ_d - sigma² I)^½,  sigma² = mean of the m - d discarded eigenvalues,  mu = mean of x.
        Shapes: x (n, m), 1 <= d < m. Cost: O(n m² + m³). W is unique up to a rotation of the latent space.
        Raises ValueError where the data fill no more than d dimensions, so that sigma would be 0.
        Source: Tipping and Bishop 1999, eq. 15-17.
        """
        if not 1 <= d < x.shape[-1]:
            raise ValueError(f"d: expected 1 <= d < m = {x.shape[-1]}, got {d}; sigma² averages m - d eigenvalues.")
        require_samples("x", x)
        mu, covariance = _covariance(x)
        require_finite("x", covariance)
        values, vectors = torch.linalg.eigh(covariance)  # ascending
        variance = values[:-d].mean()
        if not bool(variance > x.shape[-1] * torch.finfo(values.dtype).eps * values[-1]):
            raise ValueError(
                f"x: expected data that fill more than d = {d} dimensions, got a noise variance of "
                f"{float(variance):.3g}; lower d, or pass more distinct rows (n = {len(x)})."
            )
        W = vectors[:, -d:].flip(-1) * (values[-d:].flip(-1) - variance).clamp_min(0).sqrt()  # -0 by rounding
        return cls(W.to(x.dtype), mu.to(x.dtype), variance.sqrt().to(x.dtype))

    def _energy(self, x: Tensor) -> Tensor:
        """xᵀC⁻¹x = ‖x - W z‖²/sigma² + ‖z‖², (n,), of centred x, with z the posterior mean: a sum of squares."""
        z = x @ self._gain().to(x.dtype)
        return ((x - z @ self.W.mT) / self.sigma).square().sum(-1) + z.square().sum(-1)

    def _energy_by_difference(self, x: Tensor) -> Tensor:
        """xᵀC⁻¹x = (‖x‖² - ‖L⁻¹Wᵀx‖²)/sigma² with M = L Lᵀ: half the work, and digits lost, as `_energy`."""
        whitened = torch.linalg.solve_triangular(self._root, self.W.mT, upper=False) @ x.mT
        return (x.square().sum(-1) - whitened.square().sum(0)) / self.sigma.square()

    def _digits_to_spare(self, x: Tensor) -> bool:
        """The difference costs at most a relative (1 + λ/sigma²) roundings, λ <= tr WᵀW: 7 digits of float64's 16."""
        return x.dtype == self.W.dtype == torch.float64 and self._condition < 1e7

    def _gain(self) -> Tensor:
        """W M⁻¹, (m, d), float64: rows of centred x times it are the posterior means."""
        return torch.cholesky_solve(self.W.double().mT, self._root).mT


def _covariance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (m,) and covariance (m, m) with 1/n, in float64: centred first, then multiplied by chunks."""
    mean = x.mean(0, dtype=torch.float64)
    total = mean.new_zeros(len(mean), len(mean))
    for rows in x.split(8 * ROWS[x.device.type]):
        centred = rows.double() - mean
        total = total + centred.mT @ centred
    return mean, total / len(x)
