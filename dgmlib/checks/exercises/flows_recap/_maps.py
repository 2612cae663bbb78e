"""f near a linear map, its Jacobian, and the words of mistakes about log-determinants."""

import torch

from ...engine import normal, regular
from ...run.fixtures.maps import RowMap


def reference_jacobian(f, x):
    """A row of z at a time, in plain autograd: torch.func would import torch._dynamo, a second of every run."""
    with torch.enable_grad():
        x = x if x.requires_grad else x.detach().requires_grad_()
        z = f(x)
        rows = [torch.autograd.grad(z_a.sum(), x, create_graph=True)[0] for z_a in z.unbind(1)]
    return torch.stack(rows, 1)


def row_map(rng, m, n):
    """f near a linear map, looked at where its Jacobian is well conditioned: there no right answer loses digits."""
    arrays = {"A": 0.7 * regular(rng, m), "B": regular(rng, m), "c": normal(rng, m, scale=0.3)}
    candidates = normal(rng, 8 * n, m)
    condition = torch.linalg.cond(reference_jacobian(RowMap(**arrays), candidates).detach())
    return {"x": candidates[condition.argsort(stable=True)[:n]]} | arrays


CUT_BASE = "The base density is cut off the graph: no detach, no no_grad, no .item()."

STEEP = "Right where f bends slowly, wrong where it bends fast: differentiate by autograd, no quotient of differences."


def steep(arrays):
    """The same f on a scale 10⁶ times smaller: a step that is short enough elsewhere is long here."""
    scaled = {"x": 1e-6 * arrays["x"], "A": 1e6 * arrays["A"], "c": 1e12 * arrays["c"]}
    return arrays | scaled
