"""`autoregressive_forward`: x -> z in one call of the conditioner."""

import torch
from torch.nn.functional import softplus

from ...engine import Exercise, Mistake, counted, gradient, interface_laws, shapes, single, stable, value
from ._autoregressive import (
    ADDED,
    ATTACHED,
    EXTREME,
    LOG_OF_EXP,
    ROWS,
    SIZES,
    SLIDE,
    SWAPPED,
    autoregressive,
    autoregressive_cases,
)


def forward(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(-1)


def cases(rng):
    return autoregressive_cases("x")(rng) | {"extreme, huge sigma": single(autoregressive(rng, "x", 3, 4, shift=120.0))}


def forward_with(z=lambda x, mu, s: (x - mu) * torch.exp(-s), log_det=lambda z, s: -s.sum(-1)):
    """A wrong forward: one of its two lines replaced."""

    def answer(x, conditioner):
        mu, s = conditioner(x)
        out = z(x, mu, s)
        return out, log_det(out, s)

    return answer


def forward_cut(x, conditioner):
    mu, s = conditioner(x.detach())
    return (x - mu) * torch.exp(-s), -s.sum(-1)


def log_det_at_output(x, conditioner):
    z, _ = forward(x, conditioner)
    return z, -conditioner(z)[1].sum(-1)


FLIPPED = "The sign of log_det is flipped: z = (x - mu)/sigma shrinks by sigma, so log_det is -sum log sigma."


def at_z_so_far(x, conditioner):
    """The inverse's loop, run from x to z."""
    z = torch.zeros_like(x)
    for j in range(x.shape[1]):
        mu, s = conditioner(z)
        z = torch.cat([z[:, :j], ((x - mu) * torch.exp(-s))[:, j : j + 1], z[:, j + 1 :]], 1)
    return z, -s.sum(-1)


CLAMPED = "log_sigma is clamped; it is used as it is."


def clamped(most):
    return forward_with(
        lambda x, mu, s: (x - mu) * torch.exp(-s.clamp(-most, most)), lambda z, s: -s.clamp(-most, most).sum(-1)
    )


def shifted_twice(x, conditioner):
    mu, log_sigma = conditioner(torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1))
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(1)


def shifted_outputs(x, conditioner):
    mu, log_sigma = (torch.cat([torch.zeros_like(t[:, :1]), t[:, :-1]], 1) for t in conditioner(x))
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(1)


