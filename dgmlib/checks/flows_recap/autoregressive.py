"""`autoregressive_forward`, `autoregressive_inverse`."""

import torch

from ..exercise import Exercise, Mistake, Seen
from ..inputs import normal, single
from ..laws import counted, custom, form, gradient, shapes, stable, value

SLIDE = "Gaussian Autoregressive Normalizing Flow (Recap of Previous Lecture)"
RENAMED = {"A": "conditioner", "B": "conditioner", "shift": "conditioner"}


def forward(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) * torch.exp(-log_sigma), -log_sigma.sum(-1)


def inverse(z, conditioner):
    """m calls: the log_sigma of column j is known when column j is."""
    x, log_det = torch.zeros_like(z), z.new_zeros(len(z))
    for j in range(z.shape[1]):
        mu, log_sigma = conditioner(x)
        column = mu[:, j] + torch.exp(log_sigma[:, j]) * z[:, j]
        x = torch.cat([x[:, :j], column[:, None], x[:, j + 1 :]], 1)
        log_det = log_det + log_sigma[:, j]
    return x, log_det


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


def at_most_m_calls(seen: Seen) -> str | None:
    calls, m = seen.outputs["value"].get("calls"), seen.inputs["value"]["z"].shape[1]
    if calls is None or calls.numel() != 1 or not 1 <= int(calls) <= m:
        return f"{m} features need {m} calls of the conditioner, one a column; yours made {0 if calls is None else int(calls)}"
    return None


def forward_with(z=lambda x, mu, s: (x - mu) * torch.exp(-s), log_det=lambda z, s: -s.sum(-1)):
    """A wrong forward: one of its two lines replaced."""

    def answer(x, conditioner):
        mu, s = conditioner(x)
        out = z(x, mu, s)
        return out, log_det(out, s)

    return answer


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


def log_det_at_output(x, conditioner):
    z, _ = forward(x, conditioner)
    return z, -conditioner(z)[1].sum(-1)


FLIPPED = "The sign of log_det is flipped: z = (x - mu)/sigma shrinks by sigma, so log_det is -sum log sigma."
SWAPPED = "The conditioner returns (mu, log_sigma), in this order; here they are swapped."
ROWS = "log_det is summed over the rows as well; each row has its own."
FORWARD_MISTAKES = (
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
    Mistake("log_det is half of what it should be; log_sigma is the log of sigma, not of the variance.", forward_with(log_det=lambda z, s: -s.sum(-1) / 2)),
    Mistake(SWAPPED, lambda x, c: forward(x, lambda v: c(v)[::-1])),
    Mistake(ROWS, forward_with(log_det=lambda z, s: -s.sum().expand(len(s)))),
    Mistake("The last step's product: log_det must be one number a row, not one a feature.", forward_with(log_det=lambda z, s: -s)),
)  # fmt: skip
INVERSE_MISTAKES = (
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
    Mistake(SWAPPED, lambda z, c: inverse(z, lambda v: c(v)[::-1])),
    Mistake("log_det takes the log sigmas of the first round; log sigma_j is right only once the columns before j are.", first_round),
    Mistake("log_det adds all log sigmas in every round; round j knows log sigma_j alone.", every_round),
    Mistake(ROWS, inverse_with(log_det=lambda s: s.sum().expand(len(s)))),
    Mistake("x is cut off the graph: build it from columns (stack, cat) without detach and no_grad.", lambda z, c: tuple(t.detach() for t in inverse(z, c))),
)  # fmt: skip

EXTREME = "The product of sigmas leaves float32: add log sigma, never take the log of a product."
ATTACHED = "It passes through mu and log_sigma too: no detach, no no_grad."
CARRIED = (
    "Every column carries its gradient into the next ones: no detach, no no_grad, and no writing into old tensors."
)
EXERCISES = (
    Exercise(
        "autoregressive_forward",
        3,
        SLIDE,
        cases=autoregressive_cases("x"),
        reference=forward,
        laws=(
            value("z", 0.75, ["z"], hint="z_j = (x_j - mu_j) / sigma_j."),
            value("log_det", 0.875, ["log_det"], hint="log|det dz/dx| = -sum_j log sigma_j, shape (n,)."),
            gradient(0.5, ["x", "A", "B", "shift"], hint=ATTACHED, renamed=RENAMED),
            stable(0.25, ["z", "log_det"], ["extreme"], EXTREME),
            shapes(0.125, ["z", "log_det"], ["one row", "one feature"]),
            counted(0.125, "calls", "the conditioner is called once for all columns; yours called it {got} times"),
            *form(["z", "log_det"], renamed=RENAMED),
        ),
        mistakes=FORWARD_MISTAKES,
    ),
    Exercise(
        "autoregressive_inverse",
        3,
        SLIDE,
        cases=autoregressive_cases("z"),
        reference=inverse,
        laws=(
            value("x", 0.875, ["x"], hint="x_j = sigma_j(x_1..x_{j-1}) z_j + mu_j(x_1..x_{j-1}), column after column."),
            value("log_det", 0.625, ["log_det"], hint="log|det dx/dz| = + sum_j log sigma_j, shape (n,)."),
            gradient(0.5, ["z", "A", "B", "shift"], hint=CARRIED, renamed=RENAMED),
            stable(0.25, ["x", "log_det"], ["extreme"], EXTREME),
            shapes(0.125, ["x", "log_det"], ["one row", "one feature"]),
            custom("cost", 0.25, at_most_m_calls),
            *form(["x", "log_det"], renamed=RENAMED),
        ),
        mistakes=INVERSE_MISTAKES,
    ),
)  # fmt: skip
