"""Answers to `LULinear`."""

import torch
from torch import nn

from . import right, wrong


@right("LULinear")
class MaskedFactors(nn.Module):
    """L and U as full matrices, of which the triangles count."""

    def __init__(self, weight):
        super().__init__()
        P, L, U = torch.linalg.lu(weight.detach())
        self.register_buffer("P", P)
        self.L, self.U = nn.Parameter(L), nn.Parameter(U)

    def factors(self):
        eye = torch.eye(len(self.L), dtype=self.L.dtype, device=self.L.device)
        return torch.tril(self.L, -1) + eye, torch.triu(self.U)

    def forward(self, x):
        L, U = self.factors()
        log_det = self.U.diagonal().abs().log().sum()
        return x @ (self.P @ L @ U).T, log_det.expand(x.shape[0])

    def inverse(self, z):
        L, U = self.factors()
        y = torch.linalg.solve_triangular(L, self.P.T @ z.T, upper=False, unitriangular=True)
        x = torch.linalg.solve_triangular(U, y, upper=True).T
        return x, -self.U.diagonal().abs().log().sum().expand(z.shape[0])


@right("LULinear")
class LogDiagonal(nn.Module):
    """The diagonal of U as log|diag| and a buffer of signs."""

    def __init__(self, weight):
        super().__init__()
        P, L, U = torch.linalg.lu(weight.detach().clone())
        diagonal = torch.diagonal(U)
        self.register_buffer("P", P)
        self.register_buffer("sign", torch.sign(diagonal))
        self.lower = nn.Parameter(L.tril(-1))
        self.upper = nn.Parameter(U.triu(1))
        self.log_diagonal = nn.Parameter(diagonal.abs().log())

    def forward(self, x):
        y = x @ (self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())).mT
        y = y + y @ self.lower.tril(-1).mT
        return y @ self.P.mT, self.log_diagonal.sum() * x.new_ones(len(x))

    def inverse(self, z):
        eye = torch.diag(torch.ones_like(self.sign))
        L, U = self.lower.tril(-1) + eye, self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())
        y = torch.linalg.solve_triangular(L.T, z @ self.P, upper=True, left=False)
        x = torch.linalg.solve_triangular(U.T, y, upper=False, left=False)
        return x, self.log_diagonal.sum().neg().repeat(len(z))


@right("LULinear")
class PermutedRows(nn.Module):
    """P as an index; entries of the triangles as vectors."""

    def __init__(self, weight):
        super().__init__()
        P, L, U = torch.linalg.lu(weight.detach())
        m = len(weight)
        self.m = m
        self.register_buffer("rows", P.argmax(dim=1))
        self.register_buffer("below", torch.tril_indices(m, m, -1, device=weight.device))
        self.register_buffer("above", torch.triu_indices(m, m, device=weight.device))
        self.l = nn.Parameter(L[self.below[0], self.below[1]])
        self.u = nn.Parameter(U[self.above[0], self.above[1]])

    def matrices(self):
        zeros = self.u.new_zeros(self.m, self.m)
        L = zeros.index_put(tuple(self.below), self.l) + torch.diag(self.u.new_ones(self.m))
        return L, zeros.index_put(tuple(self.above), self.u)

    def forward(self, x):
        L, U = self.matrices()
        return (x @ U.T @ L.T)[:, self.rows], U.diag().abs().log().sum().expand(len(x))

    def inverse(self, z):
        L, U = self.matrices()
        unpermuted = z[:, torch.argsort(self.rows)].T
        y = torch.linalg.solve_triangular(L, unpermuted, upper=False)
        return torch.linalg.solve_triangular(U, y, upper=True).T, -U.diag().abs().log().sum().expand(len(z))


@right("LULinear")
class PackedFactors(nn.Module):
    """lu_factor and lu_unpack at construction, one row at a time afterwards."""

    def __init__(self, weight):
        super().__init__()
        P, L, U = torch.lu_unpack(*torch.linalg.lu_factor(weight.detach()))
        self.P = nn.Buffer(P) if hasattr(nn, "Buffer") else P
        self.L, self.U = nn.Parameter(L.contiguous()), nn.Parameter(U.contiguous())

    def forward(self, x):
        lower = self.L.tril(-1)
        rows = []
        for row in x:
            y = self.U.triu() @ row
            rows.append(self.P @ (y + lower @ y))
        return torch.stack(rows), torch.stack([self.U.diagonal().abs().log().sum()] * len(x))

    def inverse(self, z):
        y = torch.linalg.solve_triangular(self.L, (z @ self.P).T, upper=False, unitriangular=True)
        x = torch.linalg.solve_triangular(self.U.triu(), y, upper=True)
        return x.T, -torch.stack([self.U.diagonal().abs().log().sum()] * len(z))


@right("LULinear")
class MaskedGradients(nn.Module):
    """Hooks keep the triangles: no step ever leaves them."""

    def __init__(self, weight):
        super().__init__()
        P, L, U = torch.linalg.lu(weight.detach())
        self.register_buffer("P", P)
        self.L, self.U = nn.Parameter(L), nn.Parameter(U)
        self.L.register_hook(lambda gradient: gradient.tril(-1))
        self.U.register_hook(torch.triu)

    def forward(self, x):
        return (self.P @ (self.L @ (self.U @ x.T))).T, self.U.diagonal().abs().log().sum().expand(len(x))

    def inverse(self, z):
        y = torch.linalg.solve_triangular(self.L, self.P.T @ z.T, upper=False)
        x = torch.linalg.solve_triangular(self.U, y, upper=True).T
        return x, -self.U.diagonal().abs().log().sum().expand(len(z))


