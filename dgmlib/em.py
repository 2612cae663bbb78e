"""EM: block-coordinate ascent of the bound L(q, θ), for every model that owns `e_step` and `m_step`.

The model says which q it can represent. With q = p(z|x) this is exact EM; with q restricted to a family
(point masses, diagonal Gaussians) the same loop is variational EM, and the bound stays below log p(x).
"""

from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from dgmlib.elbo import ppca_elbo
from dgmlib.lvm.mixture import GaussianMixture
from dgmlib.lvm.ppca import PPCA


class EMModel(Protocol):
    """What `em` asks of a model."""

    def e_step(self, x: Any) -> tuple[Any, Tensor]:
        """q = argmax_q L(q, θ) within the model's family, and L(q, θ), mean over samples, float64."""

    def m_step(self, x: Any, q: Any) -> "EMModel":
        """The model at argmax_θ L(q, θ)."""


Model = TypeVar("Model", bound=EMModel)


@torch.no_grad()
def em(model: Model, x: Any, num_iters: int = 100, tol: float | None = None) -> tuple[Model, Tensor]:
    """Alternate E-step and M-step; return the model after the last M-step, and the history of the bound.

    E: q = argmax_q L(q, θ);  M: θ = argmax_θ L(q, θ). history_t = L(q, θ) right after E-step t
    (float64, (T,)): it never falls.

    `num_iters` >= 1 iterations, fewer if `tol` is given and the bound gains less than `tol` nats a sample.
    The loop never waits for the device; a `tol` does, once an iteration, and so may a model's own checks.
    Raises ValueError where the bound is not finite. Source: Lecture 3, "EM-Algorithm".
    """
    if num_iters < 1:
        raise ValueError(f"num_iters: expected at least 1, got {num_iters}; without a step the model is your start.")
    history: list[Tensor] = []
    for _ in range(num_iters):
        q, bound = model.e_step(x)
        model = model.m_step(x, q)
        history.append(bound)
        if tol is not None and len(history) > 1 and bool(bound - history[-2] < tol):
            break
    return model, _finite(torch.stack(history))


class HardMixture(GaussianMixture):
    """A mixture with q restricted to point masses: k-means with covariances. L(q, θ) = log p(x, z = k*).

    Source: Lecture 3, "EM-Algorithm", with the argmax over q taken among one-hot q.
    """

    def e_step(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q = one-hot at argmax_k p(x, z = k), (n, K), and the bound; the entropy of a point mass is 0."""
        best = self.log_joint(x).max(-1)
        q = torch.nn.functional.one_hot(best.indices, len(self.weights))
        return q.to(x.dtype), best.values.mean()


class MeanFieldPPCA(PPCA):
    """PPCA with q restricted to diagonal Gaussians, as in a VAE: the bound is loose where M is not diagonal.

    Source: Lecture 3, "EM-Algorithm", with the argmax over q taken among diagonal Gaussians.
    """

    def e_step(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """argmin KL(q‖N(a, P⁻¹)) over diagonal q is N(a, diag 1/P_jj), P = M/sigma² (Bishop, 10.12)."""
        q_mean, _ = self.posterior(x)
        q_cov = (self.sigma.double().square() / self._M.diagonal()).diag().to(x.dtype)
        bound = ppca_elbo(x, self.W, self.mu, self.sigma, q_mean, q_cov)
        return (q_mean, q_cov), bound.mean(dtype=torch.float64)


def _finite(history: Tensor) -> Tensor:
    if not bool(history.isfinite().all()):
        t = int((~history.isfinite()).nonzero()[0])
        raise ValueError(
            f"history: expected finite bounds, got {float(history[t])} at iteration {t}; a component is "
            "empty or singular, or x is empty or not finite: use another start, or check x."
        )
    return history
