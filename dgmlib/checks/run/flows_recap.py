"""The run parts of 00_flows_recap."""

import torch
from torch import Tensor, nn

from . import probe
from .fixtures import (
    AutoregressiveConditioner,
    BentLinear,
    CouplingConditioner,
    CouplingModule,
    LinearMap,
    RowMap,
    ScaledLogistic,
)
from .watch import DETERMINANTS, FACTORISATIONS, Calls


@probe("batch_jacobian", grad=("x", "A", "B", "c"))
def batch_jacobian(answer, given, record):
    f = LinearMap(given["W"]) if "W" in given else RowMap(given["A"], given["B"], given["c"])
    record.returned(answer(f, given["x"]), "jacobian")


@probe("change_of_variables_log_prob", grad=("x", "A", "B", "c", "location", "log_scale"))
def change_of_variables_log_prob(answer, given, record):
    f = LinearMap(given["W"]) if "W" in given else RowMap(given["A"], given["B"], given["c"])
    base = ScaledLogistic(given["location"], given["log_scale"])
    record.returned(answer(f, given["x"], base.log_prob), "log_prob")


@probe("LULinear")
def lu_linear(answer, given, record):
    linear_layer(answer, given, record, FACTORISATIONS)


@probe("QRLinear")
def qr_linear(answer, given, record):
    linear_layer(answer, given, record, DETERMINANTS)


def linear_layer(answer, given, record, forbidden: set[str]):
    """Everything that a linear flow is judged by; a part that fails leaves the other parts standing."""
    weight, x, z = given["weight"], given["x"], given["z"]
    layer = answer(weight)
    with record.part("forward"):
        record.returned(layer.forward(x), "z", "log_det")
    with record.part("inverse"):
        record.returned(layer.inverse(z), "x", "inverse_log_det")
    with record.part("cost"):
        with Calls() as calls:
            layer.forward(x)
            layer.inverse(z)
        record.text("costly.seen", "yes")
        record.text("costly.found", ", ".join(calls.among(forbidden)))
    if "other" in given:
        trained_layer(answer, layer, given, record)


def trained_layer(answer, layer: nn.Module, given, record):
    """Degrees of freedom, state_dict, gradient to the weight, and the layer after an optimiser step."""
    weight, x = given["weight"], given["x"]
    with record.part("parameters"):
        record["freedom"] = jacobian_of(layer, weight_of(layer, weight))
    with record.part("state_dict"):
        copy = answer(given["other"])
        copy.load_state_dict(layer.state_dict())
        record.returned(copy.forward(x), "loaded_z", "loaded_log_det")
        record.returned(copy.inverse(given["z"]), "loaded_x", "loaded_inverse_log_det")
    for direction, given_name in (("forward", "x"), ("inverse", "z")):
        with record.part(direction + " gradient"):
            record.update(reach(layer, direction, given_name, given[given_name]))
    with record.part("inverse gradient"):
        identity = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
        record["inverse_freedom"] = jacobian_of(layer, layer.inverse(identity)[0])
    with record.part("weight gradient"):
        own = weight.clone().requires_grad_()
        value, log_det = answer(own).forward(x)
        record["weight_gradient"] = derivatives((value * z_weights(value)).sum() + log_det.sum(), [own])
    with record.part("optimiser step"):
        optimiser = torch.optim.SGD(layer.parameters(), lr=0.05)
        value, log_det = layer.forward(x)
        optimiser.zero_grad()
        ((value * z_weights(value)).mean() - log_det.mean()).backward()
        optimiser.step()
        record["stepped_weight"] = weight_of(layer, weight)
        record.returned(layer.forward(x), "stepped_z", "stepped_log_det")
        record.returned(layer.inverse(given["z"]), "stepped_x", "stepped_inverse_log_det")


def z_weights(value: Tensor) -> Tensor:
    return torch.cos(torch.arange(value.numel(), dtype=value.dtype, device=value.device)).reshape(value.shape)


