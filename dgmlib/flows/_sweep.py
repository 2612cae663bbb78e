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

So each unit is computed once, and the masks are never multiplied. In the code j starts at 0.
"""

import torch
from torch import Tensor

from dgmlib.nn import MADE, MAX_LOG_SIGMA

ROWS = 4096  # at a time on a CPU: their units, 4096 x 128 numbers a layer, stay in its cache


@torch.no_grad()
def sweep(network: MADE, z: Tensor) -> tuple[Tensor, Tensor]:
    """x with x_j = σ_j(x_{1:j-1}) z_j + μ_j(x_{1:j-1}), and log σ: `(n, m)` each, without a graph."""
    pieces = [sweep_rows(network, rows) for rows in z.split(ROWS if z.device.type == "cpu" else max(len(z), 1))]
    x, log_sigma = zip(*pieces, strict=True)
    return torch.cat(x), torch.cat(log_sigma)


def sweep_rows(network: MADE, z: Tensor) -> tuple[Tensor, Tensor]:
    """The same for few rows, which move together: units are rows and events columns, so that a slice is contiguous."""
    (n, m), counts = z.shape, network.counts
    W, b = network.last.weight.view(2, m, -1), network.last.bias.view(2, m, 1)
    like = z[:1, :1] + b[0, 0]  # under vmap batched where z is and where the weights are: it can hold either
    units = [like.new_empty(m, n), *(like.new_empty(layer.out_features, n) for layer in network.hidden_layers)]
    x, log_sigma = units[0], []
    for j, z_j in enumerate(z.mT.contiguous()):
        shift, free = torch.addmm(b[:, j], W[:, j, : counts[-1][j]], units[-1][: counts[-1][j]])
        log_sigma.append(free.clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA))
        x[j] = shift.add_(z_j).mul_(torch.exp(log_sigma[j]))  # σ z + μ, where the network's own output is μ/σ
        for l, layer in enumerate(network.hidden_layers):
            seen, new = counts[l][j + 1], slice(counts[l + 1][j], counts[l + 1][j + 1])
            below = torch.addmm(layer.bias[new, None], layer.weight[new, :seen], units[l][:seen])
            units[l + 1][new] = below.relu_()
    return x.mT, torch.stack(log_sigma).mT
