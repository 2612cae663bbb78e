"""Laws of a whole flow, whatever its base and layers: densities, samples, and what torch makes of them."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal
from torch.testing import assert_close

from dgmlib.flows import MAF, Flow, LULinear, RealNVP, StandardNormal
from tests.flows.laws import CLOSE, loaded, moved
from tests.flows.table import HIDDEN, events, make, weight

LAYERS = {
    "LULinear": lambda m: LULinear(weight(m)),
    "MAF": lambda m: MAF(m, 2, HIDDEN),
    "RealNVP": lambda m: RealNVP(m, 3, HIDDEN),
}


def flow_of(name: str, device: torch.device) -> Flow:
    return moved(Flow(StandardNormal(3), LAYERS[name](3)).double().to(device))


class LogProb(nn.Module):
    def __init__(self, flow: Flow):
        super().__init__()
        self.flow = flow

    def forward(self, x: Tensor) -> Tensor:
        return self.flow.log_prob(x)


@pytest.mark.parametrize("name", LAYERS)
def test_one_graph_of_log_prob(name, device):
    log_prob, x = LogProb(flow_of(name, device)), events(6, 3, device=device)
    shapes = ({0: torch.export.Dim("n", max=1000)},)
    program = torch.export.export(log_prob, (x,), dynamic_shapes=shapes).module()
    assert_close(program(x[:2]), log_prob(x[:2]), **CLOSE)
    assert_close(torch.compile(log_prob, fullgraph=True, backend="eager")(x), log_prob(x), **CLOSE)
    torch.compiler.reset()


@pytest.mark.parametrize("name", LAYERS)
def test_transforms_of_log_prob(name, device):
    """vmap of a density, and its score by jacrev, which is what autograd says."""
    flow, x = flow_of(name, device), events(6, 3, device=device).requires_grad_()
    assert_close(torch.func.vmap(flow.log_prob)(x), flow.log_prob(x), **CLOSE)
    (score,) = torch.autograd.grad(flow.log_prob(x).sum(), x)
    assert_close(torch.func.vmap(torch.func.jacrev(flow.log_prob))(x.detach()), score, **CLOSE)


@pytest.mark.parametrize("name", LAYERS)
def test_a_flow_travels(name, device):
    """Built on meta, filled from a file, copied with its gradients, converted: the same samples and densities."""
    flow = flow_of(name, device)
    flow.log_prob(events(6, 3, device=device)).sum().backward()
    with torch.device("meta"):
        bare = Flow(StandardNormal(3), LAYERS[name](3)).double()
    for other in (copy.deepcopy(flow), loaded(bare.to_empty(device=device), flow.state_dict())):
        samples = [f.sample(5, generator=torch.Generator(device).manual_seed(0)) for f in (flow, other)]
        assert_close(*samples, **CLOSE)
        assert_close(other.log_prob(samples[0]), flow.log_prob(samples[0]), **CLOSE)
    assert flow.float().sample(2).dtype == torch.float32


@pytest.mark.parametrize("name", LAYERS)
def test_samples_with_a_graph(name, device):
    """`rsample` draws what `sample` draws, and has the gradients of g, by finite differences."""
    flow, noise = flow_of(name, device), events(5, 3, device=device)
    x = flow.rsample(5, generator=torch.Generator(device).manual_seed(7))
    assert_close(x, flow.sample(5, generator=torch.Generator(device).manual_seed(7)), **CLOSE)
    parameters = [p for p in flow.parameters() if p.numel()]
    gradients = torch.autograd.grad((x * noise).sum(), parameters)
    h, direction = 1e-6, [torch.randn_like(p) for p in parameters]

    def shifted(step: float) -> Tensor:
        with torch.no_grad():
            for p, d in zip(parameters, direction, strict=True):
                p.add_(step * d)
        return (flow.sample(5, generator=torch.Generator(device).manual_seed(7)) * noise).sum()

    slope = (shifted(h) - shifted(-2 * h)) / (2 * h)
    expected = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
    assert_close(slope, expected, rtol=1e-5, atol=1e-6)


def test_a_generator_leaves_the_global_state_alone(device):
    flow, state = flow_of("MAF", device), torch.random.get_rng_state()
    flow.sample(4, generator=torch.Generator(device).manual_seed(0))
    assert torch.equal(state, torch.random.get_rng_state())
    assert flow.sample(0).shape == (0, 3)


def test_a_base_that_is_trained(device):
    """d/dmu of samples mu + noise of a base of torch.distributions, through a flow that is the identity."""
    mu = torch.zeros(3, dtype=torch.float64, device=device, requires_grad=True)
    flow = Flow(MultivariateNormal(mu, torch.eye(3).to(mu)), make("Flip", 3))
    (gradient,) = torch.autograd.grad(flow.rsample(5)[:, 0].sum(), mu)
    assert gradient.tolist() == [0, 0, 5]


@pytest.mark.cuda
@pytest.mark.parametrize("name", LAYERS)
def test_densities_and_samples_never_wait_for_the_gpu(name):
    flow, x = flow_of(name, torch.device("cuda")), events(6, 3, device="cuda")
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        flow.log_prob(x)
        flow.rsample(5)
        flow.sample(5)
    finally:
        torch.cuda.set_sync_debug_mode("default")
