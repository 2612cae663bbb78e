"""f near a linear map, its Jacobian, and the words of mistakes about log-determinants."""

import torch
from torch import func

from ...engine import normal, regular
from ...run.fixtures.maps import RowMap


def reference_jacobian(f, x):
    return func.vmap(func.jacrev(f))(x)


def row_map(rng, m, n):
    """f near a linear map, looked at where its Jacobian is well conditioned: there no right answer loses digits."""
    arrays = {"A": 0.7 * regular(rng, m), "B": regular(rng, m), "c": normal(rng, m, scale=0.3)}
    candidates = normal(rng, 8 * n, m)
    condition = torch.linalg.cond(reference_jacobian(RowMap(**arrays), candidates))
    return {"x": candidates[condition.argsort(stable=True)[:n]]} | arrays


CUT_BASE = "The base density is cut off the graph: no detach, no no_grad, no .item()."
