"""Answers to `QRLinear`."""

import torch
from torch import nn

from . import right, wrong


class WithTriangle(nn.Module):
    """z = Q R x; a subclass says how Q is made."""

    def __init__(self, weight):
        super().__init__()
        Q, R = torch.linalg.qr(weight.detach())
        self.R = nn.Parameter(R)
        self.start(Q)

    def forward(self, x):
        return x @ self.R.triu().T @ self.q().T, self.R.diagonal().abs().log().sum().expand(len(x))

    def inverse(self, z):
        x = torch.linalg.solve_triangular(self.R.triu(), self.q().T @ z.T, upper=True).T
        return x, -self.R.diagonal().abs().log().sum().expand(len(z))


@right("QRLinear")
class Exponential(WithTriangle):
    """Q = Q0 exp(A - Aᵀ)."""

    def start(self, Q):
        self.register_buffer("Q0", Q)
        self.A = nn.Parameter(torch.zeros_like(Q))

    def q(self):
        return self.Q0 @ torch.linalg.matrix_exp(self.A - self.A.T)


@right("QRLinear")
class Cayley(WithTriangle):
    """Q = Q0 (I + S)⁻¹ (I - S)."""

    def start(self, Q):
        self.register_buffer("Q0", Q)
        self.A = nn.Parameter(torch.zeros_like(Q))

    def q(self):
        eye = torch.eye(len(self.A), dtype=self.A.dtype, device=self.A.device)
        S = self.A.tril(-1) - self.A.tril(-1).T
        return self.Q0 @ torch.linalg.solve(eye + S, eye - S)


@right("QRLinear")
class Refactored(WithTriangle):
    """Q of a free matrix, its columns' signs fixed."""

    def start(self, Q):
        self.M = nn.Parameter(Q.clone())

    def q(self):
        Q, R = torch.linalg.qr(self.M)
        return Q * R.diagonal().sign()


@right("QRLinear")
class Reflections(WithTriangle):
    """A product of reflections in front of a fixed Q0: m - 1 pairs, each the identity at the start."""

    def start(self, Q):
        m = len(Q)
        self.register_buffer("Q0", Q)
        start = torch.linalg.qr(Q.cos() + torch.diag(Q.new_ones(m)))[0]
        self.v = nn.Parameter(start.clone())
        self.register_buffer("u", start.clone())

    @staticmethod
    def product(vectors):
        Q = torch.diag(vectors.new_ones(len(vectors)))
        for v in vectors:
            Q = Q - 2 * torch.outer(Q @ v, v) / v.dot(v)
        return Q

    def q(self):
        return self.Q0 @ self.product(self.u).T @ self.product(self.v)


@right("QRLinear")
class TorchParametrized(nn.Module):
    """The orthogonal parametrisation that ships with torch."""

    def __init__(self, weight):
        super().__init__()
        Q, R = torch.linalg.qr(weight.detach())
        holder = nn.Linear(len(weight), len(weight), bias=False, dtype=weight.dtype, device=weight.device)
        self.rotation = nn.utils.parametrizations.orthogonal(holder, orthogonal_map="matrix_exp")
        self.rotation.weight = Q
        self.diagonal_sign = nn.Parameter(R.diagonal().sign(), requires_grad=False)
        self.log_diagonal = nn.Parameter(R.diagonal().abs().log())
        self.above = nn.Parameter(R)

    def r(self):
        return self.above.triu(1) + torch.diag(self.diagonal_sign * self.log_diagonal.exp())

    def forward(self, x):
        return self.rotation(x @ self.r().T), self.log_diagonal.sum().expand(len(x))

    def inverse(self, z):
        x = torch.linalg.solve_triangular(self.r(), (z @ self.rotation.weight).T, upper=True).T
        return x, -self.log_diagonal.sum().expand(len(z))


@right("QRLinear")
class GramSchmidt(nn.Module):
    """Orthonormalises a free matrix, column by column; R's diagonal as logarithms."""

    def __init__(self, weight):
        super().__init__()
        Q, R = torch.linalg.qr(weight.detach())
        sign = R.diagonal().sign()
        self.M = nn.Parameter(Q * sign)
        self.log_diagonal = nn.Parameter(R.diagonal().abs().log())
        self.above = nn.Parameter((sign[:, None] * R).triu(1))

    def q(self):
        columns = []
        for v in self.M.T:
            for c in columns:
                v = v - (v @ c) * c
            columns.append(v / v.norm())
        return torch.stack(columns, 1)

    def r(self):
        return self.above.triu(1) + torch.diag(self.log_diagonal.exp())

    def forward(self, x):
        return x @ self.r().T @ self.q().T, self.log_diagonal.sum().expand(len(x))

    def inverse(self, z):
        x = torch.linalg.solve_triangular(self.r(), self.q().T @ z.T, upper=True).T
        return x, -self.log_diagonal.sum().expand(len(z))


