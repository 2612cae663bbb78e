"""EM for a mixture of Gaussians as two matrix products: the fast path beside `GaussianMixture`, its reference.

log p(x, z = k) is quadratic in x, so it is linear in the features φ(x) = (1, x_i, x_i x_j for i <= j):
the E-step is softmax(Θ φ), and the M-step needs no more than Σ_n q_nk φ(x_n), the expected statistics.
"""

import math

import torch
from torch import Tensor

from dgmlib._em import EMResult, em
from dgmlib._valid import require_data, require_finite
from dgmlib.lvm._rows import mean
from dgmlib.lvm.mixture import GaussianMixture

# Columns at a time: features that stay in a CPU's cache, or that fill a GPU.
CHUNK = {"cpu": 4096, "cuda": 2**20}
# Squares of x lose this ratio, (distance from the centre / width)², out of float64's 16 digits.
NARROWEST = 1e8
# torch.exp is 6 times slower below it, where it underflows; exp(LEAST) taken off again, so little is exactly 0.
LEAST = -700.0


def fit_mixture(
    model: GaussianMixture,
    x: Tensor,
    num_iters: int = 100,
    tol: float | None = None,
    num_starts: int = 1,
    generator: torch.Generator | None = None,
) -> EMResult:
    """`em(model, x, num_iters, tol, ...)` by quadratic features: the same numbers, in a fraction of the time.

    Data are centred in float64 first; all is float64, and without `tol` no iteration waits for the device.
    Shapes: x (n, m); model as given, history (T,). Cost: O(n K m²) an iteration; memory: a copy of x, and a chunk.
    Raises ValueError for a component that is empty, singular, or 1e4 times narrower than its distance from the
    mean of x (there `em` itself is exact). Source: Lecture 3, "EM-Algorithm".
    """
    if not isinstance(model, GaussianMixture) or type(model).e_step is not GaussianMixture.e_step:
        raise ValueError(f"model: expected a GaussianMixture with its own E-step, got {type(model).__name__}; use em.")
    require_data("x", x, model.means)
    centre = mean(x)
    require_finite("x", centre)
    columns = (x - centre).mT.contiguous()  # float64, as centre is
    weights, means, covariances = model.exact
    start = QuadraticMixture(weights / weights.sum(), means - centre, covariances)
    try:
        fit = em(start, columns, num_iters, tol, num_starts, generator)
        theta = fit.model.weights, fit.model.means + centre, fit.model.covariances
        return EMResult(model._fitted(x.dtype, *theta), fit.history, fit.converged)
    except ValueError as error:
        raise ValueError(f"{error} If a component is only very narrow, em(model, x) resolves it.") from error


class QuadraticMixture:
    """A mixture as Θ (K, F), F = 1 + m + m(m + 1)/2, so that log p(x, z = k) = Θ_k · φ(x), with P = Σ⁻¹:

    Θ_k = (log π_k + ½ log det P_k - ½ m log 2π - ½ μ_kᵀ P_k μ_k,  P_k μ_k,  -½ P_k,ii and -P_k,ij for i < j)

    Shapes: weights (K,), means (K, m), covariances (K, m, m), about the centre of the data, float64.
    Nothing here reads from the device: a component that float64 can't resolve turns to nan, which `em` reports.
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor):
        self.weights, self.means, self.covariances = weights, means, covariances
        m = means.shape[-1]
        precision, half_log_det = _resolved_precision(means, covariances)
        slope = (precision @ means.unsqueeze(-1)).squeeze(-1)
        constant = weights.log() + half_log_det - m * math.log(2 * math.pi) / 2 - (slope * means).sum(-1) / 2
        i, j = torch.triu_indices(m, m, device=means.device)
        curvature = -precision[:, i, j] * torch.where(i == j, 0.5, 1.0)
        self.theta = torch.cat([constant.unsqueeze(-1), slope, curvature], dim=-1)

    def e_step(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """q as its expected statistics Σ_n q_nk φ(x_n), (K, F), and the bound, mean over the n columns of x (m, n)."""
        statistics, bound = torch.zeros_like(self.theta), self.theta.new_zeros(())
        for chunk in columns.split(CHUNK[columns.device.type], dim=-1):
            phi = quadratic_features(chunk)
            log_joint = self.theta @ phi  # (K, n): components first, so that reductions run along memory
            top = log_joint.amax(0)
            q = log_joint.sub_(top).clamp_min_(LEAST).exp_().sub_(math.exp(LEAST))
            total = q.sum(0)
            bound = bound + (top + total.log()).sum()
            statistics = statistics + q.div_(total) @ phi.mT
        return statistics, bound / columns.shape[-1]

    def m_step(self, columns: Tensor, statistics: Tensor) -> "QuadraticMixture":
        """Moments from sums: weights = N_k/n, means = Σ q x/N_k, covariances = Σ q x xᵀ/N_k - means meansᵀ."""
        m = len(columns)
        mass, first, second = statistics.split([1, m, statistics.shape[-1] - 1 - m], dim=-1)
        means, moments = first / mass, (second / mass)[:, packed_positions(m, columns.device)]
        covariances = moments - means.unsqueeze(-1) * means.unsqueeze(-2)
        return type(self)(mass.squeeze(-1) / columns.shape[-1], means, covariances)

    def restart(self, columns: Tensor, generator: torch.Generator | None) -> "QuadraticMixture":
        """Another start, by k-means++."""
        return type(self)(*GaussianMixture.kmeans_plus_plus(columns.mT, len(self.weights), generator).exact)


def quadratic_features(columns: Tensor) -> Tensor:
    """φ of each column of x (m, n): (F, n), rows 1, x_i, then x_i x_j for i <= j in the order of `triu_indices`."""
    m, n = columns.shape
    phi = columns.new_empty(1 + m + m * (m + 1) // 2, n)
    phi[0], phi[1 : m + 1] = 1, columns
    for i, rows in enumerate(phi[m + 1 :].split(list(range(m, 0, -1)))):
        torch.mul(columns[i:], columns[i], out=rows)
    return phi


def packed_positions(m: int, device: torch.device) -> Tensor:
    """(m, m): where x_i x_j stands among the products of `quadratic_features`."""
    i, j = torch.triu_indices(m, m, device=device)
    at = torch.empty(m, m, dtype=torch.int64, device=device)
    at[i, j] = at[j, i] = torch.arange(len(i), device=device)
    return at


def _resolved_precision(means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """Σ⁻¹ and ½ log det Σ⁻¹ of each component; nan where a pivot drowns in the rounding of squares of x."""
    root, info = torch.linalg.cholesky_ex(covariances)
    pivots = root.diagonal(dim1=-2, dim2=-1)
    moments = covariances.diagonal(dim1=-2, dim2=-1) + means.square()
    resolved = (info == 0) & (moments < NARROWEST * pivots.square()).all(-1)
    root = root.where(resolved[:, None, None], torch.nan)
    eye = torch.eye(means.shape[-1], dtype=root.dtype, device=root.device).expand_as(root)
    inverse = torch.linalg.solve_triangular(root, eye, upper=False)
    return inverse.mT @ inverse, -root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
