"""Laws that hold for every model: copies, files, devices, export, compile, torch.func."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import generator, mixture, normal, ppca

MODELS = {
    "GaussianMixture": lambda device="cpu": lib.GaussianMixture(*mixture(3, 2, device)),
    "HardMixture": lambda device="cpu": lib.HardMixture(*mixture(3, 2, device)),
    "PPCA": lambda device="cpu": lib.PPCA(*ppca(2, 1, device)),
    "MeanFieldPPCA": lambda device="cpu": lib.MeanFieldPPCA(*ppca(2, 1, device)),
}
table = pytest.mark.parametrize("name", MODELS)


def x(n: int = 5, device="cpu"):
    return normal(n, 2, device=device)


def rebuilt(model, *parameters):
    return type(model)(*parameters)


def parameters(model) -> tuple:
    return tuple(model.state_dict().values())


@table
@pytest.mark.parametrize("fitted", [False, True])
def test_copies_and_files_are_the_model(name, fitted):
    """Of a float32 model that was fitted too, whose float64 parameters its float32 ones do not show."""
    model, rows = MODELS[name](), x()
    if fitted:
        model, rows = model.to(torch.float32), x().float()
        model, _ = lib.em(model, 1e6 + x(200).float(), 2, num_starts=2, generator=generator(0))
        rows = rows + 1e6
    expected = model.log_prob(rows)
    assert_close(copy.deepcopy(model).log_prob(rows), expected, rtol=0, atol=0)
    assert_close(pickle.loads(pickle.dumps(model)).log_prob(rows), expected, rtol=0, atol=0)


@table
def test_a_state_dict_loads_with_weights_only(name):
    model, file = MODELS[name](), io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    again = type(model)(**torch.load(file, weights_only=True))
    assert_close(again.log_prob(x()), model.log_prob(x()), rtol=0, atol=0)


@table
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_copy_of_a_model_with_gradients_has_leaves_of_its_own(name, dtype):
    model = MODELS[name]()
    model = rebuilt(model, *(p.to(dtype).requires_grad_() for p in parameters(model)))
    twin = copy.deepcopy(model)
    twin.log_prob(x().to(dtype)).sum().backward()
    assert all(p.grad is not None for p in parameters(twin))
    assert all(p.grad is None for p in parameters(model))


@table
def test_to_moves_and_casts(name):
    model = MODELS[name]()
    assert {p.dtype for p in parameters(model.to(torch.float32))} == {torch.float32}
    assert_close(model.to(torch.float32).log_prob(x().float()), model.log_prob(x()).float())
    assert {p.device.type for p in parameters(model.to("meta"))} == {"meta"}
    assert {p.dtype for p in parameters(model.to("meta", torch.float32))} == {torch.float32}


@table
def test_shapes_on_the_meta_device(name):
    model = MODELS[name]().to("meta")
    with torch.device("meta"):
        rows = torch.zeros(5, 2, dtype=torch.float64)
        built = rebuilt(model, *(torch.ones_like(p) for p in parameters(model)))
    assert built.log_prob(rows).shape == (5,)
    assert built.sample(4)[0].shape == (4, 2)
    assert built.e_step(rows)[1].is_meta


@table
@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_a_free_batch(name, strict):
    model = MODELS[name]()

    class LogProb(nn.Module):
        def forward(self, rows):
            return model.log_prob(rows)

    shapes = {"rows": {0: torch.export.Dim("n")}}
    program = torch.export.export(LogProb(), (x(),), dynamic_shapes=shapes, strict=strict).module()
    for n in (2, 70_000):
        assert_close(program(x(n)), model.log_prob(x(n)))


@table
def test_compiles_as_one_graph(name):
    """With a model that stands, and with one that is made inside."""
    model, rows = MODELS[name](), x()
    compiled = torch.compile(model.log_prob, fullgraph=True, backend="eager")
    assert_close(compiled(rows), model.log_prob(rows))
    inside = torch.compile(lambda *p: rebuilt(model, *p).log_prob(rows), fullgraph=True, backend="eager")
    assert_close(inside(*parameters(model)), model.log_prob(rows))
    torch.compiler.reset()


@table
@pytest.mark.parametrize("n", [5, 70_000])
def test_vmap_over_events_and_over_parameters(name, n):
    """70 000 rows are more than a chunk."""
    model, rows = MODELS[name](), x(n)
    assert_close(torch.vmap(model.log_prob)(torch.stack([rows, -rows]))[1], model.log_prob(-rows))
    pairs = [torch.stack([p, p]) for p in parameters(model)]
    assert_close(torch.vmap(lambda *p: rebuilt(model, *p).log_prob(rows))(*pairs)[1], model.log_prob(rows))


def symmetric(gradients) -> list:
    """A covariance's gradient is known up to its antisymmetric part."""
    return [g + g.mT if g.dim() == 3 else g for g in gradients]


@table
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, in jacfwd
@pytest.mark.parametrize("transform", [torch.func.jacrev, torch.func.jacfwd])
def test_jacobians_are_those_of_autograd(name, transform):
    model, rows = MODELS[name](), x().requires_grad_()
    (expected,) = torch.autograd.grad(model.log_prob(rows).sum(), rows)
    assert_close(transform(lambda rows: model.log_prob(rows).sum())(rows.detach()), expected)
    theta = [p.clone().requires_grad_() for p in parameters(model)]
    expected = torch.autograd.grad(rebuilt(model, *theta).log_prob(x()).sum(), theta)
    data = rows.detach()
    of_theta = transform(lambda *p: rebuilt(model, *p).log_prob(data).sum(), argnums=(0, 1, 2))
    assert_close(symmetric(of_theta(*parameters(model))), symmetric(expected))


@table
def test_second_derivatives(name):
    model = MODELS[name]()
    assert torch.autograd.gradgradcheck(model.log_prob, x(2).requires_grad_())


@table
def test_chunks_have_the_numbers_and_gradients_of_the_whole(name):
    """66 000 rows of two columns are more than a chunk; 60 rows are one."""
    model = MODELS[name]()
    rows, _ = model.sample(60, generator(1))
    many = rows.repeat(1100, 1).requires_grad_()
    assert_close(model.log_prob(many)[-60:], model.log_prob(rows))
    (gradient,) = torch.autograd.grad(model.log_prob(many).sum(), many)
    few = rows.requires_grad_()
    assert_close(gradient[-60:], torch.autograd.grad(model.log_prob(few).sum(), few)[0])
    q, bound = model.e_step(many.detach())
    q_few, bound_few = model.e_step(rows.detach())
    assert_close(bound, bound_few)
    one, two = (a[0] if isinstance(a, tuple) else a for a in (q, q_few))
    assert_close(one[-60:], two)
    again, again_few = model.m_step(many.detach(), q), model.m_step(rows.detach(), q_few)
    assert_close(parameters(again), parameters(again_few))


@pytest.mark.parametrize("n", [-1, 2.5, True, "3"])
@table
def test_as_many_samples_as_there_can_be(name, n):
    with pytest.raises(ValueError, match=r"n: expected at least 0, a whole number, got .*;"):
        MODELS[name]().sample(n)


@table
def test_no_samples_are_a_sample_too(name):
    assert MODELS[name]().sample(0)[0].shape == (0, 2)


@pytest.mark.cuda
@table
def test_log_prob_and_posterior_never_wait_for_the_gpu(name):
    model, rows = MODELS[name]("cuda"), x(device="cuda")
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        got = [model.log_prob(rows), model.posterior(rows)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert_close(got[0].cpu(), MODELS[name]().log_prob(x()))
