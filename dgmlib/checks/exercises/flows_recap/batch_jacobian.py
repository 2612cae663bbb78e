"""`batch_jacobian`: the Jacobian of f at every row."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, shapes, single, stable, value
from ._maps import STEEP, reference_jacobian, row_map, steep


def cases(rng):
    value_case = row_map(rng, 3, 5)
    return {
        "value": value_case,
        "float32": single(value_case),
        "steep": steep(row_map(rng, 3, 4)),
        "one row": row_map(rng, 4, 1),
        "one feature": row_map(rng, 1, 4),
    }


def finite(step, central):
    """Finite differences, a column for each input."""

    def answer(f, x):
        steps = step * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        if central:
            return torch.stack([(f(x + e) - f(x - e)) / (2 * step) for e in steps], 2)
        return torch.stack([(f(x + e) - f(x)) / step for e in steps], 2)

    return answer


MISTAKES = (
    Mistake(
        "The sums over the inputs stand on a diagonal (a jvp with ones); entry [i, a, b] is d f(x_i)_a / d x_ib.",
        lambda f, x: torch.diag_embed(reference_jacobian(f, x).sum(2)),
    ),
    Mistake(
        "This is the sum over the inputs (a jvp with ones) in every column; entry [i, a, b] is d f(x_i)_a / d x_ib.",
        lambda f, x: reference_jacobian(f, x).sum(2, keepdim=True).expand(-1, -1, x.shape[1]),
    ),
    *(
        Mistake("These are finite differences, an approximation: differentiate by autograd.", finite(step, central))
        for step in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
        for central in (False, True)
    ),
    Mistake(
        "The block is that of the first row's input, x[0], in every row; row i wants the block of x[i].",
        lambda f, x: torch.cat([reference_jacobian(f, x)[:1], 0 * reference_jacobian(f, x)[1:]]),
    ),
    Mistake(
        "The axes were reshaped where they are to be permuted: the numbers are right, in other places.",
        lambda f, x: reference_jacobian(f, x).transpose(0, 1).reshape(len(x), x.shape[1], x.shape[1]),
    ),
    Mistake(
        "The axes were reshaped where they are to be permuted: the numbers are right, in other places.",
        lambda f, x: reference_jacobian(f, x).permute(1, 2, 0).reshape(len(x), x.shape[1], x.shape[1]),
    ),
    Mistake(
        "The axes were reshaped where they are to be permuted: the numbers are right, in other places.",
        lambda f, x: reference_jacobian(f, x).permute(2, 0, 1).reshape(len(x), x.shape[1], x.shape[1]),
    ),
    Mistake(
        "The two last axes are swapped: row a is the output, column b the input.",
        lambda f, x: reference_jacobian(f, x).mT,
    ),
    Mistake(
        "This is the Jacobian of the first row for every row.",
        lambda f, x: reference_jacobian(f, x[:1].expand_as(x)),
    ),
    Mistake(
        "This is one Jacobian for every row, taken at the mean of the rows or averaged over them.",
        lambda f, x: reference_jacobian(f, x.mean(0, keepdim=True).expand_as(x)),
    ),
    Mistake(
        "This is one Jacobian for every row, taken at the mean of the rows or averaged over them.",
        lambda f, x: reference_jacobian(f, x).mean(0, keepdim=True).expand(len(x), -1, -1),
    ),
    Mistake(
        "This is the gradient of the sum of the outputs, not one row for each output.",
        lambda f, x: reference_jacobian(f, x).sum(1),
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
    Mistake(
        "The gradient of the sum of the outputs stands on a diagonal; entry [i, a, b] is d f(x_i)_a / d x_ib.",
        lambda f, x: torch.diag_embed(reference_jacobian(f, x).sum(1)),
    ),
    Mistake(
        "The axes stand in another order: [i, a, b] is row, output, input.",
        lambda f, x: reference_jacobian(f, x).transpose(0, 1),
    ),
    Mistake(
        "The axes stand in another order: [i, a, b] is row, output, input.",
        lambda f, x: reference_jacobian(f, x).permute(1, 2, 0),
    ),
    Mistake(
        "The axes stand in another order: [i, a, b] is row, output, input.",
        lambda f, x: reference_jacobian(f, x).permute(2, 0, 1),
    ),
    Mistake(
        "This is the Jacobian of the inverse map: the matrix is inverted.",
        lambda f, x: torch.linalg.inv(reference_jacobian(f, x)),
    ),
    Mistake(
        "Every row's output is differentiated by every row's input, (n, m, n, m); rows do not mix: keep the blocks of a row with itself.",
        lambda f, x: torch.autograd.functional.jacobian(f, x),
    ),
    Mistake(
        "The Jacobian is divided by the number of rows: differentiate each row, not the mean over them.",
        lambda f, x: reference_jacobian(f, x) / len(x),
    ),
)

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="Jacobian Matrix",
    call="f(), x",
    returns="jacobian",
    cases=cases,
    reference=reference_jacobian,
    laws=(
        value("value", "Entry [i, a, b] is d f(x_i)_a / d x_ib."),
        stable(0.25, ["steep"], STEEP, name="no finite differences"),
        gradient(0.5, hint="The Jacobian itself must stay differentiable (create_graph)."),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