def weight_of(layer: nn.Module, like: Tensor) -> Tensor:
    """The W of z = W x, read off forward(I)."""
    identity = torch.eye(len(like), dtype=like.dtype, device=like.device)
    return layer.forward(identity)[0].T


def trained(layer: nn.Module) -> list[Tensor]:
    return [p for p in layer.parameters() if p.requires_grad]


def derivatives(number: Tensor, leaves: list[Tensor]) -> Tensor:
    """d number / d leaves in one row; zeros for a leaf that it does not depend on."""
    found = [None] * len(leaves)
    if leaves and number.requires_grad:
        found = torch.autograd.grad(number, leaves, retain_graph=True, allow_unused=True)
    filled = [torch.zeros_like(p) if g is None else g for p, g in zip(leaves, found, strict=True)]
    return torch.cat([g.reshape(-1) for g in filled]) if filled else number.new_zeros(0)


def jacobian_of(layer: nn.Module, matrix: Tensor) -> Tensor:
    """d matrix / d parameters, (m², number of parameters); a parameter without a gradient gives columns of zeros."""
    return torch.stack([derivatives(entry, trained(layer)) for entry in matrix.reshape(-1)])


def reach(layer: nn.Module, direction: str, name: str, given: Tensor) -> dict[str, Tensor]:
    """What the gradient of one direction reaches: its input, and the parameters through either output."""
    leaf = given.clone().requires_grad_()
    value, log_det = getattr(layer, direction)(leaf)
    weighted, total = (value * z_weights(value)).sum(), log_det.sum()
    return {
        f"grad_{name}": derivatives(weighted + total, [leaf]).reshape(given.shape),
        f"{direction}_value_reach": derivatives(weighted, trained(layer)),
        f"{direction}_log_det_reach": derivatives(total, trained(layer)),
    }


@probe("autoregressive_forward", grad=("x", "A", "B", "shift"))
def autoregressive_forward(answer, given, record):
    x = given["x"]
    conditioner = AutoregressiveConditioner(x.shape, given["A"], given["B"], given["shift"])
    record.returned(answer(x, conditioner), "z", "log_det")
    record["calls"] = torch.tensor(conditioner.calls)


@probe("autoregressive_inverse", grad=("z", "A", "B", "shift"))
def autoregressive_inverse(answer, given, record):
    z = given["z"]
    conditioner = AutoregressiveConditioner(z.shape, given["A"], given["B"], given["shift"])
    record.returned(answer(z, conditioner), "x", "log_det")
    record["calls"] = torch.tensor(conditioner.calls)


@probe("AffineCoupling", grad=("x", "z", "A", "B", "shift"))
def affine_coupling(answer, given, record):
    x, z = given["x"], given["z"]
    split = x.shape[1] - len(given["A"])
    layer = answer(CouplingConditioner(given["A"], given["B"], given["shift"]), split)
    with record.part("forward"):
        record.returned(layer.forward(x), "z", "log_det")
    with record.part("inverse"):
        record.returned(layer.inverse(z), "x", "inverse_log_det")
    with record.part("submodule"):
        conditioner = CouplingModule(given["A"], given["B"], given["shift"])
        layer = answer(conditioner, split)
        layer.forward(x)
        if not isinstance(layer, nn.Module):
            record.text("submodule.found", "in no nn.Module: make the layer one")
        elif not any(module is conditioner for module in layer.modules()):
            record.text("submodule.found", "not among layer.modules()")
        record.text("submodule.seen", "yes")


@probe("flow_log_prob", grad=("x", "W", "a"))
def flow_log_prob(answer, given, record):
    layers = [BentLinear(W, a) for W, a in zip(given["W"], given["a"], strict=True)] if "W" in given else []
    before = list(layers)
    record.returned(answer(layers, given["x"]), "log_prob")
    if len(layers) != len(before) or any(a is not b for a, b in zip(layers, before, strict=True)):
        record.text("changed", "layers")
    if any(layer.changed() for layer in before):
        record.text("changed", "what a layer returned")
