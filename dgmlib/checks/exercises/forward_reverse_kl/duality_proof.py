"""`duality_proof`: the derivation of KL(p‖π) = KL(p(z|θ)‖p(z)), graded by a person."""

from ...engine import proof

EXERCISE = proof(__name__, 2, "Normalizing Flows KL Duality")
