"""Flows beside zuko, nflows, normflows, and the same mathematics as straight lines of torch."""

from collections.abc import Iterator
from itertools import pairwise

import nflows.distributions
import nflows.flows
import nflows.transforms
import normflows
import torch
import zuko
from torch import Tensor, nn

from benchmarks.timing import Growth, Row, Work
from benchmarks.training import log_prob_of, training_step
from dgmlib.flows import MAF, Flow, LULinear, MaskedAutoregressive, RealNVP, StandardNormal, autoregressive_inverse

WIDTH, LAYERS = 128, 8


def rows() -> Iterator[Row]:
    yield from coupling(64, 4096, (1.3, 1.3, 1.2))
    yield from coupling(2, 4096, (1.1, None, None))
    for m in (64, 2):
        yield from coupling(m, 64, (2.0, None, None))
    for batch in (1024, 4096):
        yield autoregressive_sampling(32, batch)
    yield many_samples(32, 65536, 4096)
    for batch in (64, 512, 4096):
        yield from lu(512, batch)


def growth() -> Iterator[Growth]:
    """How log_prob, sampling and the linear inverse grow with the batch n and the columns m."""

    def log_prob(n: int, m: int = 64) -> Work:
        flow, x = Flow(StandardNormal(m), RealNVP(m, LAYERS)), torch.randn(n, m)
        return no_graph(lambda: flow.log_prob(x))

    def sample(n: int, m: int = 32) -> Work:
        flow = Flow(StandardNormal(m), MAF(m, 5))
        return lambda: flow.sample(n)

    def inverse(m: int) -> Work:
        layer, z = LULinear(torch.linalg.qr(torch.randn(m, m)).Q), torch.randn(512, m)
        return no_graph(lambda: layer.inverse(z))

    batches, columns = [64, 256, 1024, 4096], [8, 16, 32, 64, 128]
    yield Growth("RealNVP log_prob, m=64", "n", batches, log_prob)
    yield Growth("MAF sample, m=32", "n", batches, sample)
    yield Growth("RealNVP log_prob, n=1024", "m", columns, lambda m: log_prob(1024, m))
    yield Growth("MAF sample, n=1024", "m", columns, lambda m: sample(1024, m))
    yield Growth("LU inverse, n=512", "m", [*columns, 256, 512], inverse)


def coupling(m: int, batch: int, promised: tuple[float | None, ...]) -> Iterator[Row]:
    x = torch.randn(batch, m)
    ours = Flow(StandardNormal(m), RealNVP(m, LAYERS, (WIDTH, WIDTH)))
    theirs = {
        "zuko": zuko.flows.RealNVP(m, transforms=LAYERS, hidden_features=(WIDTH, WIDTH)),
        "nflows": nflows_coupling(m),
        "normflows": normflows_coupling(m),
    }
    log_prob = {name: log_prob_of(name, flow, x) for name, flow in theirs.items()}
    sample = {
        "zuko": lambda: theirs["zuko"]().sample((batch,)),
        "nflows": lambda: theirs["nflows"].sample(batch),
        "normflows": lambda: theirs["normflows"].sample(batch),
    }
    train = {name: training_step(theirs[name], call) for name, call in log_prob.items()}
    plain = lambda: plain_coupling_log_prob(ours, x)  # noqa: E731
    work = f"coupling flow, 8 layers, 128x2, D={m}, batch {batch}: "
    peers = without_graph({**log_prob, "plain torch": plain})
    yield Row(work + "log_prob", no_graph(lambda: ours.log_prob(x)), peers, against="zuko", at_least=promised[0])
    yield Row(work + "sample", lambda: ours.sample(batch), without_graph(sample), "zuko", promised[1])
    steps = {**train, "plain torch": training_step(ours, plain)}
    yield Row(work + "train step (Adam)", training_step(ours, lambda: ours.log_prob(x)), steps, "zuko", promised[2])


def autoregressive_sampling(m: int, batch: int) -> Row:
    ours = Flow(StandardNormal(m), MAF(m, 5, (WIDTH, WIDTH)))
    zukos = zuko.flows.MAF(m, transforms=5, hidden_features=(WIDTH, WIDTH))
    nflowss = nflows.flows.Flow(
        nflows.transforms.CompositeTransform([nflows_autoregressive(m) for _ in range(5)]),
        nflows.distributions.StandardNormal([m]),
    )

    def plain() -> Tensor:
        x = ours.base.sample((batch,))
        for f in reversed(ours.bijection.bijections):
            masked = isinstance(f, MaskedAutoregressive)
            x = (autoregressive_inverse(x, f.conditioner) if masked else f.inverse(x))[0]
        return x

    peers = {"zuko": lambda: zukos().sample((batch,)), "nflows": lambda: nflowss.sample(batch), "plain torch": plain}
    work = f"masked autoregressive, 5 layers, 128x2, D={m}, batch {batch}: sample"
    return Row(work, lambda: ours.sample(batch), without_graph(peers), "zuko", 20.0 if batch == 4096 else None)


