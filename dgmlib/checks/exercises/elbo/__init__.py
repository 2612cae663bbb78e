"""03_elbo: the variational lower bound."""

from ...engine import assignment

ASSIGNMENT = assignment(__name__, "03_elbo")
