"""The contract of every flow layer, and what can be built from layers alone."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dgmlib._module_list import ModuleList
from dgmlib._valid import is_false, require_bijection, require_event


class Bijection(nn.Module):
    """An invertible, differentiable map f between data x and noise z.

    `forward` is f: x -> z and `inverse` is g = f⁻¹: z -> x. Both return `(value, log_det)`, where
    `log_det` is log|det J| of the direction called. Events lie on the last axis and any batch axes
    may lead: x, z `(..., m)`, log_det `(...)`.

    Source: Lecture 3, "Recap of Previous Lecture" (the definition of a normalizing flow).
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z = f(x) and log|det ∂z/∂x|."""
        raise NotImplementedError

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x = g(z) and log|det ∂x/∂z|."""
        raise NotImplementedError


class Compose(Bijection):
    """f = f_K ∘ … ∘ f_1, written `Compose(f_1, …, f_K)`: f_1 meets the data first.

    log|det J_f| = Σ_k log|det J_{f_k}|, each at the input of its own f_k. Without layers, the identity.
    Raises ValueError for a layer that is not a module with an `inverse`.

    Source: Lecture 3, "Recap of Previous Lecture" (Log-Likelihood).

    >>> f = Compose(Flip(), Permutation([1, 2, 0]))
    >>> f.forward(torch.tensor([[1.0, 2.0, 3.0]]))
    (tensor([[2., 1., 3.]]), tensor([0.]))
    """

    def __init__(self, *bijections: Bijection):
        super().__init__()
        for k, f in enumerate(bijections, start=1):
            require_bijection(f"f_{k}", f)
        self.bijections = ModuleList(bijections)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x)
        total = no_log_det(x)
        for f in self.bijections:
            x, log_det = f.forward(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        require_event("z", z)
        total = no_log_det(z)
        for f in reversed(self.bijections):
            z, log_det = f.inverse(z)
            total = total + log_det
        return z, total


class Inverse(Bijection):
    """The layer f turned round: its `forward` is f's `inverse`, and the reverse.

    Raises ValueError if f is not a module with an `inverse`.
    """

    def __init__(self, bijection: Bijection):
        super().__init__()
        require_bijection("bijection", bijection)
        self.bijection = bijection

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.bijection.inverse(x)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self.bijection.forward(z)


class Permutation(Bijection):
    """z_j = x_{order[j]}: a linear flow with |det W| = 1, so log_det = 0.

    `order` is a permutation of 0, …, m - 1; else ValueError. Cost O(n m).
    """

    order: Tensor
    inverse_order: Tensor

    def __init__(self, order: Sequence[int] | Tensor):
        super().__init__()
        order = require_permutation("order", order)
        self.register_buffer("order", order.long())
        self.register_buffer("inverse_order", order.argsort())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x, len(self.order))
        return x.index_select(-1, self.order), no_log_det(x)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        require_event("z", z, len(self.order))
        return z.index_select(-1, self.inverse_order), no_log_det(z)


class Flip(Bijection):
    """z_j = x_{m+1-j}: the columns in reverse order, its own inverse; log_det = 0."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        require_event("x", x)
        return x.flip(-1), no_log_det(x)

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        require_event("z", z)
        return z.flip(-1), no_log_det(z)


def batch_jacobian(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """J[..., a, b] = ∂f(x)_a / ∂x_b for every event of a batch.

    `f` maps `(..., m)` to `(..., m)` row by row; x `(..., m)` gives `(..., m, m)`, differentiable again,
    also with respect to parameters inside f. Cost: one f and m backward passes, run as one batch.

    Source: Lecture 3, "Recap of Previous Lecture" (Jacobian Matrix).

    >>> batch_jacobian(lambda x: x**2, torch.tensor([[1.0, 3.0]]))
    tensor([[[2., 0.],
             [0., 6.]]])
    """
    require_event("x", x)
    z, vjp = torch.func.vjp(f, x)  # pyright: ignore[reportAssignmentType] - a third only with has_aux
    # Rows do not mix, so one basis vector e_a on every row at once gives row a of every Jacobian.
    basis = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    rows = torch.func.vmap(lambda e: vjp(e.expand_as(z))[0])(basis)
    return rows.movedim(0, -2)


def change_of_variables_log_prob(
    f: Callable[[Tensor], Tensor], x: Tensor, base_log_prob: Callable[[Tensor], Tensor]
) -> Tensor:
    """log p(x) = log p(f(x)) + log|det ∂f(x)/∂x| for any differentiable, invertible f.

    `f` returns z alone; x `(..., m)`, result `(...)`. Cost O(n m³): the determinant that flows avoid,
    so this is the oracle that their `log_det` is tested against.

    Source: Lecture 3, "Recap of Previous Lecture" (Change of Variables Theorem).
    """
    return base_log_prob(f(x)) + torch.linalg.slogdet(batch_jacobian(f, x)).logabsdet


def require_permutation(name: str, order: Any) -> Tensor:
    """Each of 0, …, m - 1 once, as a tensor of integers."""
    try:
        order = torch.as_tensor(order)
        kind = order.is_floating_point() or order.is_complex() or order.dtype == torch.bool
        good = order.dim() == 1 and len(order) > 0 and not kind
    except (RuntimeError, TypeError, ValueError):  # what torch says of None, of text, of rows of unlike length
        good = False
    if not good or is_false((order.sort().values == torch.arange(len(order), device=order.device)).all()):
        got = order.tolist() if isinstance(order, Tensor) else repr(order)
        raise ValueError(
            f"{name}: expected each of 0, ..., m - 1 once, got {got}; torch.randperm(m) makes a random one."
        )
    return order


def no_log_det(x: Tensor) -> Tensor:
    """log_det of a volume-preserving map: zeros of shape `x.shape[:-1]`."""
    return x.new_zeros(x.shape[:-1])