def many_samples(m: int, rows: int, few: int) -> Row:
    """A row costs as much among many rows as among few: what is at work stays in the cache. 5 % are the clock's."""
    flow = Flow(StandardNormal(m), MAF(m, 5, (WIDTH, WIDTH)))
    peer = f"{few} rows, {rows // few} times"
    work = f"masked autoregressive, 5 layers, 128x2, D={m}, batch {rows}: sample"
    return Row(
        work, lambda: flow.sample(rows), {peer: lambda: [flow.sample(few) for _ in range(rows // few)]}, peer, 0.95
    )


def lu(m: int, batch: int) -> Iterator[Row]:
    x, W = torch.randn(batch, m), torch.linalg.qr(torch.randn(m, m)).Q
    ours, base = LULinear(W), StandardNormal(m)
    flow = Flow(base, ours)
    theirs = nflows.transforms.LULinear(m)
    their_flow = nflows.flows.Flow(theirs, nflows.distributions.StandardNormal([m]))
    permuted = normflows.flows.LULinearPermute(m)
    P, L, U = torch.linalg.lu(W)
    log_det = U.diagonal().abs().log().sum()

    def plain_inverse() -> Tensor:
        y = torch.linalg.solve_triangular(L.mT, x @ P, upper=True, left=False, unitriangular=True)
        return torch.linalg.solve_triangular(U.mT, y, upper=False, left=False)

    work = f"LU flow, D={m}, batch {batch}: "
    peers = {
        "nflows": lambda: theirs.inverse(x),
        "normflows": lambda: permuted.forward(x),
        "plain torch": plain_inverse,
    }
    # Beyond some batch both sides are the same two triangular solves of the BLAS, and nothing else.
    least = 1.3 if batch <= m else None
    yield Row(work + "inverse", no_graph(lambda: ours.inverse(x)), without_graph(peers), "nflows", least)
    peers = {
        "nflows": lambda: their_flow.log_prob(x),
        "normflows": lambda: log_normal(*permuted.inverse(x)),
        "plain torch": lambda: log_normal(x @ W.mT, log_det),
    }
    yield Row(
        work + "log_prob",
        no_graph(lambda: flow.log_prob(x)),
        without_graph(peers),
        "nflows",
        1.5 if batch > m else None,
    )


def log_normal(z: Tensor, log_det: Tensor) -> Tensor:
    return log_det - 0.5 * (z.square().sum(-1) + z.shape[-1] * 1.8378770664093453)


def plain_coupling_log_prob(flow: Flow, x: Tensor) -> Tensor:
    """The floor: the same networks and formula, nothing checked, nothing called twice."""
    x1, x2 = x.chunk(2, -1)
    log_det = 0
    for layer in flow.bijection.layers:
        h = x1
        for linear in layer.conditioner.hidden_layers:
            h = nn.functional.linear(h, linear.weight, linear.bias).relu_()
        last = layer.conditioner.last
        mu, log_sigma = nn.functional.linear(h, last.weight, last.bias).chunk(2, -1)
        x1, x2 = (x2 - mu) / log_sigma.exp(), x1
        log_det = log_det - log_sigma.sum(-1)
    return log_normal(torch.cat([x1, x2], -1), log_det)


class Network(nn.Sequential):
    """The peers' network, of the width and depth of ours; nflows also hands it a context."""

    def __init__(self, features: int, outputs: int):
        sizes = (features, WIDTH, WIDTH)
        hidden = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
        super().__init__(*hidden, nn.Linear(WIDTH, outputs))
        nn.init.zeros_(self[-1].weight)

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        return super().forward(x)


def nflows_coupling(m: int) -> nn.Module:
    masks = [(torch.arange(m) + k) % 2 for k in range(LAYERS)]
    layers = [nflows.transforms.AffineCouplingTransform(mask, Network) for mask in masks]
    return nflows.flows.Flow(nflows.transforms.CompositeTransform(layers), nflows.distributions.StandardNormal([m]))


def normflows_coupling(m: int) -> nn.Module:
    layers = []
    for _ in range(LAYERS):
        layers += [normflows.flows.AffineCouplingBlock(Network(m // 2, m)), normflows.flows.Permute(m, mode="swap")]
    return normflows.NormalizingFlow(normflows.distributions.DiagGaussian(m, trainable=False), layers)


def nflows_autoregressive(m: int) -> nn.Module:
    return nflows.transforms.MaskedAffineAutoregressiveTransform(m, WIDTH, num_blocks=1, use_residual_blocks=False)


def no_graph(call: Work) -> Work:
    return torch.no_grad()(call)


def without_graph(calls: dict[str, Work]) -> dict[str, Work]:
    return {name: no_graph(call) for name, call in calls.items()}
