"""`AffineCoupling`: half of the features moves, by what the other half says."""

import torch
from torch import nn
from torch.nn.functional import logsigmoid, softplus

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, shapes, silent, single, stable, value
from ...run.fixtures.maps import CouplingConditioner, CouplingModule
from ._autoregressive import ADDED, ATTACHED, EXTREME, LOG_OF_EXP, ROWS, SIZES


class Coupling(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, s = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) * torch.exp(-s)], 1), -s.sum(-1)

    def inverse(self, z):
        z1, z2 = z[:, : self.split], z[:, self.split :]
        mu, s = self.conditioner(z1)
        return torch.cat([z1, z2 * torch.exp(s) + mu], 1), s.sum(-1)


def coupling(rng, n, m, split, shift=0.0):
    rest = m - split
    return {
        "x": normal(rng, n, m),
        "z": normal(rng, n, m),
        "A": normal(rng, rest, split, scale=split**-0.5),
        "B": normal(rng, rest, split, scale=split**-0.5),
        "shift": normal(rng, rest, scale=0.3, shift=shift),
    }


def cases(rng):
    value_case = coupling(rng, 6, 5, 2)
    return {
        "value": value_case,
        "wide split": coupling(rng, 4, 5, 4),
        "float32": single(value_case),
        "one row": coupling(rng, 1, 4, 2),
        "two features": coupling(rng, 5, 2, 1),
        "extreme": single(coupling(rng, 3, 60, 20, shift=-4.0)),
        "extreme, huge sigma": single(coupling(rng, 3, 5, 2, shift=120.0)),
        "extreme, tiny sigma": single(coupling(rng, 3, 5, 2, shift=-120.0)),
    }


def probe(answer, given, record):
    x, z = given["x"], given["z"]
    split = x.shape[1] - len(given["A"])
    layer = answer(CouplingConditioner(given["A"], given["B"], given["shift"]), split)
    with record.section("forward"):
        record.returned(layer.forward(x), "z", "log_det")
    with record.section("inverse"):
        record.returned(layer.inverse(z), "x", "inverse_log_det")
    with record.section("submodule"):
        conditioner = CouplingModule(given["A"], given["B"], given["shift"])
        layer = answer(conditioner, split)
        layer.forward(x)
        layer.inverse(z)
        if not isinstance(layer, nn.Module):
            record.text("submodule.found", "in no nn.Module: make the layer one, so that it is trained with the layer")
        elif not any(module is conditioner for module in layer.modules()):
            words = "not among layer.modules(): keep it as an attribute, so that it is trained with the layer"
            record.text("submodule.found", words)
        elif conditioner.called_in_eval or not conditioner.training:
            record.text("submodule.found", "put into eval mode: its mode is its owner's to choose, so call no eval()")
        elif not all(p.requires_grad for p in conditioner.parameters()):
            record.text("submodule.found", "frozen: its parameters are to be trained, so leave requires_grad as it is")
        record.text("submodule.seen", "yes")


def changed(forward=None, inverse=None):
    """A coupling layer with one direction replaced: by a function of (x1, x2, mu, s)."""

    class Wrong(Coupling):
        def forward(self, x):
            return super().forward(x) if forward is None else self.apply(forward, x)

        def inverse(self, z):
            return super().inverse(z) if inverse is None else self.apply(inverse, z)

        def apply(self, formula, x):
            x1, x2 = x[:, : self.split], x[:, self.split :]
            return formula(x1, x2, *self.conditioner(x1))

    return Wrong


def keep_first(x2_formula, log_det):
    return lambda a, b, mu, s: (torch.cat([a, x2_formula(b, mu, s)], 1), log_det(s))


def swapped(formula, sign):
    return lambda a, b, s, mu: (torch.cat([a, formula(b, mu, s)], 1), sign * s.sum(-1))


def down(b, mu, s):
    return (b - mu) * torch.exp(-s)


def up(b, mu, s):
    return b * torch.exp(s) + mu


def same(x1, x2, mu, s):
    return torch.cat([x1, x2], 1), s.new_zeros(len(s))