@right("QRLinear")
class ProjectedBack(WithTriangle):
    """Puts Q back among the orthogonal matrices whenever it is used."""

    def start(self, Q):
        self.Q = nn.Parameter(Q)

    def q(self):
        left, _, right_ = torch.linalg.svd(self.Q.data)
        self.Q.data = left @ right_
        return self.Q


@right("QRLinear")
class LapackReflections(WithTriangle):
    """The reflections that LAPACK found, tau = 2 / |v|²."""

    def __init__(self, weight):
        super().__init__(weight)
        with torch.no_grad():
            self.R.copy_(self.q().T @ weight)

    def start(self, Q):
        self.V = nn.Parameter(torch.geqrf(Q)[0].tril(-1))

    def q(self):
        v = self.V.tril(-1) + torch.diag(torch.ones_like(self.V[0]))
        return torch.linalg.householder_product(v, 2 / v.square().sum(0))


@wrong("QRLinear", law="no gradient to weight", says="detached copy")
class KeepsTheGraph(WithTriangle):
    """The buffer Q0 hangs on the weight's graph."""

    def __init__(self, weight):
        nn.Module.__init__(self)
        Q, R = torch.linalg.qr(weight)
        self.register_buffer("Q0", Q)
        self.A, self.R = nn.Parameter(torch.zeros_like(Q)), nn.Parameter(R)

    def q(self):
        return self.Q0 @ torch.linalg.matrix_exp(self.A - self.A.T)


@wrong("QRLinear", law="after a step", says="Q must stay orthogonal")
class NotAntisymmetric(WithTriangle):
    def start(self, Q):
        self.register_buffer("Q0", Q)
        self.A = nn.Parameter(torch.zeros_like(Q))

    def q(self):
        return self.Q0 @ torch.linalg.matrix_exp(self.A)


@wrong("QRLinear", law="gradient", says="log_det that inverse returns reaches no parameter")
class InverseLogDetDetached(Exponential):
    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, log_det.detach()


@wrong("QRLinear", law="after a step", says="after an optimiser step")
class FreeQ(WithTriangle):
    """Q as a free parameter: no longer orthogonal after a step."""

    def start(self, Q):
        self.Q = nn.Parameter(Q)

    def q(self):
        return self.Q


@wrong("QRLinear", law="trained factors", says="directions")
class FixedQ(WithTriangle):
    def start(self, Q):
        self.register_buffer("Q", Q)

    def q(self):
        return self.Q


@wrong("QRLinear", law="log_det", says="sign of forward")
class QRFlipped(Exponential):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, -log_det


@wrong("QRLinear", law="log_det", says="log of a negative number")
class QRSignedLog(Exponential):
    def forward(self, x):
        return super().forward(x)[0], self.R.diagonal().log().sum().expand(len(x))


@wrong("QRLinear", law="forward", says="x @ W.T")
class QRTransposed(Exponential):
    def forward(self, x):
        return x @ self.q() @ self.R.triu(), super().forward(x)[1]


@wrong("QRLinear", law="inverse", says="x:")
class QForItsInverse(Exponential):
    def inverse(self, z):
        x = torch.linalg.solve_triangular(self.R.triu(), self.q() @ z.T, upper=True).T
        return x, super().inverse(z)[1]


@wrong("QRLinear", law="cost", says="slogdet")
class QRBySlogdet(Exponential):
    def forward(self, x):
        return super().forward(x)[0], torch.linalg.slogdet(self.R.triu())[1].expand(len(x))


@wrong("QRLinear", law="after a step", says="an optimiser step left W")
class Untrained(Exponential):
    def __init__(self, weight):
        super().__init__(weight)
        self.register_buffer("W", weight.detach().clone())

    def forward(self, x):
        return x @ self.W.T, super().forward(x)[1]


@wrong("QRLinear", law="forward", says="expected")
class PositiveDeterminantOnly(Exponential):
    """A rotation started at Q only where det Q = 1."""

    def start(self, Q):
        Q = Q.clone()
        Q[:, 0] *= torch.linalg.det(Q)
        super().start(Q)


@wrong("QRLinear", law="no gradient to weight", says="given weight")
class GradientToWeight(Exponential):
    def __init__(self, weight):
        super().__init__(weight)
        self.shift = weight - weight.detach()

    def forward(self, x):
        z, log_det = super().forward(x)
        return z + x @ self.shift.T, log_det


@wrong("QRLinear", law="log_det", says="W's own diagonal")
class DiagonalOfW(Exponential):
    def forward(self, x):
        W = self.q() @ self.R.triu()
        return super().forward(x)[0], W.diagonal().abs().log().sum().expand(len(x))
