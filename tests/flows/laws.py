"""What every bijection obeys, as functions of one layer f and its number of columns m.

The oracle is autograd's Jacobian (`torch.func`), not the library's own.
"""

import copy
import functools
import io
import pickle
from collections.abc import Callable

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
    """One direction of f, or both, as a module's forward, for `functional_call`."""

    def __init__(self, f: nn.Module, direction: str):
        super().__init__()
        self.f, self.direction = f, direction

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        if self.direction == "both":
            return (*self.f.forward(x), *self.f.inverse(x))
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


def a_copy_is_the_same_and_its_own(f: nn.Module, m: int) -> None:
    """Deep copies (with gradients), pickles, and a state dict loaded with `weights_only=True`."""
    x = events(4, m, device=device_of(f))
    outputs(f, x)[0].sum().backward() if list(f.parameters()) else None
    for g in (copy.deepcopy(f), pickle.loads(pickle.dumps(f)), loaded(copy.deepcopy(f), f.state_dict())):
        expected = [t.detach().clone() for t in outputs(f, x)]
        assert_close(outputs(g, x), expected, **CLOSE)
        moved(g)
        assert_close(outputs(f, x), expected, **CLOSE)


def state_is_all_that_a_layer_without_memory_needs(f: nn.Module, m: int, built: Callable[[], nn.Module]) -> None:
    """Built under `torch.device("meta")`, or emptied, then filled from f's state dict: f again."""
    x = events(4, m, device=device_of(f))
    with torch.device("meta"):
        bare = built().double()
    assert all(t.is_meta for t in bare.parameters())
    if list(bare.parameters()):  # Permutation's list of columns is the caller's, on a device of its own
        shapes = [t.shape for t in outputs(copy.deepcopy(bare).float(), torch.empty(4, m, device="meta"))]
        assert shapes == [t.shape for t in outputs(f, x)]
    for g in (bare, copy.deepcopy(f).to("meta")):
        g = g.to_empty(device=device_of(f))
        for t in [*g.parameters(), *g.buffers()]:
            t.data.copy_(torch.full_like(t, 77))  # what lies in memory that nobody has written
        assert_close(outputs(loaded(g, f.state_dict()), x), outputs(f, x), **CLOSE)


def answers_follow_the_weights(f: nn.Module, m: int) -> None:
    """In eval and without a graph too, after an edit in place, a step, a loaded state and a move: nothing is stale."""
    x, fresh, f = events(4, m, device=device_of(f)), copy.deepcopy(f), f.eval()
    with torch.no_grad():
        outputs(f, x)
        for change in (moved, stepped, lambda f: loaded(f, moved(copy.deepcopy(f)).state_dict()), through_float32):
            change(f)
            assert_close(outputs(f, x), outputs(loaded(copy.deepcopy(fresh), f.state_dict()), x), **CLOSE)


def exports_with_a_free_batch(f: nn.Module, m: int) -> None:
    """`torch.export` of both directions with as many events as you like."""
    call = Called(f, "both")
    shapes = ({0: torch.export.Dim("n", max=1000)},)
    program = torch.export.export(call, (events(6, m, device=device_of(f)),), dynamic_shapes=shapes).module()
    for n in (2, 65):
        x = events(n, m, device=device_of(f))
        assert_close(program(x), call(x), **CLOSE)


def compiles_as_one_graph(f: nn.Module, m: int) -> None:
    """`torch.compile(fullgraph=True)` of both directions, with gradients and without."""
    x, call = events(6, m, device=device_of(f)), Called(f, "both")
    for graph in (True, False):
        with torch.set_grad_enabled(graph):
            assert_close(torch.compile(call, fullgraph=True, backend="eager")(x), call(x), **CLOSE)
    torch.compiler.reset()


def transforms_of_torch_func(f: nn.Module, m: int) -> None:
    """vmap over events and over models, jacrev and jvp, with gradients and without: the batch's own answers."""
    x = events(3, 4, m, device=device_of(f))
    state = {f"f.{name}": t for name, t in [*f.named_parameters(), *f.named_buffers()]}
    twice = {name: torch.stack([t, t]) for name, t in state.items()}
    for direction in ("forward", "inverse"):
        call = Called(f, direction)
        expected = call(x)
        J = jacobian(lambda x, call=call: call(x)[0], x.reshape(12, m))
        for graph in (True, False):
            with torch.set_grad_enabled(graph):
                assert_close(torch.func.vmap(call)(x), expected, **CLOSE)
                run = functools.partial(torch.func.functional_call, call)
                models = torch.func.vmap(lambda state, run=run: run(state, (x[0],)))(twice) if state else call(x[:1])
                for got, one in zip(models, expected, strict=True):
                    assert_close(got[-1], one[0], **CLOSE)
                _, tangent = torch.func.jvp(lambda x, call=call: call(x)[0], (x,), (torch.ones_like(x),))
                assert_close(tangent, J.sum(-1).reshape(x.shape), **CLOSE)


def outputs(f: nn.Module, x: Tensor) -> list[Tensor]:
    return [*f.forward(x), *f.inverse(x)]


def moved(f: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in f.parameters():
            parameter.add_(0.1)
    return f


def stepped(f: nn.Module) -> None:
    if parameters := list(f.parameters()):
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        torch.optim.SGD(parameters, lr=0.1).step()


def loaded(f: nn.Module, state: dict[str, Tensor]) -> nn.Module:
    """f with a state that has been in a file."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    f.load_state_dict(torch.load(file, weights_only=True))
    return f


def through_float32(f: nn.Module) -> nn.Module:
    return f.float().double()


LAWS = [
    inverse_undoes_forward,
    forward_undoes_inverse,
    forward_log_det_is_autograds,
    inverse_log_det_is_autograds,
    batch_axes_are_free,
    input_is_untouched,
    without_a_graph_the_same,
    a_copy_is_the_same_and_its_own,
    answers_follow_the_weights,
    transforms_of_torch_func,
]