def summed(s):
    return s.sum(-1)


def negative(s):
    return -s.sum(-1)


class ByTheSecond(Coupling):
    """Where the second part has as many columns as the first, or more."""

    def said(self, x):
        second = x[:, self.split :]
        return self.conditioner(torch.cat([second, second], 1)[:, : self.split])

    def forward(self, x):
        mu, s = self.said(x)
        return torch.cat([x[:, : self.split], down(x[:, self.split :], mu, s)], 1), -s.sum(-1)


class InverseByTheSecond(ByTheSecond):
    def forward(self, x):
        return Coupling.forward(self, x)

    def inverse(self, z):
        mu, s = self.said(z)
        return torch.cat([z[:, : self.split], up(z[:, self.split :], mu, s)], 1), s.sum(-1)


class LastColumnsStay(Coupling):
    def forward(self, x):
        moved, kept = x[:, : -self.split], x[:, -self.split :]
        mu, s = self.conditioner(kept)
        return torch.cat([down(moved, mu, s), kept], 1), -s.sum(-1)

    def inverse(self, z):
        moved, kept = z[:, : -self.split], z[:, -self.split :]
        mu, s = self.conditioner(kept)
        return torch.cat([up(moved, mu, s), kept], 1), s.sum(-1)


def clamped(most):
    def within(s):
        return s.clamp(-most, most)

    return changed(
        keep_first(lambda b, mu, s: down(b, mu, within(s)), lambda s: -within(s).sum(-1)),
        keep_first(lambda b, mu, s: up(b, mu, within(s)), lambda s: within(s).sum(-1)),
    )


def keep_ones(x2_formula, sign):
    return lambda a, b, mu, s: (torch.cat([a, x2_formula(b, mu, s)], 1), sign * s.sum(-1) + a.shape[1])


class Remembered(Coupling):
    said = None

    def forward(self, x):
        self.said = self.conditioner(x[:, : self.split])
        return super().forward(x)

    def inverse(self, z):
        mu, s = self.said or self.conditioner(z[:, : self.split])
        return torch.cat([z[:, : self.split], up(z[:, self.split :], mu, s)], 1), s.sum(-1)


class RememberedLogDet(Coupling):
    last = None

    def forward(self, x):
        z, self.last = super().forward(x)
        return z, self.last

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, log_det if self.last is None or len(self.last) != len(z) else -self.last


