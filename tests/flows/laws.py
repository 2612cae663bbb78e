"""What every bijection obeys, as functions of one layer f and its number of columns m.

The oracle is autograd's Jacobian (`torch.func`), not the library's own.
"""

import copy

import torch
from torch import Tensor, nn
from torch.testing import assert_close

from tests.flows.table import events

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def device_of(f: nn.Module) -> torch.device:
    return next((t.device for t in [*f.parameters(), *f.buffers()]), torch.device("cpu"))


def jacobian(function, x: Tensor) -> Tensor:
    return torch.func.vmap(torch.func.jacrev(function))(x)


def inverse_undoes_forward(f: nn.Module, m: int) -> None:
    """g(f(x)) = x, and the log-determinants of the two directions cancel."""
    x = events(6, m, device=device_of(f))
    z, log_det = f.forward(x)
    back, log_det_back = f.inverse(z)
    assert_close(back, x, **CLOSE)
    assert_close(log_det_back, -log_det, **CLOSE)


def forward_undoes_inverse(f: nn.Module, m: int) -> None:
    """f(g(z)) = z, and the log-determinants of the two directions cancel."""
    z = events(6, m, device=device_of(f))
    x, log_det = f.inverse(z)
    back, log_det_back = f.forward(x)
    assert_close(back, z, **CLOSE)
    assert_close(log_det_back, -log_det, **CLOSE)


def forward_log_det_is_autograds(f: nn.Module, m: int) -> None:
    x = events(6, m, device=device_of(f))
    J = jacobian(lambda x: f.forward(x)[0], x)
    assert_close(f.forward(x)[1], torch.linalg.slogdet(J).logabsdet, **CLOSE)


def inverse_log_det_is_autograds(f: nn.Module, m: int) -> None:
    z = events(6, m, device=device_of(f))
    J = jacobian(lambda z: f.inverse(z)[0], z)
    assert_close(f.inverse(z)[1], torch.linalg.slogdet(J).logabsdet, **CLOSE)


def batch_axes_are_free(f: nn.Module, m: int) -> None:
    """Any leading axes, none and empty ones too, give the rows' own answers."""
    x = events(2, 3, m, device=device_of(f))
    for direction in (f.forward, f.inverse):
        value, log_det = direction(x)
        rows = [direction(row) for row in x.reshape(6, m)]
        assert_close(value, torch.stack([row[0] for row in rows]).reshape(2, 3, m), **CLOSE)
        assert_close(log_det, torch.stack([row[1] for row in rows]).reshape(2, 3), **CLOSE)
        for shape in [(m,), (1, m), (0, m), (2, 0, m)]:
            value, log_det = direction(x.new_zeros(shape))
            assert value.shape == shape
            assert log_det.shape == shape[:-1]


def every_parameter_gets_its_gradient(f: nn.Module, m: int) -> None:
    """In both directions, against finite differences; so do the inputs."""
    x = events(3, m, device=device_of(f)).requires_grad_()
    names = [name for name, _ in f.named_parameters()]
    copied = {name: p.detach().clone().requires_grad_() for name, p in f.named_parameters()}

    for direction in ("forward", "inverse"):

        def run(x, *parameters, direction=direction):
            call = Called(f, direction)
            state = {f"f.{name}": p for name, p in zip(names, parameters, strict=True)}
            value, log_det = torch.func.functional_call(call, state, (x,))
            return torch.cat([value.flatten(), log_det.flatten()])  # one output: gradcheck skips a detached one

        assert torch.autograd.gradcheck(run, (x, *copied.values()), eps=1e-6, atol=1e-5)
        out = run(x, *copied.values())
        loss = (out * events(len(out), device=out.device)).sum()
        gradients = torch.autograd.grad(loss, [x, *copied.values()])[1:]
        for name, gradient in zip(names, gradients, strict=True):
            assert gradient.abs().sum() > 0, f"{direction}: no gradient for {name}"


class Called(nn.Module):
    """One direction of f as a module's forward, for `functional_call`."""

    def __init__(self, f: nn.Module, direction: str):
        super().__init__()
        self.f, self.direction = f, direction

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return getattr(self.f, self.direction)(x)


def input_is_untouched(f: nn.Module, m: int) -> None:
    x = events(4, m, device=device_of(f))
    before = x.clone()
    f.forward(x)
    f.inverse(x)
    assert torch.equal(x, before)
    assert not x.requires_grad


def without_a_graph_the_same(f: nn.Module, m: int) -> None:
    """`torch.no_grad` and `eval` may take a faster road; it leads to the same place."""
    x = events(4, m, device=device_of(f))
    for direction in ("forward", "inverse"):
        value, log_det = getattr(f, direction)(x)
        with torch.no_grad():
            fast_value, fast_log_det = getattr(copy.deepcopy(f).eval(), direction)(x)
        assert_close(fast_value, value.detach(), **CLOSE)
        assert_close(fast_log_det, log_det.detach(), **CLOSE)


def density_integrates_to_one(f: nn.Module, m: int) -> None:
    """∫ p(f(x)) |det J_f| dx = 1 by the trapezoid rule on a grid that holds all of the mass, m = 1 or 2."""
    line = torch.linspace(-24, 24, 1601, dtype=torch.float64, device=device_of(f))
    x = torch.cartesian_prod(*[line] * m).reshape(-1, m)
    with torch.no_grad():
        z, log_det = f.forward(x)
    log_prob = log_det - 0.5 * z.square().sum(-1) - m / 2 * torch.log(torch.tensor(2 * torch.pi))
    total = log_prob.exp().sum() * (line[1] - line[0]) ** m
    assert abs(total - 1) < 1e-3, total


def jacobian_is_triangular(f: nn.Module, m: int) -> None:
    """Column j depends on columns up to j, and the log_det is the sum of the diagonal's logs."""
    x = events(6, m, device=device_of(f))
    J = jacobian(lambda x: f.forward(x)[0], x)
    assert_close(J, J.tril())
    assert_close(f.forward(x)[1], J.diagonal(dim1=1, dim2=2).log().sum(-1), **CLOSE)


def starts_at_the_identity(f: nn.Module, m: int) -> None:
    x = events(6, m, device=device_of(f))
    for value, log_det in (f.forward(x), f.inverse(x)):
        assert_close(value, x)
        assert_close(log_det, torch.zeros_like(log_det))


LAWS = [
    inverse_undoes_forward,
    forward_undoes_inverse,
    forward_log_det_is_autograds,
    inverse_log_det_is_autograds,
    batch_axes_are_free,
    input_is_untouched,
    without_a_graph_the_same,
]
