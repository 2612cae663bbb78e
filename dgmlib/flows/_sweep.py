"""Sampling a masked network in the work of one pass: the fast path beside `autoregressive_inverse`, its formula.

Units are sorted by degree, and a unit of degree k sees those of lower or equal degree in the layer below, so every
weight matrix is a triangle of blocks. With x_1, ..., x_j known, all units of degree up to j can be computed, and
those of degree below j have been; step j computes the row of blocks marked `new`, from the columns marked W:

        degree   1  1  2  2  3  3                    counts[l + 1][j - 1]   units that are done
            1  [ W  W  .  .  .  . ]   done           counts[l + 1][j]       units that are done after step j
            1  [ W  W  .  .  .  . ]   done           counts[l][j]           units of the layer below that they see
            2  [ W  W  W  W  .  . ]   new, j = 2
            2  [ W  W  W  W  .  . ]   new            The last layer is strict: mu_j and log sigma_j see the
            3  [ W  W  W  W  W  W ]                  counts[-1][j - 1] units of degree below j.
            3  [ W  W  W  W  W  W ]

So each unit is computed once, and the masks are never multiplied. But a product with few rows of W reads every unit
below for their sake. So columns go by blocks of `COLUMNS`: what their units see from before the block comes in one
product at its start, and a step adds what they see from within. In the code j starts at 0, and the first unit of each
layer is 1, of degree 0, so that a bias is a weight.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from dgmlib.nn import MADE, MAX_LOG_SIGMA

ROWS = 4096  # at a time on a CPU: a block's units, 32 x 4096 numbers a layer, stay in its cache
COLUMNS = 8


@torch.no_grad()
def sweep(network: MADE, z: Tensor) -> tuple[Tensor, Tensor]:
    """x with x_j = σ_j(x_{1:j-1}) z_j + μ_j(x_{1:j-1}), `(n, m)`, and Σ_j log σ_j, `(n,)`, without a graph."""
    pieces = [sweep_rows(network, rows) for rows in z.split(ROWS if z.device.type == "cpu" else max(len(z), 1))]
    x, log_det = zip(*pieces, strict=True)
    return torch.cat(x), torch.cat(log_det)


def sweep_rows(network: MADE, z: Tensor) -> tuple[Tensor, Tensor]:
    """The same for few rows, which move together: units are rows and events columns, so that a slice is contiguous."""
    n, m = z.shape
    weights = [with_bias(layer.weight, layer.bias) for layer in network.hidden_layers]
    weights.append(with_bias(*(by_column(p) for p in (network.last.weight, network.last.bias))))
    counts = [[1 + count for count in layer] for layer in [*network.counts, range(0, 2 * m + 1, 2)]]
    like = z[:1, :1] + weights[0][:1, :1]  # under vmap batched where z is and where the weights are: it can hold either
    units = [like.new_ones(count[m], n) for count in counts]
    units[0][1:] = z.mT
    last, done, log_det = len(weights) - 1, [], like.new_zeros(n)

    def add_seen(l: int, j: int, upto: int) -> Tensor:
        """Layer l + 1's units of column j, with what they see from within the block."""
        rows, columns = slice(counts[l + 1][j], counts[l + 1][j + 1]), slice(done[l], upto)
        return units[l + 1][rows].add_(weights[l][rows, columns] @ units[l][columns])

    for j in range(m):
        if j % COLUMNS == 0:
            done = [count[j] for count in counts]
            for l, W in enumerate(weights):
                block = slice(done[l + 1], counts[l + 1][min(j + COLUMNS, m)])
                units[l + 1][block] = W[block, : done[l]] @ units[l][: done[l]]
        shift, free = add_seen(last, j, counts[last][j])
        log_sigma = free.clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA)
        units[0][j + 1].add_(shift).mul_(torch.exp(log_sigma))  # σ z + μ, where the network's own output is μ/σ
        log_det = log_det + log_sigma
        for l in range(last):
            add_seen(l, j, counts[l][j + 1]).relu_()
    return units[0][1:].mT, log_det


def with_bias(weight: Tensor, bias: Tensor) -> Tensor:
    """The weights `(1 + out, 1 + in)` between layers whose first unit is 1; row 0 is of no use."""
    return pad(torch.cat([bias[:, None], weight], 1), (0, 0, 1, 0))


def by_column(outputs: Tensor) -> Tensor:
    """The rows shift_1, ..., shift_m, log σ_1, ..., log σ_m as shift_1, log σ_1, shift_2, ..."""
    return outputs.unflatten(0, (2, -1)).transpose(0, 1).flatten(0, 1)
