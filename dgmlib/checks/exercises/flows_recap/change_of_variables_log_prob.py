"""`change_of_variables_log_prob`: log p(x) = log p(f(x)) + log|det J_f(x)|."""

import math

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, normal, rotation, shapes, single, stable, value
from ...run.fixtures.densities import normal_log_prob
from ...run.fixtures.maps import RowMap
from ._maps import CUT_BASE, STEEP, reference_jacobian, row_map, steep


def reference_log_prob(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(reference_jacobian(f, x)).logabsdet


def mirrored(arrays, sign):
    """The same f with its first output turned where det J at the first row has another sign."""
    f = RowMap(arrays["A"], arrays["B"], arrays["c"])
    turn = torch.ones_like(arrays["c"])
    turn[0] = sign * torch.linalg.slogdet(reference_jacobian(f, arrays["x"]).detach())[0][0]
    return arrays | {"B": turn[:, None] * arrays["B"], "c": turn * arrays["c"]}


def with_base(rng, arrays):
    m = arrays["x"].shape[1]
    return arrays | {"location": normal(rng, m), "log_scale": normal(rng, m, scale=0.5)}


def cases(rng):
    value_case = with_base(rng, mirrored(row_map(rng, 3, 5), -1))
    wide = {"x": normal(rng, 3, 120, scale=10.0), "W": 1e-3 * rotation(rng, 120)}
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": with_base(rng, row_map(rng, 4, 1)),
        "one feature": with_base(rng, row_map(rng, 1, 4)),
        "steep": with_base(rng, steep(row_map(rng, 3, 4))),
        "extreme": with_base(rng, wide),
    }


def log_det(f, x):
    return torch.linalg.slogdet(reference_jacobian(f, x)).logabsdet


CUT_LOG_DET = "The log-determinant is cut off the graph: no detach, no no_grad, no .item()."

