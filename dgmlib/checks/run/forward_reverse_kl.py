"""The run parts of 01_forward_reverse_kl."""

import torch

from . import probe
from .fixtures import ScaledLogistic
from .forward_reverse_kl_fixtures import ArcsinhFlow, HeavyBumps
from .record import kind

FLOW = ("W", "b", "location", "log_scale")
OBJECTIVES = ("forward_kl", "reverse_kl")
WORDS = ("f", "g", "base density", "base samples", "target density", "target samples")


def flow_of(given) -> ArcsinhFlow:
    return ArcsinhFlow(given["W"], given["b"], ScaledLogistic(given["location"], given["log_scale"]))


def target_of(given):
    return HeavyBumps(given["centres"], given["log_weights"]).log_prob


@probe("gaussian_kl", grad=("mean_p", "cov_p", "mean_q", "cov_q"))
def gaussian_kl(answer, given, record):
    # Of a symmetric matrix only the symmetric part of a gradient means anything: answers may differ in the other.
    arguments = [(a + a.mT) / 2 if a.ndim == 2 and a.requires_grad else a for a in given.values()]
    record.returned(answer(*arguments), "kl")


@probe("forward_kl_loss", grad=("x", *FLOW))
def forward_kl_loss(answer, given, record):
    record.returned(answer(flow_of(given), given["x"]), "loss")


@probe("reverse_kl_loss", grad=("z", *FLOW))
def reverse_kl_loss(answer, given, record):
    flow = flow_of(given)
    record.returned(answer(flow, given["z"], target_of(given)), "loss")
    record["forward_calls"] = torch.tensor(flow.forward_calls)


@probe("latent_log_prob", grad=("z", "W", "b"))
def latent_log_prob(answer, given, record):
    record.returned(answer(flow_of(given), given["z"], target_of(given)), "log_prob")


@probe("latent_reverse_kl", grad=("x", *FLOW))
def latent_reverse_kl(answer, given, record):
    record.returned(answer(flow_of(given), given["x"], target_of(given)), "loss")


@probe("objective_needs", device=False)
def objective_needs(answer, given, record):
    result = answer()
    if not isinstance(result, dict):
        raise TypeError(f"expected a dictionary with the keys 'forward_kl' and 'reverse_kl', got {kind(result)}")
    for name in OBJECTIVES:
        with record.part(name):
            record[name] = marked(name, result)


def marked(name: str, result: dict) -> torch.Tensor:
    """Which of `WORDS` the answer names, as truth values; an exception says what can't be read."""
    if name not in result:
        raise KeyError(f"the key '{name}' is missing; the dictionary has {sorted(map(str, result))}")
    words = result[name]
    if not isinstance(words, set | frozenset):
        raise TypeError(f"'{name}': expected a set of words such as {{'f', 'base density'}}, got {kind(words)}")
    if unknown := [word for word in words if word not in WORDS]:
        raise ValueError(f"'{name}': {sorted(map(repr, unknown))} is none of {', '.join(map(repr, WORDS))}")
    return torch.tensor([word in words for word in WORDS])
