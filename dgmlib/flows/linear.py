"""Linear flows z = W x, with W kept as a product of factors whose determinants are free."""

import torch
from torch import Tensor, nn

from dgmlib._valid import is_false, require_event, require_tensor
from dgmlib.flows.base import Bijection


class LULinear(Bijection):
    """z = W x with W = P L U, decomposed once, at construction.

    P: a fixed permutation; L: unit lower triangular; U: upper triangular with U_jj = ±exp(log_diagonal_j),
    the sign fixed. log|det W| = Σ_j log|U_jj|. L and U are trained, and W stays invertible throughout.

    Cost: output O(n m²), log_det O(m); the inverse is two triangular solves, O(n m²).
    Raises ValueError unless `weight` is a square, invertible matrix.

    Source: Lecture 3, "Recap of Previous Lecture" (Linear Flows, LU).

    >>> f = LULinear(torch.tensor([[0.0, 2.0], [1.0, 0.0]]))
    >>> z, log_det = f.forward(torch.tensor([[3.0, 5.0]]))
    >>> z.detach(), log_det.detach()
    (tensor([[10.,  3.]]), tensor([0.6931]))
    """

    order: Tensor
    inverse_order: Tensor
    sign: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        require_invertible("weight", weight)
        P, L, U = torch.linalg.lu(weight.detach())
        # (P y)_i = y_order[i], because row i of P has its one at column order[i].
        self.register_buffer("order", P.argmax(1))
        self.register_buffer("inverse_order", P.argmax(0))
        self.register_buffer("sign", U.diagonal().sign())
        self.lower = nn.Parameter(L.tril(-1))
        self.upper = nn.Parameter(U.triu(1))
        self.log_diagonal = nn.Parameter(U.diagonal().abs().log())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x, len(self.order), like=self.lower)
        L, U = self.factors()
        z = times(x, L[self.order], U)
        return z, self.log_diagonal.sum().expand(x.shape[:-1])

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        require_event("z", z, len(self.order), like=self.lower)
        y = z.index_select(-1, self.inverse_order)
        y = solve_triangular(self.lower, y, upper=False, unitriangular=True)
        x = solve_triangular(with_diagonal(self.upper, self.sign, self.log_diagonal), y, upper=True)
        return x, -self.log_diagonal.sum().expand(z.shape[:-1])

    def factors(self) -> tuple[Tensor, Tensor]:
        """L and U, both `(m, m)`."""
        L = self.lower.tril(-1).diagonal_scatter(torch.ones_like(self.sign))
        return L, with_diagonal(self.upper.triu(1), self.sign, self.log_diagonal)


class QRLinear(Bijection):
    """z = W x with W = Q R, decomposed once, at construction.

    Q = Q₀ (I - S)⁻¹ (I + S) with S = A - Aᵀ (Cayley) is orthogonal for every A and starts at Q₀ (A = 0);
    R is upper triangular with R_jj = ±exp(log_diagonal_j), the sign fixed. log|det W| = Σ_j log|R_jj|.

    Cost: output O(n m² + m³), log_det O(m).
    Raises ValueError unless `weight` is a square, invertible matrix.

    Source: Lecture 3, "Recap of Previous Lecture" (Linear Flows, QR); the map A -> Q is Cayley's.
    """

    start: Tensor
    sign: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        require_invertible("weight", weight)
        Q, R = torch.linalg.qr(weight.detach())
        self.register_buffer("start", Q)
        self.register_buffer("sign", R.diagonal().sign())
        self.skew = nn.Parameter(torch.zeros_like(R))
        self.upper = nn.Parameter(R.triu(1))
        self.log_diagonal = nn.Parameter(R.diagonal().abs().log())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x, len(self.sign), like=self.upper)
        return times(x, *self.factors()), self.log_diagonal.sum().expand(x.shape[:-1])

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        require_event("z", z, len(self.sign), like=self.upper)
        Q, R = self.factors()
        return solve_triangular(R, z @ Q, upper=True), -self.log_diagonal.sum().expand(z.shape[:-1])

    def factors(self) -> tuple[Tensor, Tensor]:
        """Q and R, both `(m, m)`."""
        S = self.skew - self.skew.mT
        eye = torch.eye(len(self.sign), dtype=S.dtype, device=S.device)
        # I - S is never singular (the eigenvalues of S are imaginary), so solve_ex may skip its check,
        # which would wait for the GPU.
        cayley = torch.linalg.solve_ex(eye - S, eye + S).result
        return self.start @ cayley, with_diagonal(self.upper.triu(1), self.sign, self.log_diagonal)


def with_diagonal(upper: Tensor, sign: Tensor, log_diagonal: Tensor) -> Tensor:
    """`upper` with ±exp(log_diagonal) as its diagonal."""
    return upper.diagonal_scatter(sign * torch.exp(log_diagonal))


def solve_triangular(A: Tensor, y: Tensor, upper: bool, unitriangular: bool = False) -> Tensor:
    """x = A⁻¹ y of every event y (..., m). Of A it reads the triangle alone, and no diagonal if that is of ones."""
    events = y.reshape(-1, y.shape[-1]).mT  # columns of a Fortran array, as the solver wants them: no copy
    return torch.linalg.solve_triangular(A, events, upper=upper, unitriangular=unitriangular).mT.reshape(y.shape)


def times(x: Tensor, A: Tensor, B: Tensor) -> Tensor:
    """z = W x of every event, W = A B.

    Forming W costs m³ and saves n m², so it pays from n = m on. A traced graph is for every n and asks nothing of it.
    """
    if torch.compiler.is_compiling() or x.shape[:-1].numel() < x.shape[-1]:
        return x @ B.mT @ A.mT
    W = A @ B
    return x @ W.mT


def require_invertible(name: str, weight: Tensor) -> None:
    """A square matrix of full numerical rank.

    Rows and columns are brought to one scale first: diag(1e-10, 1e10) is well conditioned for a flow.
    Singular means a condition number above 1 / (10 eps), whatever m: a large random matrix may start a flow.
    """
    require_tensor(name, weight, ("m", "m"))
    if weight.shape[0] != weight.shape[1]:
        raise ValueError(f"{name}: expected (m, m), got {tuple(weight.shape)}; a flow keeps the number of columns.")
    scaled = weight.detach() / weight.detach().abs().amax(1, keepdim=True)
    scaled = scaled / scaled.abs().amax(0, keepdim=True)
    rank = torch.linalg.matrix_rank(scaled.nan_to_num(0, 0, 0), rtol=10 * torch.finfo(weight.dtype).eps)
    if is_false(scaled.isfinite().all() & (rank == len(weight))):
        raise ValueError(
            f"{name}: expected an invertible matrix, got one that is singular in {weight.dtype}; "
            "start from a random rotation, torch.linalg.qr(torch.randn(m, m)).Q, or from torch.eye(m)."
        )
