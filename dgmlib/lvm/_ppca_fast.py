"""PPCA's products at half the work, beside the formulas of `ppca.py`, which they are tested against."""

import numpy as np
import torch
from torch import Tensor

from dgmlib._valid import is_false
from dgmlib.lvm._rows import chunks


def has_digits_to_spare(M: Tensor, variance: Tensor) -> bool:
    """Whether `infer` keeps 9 digits: its difference costs at most a relative (1 + λ/sigma²) roundings, λ <= tr WᵀW."""
    return is_false(M.detach().trace() / variance.detach() >= 1e7)


def infer(x: Tensor, whitener: Tensor, root: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Posterior means z (n, d) and the energy xᵀC⁻¹x (n,) of centred x (n, m), with M = L Lᵀ and L = `root`.

    z = L⁻ᵀ L⁻¹Wᵀx, with L⁻¹Wᵀ = `whitener`, (d, m): one product with x, where the sum of squares has two.
    """
    white = x @ whitener.mT
    z = torch.linalg.solve_triangular(root.mT, white.mT, upper=True).mT
    return z, of_white(x, white, variance)


def energy(x: Tensor, whitener: Tensor, variance: Tensor) -> Tensor:
    """The energy alone."""
    return of_white(x, x @ whitener.mT, variance)


def of_white(x: Tensor, white: Tensor, variance: Tensor) -> Tensor:
    """xᵀC⁻¹x = (‖x‖² - ‖L⁻¹Wᵀx‖²)/sigma², without x² in memory."""
    return (torch.linalg.vecdot(x, x) - torch.linalg.vecdot(white, white)) / variance


def covariance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (m,) and covariance (m, m) with 1/n, in float64: that within chunks of rows, and that between their means.

    One pass over x, each chunk about its own mean, so that no offset costs a digit. Source: Chan et al. 1979.
    """
    within, centres, sizes = 0, [], []
    scratch = np.empty((0, 0))
    for (rows,) in chunks(x, width=max(x.shape[1] // 16, 1)):  # more rows than elsewhere: the product is the work
        centres.append(rows.mean(0, dtype=torch.float64))
        scratch = scratch if len(scratch) else np.empty(tuple(rows.shape))
        within = within + gram(rows.double(), centres[-1], scratch[: len(rows)])
        sizes.append(len(rows))
    weights, centres = centres[0].new_tensor(sizes).unsqueeze(-1) / len(x), torch.stack(centres)
    mean = (weights * centres).sum(0)
    return mean, within / len(x) + gram(weights.sqrt() * (centres - mean), torch.zeros_like(mean))


def gram(A: Tensor, centre: Tensor, scratch: np.ndarray | None = None) -> Tensor:
    """(A - centre)ᵀ(A - centre) by numpy, which knows that it is symmetric and does half the work (syrk).

    On a GPU, in a graph and under vmap by torch, which has no name for that. `scratch` holds A - centre: new memory
    for each chunk would cost a page fault for every 512 numbers.
    """
    try:
        rows, middle = A.numpy(), centre.numpy()
    except (RuntimeError, TypeError):
        return (A - centre).mT @ (A - centre)
    with np.errstate(invalid="ignore"):  # an infinity is refused with its result
        centred = np.subtract(rows, middle, out=scratch)
        return torch.from_numpy(centred.T @ centred)