@right("LULinear")
class MaskedInPlace(MaskedFactors):
    """Puts the triangles back into the parameters whenever they are used."""

    def factors(self):
        eye = torch.eye(len(self.L), dtype=self.L.dtype, device=self.L.device)
        self.L.data, self.U.data = self.L.data.tril(-1) + eye, self.U.data.triu()
        return self.L, self.U


@wrong("LULinear", law="gradient", says="log_det that forward returns reaches no parameter")
class DetachedLogDet(MaskedFactors):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det.detach()


@wrong("LULinear", law="gradient", says="no gradient reaches z through inverse")
class InverseWithoutGrad(MaskedFactors):
    @torch.no_grad()
    def inverse(self, z):
        return super().inverse(z)


@wrong("LULinear", law="gradient", says="reaches only some")
class InverseOfDetachedL(MaskedFactors):
    def inverse(self, z):
        L, U = self.factors()
        y = torch.linalg.solve_triangular(L.detach(), self.P.T @ z.T, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(U, y, upper=True).T, super().inverse(z)[1]


@wrong("LULinear", law="state_dict", says="loaded_x")
class InverseOrderNotSaved(MaskedFactors):
    def __init__(self, weight):
        super().__init__(weight)
        self.back = self.P.argmax(0)

    def inverse(self, z):
        L, U = self.factors()
        y = torch.linalg.solve_triangular(L, z[:, self.back].T, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(U, y, upper=True).T, super().inverse(z)[1]


@wrong("LULinear", law="inverse", says="undoes P with its transpose")
class PermutesTwice(MaskedFactors):
    def inverse(self, z):
        return super().inverse(z @ self.P.T @ self.P.T)


@wrong("LULinear", law="cost", says="lstsq")
class InverseByLeastSquares(MaskedFactors):
    def inverse(self, z):
        L, U = self.factors()
        return torch.linalg.lstsq(self.P @ L @ U, z.T)[0].T, super().inverse(z)[1]


@wrong("LULinear", law="trained factors", says="no parameters")
class NothingTrained(MaskedFactors):
    def __init__(self, weight):
        super().__init__(weight)
        L, U = self.L.detach(), self.U.detach()
        del self.L, self.U
        self.register_buffer("L", L)
        self.register_buffer("U", U)


@wrong("LULinear", law="log_det", says="sign of forward")
class FlippedForward(MaskedFactors):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, -log_det


@wrong("LULinear", law="inverse", says="direction called")
class SameLogDet(MaskedFactors):
    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, -log_det


@wrong("LULinear", law="forward", says="x @ W.T")
class TransposedWeight(MaskedFactors):
    def forward(self, x):
        L, U = self.factors()
        return x @ (self.P @ L @ U), super().forward(x)[1]


@wrong("LULinear", law="forward", says="P got lost")
class NoPermutation(MaskedFactors):
    def __init__(self, weight):
        super().__init__(weight)
        self.P = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)


@wrong("LULinear", law="log_det", says="Take log|diag|")
class SignedLog(MaskedFactors):
    def forward(self, x):
        return super().forward(x)[0], self.U.diagonal().log().sum().expand(len(x))


@wrong("LULinear", law="log_det", says="shape")
class ScalarLogDet(MaskedFactors):
    def forward(self, x):
        return super().forward(x)[0], self.U.diagonal().abs().log().sum()


@wrong("LULinear", law="cost", says="slogdet")
class WholeWeight(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x):
        return x @ self.weight.T, torch.linalg.slogdet(self.weight)[1].expand(len(x))

    def inverse(self, z):
        return torch.linalg.solve(self.weight, z.T).T, -torch.linalg.slogdet(self.weight)[1].expand(len(z))


@wrong("LULinear", law="after a step", says="after an optimiser step")
class StaleLogDet(MaskedFactors):
    def __init__(self, weight):
        super().__init__(weight)
        self.register_buffer("log_det", torch.linalg.slogdet(weight.detach())[1])

    def forward(self, x):
        return super().forward(x)[0], self.log_det.expand(len(x)) + 0 * self.U.sum()


@wrong("LULinear", law="trained factors", says="directions")
class OnlyUpperTrained(MaskedFactors):
    def __init__(self, weight):
        super().__init__(weight)
        lower = self.L.detach()
        del self.L
        self.register_buffer("L", lower)


@wrong("LULinear", law="after a step", says="after an optimiser step")
class UnmaskedFactors(MaskedFactors):
    """L and U drift from their triangles."""

    def factors(self):
        return self.L, self.U


@wrong("LULinear", law="state_dict", says="not saved")
class PermutationNotSaved(MaskedFactors):
    def __init__(self, weight):
        super().__init__(weight)
        P = self.P
        del self.P
        self.P = P


@wrong("LULinear", law="stability", says="log|diag|")
class LogOfProduct(MaskedFactors):
    def forward(self, x):
        return super().forward(x)[0], self.U.diagonal().prod().abs().log().expand(len(x))


@wrong("LULinear", law="inputs unchanged", says="weight")
class ClearsTheWeight(MaskedFactors):
    """Decomposes the weight in place."""

    def __init__(self, weight):
        super().__init__(weight)
        with torch.no_grad():
            weight.triu_()


@wrong("LULinear", law="device", says="GPU")
class IdentityOnCPU(MaskedFactors):
    def factors(self):
        return torch.tril(self.L, -1) + torch.eye(len(self.L), dtype=self.L.dtype), torch.triu(self.U)


@wrong("LULinear", law="dtype", says="float64")
class EyeInFloat64(MaskedFactors):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det + torch.zeros(len(x), dtype=torch.float64)
