"""`batch_jacobian`, `change_of_variables_log_prob`: what is right, what goes wrong, what it is called."""

import torch
from torch import func

from ..exercise import Exercise, Mistake
from ..inputs import normal, regular, rotation, single
from ..laws import form, gradient, shapes, stable, value
from ..run.fixtures import RowMap


def reference_jacobian(f, x):
    return func.vmap(func.jacrev(f))(x)


def reference_log_prob(f, x, base_log_prob):
    return base_log_prob(f(x)) + torch.linalg.slogdet(reference_jacobian(f, x)).logabsdet


def row_map(rng, m, n):
    """f near a linear map, looked at where its Jacobian is well conditioned: there no right answer loses digits."""
    arrays = {"A": 0.7 * regular(rng, m), "B": regular(rng, m), "c": normal(rng, m, scale=0.3)}
    candidates = normal(rng, 8 * n, m)
    condition = torch.linalg.cond(reference_jacobian(RowMap(**arrays), candidates))
    return {"x": candidates[condition.argsort(stable=True)[:n]]} | arrays


def mirrored(arrays, sign):
    """The same f with its first output turned where det J at the first row has another sign."""
    f = RowMap(arrays["A"], arrays["B"], arrays["c"])
    turn = torch.ones_like(arrays["c"])
    turn[0] = sign * torch.linalg.slogdet(reference_jacobian(f, arrays["x"]))[0][0]
    return arrays | {"B": turn[:, None] * arrays["B"], "c": turn * arrays["c"]}


def with_base(rng, arrays):
    m = arrays["x"].shape[1]
    return arrays | {"location": normal(rng, m), "log_scale": normal(rng, m, scale=0.5)}


def jacobian_cases(rng):
    value_case = row_map(rng, 3, 5)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": row_map(rng, 4, 1),
        "one feature": row_map(rng, 1, 4),
    }


def density_cases(rng):
    value_case = with_base(rng, mirrored(row_map(rng, 3, 5), -1))
    wide = {"x": normal(rng, 3, 120, scale=10.0), "W": 1e-3 * rotation(rng, 120)}
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": with_base(rng, row_map(rng, 4, 1)),
        "one feature": with_base(rng, row_map(rng, 1, 4)),
        "extreme": with_base(rng, wide),
    }


def log_det(f, x):
    return torch.linalg.slogdet(reference_jacobian(f, x)).logabsdet


SLIDE = "Change of Variables Theorem (CoV)"

INSIDE_F, INSIDE_BASE = "a parameter inside f", "a parameter of the base density"
PARAMETERS = dict.fromkeys("ABc", INSIDE_F) | dict.fromkeys(("location", "log_scale"), INSIDE_BASE)
CUT_LOG_DET = "The log-determinant is cut off the graph: no detach, no no_grad, no .item()."
CUT_BASE = "The base density is cut off the graph: no detach, no no_grad, no .item()."

EXERCISES = (
    Exercise(
        "batch_jacobian",
        2,
        "Jacobian Matrix",
        cases=jacobian_cases,
        reference=reference_jacobian,
        laws=(
            value("value", 0.875, ["jacobian"], hint="Entry [i, a, b] is d f(x_i)_a / d x_ib."),
            gradient(
                0.5,
                ["x", "A", "B", "c"],
                hint="The Jacobian itself must stay differentiable (create_graph).",
                renamed=PARAMETERS,
            ),
            shapes(0.25, ["jacobian"], ["one row", "one feature"]),
            *form(["jacobian"]),
        ),
        mistakes=(
            Mistake(
                "The two last axes are swapped: row a is the output, column b the input.",
                lambda f, x: reference_jacobian(f, x).mT,
            ),
            Mistake(
                "This is the Jacobian of the first row for every row.",
                lambda f, x: reference_jacobian(f, x[:1].expand_as(x)),
            ),
            Mistake(
                "This is the gradient of the sum of the outputs, not one row for each output.",
                lambda f, x: reference_jacobian(f, x).sum(1, keepdim=True).expand(-1, x.shape[1], -1),
            ),
            Mistake(
                "Only the diagonal is there; off it stand zeros.",
                lambda f, x: torch.diag_embed(reference_jacobian(f, x).diagonal(dim1=1, dim2=2)),
            ),
            Mistake(
                "The Jacobian looks evaluated at f(x); the formula wants it at x.",
                lambda f, x: reference_jacobian(f, f(x)),
            ),
            Mistake(
                "The value is right but its graph was cut: it can't be differentiated again.",
                lambda f, x: reference_jacobian(f, x).detach(),
            ),
        ),
    ),
    Exercise(
        "change_of_variables_log_prob",
        3,
        SLIDE,
        cases=density_cases,
        reference=reference_log_prob,
        laws=(
            value("value", 1.25, ["log_prob"], hint="log p(x) = log p(f(x)) + log|det J_f(x)|."),
            gradient(0.75, ["x", "A", "B", "c", "location", "log_scale"], renamed=PARAMETERS),
            stable(
                0.5,
                ["log_prob"],
                ["extreme"],
                "det J leaves the range of floats here: stay in log space (slogdet).",
            ),
            shapes(0.125, ["log_prob"], ["one row", "one feature"]),
            *form(["log_prob"]),
        ),
        mistakes=(
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
        ),
    ),
)
