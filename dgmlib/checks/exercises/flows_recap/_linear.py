"""`LULinear` and `QRLinear`: judged by behaviour alone, whatever the parametrisation.

Before training z = W x for the given W. After an optimiser step the layer's own W is read off `forward(I)`, and its
log-determinant is computed here, not by the answer."""

import torch
from torch import nn

from ...engine import (
    Mistake,
    normal,
    regular,
    rotation,
    single,
)

SLIDE = "Linear Flows (Recap of Previous Lecture)"
RETURNS = "z, log_det, x, inverse_log_det"


class Reference(nn.Module):
    """z = W x with W itself as parameter: the law, at any cost."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x):
        return x @ self.weight.T, torch.linalg.slogdet(self.weight).logabsdet.expand(len(x))

    def inverse(self, z):
        return torch.linalg.solve(self.weight, z.T).T, -torch.linalg.slogdet(self.weight).logabsdet.expand(len(z))


def arrays(rng, n, weight):
    m = len(weight)
    return {"weight": weight, "x": normal(rng, n, m), "z": normal(rng, n, m)}


def with_determinant(weight, sign):
    """The same matrix, its first row turned where the determinant's sign is another."""
    turn = torch.ones(len(weight), 1, dtype=weight.dtype)
    turn[0] = sign * torch.linalg.slogdet(weight).sign
    return turn * weight


def pivoted(rng, m):
    """A matrix whose LU factorisation needs row exchanges: its rows are cyclically shifted from near-diagonal ones."""
    return torch.roll(torch.eye(m, dtype=torch.float64) * 2 + normal(rng, m, m, scale=0.2), 1, dims=0)


def cases(rng):
    value_case = arrays(rng, 5, with_determinant(regular(rng, 4), -1)) | {"other": regular(rng, 4)}
    return {
        "value": value_case,
        "permuted": arrays(rng, 4, pivoted(rng, 3)) | {"other": regular(rng, 3)},
        "positive": arrays(rng, 4, with_determinant(regular(rng, 3), 1)),
        "float32": single({name: array for name, array in value_case.items() if name != "other"}),
        "one row": arrays(rng, 1, regular(rng, 3)),
        "one feature": arrays(rng, 3, -regular(rng, 1)),
        "extreme": arrays(rng, 2, 1e-4 * rotation(rng, 96)),
    }


def linear(forward_sign=1.0, inverse_sign=-1.0, scale=1.0, transposed=False, per_row=True):
    """A wrong linear flow: the reference with one thing changed."""

    class Wrong(Reference):
        def forward(self, x):
            z, log_det = super().forward(x)
            z = x @ self.weight if transposed else z
            return z, forward_sign * scale * (log_det if per_row else log_det[:1])

        def inverse(self, z):
            x, log_det = super().inverse(z)
            x = torch.linalg.solve(self.weight.T, z.T).T if transposed else x
            return x, -inverse_sign * scale * (log_det if per_row else log_det[:1])

    return Wrong


class SignedDiagonal(Reference):
    """log of the diagonal without its absolute value."""

    def log_diagonal(self):
        return torch.linalg.lu(self.weight).U.diagonal().log().sum()

    def forward(self, x):
        return super().forward(x)[0], self.log_diagonal().expand(len(x))

    def inverse(self, z):
        return super().inverse(z)[0], -self.log_diagonal().expand(len(z))


class InverseTransposedPermutation(Reference):
    """P undone by P: x = U⁻¹ L⁻¹ P z."""

    def inverse(self, z):
        permutation, _, _ = torch.linalg.lu(self.weight)
        return super().inverse(z @ permutation.T @ permutation.T)


class InverseInForwardOrder(Reference):
    """The inverses in the order of the factors: x = Pᵀ L⁻¹ U⁻¹ z."""

    def inverse(self, z):
        permutation, lower, upper = torch.linalg.lu(self.weight)
        y = torch.linalg.solve_triangular(upper, z.T, upper=True)
        y = torch.linalg.solve_triangular(lower, y, upper=False)
        return (permutation.T @ y).T, super().inverse(z)[1]


