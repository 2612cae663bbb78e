"""04_em_algorithm: EM for mixtures of Gaussians and for probabilistic PCA."""

from ...engine import assignment

ASSIGNMENT = assignment(__name__, "04_em_algorithm")
