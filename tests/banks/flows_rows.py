"""Answers to the recap's exercises whose mistake lies in an axis, a mode or a stage."""

import torch
from torch import nn

from . import right, wrong


def jacobian(f, x):
    return torch.func.vmap(torch.func.jacrev(f))(x)


@wrong("batch_jacobian", law="value", says="one Jacobian for every row")
def jacobian_at_mean(f, x):
    return torch.func.jacrev(f)(x.mean(0)).repeat(len(x), 1, 1)


@wrong("change_of_variables_log_prob", law="value", says="met every other one")
def cov_broadcast(f, x, base_log_prob):
    return base_log_prob(f(x))[:, None] + torch.linalg.slogdet(jacobian(f, x)).logabsdet


@wrong("change_of_variables_log_prob", law="value", says="An axis of length 1")
def cov_keepdim(f, x, base_log_prob):
    return (base_log_prob(f(x)) + torch.linalg.slogdet(jacobian(f, x)).logabsdet)[:, None]


@wrong("change_of_variables_log_prob", law="value", says="what base_log_prob says")
def cov_own_base(f, x, base_log_prob):
    base = torch.distributions.Normal(0.0, 1.0).log_prob(f(x)).sum(1)
    return base + torch.linalg.slogdet(jacobian(f, x)).logabsdet


@right("change_of_variables_log_prob")
def cov_singular_values(f, x, base_log_prob):
    rows = [torch.linalg.svdvals(torch.func.jacrev(f)(row)).log().sum() for row in x]
    return base_log_prob(f(x)) + torch.stack(rows)


class LU(nn.Module):
    def __init__(self, weight):
        super().__init__()
        P, L, U = torch.linalg.lu(weight.detach())
        self.register_buffer("P", P)
        self.L, self.U = nn.Parameter(L), nn.Parameter(U)

    def lower(self):
        return self.L.tril(-1) + torch.eye(len(self.L), dtype=self.L.dtype, device=self.L.device)

    def log_det(self, rows):
        return self.U.diagonal().abs().log().sum().expand(len(rows))

    def forward(self, x):
        return x @ (self.P @ self.lower() @ self.U.triu()).T, self.log_det(x)

    def inverse(self, z):
        y = torch.linalg.solve_triangular(self.lower(), self.P.T @ z.T, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(self.U.triu(), y, upper=True).T, -self.log_det(z)


@wrong("LULinear", law="inverse", says="U before L")
class LUInverseBackwards(LU):
    def inverse(self, z):
        y = torch.linalg.solve_triangular(self.U.triu(), self.P.T @ z.T, upper=True)
        return torch.linalg.solve_triangular(self.lower(), y, upper=False).T, -self.log_det(z)


@wrong("LULinear", law="after a step", says="register it as a buffer")
class LUTrainedPermutation(LU):
    def __init__(self, weight):
        super().__init__(weight)
        P = self.P
        del self.P
        self.P = nn.Parameter(P)


class QR(nn.Module):
    def __init__(self, weight):
        super().__init__()
        Q, R = torch.linalg.qr(weight.detach())
        self.register_buffer("Q0", Q)
        self.A, self.R = nn.Parameter(torch.zeros_like(Q)), nn.Parameter(R)

    def Q(self):
        return self.Q0 @ torch.matrix_exp(self.A - self.A.T)

    def log_det(self, rows):
        return self.R.diagonal().abs().log().sum().expand(len(rows))

    def forward(self, x):
        return x @ (self.Q() @ self.R.triu()).T, self.log_det(x)

    def inverse(self, z):
        return torch.linalg.solve_triangular(self.R.triu(), (z @ self.Q()).T, upper=True).T, -self.log_det(z)


@wrong("QRLinear", law="after a step", says="in eval mode")
class QRKeptInEval(QR):
    """A rotation kept from the first call in eval mode."""

    def Q(self):
        if self.training:
            return super().Q()
        if not hasattr(self, "kept"):
            self.kept = super().Q().detach()
        return self.kept


@wrong("QRLinear", law="inverse", says="Q once more")
class QRInverseByQ(QR):
    def inverse(self, z):
        return torch.linalg.solve_triangular(self.R.triu(), (z @ self.Q().T).T, upper=True).T, -self.log_det(z)


@wrong("autoregressive_inverse", law="x", says="A round is missing")
def inverse_one_round_short(z, conditioner):
    x = torch.zeros_like(z)
    mu = log_sigma = x
    for _ in range(max(1, z.shape[1] - 1)):
        mu, log_sigma = conditioner(x)
        x = log_sigma.exp() * z + mu
    return x, log_sigma.sum(1)


@wrong("autoregressive_forward", law="log_det", says="first column's log sigma")
def forward_from_the_second(x, conditioner):
    mu, log_sigma = conditioner(x)
    return (x - mu) / log_sigma.exp(), -sum(log_sigma[:, j] for j in range(1, x.shape[1])) + 0 * x.sum(1)


@wrong("AffineCoupling", law="z", says="in this order")
class CouplingSwappedPair(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        log_sigma, mu = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) / log_sigma.exp()], 1), -log_sigma.sum(1)

    def inverse(self, z):
        z1, z2 = z[:, : self.split], z[:, self.split :]
        log_sigma, mu = self.conditioner(z1)
        return torch.cat([z1, z2 * log_sigma.exp() + mu], 1), log_sigma.sum(1)


@wrong("flow_log_prob", law="value", says="each of the m features has one")
def flow_one_constant(layers, x):
    log_det = torch.zeros_like(x[:, 0])
    for layer in layers:
        x, part = layer.forward(x)
        log_det = log_det + part
    return -(x**2).sum(1) / 2 - torch.tensor(2 * torch.pi, dtype=x.dtype).log() / 2 + log_det
