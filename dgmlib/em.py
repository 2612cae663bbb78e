"""EM: block-coordinate ascent of the bound L(q, θ), for every model that owns `e_step` and `m_step`.

The model says which q it can represent. With q = p(z|x) this is exact EM; with q restricted to a family
(point masses, diagonal Gaussians) the same loop is variational EM, and the bound stays below log p(x).
"""

from dgmlib._em import EMModel, EMResult, em
from dgmlib.lvm.restricted import HardMixture, MeanFieldPPCA

__all__ = ["EMModel", "EMResult", "HardMixture", "MeanFieldPPCA", "em"]