MISTAKES = (
    Mistake(
        "The sign of log|det J_f| looks flipped: from x to z it is added.",
        lambda f, x, base: base(f(x)) - log_det(f, x),
    ),
    Mistake(
        "The base density is taken at x; the formula wants it at f(x).",
        lambda f, x, base: base(x) + log_det(f, x),
    ),
    Mistake("The log-determinant is missing.", lambda f, x, base: base(f(x))),
    Mistake(CUT_LOG_DET, lambda f, x, base: base(f(x)) + log_det(f, x).detach()),
    Mistake(CUT_BASE, lambda f, x, base: base(f(x).detach()) + log_det(f, x)),
    Mistake(
        "The sign stands where log|det J| belongs: slogdet returns (sign, logabsdet).",
        lambda f, x, base: base(f(x)) + torch.linalg.slogdet(reference_jacobian(f, x)).sign,
    ),
    Mistake(
        "Your log|det J| looks evaluated at the output f(x); the formula wants it at x.",
        lambda f, x, base: base(f(x)) + log_det(f, f(x)),
    ),
    Mistake(
        "The determinant itself is added; its logarithm belongs there.",
        lambda f, x, base: base(f(x)) + torch.linalg.det(reference_jacobian(f, x)).abs(),
    ),
    Mistake(
        "The determinant's sign is kept: log of a negative number. Take |det J|.",
        lambda f, x, base: base(f(x)) + torch.linalg.det(reference_jacobian(f, x)).log(),
    ),
    Mistake("This is p(x), not log p(x).", lambda f, x, base: torch.exp(reference_log_prob(f, x, base))),
    Mistake(
        "Only the diagonal of the Jacobian enters; f mixes the features.",
        lambda f, x, base: base(f(x)) + reference_jacobian(f, x).diagonal(dim1=1, dim2=2).abs().log().sum(1),
    ),
    Mistake(
        "The log-determinants of all rows are summed or averaged; each row has its own.",
        lambda f, x, base: base(f(x)) + log_det(f, x).mean(),
    ),
    Mistake(
        "The log-determinants of all rows are summed or averaged; each row has its own.",
        lambda f, x, base: base(f(x)) + log_det(f, x).sum(),
    ),
    Mistake(
        "The base densities of all rows are summed or averaged; each row has its own.",
        lambda f, x, base: base(f(x)).sum() + log_det(f, x),
    ),
    Mistake(
        "The base densities of all rows are summed or averaged; each row has its own.",
        lambda f, x, base: base(f(x)).mean() + log_det(f, x),
    ),
    Mistake(
        "The base is N(0, I) here; it is what base_log_prob says.",
        lambda f, x, base: normal_log_prob(f(x)) + log_det(f, x),
    ),
    Mistake("Only half of log|det J| is added.", lambda f, x, base: base(f(x)) + log_det(f, x) / 2),
    Mistake(
        "log|det J| is added twice: log det(JᵀJ) is 2 log|det J|.", lambda f, x, base: base(f(x)) + 2 * log_det(f, x)
    ),
    Mistake(
        "The logarithm of the determinant has base 10; logarithms are natural here.",
        lambda f, x, base: base(f(x)) + log_det(f, x) / math.log(10),
    ),
    Mistake(
        "Eigenvalues may be complex: the real part alone is no factor of the determinant. Take slogdet.",
        lambda f, x, base: base(f(x)) + torch.linalg.eigvals(reference_jacobian(f, x)).real.abs().log().sum(1),
    ),
    Mistake(
        "The base density is cut off the graph: no detach, no no_grad, no .item().",
        lambda f, x, base: base(f(x)).detach() + log_det(f, x),
    ),
    Mistake(
        "The log density is multiplied by log|det J|; of logarithms the product is a sum.",
        lambda f, x, base: base(f(x)) * log_det(f, x),
    ),
    Mistake(
        "The log density is multiplied by the determinant; of logarithms the product is a sum.",
        lambda f, x, base: base(f(x)) * log_det(f, x).exp(),
    ),
    Mistake(
        "log|det J| carries the determinant's sign; add slogdet's second output alone.",
        lambda f, x, base: base(f(x)) + torch.linalg.slogdet(reference_jacobian(f, x)).sign * log_det(f, x),
    ),
    Mistake(
        "The trace of the Jacobian is added; log|det J| belongs there.",
        lambda f, x, base: base(f(x)) + reference_jacobian(f, x).diagonal(dim1=1, dim2=2).sum(1),
    ),
    Mistake("1/|det J| is added; log|det J| belongs there.", lambda f, x, base: base(f(x)) + torch.exp(-log_det(f, x))),
    Mistake("log|det J| is made positive; its sign counts.", lambda f, x, base: base(f(x)) + log_det(f, x).abs()),
    Mistake(
        "log|det J| is divided by the number of features; it is not a mean.",
        lambda f, x, base: base(f(x)) + log_det(f, x) / x.shape[1],
    ),
    Mistake(
        "This is the determinant at the first row for every row.", lambda f, x, base: base(f(x)) + log_det(f, x)[0]
    ),
    Mistake(
        "The base density is taken at f(f(x)); f is applied once.", lambda f, x, base: base(f(f(x))) + log_det(f, x)
    ),
    Mistake(
        "The Jacobian's norm enters; its determinant does.",
        lambda f, x, base: base(f(x)) + reference_jacobian(f, x).flatten(1).norm(dim=1).log(),
    ),
    Mistake(
        "One determinant serves for all rows, of the mean Jacobian or at the mean row; each row has its own.",
        lambda f, x, base: base(f(x)) + torch.linalg.slogdet(reference_jacobian(f, x).mean(0)).logabsdet,
    ),
)

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Change of Variables Theorem (CoV)",
    call="f(), x, base_log_prob()",
    returns="log_prob",
    cases=cases,
    reference=reference_log_prob,
    laws=(
        value("value", "log p(x) = log p(f(x)) + log|det J_f(x)|."),
        gradient(0.75),
        stable(0.25, ["steep"], STEEP, name="no finite differences"),
        stable(0.5, ["extreme"], "det J leaves the range of floats here: stay in log space (slogdet)."),
        shapes(0.125, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("log p(f(x))", lambda f, x, base: base(f(x))),
        Mistake("log|det J|", lambda f, x, base: log_det(f, x)),
    ),
)
