"""Answers against those who were not written here: torch.distributions, zuko, and the lecture's own identities."""

import pytest
import torch
import zuko
from torch import Tensor, nn
from torch.distributions import AffineTransform, MultivariateNormal, Normal
from torch.testing import assert_close

from dgmlib import flows
from dgmlib.flows import (
    MAF,
    AffineCoupling,
    Autoregressive,
    Flow,
    LULinear,
    MaskedAutoregressive,
    RealNVP,
    StandardNormal,
    autoregressive_inverse,
    batch_jacobian,
    change_of_variables_log_prob,
)
from dgmlib.flows._sweep import ROWS
from dgmlib.nn import MADE, MaskedLinear
from tests.flows.table import HIDDEN, TABLE, Coupled, events, make, weight

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.mark.parametrize("linear_name", ["LULinear", "QRLinear"])
def test_linear_flow_starts_at_its_weight(linear_name, device):
    W = weight(6).to(device)
    f, x = getattr(flows, linear_name)(W), events(7, 6, device=device)
    z, log_det = f.forward(x)
    assert_close(z, x @ W.mT, **CLOSE)
    assert_close(log_det, torch.linalg.slogdet(W).logabsdet.expand(7), **CLOSE)
    assert_close(f.inverse(x)[0], torch.linalg.solve(W, x.mT).mT, **CLOSE)


@pytest.mark.parametrize("linear_name", ["LULinear", "QRLinear"])
def test_linear_flow_of_a_normal_is_a_normal(linear_name, device):
    """z = W x ~ N(0, I) makes x ~ N(0, (Wᵀ W)⁻¹)."""
    W = weight(4).to(device)
    flow = Flow(StandardNormal(4).to(device), getattr(flows, linear_name)(W))
    expected = MultivariateNormal(W.new_zeros(4), precision_matrix=W.mT @ W)
    x = events(9, 4, device=device)
    assert_close(flow.log_prob(x), expected.log_prob(x), **CLOSE)


def test_qr_stays_orthogonal_while_it_learns(device):
    Q, _ = make("QRLinear", 5, device=device).factors()
    assert_close(Q @ Q.mT, torch.eye(5, dtype=Q.dtype, device=device), **CLOSE)


def test_standard_normal_is_torchs(device):
    z = events(2, 3, 4, device=device)
    expected = MultivariateNormal(z.new_zeros(4), torch.eye(4, dtype=z.dtype, device=device))
    assert_close(StandardNormal(4).to(z).log_prob(z), expected.log_prob(z), **CLOSE)


def test_log_prob_is_the_product_of_conditionals(device):
    """log p(x) = Σ_j log N(x_j; μ_j(x_{1:j-1}), σ_j²(x_{1:j-1})), which is what the flow stands for."""
    f, x = make("MaskedAutoregressive", 5, device=device), events(9, 5, device=device)
    mu, log_sigma = f.conditioner(x)
    expected = Normal(mu, log_sigma.exp()).log_prob(x).sum(-1)
    assert_close(Flow(StandardNormal(5).to(x), f).log_prob(x), expected, **CLOSE)


@pytest.mark.parametrize("name", ["LULinear", "QRLinear", "MAF", "RealNVP odd", "Compose"])
def test_change_of_variables_needs_no_log_det(name, device):
    f, x = make(name, 5, device=device), events(9, 5, device=device)
    base = StandardNormal(5).to(x)
    expected = change_of_variables_log_prob(lambda x: f.forward(x)[0], x, base.log_prob)
    assert_close(Flow(base, f).log_prob(x), expected, **CLOSE)


def test_change_of_variables_of_a_known_density(device):
    """f(x) = log x of a log-normal x."""
    x = events(9, 1, device=device).exp()
    got = change_of_variables_log_prob(torch.log, x, lambda z: Normal(0.0, 1.0).log_prob(z).sum(-1))
    one = torch.ones((), dtype=x.dtype, device=device)
    assert_close(got, torch.distributions.LogNormal(0 * one, one).log_prob(x).sum(-1), **CLOSE)


