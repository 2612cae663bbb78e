"""The run parts of 04_em_algorithm.

Where an input lies on a surface (weights on the simplex, symmetric covariances, mu at the sample mean), right answers
agree on the surface alone. So the differentiable inputs are put on it here, and gradients are taken along it.
"""

import torch
from torch import Tensor

from . import probe

THETA = ("weights", "means", "covariances")


def weights_of(given) -> Tensor:
    weights = given["weights"]
    return weights / weights.sum() if weights.requires_grad else weights


def covariances_of(given) -> Tensor:
    covariances = given["covariances"]
    return (covariances + covariances.mT) / 2 if covariances.requires_grad else covariances


def responsibilities_of(given) -> Tensor:
    q = given["responsibilities"]
    return q / q.sum(-1, keepdim=True) if q.requires_grad else q


def theta(given) -> tuple[Tensor, Tensor, Tensor]:
    return weights_of(given), given["means"], covariances_of(given)


@probe("e_step", grad=("x", *THETA))
def e_step(answer, given, record):
    record.returned(answer(given["x"], *theta(given)), "responsibilities")


@probe("m_step", grad=("x", "responsibilities"), plain=("float32", "tiny mass", "one row"))
def m_step(answer, given, record):
    x = given["x"]
    x = x.clone() if len(x) == 1 else x  # torch.cov writes into a single column: not the student's doing
    record.returned(answer(x, responsibilities_of(given)), *THETA)


@probe("mixture_elbo", grad=("x", "responsibilities", *THETA), plain=("float32", "extreme", "zeros"))
def mixture_elbo(answer, given, record):
    record.returned(answer(given["x"], responsibilities_of(given), *theta(given)), "elbo")


@probe("em_mixture")
def em_mixture(answer, given, record):
    try:
        result = answer(given["x"], *theta(given), int(given["num_iters"]))
        record.returned(result, *THETA, "history")
    finally:
        sort_components(record)


def sort_components(record):
    """Components have no order of their own: put them in order of their mean's first coordinate."""
    means = record.get("means")
    if means is None or means.ndim != 2 or means.shape[1] == 0:
        return
    order = means[:, 0].argsort()
    for name in THETA:
        if name in record and record[name].shape[:1] == order.shape:
            record[name] = record[name][order]


@probe("ppca_em_step", grad=("x", "W", "sigma"))
def ppca_em_step(answer, given, record):
    x = given["x"]
    mu = x.mean(0) if x.requires_grad else given["mu"]
    record.returned(answer(x, given["W"], mu, given["sigma"]), "W", "mu", "sigma")


@probe("ppca_mle", grad=("x",), plain=("float32", "few rows"))
def ppca_mle(answer, given, record):
    """W is unique up to a rotation of the latent space, so W Wᵀ stands for it."""
    try:
        record.returned(answer(given["x"], int(given["d"])), "W", "mu", "sigma")
    finally:
        if (W := record.pop("W", None)) is not None:
            record["W @ W.T"] = W @ W.mT if W.ndim == 2 else W
            record["shape of W"] = torch.tensor(W.shape, device=W.device)


@probe("hard_e_step")
def hard_e_step(answer, given, record):
    record.returned(answer(given["x"], *theta(given)), "one-hot q")