MISTAKES = (
    Mistake("inverse takes log_det of the last call of forward; it belongs to z1.", RememberedLogDet),
    *(Mistake(ADDED, changed(keep_first(lambda b, mu, s, size=size: (b - mu) / (s.exp() + size), lambda s, size=size: -(s.exp() + size).log().sum(-1)), keep_first(lambda b, mu, s, size=size: b * (s.exp() + size) + mu, lambda s, size=size: (s.exp() + size).log().sum(-1)))) for size in SIZES),
    *(Mistake(ADDED, changed(keep_first(lambda b, mu, s, size=size: (b - mu) / (s.exp() + size), negative), keep_first(lambda b, mu, s, size=size: b * (s.exp() + size) + mu, summed))) for size in SIZES),
    Mistake("log_det counts the ones on the diagonal of the part that stays: their logarithm is 0.", changed(keep_ones(down, -1.0), keep_ones(up, 1.0))),
    Mistake("inverse takes mu and log_sigma of the last call of forward; they belong to z1.", Remembered),
    Mistake("This returns x as it came with log_det 0: the second part must be shifted and scaled.", changed(same, same)),
    Mistake("This returns x as it came with log_det 0: the second part must be shifted and scaled.", changed(same)),
    Mistake("The signs of both log_dets are flipped.", changed(keep_first(down, summed), keep_first(up, negative))),
    Mistake("forward's log_det has its sign flipped: -sum log sigma.", changed(keep_first(down, summed))),
    Mistake("inverse's log_det has its sign flipped: it belongs to the direction called, + sum log sigma.", changed(None, keep_first(up, negative))),
    Mistake("The two directions are swapped: forward is x -> z and divides by sigma.", changed(keep_first(up, summed), keep_first(down, negative))),
    Mistake("log_det is averaged over the features; it is a sum.", changed(keep_first(down, lambda s: -s.mean(-1)), keep_first(up, lambda s: s.mean(-1)))),
    Mistake("log_det is missing (zero).", changed(keep_first(down, lambda s: 0 * s.sum(-1)), keep_first(up, lambda s: 0 * s.sum(-1)))),
    Mistake("The conditioner's second output is log sigma; it is used as if it were sigma.", changed(keep_first(lambda b, mu, s: (b - mu) / s, lambda s: -s.abs().log().sum(-1)), keep_first(lambda b, mu, s: b * s + mu, lambda s: s.abs().log().sum(-1)))),
    Mistake("sigma² stands where sigma belongs.", changed(keep_first(lambda b, mu, s: (b - mu) * torch.exp(-2 * s), lambda s: -2 * s.sum(-1)), keep_first(lambda b, mu, s: b * torch.exp(2 * s) + mu, lambda s: 2 * s.sum(-1)))),
    Mistake("inverse adds mu before it scales; it undoes forward in the opposite order: z2 * sigma + mu.", changed(None, keep_first(lambda b, mu, s: (b + mu) * torch.exp(s), summed))),
    Mistake("The first part comes back as zeros; it is x1 itself.", changed(lambda a, b, mu, s: (torch.cat([0 * a, down(b, mu, s)], 1), -s.sum(-1)))),
    Mistake("sigma is missing: this only shifts the second part, by mu.", changed(keep_first(lambda b, mu, s: b - mu, lambda s: 0 * s.sum(-1)), keep_first(lambda b, mu, s: b + mu, lambda s: 0 * s.sum(-1)))),
    Mistake("The conditioner returns (mu, log_sigma), in this order; here they are swapped.", changed(swapped(down, -1), swapped(up, 1))),
    Mistake("log_sigma goes through a tanh; sigma is exp(log_sigma), nothing in between.", changed(keep_first(lambda b, mu, s: down(b, mu, s.tanh()), lambda s: -s.tanh().sum(-1)), keep_first(lambda b, mu, s: up(b, mu, s.tanh()), lambda s: s.tanh().sum(-1)))),
    Mistake("mu is subtracted after the division; subtract first.", changed(keep_first(lambda b, mu, s: b * torch.exp(-s) - mu, negative))),
    Mistake("Only the second part comes back; z holds both, the first unchanged.", changed(lambda a, b, mu, s: (down(b, mu, s), -s.sum(-1)), lambda a, b, mu, s: (up(b, mu, s), s.sum(-1)))),
    Mistake("The two parts come back in the wrong order.", changed(lambda a, b, mu, s: (torch.cat([down(b, mu, s), a], 1), -s.sum(-1)))),
    Mistake(ROWS, changed(keep_first(down, lambda s: -s.sum().expand(len(s))), keep_first(up, lambda s: s.sum().expand(len(s))))),
    Mistake("softplus gives sigma here; sigma is exp(log_sigma), nothing else.", changed(keep_first(lambda b, mu, s: down(b, mu, softplus(s).log()), lambda s: -softplus(s).log().sum(-1)), keep_first(lambda b, mu, s: up(b, mu, softplus(s).log()), lambda s: softplus(s).log().sum(-1)))),
    Mistake("sigmoid gives sigma here; sigma is exp(log_sigma), nothing else.", changed(keep_first(lambda b, mu, s: down(b, mu, logsigmoid(s)), lambda s: -logsigmoid(s).sum(-1)), keep_first(lambda b, mu, s: up(b, mu, logsigmoid(s)), lambda s: logsigmoid(s).sum(-1)))),
    Mistake("sigma is shifted: it is exp(log_sigma), with nothing added.", changed(keep_first(lambda b, mu, s: down(b, mu, s.exp().add(1).log()), lambda s: -s.exp().add(1).log().sum(-1)), keep_first(lambda b, mu, s: up(b, mu, s.exp().add(1).log()), lambda s: s.exp().add(1).log().sum(-1)))),
    Mistake("The conditioner is given the second part; mu and sigma come from the first `split` columns, in both directions.", ByTheSecond),
    Mistake("inverse gives the conditioner z2; mu and sigma come from the first `split` columns, in both directions.", InverseByTheSecond),
    Mistake("The last `split` columns stay here; it is the first ones that stay, and say mu and sigma.", LastColumnsStay),
    Mistake("The first part is scaled or shifted as well; it is x1 itself.", changed(lambda a, b, mu, s: (torch.cat([2 * a, down(b, mu, s)], 1), -s.sum(-1)))),
    Mistake("log_det adds sigma itself; the logarithms add.", changed(keep_first(down, lambda s: -s.exp().sum(-1)), keep_first(up, lambda s: s.exp().sum(-1)))),
    Mistake("log_det sums over the rows; it sums over the columns, axis 1.", changed(keep_first(down, lambda s: -s.sum(0)), keep_first(up, lambda s: s.sum(0)))),
    Mistake("log_det sums absolute values; signs count.", changed(keep_first(down, lambda s: -s.abs().sum(-1)), keep_first(up, lambda s: s.abs().sum(-1)))),
    Mistake("mu is missing: z2 = (x2 - mu) / sigma, x2 = z2 sigma + mu.", changed(keep_first(lambda b, mu, s: b * torch.exp(-s), negative), keep_first(lambda b, mu, s: b * torch.exp(s), summed))),
    Mistake("forward adds mu; it subtracts it.", changed(keep_first(lambda b, mu, s: (b + mu) * torch.exp(-s), negative))),
    Mistake("inverse subtracts mu; it adds it.", changed(None, keep_first(lambda b, mu, s: b * torch.exp(s) - mu, summed))),
    Mistake("forward multiplies by sigma; it divides.", changed(keep_first(lambda b, mu, s: (b - mu) * torch.exp(s), negative))),
    Mistake("inverse divides by sigma; it multiplies.", changed(None, keep_first(lambda b, mu, s: b * torch.exp(-s) + mu, summed))),
    Mistake("The conditioner's second output is log sigma; exp(log_sigma / 2) mixes it up with the variance.", changed(keep_first(lambda b, mu, s: (b - mu) * torch.exp(-s / 2), negative), keep_first(lambda b, mu, s: b * torch.exp(s / 2) + mu, summed))),
    Mistake("log_sigma is clamped; it is used as it is.", clamped(5.0)),
    Mistake("log_sigma is clamped; it is used as it is.", clamped(10.0)),
    Mistake("log_sigma is clamped; it is used as it is.", clamped(1.0)),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=4,
    slide="Coupling Layer (Recap of Previous Lecture)",
    call="x, z, conditioner()",
    returns="z, log_det, x, inverse_log_det",
    probe=probe,
    cases=cases,
    reference=Coupling,
    laws=(
        value(
            "z", "z1 = x1, z2 = (x2 - mu(x1)) / sigma(x1).", cases=["value", "wide split"], outputs=["z"], weight=0.75
        ),
        value(
            "log_det",
            "-sum log sigma(x1), shape (n,).",
            cases=["value", "wide split"],
            outputs=["log_det"],
            weight=0.75,
        ),
        value(
            "inverse",
            "x2 = z2 sigma(z1) + mu(z1), log_det + sum log sigma.",
            cases=["value", "wide split"],
            outputs=["x", "inverse_log_det"],
        ),
        gradient(0.5, hint=ATTACHED),
        silent(
            0.25,
            "submodule",
            "submodule",
            "the conditioner is {found}",
        ),
        stable(0.125, ["extreme"], EXTREME),
        stable(
            0.125,
            ["extreme, huge sigma", "extreme, tiny sigma"],
            LOG_OF_EXP,
            outputs=["log_det", "inverse_log_det"],
            name="log sigma",
        ),
        shapes(0.125, ["one row", "two features"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
