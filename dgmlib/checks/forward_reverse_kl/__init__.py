"""01_forward_reverse_kl: what is right and what mistakes mean. Trusted; never beside a student's code."""

from ..exercise import Assignment, proof
from . import gaussian, latent, losses, needs

PROOF = proof("duality_proof", 2, "Normalizing Flows KL Duality")
EXERCISES = (*gaussian.EXERCISES, *losses.EXERCISES, *needs.EXERCISES, *latent.EXERCISES, PROOF)
ASSIGNMENT = Assignment("01_forward_reverse_kl", "forward_reverse_kl", {e.name: e for e in EXERCISES})
