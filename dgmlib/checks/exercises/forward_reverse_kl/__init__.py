"""01_forward_reverse_kl: forward and reverse KL for flows."""

from ...engine import assignment

ASSIGNMENT = assignment(__name__, "01_forward_reverse_kl")
