"""00_flows_recap: recap of normalizing flows."""

from ...engine import assignment

ASSIGNMENT = assignment(__name__, "00_flows_recap")
