"""Everything that a linear flow is judged by: both directions, cost, trained factors, an optimiser step, `state_dict`."""

import torch
from torch import Tensor, nn

from .watch import Calls


def linear_layer(answer, given, record, forbidden: set[str]):
    """Everything that a linear flow is judged by; a part that fails leaves the other parts standing."""
    weight, x, z = given["weight"], given["x"], given["z"]
    layer = answer(weight)
    with record.section("forward"):
        record.returned(layer.forward(x), "z", "log_det")
    with record.section("inverse"):
        record.returned(layer.inverse(z), "x", "inverse_log_det")
    with record.section("cost"):
        with Calls() as calls:
            layer.forward(x)
            layer.inverse(z)
        record.text("costly.seen", "yes")
        record.text("costly.found", ", ".join(calls.among(forbidden)))
    if "other" in given:
        trained_layer(answer, layer, given, record)


def trained_layer(answer, layer, given, record):
    """Degrees of freedom, state_dict, gradient to the weight, and the layer after an optimiser step."""
    weight, x = given["weight"], given["x"]
    with record.section("parameters"):
        record["frozen"] = torch.tensor(sum(not p.requires_grad for p in layer.parameters()))
        record["freedom"] = jacobian_of(layer, weight_of(layer, weight))
    with record.section("state_dict"):
        copy = answer(given["other"])
        copy.load_state_dict(layer.state_dict())
        record.returned(copy.forward(x), "loaded_z", "loaded_log_det")
        record.returned(copy.inverse(given["z"]), "loaded_x", "loaded_inverse_log_det")
    for direction, given_name in (("forward", "x"), ("inverse", "z")):
        with record.section(direction + " gradient"):
            record.update(reach(layer, direction, given_name, given[given_name]))
    with record.section("inverse gradient"):
        identity = torch.eye(len(weight), dtype=weight.dtype, device=weight.device)
        record["inverse_freedom"] = jacobian_of(layer, layer.inverse(identity)[0])
    with record.section("weight gradient"):
        own = weight.clone().requires_grad_()
        value, log_det = answer(own).forward(x)
        record["weight_gradient"] = derivatives((value * z_weights(value)).sum() + log_det.sum(), [own])
    with record.section("optimiser step"):
        layer.eval()  # whatever a layer keeps for this mode, it keeps now
        layer.forward(x)
        layer.inverse(given["z"])
        layer.train()
        record["trains_permutation"] = torch.tensor(any(is_permutation(p) for p in layer.parameters()))
        value, log_det = layer.forward(x)
        layer.zero_grad()
        ((value * z_weights(value)).mean() - log_det.mean()).backward()
        descend(layer, 0.05)
        record["stepped_weight"] = weight_of(layer, weight)
        record.returned(layer.forward(x), "stepped_z", "stepped_log_det")
        record.returned(layer.inverse(given["z"]), "stepped_x", "stepped_inverse_log_det")
        layer.eval()
        record.returned(layer.forward(x), "evaluated_z", "evaluated_log_det")
        record.returned(layer.inverse(given["z"]), "evaluated_x", "evaluated_inverse_log_det")


@torch.no_grad()
def descend(layer: nn.Module, rate: float):
    """A step of stochastic gradient descent. torch's own would import its compiler for a second."""
    for p in layer.parameters():
        if p.grad is not None:
            p.add_(p.grad, alpha=-rate)


def is_permutation(p: Tensor) -> bool:
    """A matrix of zeros with a one in each row, off the diagonal somewhere."""
    square = p.ndim == 2 and p.shape[0] == p.shape[1]
    return square and bool(((p == 0) | (p == 1)).all() and (p.sum(1) == 1).all() and (p.diagonal() == 0).any())


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