def test_batch_jacobian_is_autograds(device):
    """Entry by entry (not transposed), with free batch axes, and differentiable through f's parameters."""
    W = weight(3).to(device).requires_grad_()
    x = events(2, 4, 3, device=device).requires_grad_()
    J = batch_jacobian(lambda x: (x @ W.mT).sin(), x)
    for i, j in [(0, 0), (1, 3)]:
        assert_close(J[i, j], torch.autograd.functional.jacobian(lambda x: (W @ x).sin(), x[i, j]), **CLOSE)
    gradients = torch.autograd.grad(torch.linalg.slogdet(J).logabsdet.sum(), [W, x])
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    assert batch_jacobian(torch.sin, x[:0]).shape == (0, 4, 3, 3)


class CoupledAsAutoregressive(nn.Module):
    """μ_j = log σ_j = 0 for the columns that a coupling leaves alone."""

    def __init__(self, conditioner: nn.Module, split: int):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        still = torch.zeros_like(x[..., : self.split])
        return tuple(torch.cat([still, part], -1) for part in self.conditioner(x[..., : self.split]))


@pytest.mark.parametrize("split", [1, 2, 4])
def test_coupling_is_a_special_autoregressive_flow(split, device):
    conditioner, x = Coupled(split, 5 - split).double().to(device), events(9, 5, device=device)
    coupling = AffineCoupling(conditioner, split)
    masked = Autoregressive(CoupledAsAutoregressive(conditioner, split))
    for one, two in ((coupling.forward(x), masked.forward(x)), (coupling.inverse(x), masked.inverse(x))):
        assert_close(one[0], two[0], **CLOSE)
        assert_close(one[1], two[1], **CLOSE)


@pytest.mark.parametrize("num_layers", [1, 2, 3, 4])
@pytest.mark.parametrize("m", [2, 3, 6])
def test_realnvp_is_its_plain_stack(m, num_layers, device):
    f = RealNVP(m, num_layers, HIDDEN).double().to(device)
    for layer in f.layers:
        nn.init.normal_(layer.conditioner.last.weight, std=0.3)
    x, plain = events(9, m, device=device), f.as_compose().to(device)
    for one, two in ((f.forward(x), plain.forward(x)), (f.inverse(x), plain.inverse(x))):
        assert_close(one[0], two[0], **CLOSE)
        assert_close(one[1], two[1], **CLOSE)


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("Masked")])
@pytest.mark.parametrize("m", [1, 2, 5, 8])
def test_sweep_is_the_sequential_formula(name, m, device):
    """Sampling computes each hidden unit once; the formula calls the whole network m times."""
    f, z = make(name, m, device=device), events(2, 9, m, device=device)
    with torch.no_grad():
        x, log_det = f.inverse(z)
    expected_x, expected_log_det = autoregressive_inverse(z, f.conditioner)
    assert_close(x, expected_x, **CLOSE)
    assert_close(log_det, expected_log_det, **CLOSE)


@pytest.mark.parametrize("hidden", [(), (4,), (9, 7), (32, 16, 8)])
def test_made_sees_all_columns_before_and_none_after(hidden, device):
    made = MADE(5, hidden).double().to(device)
    for layer in made.modules():
        if isinstance(layer, MaskedLinear):
            nn.init.uniform_(layer.weight, 0.01, 0.1)  # positive: nothing cancels, no ReLU closes
            nn.init.ones_(layer.bias)
    x = events(3, 5, device=device).abs() / 1e3
    for k in range(2):
        J = batch_jacobian(lambda x, k=k: made(x)[k], x)
        assert torch.equal(J != 0, torch.ones_like(J).tril(-1).bool())


def zuko_layer(f: MaskedAutoregressive) -> zuko.transforms.AutoregressiveTransform:
    """zuko's transform with f's weights: its network is fed our masked weights, column by column."""
    made = f.conditioner
    weights = [(layer.weight * layer.mask, layer.bias) for layer in [*made.hidden_layers, made.last]]
    m = len(weights[-1][1]) // 2

    def meta(x: Tensor) -> zuko.transforms.DependentTransform:
        for W, b in weights[:-1]:
            x = torch.relu(x @ W.mT + b)
        shift, log_sigma = (x @ weights[-1][0].mT + weights[-1][1]).split(m, -1)  # shift is mu / sigma
        return zuko.transforms.DependentTransform(AffineTransform(-shift, (-log_sigma).exp()), 1)

    return zuko.transforms.AutoregressiveTransform(meta, passes=m)