class DiagonalOfWeight(SignedDiagonal):
    def log_diagonal(self):
        return self.weight.diagonal().abs().log().sum()


class RawDeterminant(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.det(self.weight).abs()


class MeanDiagonal(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.slogdet(self.weight).logabsdet / len(self.weight)


class TimesRows(Reference):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, len(x) * log_det


def positive(upper):
    return upper.triu(1) + torch.diag(upper.diagonal().abs())


class WithoutPermutation(Reference):
    """P dropped: z = L U x."""

    def __init__(self, weight):
        _, lower, upper = torch.linalg.lu(weight)
        super().__init__(lower @ upper)


class TransposedPermutation(Reference):
    """P on the wrong side: z = Pᵀ L U x."""

    def __init__(self, weight):
        permutation, lower, upper = torch.linalg.lu(weight)
        super().__init__(permutation.T @ lower @ upper)


def factored(forward=None, inverse=None):
    """A wrong linear flow whose forward or inverse multiplies by another matrix, a function of W."""

    class Wrong(Reference):
        def forward(self, x):
            z, log_det = super().forward(x)
            return z if forward is None else x @ forward(self.weight).T, log_det

        def inverse(self, z):
            x, log_det = super().inverse(z)
            return x if inverse is None else z @ inverse(self.weight).T, log_det

    return Wrong


def from_lu(combine):
    return lambda weight: combine(*torch.linalg.lu(weight))


def from_qr(combine):
    return lambda weight: combine(*torch.linalg.qr(weight))


class PivotsForRows(Reference):
    """lu_factor's pivots, exchanges one after another, read as one permutation."""

    def __init__(self, weight):
        LU, pivots = torch.linalg.lu_factor(weight.detach())
        eye = torch.eye(len(weight), dtype=weight.dtype)
        super().__init__(eye[pivots.long() - 1].T @ (LU.tril(-1) + eye) @ LU.triu())


def inv(matrix):
    return torch.linalg.inv(matrix)


MISTAKES = (
    Mistake("The sign of log_det is flipped in both directions.", linear(-1.0, 1.0)),
    Mistake("The sign of forward's log_det is flipped: forward is x -> z, log|det W|.", linear(forward_sign=-1.0)),
    Mistake(
        "inverse returns the log_det of forward; it belongs to the direction called: -log|det W|.",
        linear(inverse_sign=1.0),
    ),
    Mistake("z = W x with x in rows is x @ W.T; this is x @ W.", linear(transposed=True)),
    Mistake("log_det is doubled.", linear(scale=2.0)),
    Mistake("log_det has one entry in all; it wants one for each row, shape (n,).", linear(per_row=False)),
    Mistake("The diagonal's signs are kept: log of a negative number. Take log|diag|.", SignedDiagonal),
    Mistake("log_det is taken from W's own diagonal; it belongs to the triangular factor's.", DiagonalOfWeight),
    Mistake("This is |det W|; its logarithm is wanted.", RawDeterminant),
    Mistake("P got lost: z = P L U x.", WithoutPermutation),
    Mistake("P stands transposed: torch.linalg.lu gives W = P L U.", TransposedPermutation),
    Mistake("inverse applies P once more; it undoes P with its transpose, first of all.", InverseTransposedPermutation),
    Mistake("inverse undoes the factors in the wrong order: P first, then L, then U.", InverseInForwardOrder),
    Mistake("log_det is averaged over the diagonal; it is a sum.", MeanDiagonal),
    Mistake("log_det counts every row of the batch; each row has its own.", TimesRows),
)


class SumOfDiagonal(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.lu(self.weight).U.diagonal().abs().sum()


class LogOfTrace(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.lu(self.weight).U.diagonal().sum().abs().log()


class LogOfSum(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.lu(self.weight).U.diagonal().abs().sum().log()


LU_MISTAKES = (
    Mistake("The factors stand in another order: torch.linalg.lu gives W = P L U.", factored(from_lu(lambda p, l, u: l @ u @ p))),
    Mistake("The diagonal is summed as it is; its logarithms are.", SumOfDiagonal),
    Mistake("lu_factor's pivots are row exchanges, one after another, not a permutation: torch.linalg.lu gives P itself.", PivotsForRows),
    Mistake("inverse undoes U before L; undo P, then L, then U.", factored(inverse=from_lu(lambda p, l, u: inv(l) @ inv(u) @ p.T))),
    Mistake("inverse solves with Lᵀ and Uᵀ; in columns it solves with L, then with U.", factored(inverse=from_lu(lambda p, l, u: inv(u.T) @ inv(l.T) @ p.T))),
    Mistake("inverse forgets P: undo it first, with its transpose.", factored(inverse=from_lu(lambda p, l, u: inv(u) @ inv(l)))),
    Mistake("inverse undoes P last; forward applies it last, so undo it first.", factored(inverse=from_lu(lambda p, l, u: p.T @ inv(u) @ inv(l)))),
    Mistake("The factors stand in the reversed order: z = P (L (U x)), U first.", factored(forward=from_lu(lambda p, l, u: u @ l @ p))),
    Mistake("The diagonal of U goes through exp; it is U's own.", factored(forward=from_lu(lambda p, l, u: p @ l @ (u.triu(1) + torch.diag(u.diagonal().exp()))))),
    Mistake("L and U stand in the wrong order: z = P (L (U x)), U first.", factored(from_lu(lambda p, l, u: p @ u @ l))),
    Mistake("inverse solves with the wrong triangles: L is lower triangular (upper=False), U upper (upper=True).", factored(inverse=from_lu(lambda p, l, u: torch.diag(1 / u.diagonal()) @ torch.diag(1 / l.diagonal()) @ p.T))),
    Mistake("inverse solves with the wrong triangle of U: it is upper triangular (upper=True).", factored(inverse=from_lu(lambda p, l, u: torch.diag(1 / u.diagonal()) @ inv(l) @ p.T))),
    Mistake("inverse solves with the wrong triangle of L: it is lower triangular (upper=False).", factored(inverse=from_lu(lambda p, l, u: inv(u) @ p.T))),
    Mistake("inverse multiplies by L and U; it solves with them.", factored(inverse=from_lu(lambda p, l, u: u @ l @ p.T))),
    Mistake("This sums the diagonal and then takes its logarithm; the logarithms are summed.", LogOfTrace),
    Mistake("The diagonal of L is doubled: mask with tril(-1) before the ones are added.", factored(from_lu(lambda p, l, u: p @ (l.tril() + torch.eye(len(l)).to(l)) @ u), from_lu(lambda p, l, u: inv(u) @ inv(l.tril() + torch.eye(len(l)).to(l)) @ p.T))),
    Mistake("The diagonal of L is doubled: mask with tril(-1) before the ones are added.", factored(from_lu(lambda p, l, u: p @ (l.tril() + torch.eye(len(l)).to(l)) @ u))),
    Mistake("The diagonal of U is lost: triu(1) leaves it out.", factored(from_lu(lambda p, l, u: p @ l @ u.triu(1)))),
    Mistake("The diagonal of U is made positive, and its signs are lost.", factored(from_lu(lambda p, l, u: p @ l @ positive(u)), from_lu(lambda p, l, u: inv(positive(u)) @ inv(l) @ p.T))),
    Mistake("This decomposes W⁻¹, or multiplies by it in forward: z = W x.", factored(from_lu(lambda p, l, u: inv(p @ l @ u)), from_lu(lambda p, l, u: p @ l @ u))),
    Mistake("inverse takes U's diagonal as ones (unitriangular); only L's is.", factored(inverse=from_lu(lambda p, l, u: inv(u.triu(1) + torch.eye(len(u)).to(u)) @ inv(l) @ p.T))),
    Mistake("This sums the diagonal and then takes its logarithm; the logarithms are summed.", LogOfSum),
)  # fmt: skip


class SumOfDiagonalOfR(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.qr(self.weight).R.diagonal().abs().sum()


class LogOfTraceOfR(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.qr(self.weight).R.diagonal().sum().abs().log()


class SignedDiagonalOfR(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.qr(self.weight).R.diagonal().log().sum()


class LogOfSumOfR(SignedDiagonal):
    def log_diagonal(self):
        return torch.linalg.qr(self.weight).R.diagonal().abs().sum().log()


QR_MISTAKES = (
    Mistake("The diagonal is summed as it is; its logarithms are.", SumOfDiagonalOfR),
    Mistake("inverse applies Q once more; it undoes Q with its transpose: in rows, z @ Q.", factored(inverse=from_qr(lambda q, r: inv(r) @ q))),
    Mistake("inverse undoes R before Q; undo Q first.", factored(inverse=from_qr(lambda q, r: q.T @ inv(r)))),
    Mistake("inverse solves with the lower triangle of R; R is upper triangular.", factored(inverse=from_qr(lambda q, r: torch.diag(1 / r.diagonal()) @ q.T))),
    Mistake("inverse forgets Q.", factored(inverse=from_qr(lambda q, r: inv(r)))),
    Mistake("The factors stand in the reversed order: z = Q (R x), R first.", factored(forward=from_qr(lambda q, r: r @ q))),
    Mistake("The first Q is lost: a parameter A = 0 gives exp(A - Aᵀ) = I, so keep Q0 and multiply by it.", factored(from_qr(lambda q, r: r), from_qr(lambda q, r: inv(r)))),
    Mistake("exp acts on every entry here; the rotation is the matrix exponential, torch.matrix_exp.", factored(from_qr(lambda q, r: q @ torch.ones_like(q) @ r))),
    Mistake("R's diagonal is made positive, and the signs are lost: move them to Q.", factored(from_qr(lambda q, r: q @ positive(r)), from_qr(lambda q, r: inv(positive(r)) @ q.T))),
    Mistake("This sums the diagonal and then takes its logarithm; the logarithms are summed.", LogOfTraceOfR),
    Mistake("The diagonal's signs are kept: log of a negative number. Take log|diag|.", SignedDiagonalOfR),
    Mistake("inverse multiplies by R; it solves with it.", factored(inverse=from_qr(lambda q, r: r @ q.T))),
    Mistake("inverse solves with Rᵀ; in columns it solves with R, after Q is undone.", factored(inverse=from_qr(lambda q, r: inv(r.T) @ q.T))),
    Mistake("Q stands transposed: torch.linalg.qr gives W = Q R.", factored(from_qr(lambda q, r: q.T @ r))),
    Mistake("R stands transposed: z = Q (R x).", factored(from_qr(lambda q, r: q @ r.T))),
    Mistake("R's diagonal is set to 1; it is R's own.", factored(from_qr(lambda q, r: q @ (r.triu(1) + torch.eye(len(r)).to(r))))),
    Mistake("The diagonal of R goes through exp; it is R's own.", factored(from_qr(lambda q, r: q @ (r.triu(1) + torch.diag(r.diagonal().exp()))))),
    Mistake("The lower triangle of R is taken; R is upper triangular (triu).", factored(from_qr(lambda q, r: q @ r.tril()))),
    Mistake("In rows z = W x is x @ Rᵀ @ Qᵀ; here it is x @ R @ Q.", factored(from_qr(lambda q, r: (r @ q).T))),
    Mistake("This sums the diagonal and then takes its logarithm; the logarithms are summed.", LogOfSumOfR),
)  # fmt: skip