MISTAKES = (
    Mistake("log_det is cut off the graph: no detach, no no_grad, no .item().", forward_with(log_det=lambda z, s: -s.sum(-1).detach())),
    *(Mistake(ADDED, forward_with(lambda x, mu, s, size=size: (x - mu) / (s.exp() + size))) for size in SIZES),
    *(Mistake(ADDED, forward_with(lambda x, mu, s, size=size: (x - mu) / (s.exp() + size), lambda z, s, size=size: -(s.exp() + size).log().sum(-1))) for size in SIZES),
    Mistake("mu and log_sigma are shifted by a column; the conditioner gives column j what column j needs.", shifted_outputs),
    Mistake("x is shifted by a column before the conditioner, which sees the columns before j already: call it at x.", shifted_twice),
    Mistake(FLIPPED, forward_with(log_det=lambda z, s: s.sum(-1))),
    Mistake("log_det is averaged over the features; a triangular determinant is a product, so its log is a sum.", forward_with(log_det=lambda z, s: -s.mean(-1))),
    Mistake("Your log_det looks evaluated at the output z; the formula wants it at x.", log_det_at_output),
    Mistake("The conditioner's second output is log sigma; it is used as if it were sigma.", forward_with(lambda x, mu, s: (x - mu) / s, lambda z, s: -s.abs().log().sum(-1))),
    Mistake("The conditioner's second output is log sigma; exp(2 log_sigma) or exp(log_sigma / 2) mixes it up with the variance.", forward_with(lambda x, mu, s: (x - mu) * torch.exp(-s / 2), lambda z, s: -s.sum(-1) / 2)),
    Mistake("sigma² stands where sigma belongs.", forward_with(lambda x, mu, s: (x - mu) * torch.exp(-2 * s), lambda z, s: -2 * s.sum(-1))),
    Mistake("This is the other direction: forward subtracts mu and divides by sigma.", forward_with(lambda x, mu, s: mu + torch.exp(s) * x, lambda z, s: s.sum(-1))),
    Mistake("This is the other direction: forward subtracts mu and divides by sigma.", forward_with(lambda x, mu, s: mu + torch.exp(s) * x)),
    Mistake("z is multiplied by sigma; forward divides by it.", forward_with(lambda x, mu, s: (x - mu) * torch.exp(s))),
    Mistake("mu is subtracted after the division; subtract first.", forward_with(lambda x, mu, s: x * torch.exp(-s) - mu)),
    Mistake("mu is missing or added; forward subtracts it.", forward_with(lambda x, mu, s: x * torch.exp(-s))),
    Mistake("mu is missing or added; forward subtracts it.", forward_with(lambda x, mu, s: (x + mu) * torch.exp(-s))),
    Mistake("The conditioner is cut off the graph, so it can't be trained: no detach, no no_grad.", lambda x, c: forward(x, lambda v: tuple(t.detach() for t in c(v)))),
    Mistake("The conditioner sees a detached x: z depends on x through mu and sigma too.", forward_cut),
    Mistake("log_det leaves out the first column's log sigma: the sum runs over all m.", forward_with(log_det=lambda z, s: -s[:, 1:].sum(-1))),
    Mistake("log_det leaves out the last column's log sigma: the sum runs over all m.", forward_with(log_det=lambda z, s: -s[:, :-1].sum(-1))),
    Mistake("log_det adds sigma itself; the logarithms add: -sum log_sigma.", forward_with(log_det=lambda z, s: -s.exp().sum(-1))),
    Mistake("log_det adds 1/sigma itself; the logarithms add: -sum log_sigma.", forward_with(log_det=lambda z, s: torch.exp(-s).sum(-1))),
    Mistake("This is the determinant; its logarithm is wanted.", forward_with(log_det=lambda z, s: torch.exp(-s.sum(-1)))),
    Mistake("log_det sums over the rows; it sums over the columns, axis 1.", forward_with(log_det=lambda z, s: -s.sum(0))),
    Mistake("log_det is half of what it should be; log_sigma is the log of sigma, not of the variance.", forward_with(log_det=lambda z, s: -s.sum(-1) / 2)),
    Mistake(SWAPPED, lambda x, c: forward(x, lambda v: c(v)[::-1])),
    Mistake(ROWS, forward_with(log_det=lambda z, s: -s.sum().expand(len(s)))),
    Mistake("The last step's product: log_det must be one number a row, not one a feature.", forward_with(log_det=lambda z, s: -s)),
    Mistake("The conditioner is called at z; in forward all of x is known, and it is called once, at x.", at_z_so_far),
    Mistake("log_det is missing (zero).", forward_with(log_det=lambda z, s: 0 * s.sum(-1))),
    Mistake("log_det is the last column's log sigma alone: the sum runs over all m.", forward_with(log_det=lambda z, s: -s[:, -1])),
    Mistake("softplus gives sigma here; sigma is exp(log_sigma), nothing else.", forward_with(lambda x, mu, s: (x - mu) / softplus(s), lambda z, s: -softplus(s).log().sum(-1))),
    Mistake("sigma is missing: this only shifts, by mu.", forward_with(lambda x, mu, s: x - mu)),
    Mistake("mu - x stands where x - mu belongs.", forward_with(lambda x, mu, s: (mu - x) * torch.exp(-s))),
    Mistake("log_det multiplies the log sigmas; it adds them.", forward_with(log_det=lambda z, s: -s.prod(-1))),
    Mistake("log_det sums absolute values; signs count.", forward_with(log_det=lambda z, s: s.abs().sum(-1))),
    Mistake("log_det is taken of z; it is -sum log sigma.", forward_with(log_det=lambda z, s: z.abs().log().sum(-1))),
    Mistake("log_det takes one column's log sigma, the largest; it is the sum of all.", forward_with(log_det=lambda z, s: -s.amax(-1))),
    Mistake(CLAMPED, clamped(5.0)),
    Mistake(CLAMPED, clamped(10.0)),
    Mistake(CLAMPED, clamped(1.0)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide=SLIDE,
    call="x, conditioner()",
    returns="z, log_det",
    counts={"calls": "conditioner.calls"},
    cases=cases,
    reference=forward,
    laws=(
        value("z", "z_j = (x_j - mu_j) / sigma_j.", outputs=["z"]),
        value("log_det", "log|det dz/dx| = -sum_j log sigma_j, shape (n,).", outputs=["log_det"], weight=0.875),
        gradient(0.5, hint=ATTACHED),
        stable(0.125, ["extreme"], EXTREME),
        stable(0.125, ["extreme, huge sigma"], LOG_OF_EXP, name="log sigma"),
        shapes(0.125, ["one row", "one feature"]),
        counted(0.125, "calls", "the conditioner is called once for all columns; yours called it {got} times"),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