def test_maf_is_zukos_with_copied_weights(device):
    flow = MAF(6, 3, HIDDEN).double().to(device)
    for p in flow.parameters():
        nn.init.normal_(p, std=0.3)
    layers = [f for f in flow.bijections if isinstance(f, MaskedAutoregressive)]
    flip = zuko.transforms.PermutationTransform(torch.arange(5, -1, -1, device=device))
    transforms = [zuko_layer(layers[0]), flip, zuko_layer(layers[1]), flip, zuko_layer(layers[2])]
    theirs = zuko.transforms.ComposedTransform(*transforms)
    x = events(9, 6, device=device)
    z, log_det = flow.forward(x)
    their_z, their_log_det = theirs.call_and_ladj(x)
    assert_close(z, their_z, **CLOSE)
    assert_close(log_det, their_log_det, **CLOSE)
    assert_close(flow.inverse(z)[0], theirs.inv(z), **CLOSE)


def test_many_rows_are_swept_in_pieces(device):
    """More rows than are swept at a time, against the formula's m passes."""
    f, z = make("MaskedAutoregressive", 3, device=device), events(2 * ROWS + 5, 3, device=device)
    with torch.no_grad():
        assert_close(f.inverse(z), autoregressive_inverse(z, f.conditioner), **CLOSE)


def test_realnvp_is_zukos_with_copied_weights(device):
    flow = RealNVP(5, 4, HIDDEN).double().to(device)
    for p in flow.parameters():
        nn.init.normal_(p, std=0.3)
    low, high = torch.arange(5, device=device) < 2, torch.arange(5, device=device) >= 2

    def transform(layer, mask):
        def meta(x1):
            mu, log_sigma = layer.conditioner(x1)
            return zuko.transforms.DependentTransform(AffineTransform(-mu / log_sigma.exp(), (-log_sigma).exp()), 1)

        return zuko.transforms.CouplingTransform(meta, mask)

    masks = [low, high, low, high]
    theirs = zuko.transforms.ComposedTransform(*map(transform, flow.layers, masks))
    x = events(9, 5, device=device)
    z, log_det = flow.forward(x)
    their_z, their_log_det = theirs.call_and_ladj(x)
    assert_close(z, their_z, **CLOSE)
    assert_close(log_det, their_log_det, **CLOSE)
    assert_close(flow.inverse(z)[0], theirs.inv(z), **CLOSE)


def test_samples_have_the_flows_law(device):
    """x = g(z) of a linear flow: covariance (Wᵀ W)⁻¹, within five standard errors."""
    W = weight(3).to(device)
    x = Flow(StandardNormal(3).to(W), LULinear(W)).sample(200_000)
    assert x.shape == (200_000, 3)
    assert x.dtype == torch.float64
    assert not x.requires_grad
    expected = torch.linalg.inv(W.mT @ W)
    assert_close(x.mT.cov(), expected, rtol=0, atol=5 * (2 / 200_000) ** 0.5 * expected.max().item())


def test_any_torch_distribution_is_a_base(device):
    zero = torch.zeros(3, dtype=torch.float64, device=device)
    flow = Flow(torch.distributions.Independent(Normal(zero, zero + 1), 1), make("MAF", 3, device=device))
    ours = Flow(StandardNormal(3).to(zero), flow.bijection)
    x = events(9, 3, device=device)
    assert_close(flow.log_prob(x), ours.log_prob(x), **CLOSE)
    assert flow.sample(4).shape == (4, 3)


def test_training_recovers_a_normal(device):
    """Maximum likelihood over an LU flow finds the sample's own normal."""
    x = events(500, 3, device=device) @ weight(3).to(device)
    flow = Flow(StandardNormal(3).to(x), LULinear(torch.eye(3).to(x)))
    optimizer = torch.optim.LBFGS(flow.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = -flow.log_prob(x).mean()
        value.backward()
        return value

    optimizer.step(loss)
    best = MultivariateNormal(x.new_zeros(3), x.mT @ x / len(x)).log_prob(x).mean()
    assert_close(flow.log_prob(x).mean(), best, rtol=0, atol=1e-6)
