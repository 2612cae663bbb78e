"""Log-weights of K samples of q, and what goes wrong in their averages."""

import math

import torch
from torch import Tensor

from ...engine import (
    normal,
    single,
)


def weights(rng, K, n, shift: float | Tensor = 0.0, spread=2.0):
    """log p(x, z_k) and log q(z_k); `shift` moves the logarithms of the weights, one number a row of x."""
    log_q = normal(rng, K, n, shift=-2.0)
    return {"log_joint": log_q + normal(rng, K, n, scale=spread, shift=-1.5) + shift, "log_q": log_q}


def scattered(rng):
    """Densities out of float32's range with weights that are not, and weights 250 nats apart within a row: no shift
    but a row's own maximum is safe. The smallest weights come first, the largest in the middle."""
    logs = torch.tensor([-200.0, -150.0, 50.0, 0.0, -100.0], dtype=torch.float64)[:, None] + normal(rng, 5, 4)
    log_q = normal(rng, 5, 4) + torch.tensor([-300.0, 250.0, 0.0, 120.0], dtype=torch.float64)
    return {"log_joint": log_q + logs, "log_q": log_q}


def far_apart(rng):
    """Samples whose densities lie hundreds of nats apart, and whose weights do not: only the weights' own maximum will
    do, not one of log p(x, z) and one of log q(z)."""
    log_q = normal(rng, 6, 4, scale=250.0)
    return {"log_joint": log_q + normal(rng, 6, 4), "log_q": log_q}


def weight_cases(rng):
    value_case = weights(rng, 7, 4)
    far = torch.tensor([-4000.0, 3000.0, 0.0, -300.0], dtype=torch.float64)
    return {
        "value": value_case,
        "square": weights(rng, 5, 5),
        "float32": single(value_case),
        "one sample": weights(rng, 1, 3),
        "one row": weights(rng, 6, 1),
        "extreme": single(weights(rng, 5, 4, shift=far, spread=20.0)),
        "scattered": single(scattered(rng)),
        "far apart": far_apart(rng),
        "many samples": weights(rng, 2099, 2),  # a prime: batches of any size leave a rest
    }


def log_mean(log_weights):
    return torch.logsumexp(log_weights, 0) - math.log(len(log_weights))


AXIS = "The average runs over the rows of x; it runs over the samples of q, the first axis."
ROWS = "The rows of x are averaged or summed as well; each has its own number, shape (n,)."
CUT = "A part is cut off the graph: no detach, no .data, no no_grad."
SUM = "This is the sum over the samples; the Monte-Carlo estimate is their average."
