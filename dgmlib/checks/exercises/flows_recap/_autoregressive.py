"""Random conditioners, and what both directions of an autoregressive flow get wrong."""

from ...engine import normal, single

SLIDE = "Gaussian Autoregressive Normalizing Flow (Recap of Previous Lecture)"
SWAPPED = "The conditioner returns (mu, log_sigma), in this order; here they are swapped."
ROWS = "log_det is summed over the rows as well; each row has its own."
EXTREME = "The product of sigmas leaves float32: add log sigma, never take the log of a product."
LOG_OF_EXP = "exp(log_sigma) is 0 or inf here, its logarithm infinite: log_sigma itself is what log_det adds up."
ATTACHED = "It passes through mu and log_sigma too: no detach, no no_grad."


def autoregressive(rng, name, n, m, shift=0.0):
    spread = 1.2 / max(m - 1, 1) ** 0.5
    return {
        name: normal(rng, n, m),
        "A": normal(rng, m, m, scale=spread),
        "B": normal(rng, m, m, scale=spread),
        "shift": normal(rng, m, scale=0.3, shift=shift),
    }


def autoregressive_cases(name):
    def cases(rng):
        value_case = autoregressive(rng, name, 6, 4)
        return {
            "value": value_case,
            "float32": single(value_case),
            "one row": autoregressive(rng, name, 1, 3),
            "one feature": autoregressive(rng, name, 5, 1),
            "extreme": single(autoregressive(rng, name, 3, 48, shift=-4.0)),
        }

    return cases


SIZES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)
ADDED = "Something is added to sigma: exp is positive by itself, so take exp(log_sigma) alone."
