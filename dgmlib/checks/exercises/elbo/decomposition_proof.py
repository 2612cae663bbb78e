"""`decomposition_proof`: log p(x) = ELBO + KL(q‖p(z given x)), graded by a person."""

from ...engine import proof

EXERCISE = proof(__name__, 1, "ELBO Derivation II")
