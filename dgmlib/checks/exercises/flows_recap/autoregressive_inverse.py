"""`autoregressive_inverse`: z -> x, column after column."""

import torch
from torch.nn.functional import softplus

from ...engine import CaseResults, Exercise, Mistake, custom, gradient, interface_laws, shapes, single, stable, value
from ._autoregressive import (
    ADDED,
    EXTREME,
    LOG_OF_EXP,
    ROWS,
    SIZES,
    SLIDE,
    SWAPPED,
    autoregressive,
    autoregressive_cases,
)


def inverse(z, conditioner):
    """m calls: the log_sigma of column j is known when column j is."""
    x, log_det = torch.zeros_like(z), z.new_zeros(len(z))
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        column = mu[:, j] + torch.exp(log_sigma[:, j]) * z[:, j]
        x = torch.cat([x[:, :j], column[:, None], x[:, j + 1 :]], 1)
        log_det = log_det + log_sigma[:, j]
    return x, log_det


def cases(rng):
    return autoregressive_cases("z")(rng) | {
        "many columns": autoregressive(rng, "z", 3, 48),
        "extreme, tiny sigma": single(autoregressive(rng, "z", 3, 4, shift=-120.0)),
    }


def at_most_m_calls(seen: CaseResults) -> str | None:
    calls, m = seen.outputs["value"].get("calls"), seen.inputs["value"]["z"].shape[1]
    if calls is None or calls.numel() != 1 or not 1 <= int(calls) <= m:
        return f"{m} features need {m} calls of the conditioner, one a column; yours made {0 if calls is None else int(calls)}"
    return None


def inverse_with(column=lambda z, mu, s: mu + torch.exp(s) * z, log_det=lambda s: s.sum(-1)):
    """A wrong inverse: one of its two lines replaced."""

    def answer(z, conditioner):
        x = torch.zeros_like(z)
        scales = []
        for j in range(z.shape[1]):
            mu, s = conditioner(x)
            new = column(z[:, j], mu[:, j], s[:, j])
            scales.append(s[:, j])
            x = torch.cat([x[:, :j], new[:, None], x[:, j + 1 :]], 1)
        return x, log_det(torch.stack(scales, 1))

    return answer


def one_pass(z, conditioner):
    mu, s = conditioner(z)
    return mu + torch.exp(s) * z, s.sum(-1)


def stale_log_det(z, conditioner):
    x, _ = inverse(z, conditioner)
    return x, conditioner(z)[1].sum(-1)


def first_round(z, conditioner):
    return inverse(z, conditioner)[0], conditioner(torch.zeros_like(z))[1].sum(-1)


def every_round(z, conditioner):
    x, _ = inverse(z, conditioner)
    kept = [torch.where(torch.arange(z.shape[1], device=z.device) < j, x, 0.0) for j in range(z.shape[1])]
    return x, sum(conditioner(known)[1].sum(-1) for known in kept)


def one_round_short(z, conditioner):
    x = mu = s = torch.zeros_like(z)
    for _ in range(max(z.shape[1] - 1, 1)):
        mu, s = conditioner(x)
        x = torch.exp(s) * z + mu
    return x, s.sum(-1)


def filled(z, conditioner, columns, start):
    """Rounds over `columns` alone, in that order."""
    x, log_det = start, z.new_zeros(len(z))
    for j in columns:
        mu, s = conditioner(x)
        column = torch.exp(s[:, j : j + 1]) * z[:, j : j + 1] + mu[:, j : j + 1]
        x, log_det = torch.cat([x[:, :j], column, x[:, j + 1 :]], 1), log_det + s[:, j]
    return x, log_det


def backwards(z, conditioner):
    return filled(z, conditioner, reversed(range(z.shape[1])), torch.zeros_like(z))


def first_left(z, conditioner):
    return filled(z, conditioner, range(1, z.shape[1]), z)


def clamped(most):
    return inverse_with(
        lambda z, mu, s: mu + torch.exp(s.clamp(-most, most)) * z, lambda s: s.clamp(-most, most).sum(-1)
    )


