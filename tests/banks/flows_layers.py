"""Answers to 00_flows_recap: the layers."""

import copy

import torch
from torch import nn

from . import right, wrong

# ---------------------------------------------------------------- LULinear


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


# ---------------------------------------------------------------- QRLinear


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


@wrong("QRLinear", law="log_det", says="absolute value")
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


# ---------------------------------------------------------------- AffineCoupling


@right("AffineCoupling")
class AsTheSlide(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, log_sigma = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) * torch.exp(-log_sigma)], dim=1), -log_sigma.sum(dim=1)

    def inverse(self, z):
        z1, z2 = z[:, : self.split], z[:, self.split :]
        mu, log_sigma = self.conditioner(z1)
        return torch.cat([z1, z2 * torch.exp(log_sigma) + mu], dim=1), log_sigma.sum(dim=1)


@right("AffineCoupling")
class Cloned(nn.Module):
    """Writes into a copy."""

    def __init__(self, conditioner, split):
        super().__init__()
        self.net, self.d = conditioner, split

    def forward(self, x):
        mu, log_sigma = self.net(x[:, : self.d])
        z = x.clone()
        z[:, self.d :] = (x[:, self.d :] - mu) / log_sigma.exp()
        return z, log_sigma.neg().sum(-1)

    def inverse(self, z):
        mu, log_sigma = self.net(z[:, : self.d])
        x = z.clone()
        x[:, self.d :] = mu + z[:, self.d :] * log_sigma.exp()
        return x, torch.einsum("ij->i", log_sigma)


@right("AffineCoupling")
class Padded(nn.Module):
    """mu and log_sigma as full rows, zero in the first part."""

    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner = conditioner
        self.split = split

    def full(self, x):
        return [nn.functional.pad(part, (self.split, 0)) for part in self.conditioner(x[:, : self.split])]

    def forward(self, x):
        mu, log_sigma = self.full(x)
        return (x - mu) * (-log_sigma).exp(), -log_sigma.sum(-1)

    def inverse(self, z):
        mu, log_sigma = self.full(z)
        return torch.addcmul(mu, z, log_sigma.exp()), log_sigma.sum(-1)


@right("AffineCoupling")
class ThroughTensorSplit(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.layers = nn.ModuleList([conditioner]) if isinstance(conditioner, nn.Module) else [conditioner]
        self.split = split

    def forward(self, x):
        first, second = torch.tensor_split(x, [self.split], dim=-1)
        shift, log_scale = self.layers[0](first)
        return torch.hstack((first, (second - shift) / torch.exp(log_scale))), 0 - log_scale.sum(-1)

    def inverse(self, z):
        first, second = torch.tensor_split(z, [self.split], dim=-1)
        shift, log_scale = self.layers[0](first)
        return torch.hstack((first, second * torch.exp(log_scale) + shift)), log_scale.sum(-1)


@wrong("AffineCoupling", law="z", says="as it came")
class IdentityCoupling(AsTheSlide):
    def forward(self, x):
        return x, torch.zeros_like(x[:, 0])

    inverse = forward


@wrong("AffineCoupling", law="log_det", says="sign flipped")
class ForwardSign(AsTheSlide):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, -log_det


@wrong("AffineCoupling", law="inverse", says="direction called")
class InverseSign(AsTheSlide):
    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, -log_det


@wrong("AffineCoupling", law="z", says="swapped")
class Swapped(AsTheSlide):
    def forward(self, x):
        return super().inverse(x)

    def inverse(self, z):
        return super().forward(z)


@wrong("AffineCoupling", law="log_det", says="averaged")
class MeanLogDet(AsTheSlide):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det / (x.shape[1] - self.split)

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, log_det / (z.shape[1] - self.split)


@wrong("AffineCoupling", law="z", says="log sigma")
class SigmaForLogSigma(AsTheSlide):
    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, sigma = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) / sigma], dim=1), -sigma.abs().log().sum(dim=1)


@wrong("AffineCoupling", law="inverse", says="before it scales")
class ShiftFirst(AsTheSlide):
    def inverse(self, z):
        z1, z2 = z[:, : self.split], z[:, self.split :]
        mu, log_sigma = self.conditioner(z1)
        return torch.cat([z1, (z2 + mu) * log_sigma.exp()], dim=1), log_sigma.sum(dim=1)


@wrong("AffineCoupling", law="submodule", says="attribute")
class HiddenConditioner(AsTheSlide):
    def __init__(self, conditioner, split):
        nn.Module.__init__(self)
        self.hidden, self.split = [conditioner], split

    @property
    def conditioner(self):
        return self.hidden[0]


@wrong("AffineCoupling", law="submodule", says="in no nn.Module")
class PlainObject:
    def __init__(self, conditioner, split):
        self.conditioner, self.split = conditioner, split

    forward, inverse = AsTheSlide.forward, AsTheSlide.inverse


@wrong("AffineCoupling", law="gradient", says="conditioner")
class CopiedConditioner(AsTheSlide):
    def __init__(self, conditioner, split):
        super().__init__(copy.deepcopy(conditioner), split)


@wrong("AffineCoupling", law="stability", says="product")
class LogOfProductOfSigmas(AsTheSlide):
    def forward(self, x):
        log_sigma = self.conditioner(x[:, : self.split])[1]
        return super().forward(x)[0], -log_sigma.exp().prod(1).log()


@wrong("AffineCoupling", law="gradient", says="gradient")
class DetachedScale(AsTheSlide):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det.detach()


@wrong("AffineCoupling", law="z", says="shape")
class SecondPartOnly(AsTheSlide):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z[:, self.split :], log_det


@wrong("AffineCoupling", law="inputs unchanged", says="x")
class WritesIntoX(AsTheSlide):
    def forward(self, x):
        mu, log_sigma = self.conditioner(x[:, : self.split])
        x[:, self.split :] = (x[:, self.split :] - mu) * (-log_sigma).exp()
        return x, -log_sigma.sum(dim=1)
