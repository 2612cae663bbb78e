"""Models whose q is restricted to a family, for variational EM: the bound stays below log p(x)."""

import torch
from torch import Tensor

from dgmlib._valid import require_data
from dgmlib.lvm._rows import by_rows
from dgmlib.lvm.mixture import GaussianMixture
from dgmlib.lvm.ppca import PPCA


class HardMixture(GaussianMixture):
    """A mixture with q restricted to point masses: k-means with covariances. L(q, θ) = log p(x, z = k*).

    Source: Lecture 3, "EM-Algorithm", with the argmax over q taken among one-hot q.
    """

    def e_step(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q = one-hot at argmax_k p(x, z = k), (n, K), and the bound; the entropy of a point mass is 0."""
        require_data("x", x, self.means)
        best = self.log_joint(x).max(-1)
        q = torch.nn.functional.one_hot(best.indices, len(self.weights))
        return q.to(x.dtype), best.values.mean()


class MeanFieldPPCA(PPCA):
    """PPCA with q restricted to diagonal Gaussians, as in a VAE: the bound is loose where M is not diagonal.

    Source: Lecture 3, "EM-Algorithm", with the argmax over q taken among diagonal Gaussians.
    """

    def e_step(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """argmin KL(q‖N(a, P⁻¹)) over diagonal q is N(a, diag 1/P_jj), P = M/sigma² (Bishop, 10.12)."""
        require_data("x", x, self.W.mT)
        q_mean, _ = self.posterior(x)
        q_cov = (self._variance / self._M.diagonal()).diag().to(x.dtype)
        (bounds,) = by_rows(lambda rows, means: (self.elbo(rows, (means, q_cov)),), x, q_mean, width=len(self.mu))
        return (q_mean, q_cov), bounds.mean(dtype=torch.float64)