def from_nan(z, conditioner):
    x, log_det = inverse(z, conditioner)
    return x * float("nan"), log_det * float("nan")


def shifted_twice(z, conditioner):
    return inverse(z, lambda x: conditioner(torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)))


MISTAKES = (
    Mistake("log_det is cut off the graph: no detach, no no_grad, no .item().", inverse_with(log_det=lambda s: s.sum(-1).detach())),
    *(Mistake(ADDED, inverse_with(lambda z, mu, s, size=size: mu + (s.exp() + size) * z)) for size in SIZES),
    Mistake("Columns not known yet hold nan, and even 0 · nan is nan: start from zeros.", from_nan),
    Mistake("x is shifted by a column before the conditioner, which sees the columns before j already: call it at x.", shifted_twice),
    Mistake("This is one pass with the conditioner at z; x_j needs mu_j and sigma_j of the columns of x before it.", one_pass),
    Mistake("The sign of log_det is flipped: it belongs to the direction called, z to x: + sum log sigma.", inverse_with(log_det=lambda s: -s.sum(-1))),
    Mistake("log_det is averaged over the features; it is a sum.", inverse_with(log_det=lambda s: s.mean(-1))),
    Mistake("log_det takes the conditioner at z; it belongs at x.", stale_log_det),
    Mistake("This divides by sigma as forward does; the inverse is x_j = sigma_j z_j + mu_j.", inverse_with(lambda z, mu, s: (z - mu) * torch.exp(-s))),
    Mistake("The conditioner's second output is log sigma; it is used as if it were sigma.", inverse_with(lambda z, mu, s: mu + s * z)),
    Mistake("sigma² stands where sigma belongs.", inverse_with(lambda z, mu, s: mu + torch.exp(2 * s) * z, lambda s: 2 * s.sum(-1))),
    Mistake("sigma² stands where sigma belongs.", inverse_with(lambda z, mu, s: mu + torch.exp(2 * s) * z)),
    Mistake("mu is added before the scaling: x_j = sigma_j z_j + mu_j.", inverse_with(lambda z, mu, s: (z + mu) * torch.exp(s))),
    Mistake("mu is missing or subtracted; the inverse adds it.", inverse_with(lambda z, mu, s: torch.exp(s) * z)),
    Mistake("mu is missing or subtracted; the inverse adds it.", inverse_with(lambda z, mu, s: torch.exp(s) * z - mu)),
    Mistake("mu is subtracted before the scaling; the inverse scales first, then adds mu.", inverse_with(lambda z, mu, s: (z - mu) * torch.exp(s))),
    Mistake("z is divided by sigma; the inverse multiplies: x_j = sigma_j z_j + mu_j.", inverse_with(lambda z, mu, s: z * torch.exp(-s) + mu, lambda s: -s.sum(-1))),
    Mistake("z is divided by sigma; the inverse multiplies: x_j = sigma_j z_j + mu_j.", inverse_with(lambda z, mu, s: z * torch.exp(-s) + mu)),
    Mistake("mu is missing or subtracted; the inverse adds it.", inverse_with(lambda z, mu, s: torch.exp(s) * z - mu)),
    Mistake("A round is missing: the last column needs the one before it, so there are m rounds.", one_round_short),
    Mistake("Every column takes mu and log_sigma of the columns not yet known: go from the first to the last, and ask the conditioner again for each.", backwards),
    Mistake("The first column is left as z_1; it has a mu and a sigma too.", first_left),
    Mistake(SWAPPED, lambda z, c: inverse(z, lambda v: c(v)[::-1])),
    Mistake("log_det takes the log sigmas of the first round; log sigma_j is right only once the columns before j are.", first_round),
    Mistake("log_det adds all log sigmas in every round; round j knows log sigma_j alone.", every_round),
    Mistake(ROWS, inverse_with(log_det=lambda s: s.sum().expand(len(s)))),
    Mistake("x is cut off the graph: build it from columns (stack, cat) without detach and no_grad.", lambda z, c: tuple(t.detach() for t in inverse(z, c))),
    Mistake("The last column is never computed: m columns take m rounds.", lambda z, c: filled(z, c, range(z.shape[1] - 1), torch.zeros_like(z))),
    Mistake("The last column is never computed: m columns take m rounds.", lambda z, c: filled(z, c, range(z.shape[1] - 1), z)),
    Mistake("log_det is missing (zero).", inverse_with(log_det=lambda s: 0 * s.sum(-1))),
    Mistake("log_det is the last column's log sigma alone: the sum runs over all m.", inverse_with(log_det=lambda s: s[:, -1])),
    Mistake("log_det leaves out the first column's log sigma: the sum runs over all m.", inverse_with(log_det=lambda s: s[:, 1:].sum(-1))),
    Mistake("log_det leaves out the last column's log sigma: the sum runs over all m.", inverse_with(log_det=lambda s: s[:, :-1].sum(-1))),
    Mistake("log_det adds sigma itself; the logarithms add: sum log_sigma.", inverse_with(log_det=lambda s: s.exp().sum(-1))),
    Mistake("This is the determinant; its logarithm is wanted.", inverse_with(log_det=lambda s: s.sum(-1).exp())),
    Mistake("softplus gives sigma here; sigma is exp(log_sigma), nothing else.", inverse_with(lambda z, mu, s: mu + softplus(s) * z, lambda s: softplus(s).log().sum(-1))),
    Mistake("The conditioner's second output is log sigma; exp(2 log_sigma) or exp(log_sigma / 2) mixes it up with the variance.", inverse_with(lambda z, mu, s: mu + torch.exp(s / 2) * z, lambda s: s.sum(-1) / 2)),
    Mistake("mu is added twice.", inverse_with(lambda z, mu, s: 2 * mu + torch.exp(s) * z)),
    Mistake("sigma is missing: x_j = sigma_j z_j + mu_j.", inverse_with(lambda z, mu, s: mu + z)),
    Mistake("log_det is averaged over the rows; each row has its own.", inverse_with(log_det=lambda s: s.sum(-1).mean().expand(len(s)))),
    Mistake("log_det multiplies the log sigmas; it adds them.", inverse_with(log_det=lambda s: s.prod(-1))),
    Mistake("log_det sums absolute values; signs count.", inverse_with(log_det=lambda s: s.abs().sum(-1))),
    Mistake("log_sigma is clamped; it is used as it is.", clamped(5.0)),
    Mistake("log_sigma is clamped; it is used as it is.", clamped(10.0)),
    Mistake("log_sigma is clamped; it is used as it is.", clamped(1.0)),
)  # fmt: skip
CARRIED = (
    "Every column carries its gradient into the next ones: no detach, no no_grad, and no writing into old tensors."
)
ALL_ROUNDS = "m columns take m rounds, each makes one more column right: stop after m, not when little changes."

EXERCISE = Exercise(
    __name__,
    points=3,
    slide=SLIDE,
    call="z, conditioner()",
    returns="x, log_det",
    counts={"calls": "conditioner.calls"},
    cases=cases,
    reference=inverse,
    laws=(
        value("x", "x_j = sigma_j(x_1..x_{j-1}) z_j + mu_j(x_1..x_{j-1}), column after column.", outputs=["x"]),
        value("log_det", "log|det dx/dz| = + sum_j log sigma_j, shape (n,).", outputs=["log_det"], weight=0.5),
        gradient(0.5, hint=CARRIED),
        stable(0.125, ["many columns"], ALL_ROUNDS, name="many columns"),
        stable(0.125, ["extreme"], EXTREME),
        stable(0.125, ["extreme, tiny sigma"], LOG_OF_EXP, name="log sigma"),
        shapes(0.125, ["one row", "one feature"]),
        custom("cost", 0.25, at_most_m_calls),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
