"""`flow_log_prob`: log p(x) of a stack of layers over N(0, I)."""

import math

import torch

from ...engine import (
    Exercise,
    Mistake,
    gradient,
    interface_laws,
    normal,
    regular,
    shapes,
    single,
    stable,
    uniform,
    value,
)
from ...run.fixtures import argument
from ...run.fixtures.densities import normal_log_prob
from ._maps import CUT_BASE


def bent_layers(rng, n, m, count):
    weights = torch.stack([regular(rng, m) for _ in range(count)])
    return {"x": normal(rng, n, m), "W": weights, "a": uniform(rng, 0.5, 2.0, count)}


def cases(rng):
    value_case = bent_layers(rng, 6, 3, 3)
    far = bent_layers(rng, 3, 100, 2)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one row": bent_layers(rng, 1, 4, 2),
        "one feature": bent_layers(rng, 5, 1, 1),
        "no layers": {"x": normal(rng, 4, 3)},
        "extreme": far | {"W": 1e-4 * far["W"]},
    }


def probe(answer, given, record):
    """The list of layers may not change, nor what a layer returned: it might have been the layer's own."""
    layers = argument("layers()", given)
    before = list(layers)
    record.returned(answer(layers, given["x"]), "log_prob")
    if len(layers) != len(before) or any(a is not b for a, b in zip(layers, before, strict=True)):
        record.text("changed", "layers")
    if any(layer.changed() for layer in before):
        record.text("changed", "what a layer returned")


def reference_flow(layers, x):
    log_det = x.new_zeros(len(x))
    for layer in layers:
        x, layer_log_det = layer.forward(x)
        log_det = log_det + layer_log_det
    return normal_log_prob(x) + log_det


def steps(layers, x):
    """Every z_k with its log_det."""
    pairs = []
    for layer in layers:
        x, log_det = layer.forward(x)
        pairs.append((x, log_det))
    return pairs


def flow_mistake(combine):
    """A wrong flow out of (x, last z, the list of log_dets)."""

    def answer(layers, x):
        pairs = steps(layers, x)
        return combine(x, pairs[-1][0] if pairs else x, [log_det for _, log_det in pairs] or [x.new_zeros(len(x))])

    return answer


def parallel_log_dets(layers, x):
    """Every layer's log_det taken at x."""
    z = steps(layers, x)[-1][0] if layers else x
    return normal_log_prob(z) + sum(layer.forward(x)[1] for layer in layers)


def side_by_side(layers, x):
    """Every layer at x, the last one's z."""
    z = layers[-1].forward(x)[0] if layers else x
    return normal_log_prob(z) + sum(layer.forward(x)[1] for layer in layers)


def reversed_layers(layers, x):
    return reference_flow(list(layers)[::-1], x)


def base_everywhere(layers, x):
    return sum((normal_log_prob(z) + log_det for z, log_det in steps(layers, x)), 0 if layers else normal_log_prob(x))


HALF_LOG_TAU = math.log(2 * math.pi) / 2


def detached_between(layers, x):
    log_det = x.new_zeros(len(x))
    for layer in layers:
        x, layer_log_det = layer.forward(x)
        x, log_det = x.detach(), log_det + layer_log_det
    return normal_log_prob(x) + log_det


def log_dets_at_outputs(layers, x):
    log_det = x.new_zeros(len(x))
    for layer in layers:
        x = layer.forward(x)[0]
        log_det = log_det + layer.forward(x)[1]
    return normal_log_prob(x) + log_det


MISTAKES = (
    Mistake(
        "Every layer's log_det is taken at the layer's output; it belongs to the layer's input.", log_dets_at_outputs
    ),
    Mistake(
        "The base is fitted to z, with its own mean and deviation; it is N(0, I).",
        flow_mistake(lambda x, z, dets: normal_log_prob((z - z.mean(0)) / z.std(0)) - z.std(0).log().sum() + sum(dets)),
    ),
    Mistake(
        "The base density is added at every layer; it belongs to the last z alone.",
        lambda layers, x: base_everywhere(layers, x) + (normal_log_prob(steps(layers, x)[-1][0]) if layers else 0),
    ),
    Mistake(
        "z is cut off the graph between the layers: no detach, so that every layer hears of the later ones.",
        detached_between,
    ),
    Mistake(
        "The base density is added at every layer; it belongs to the last z alone.",
        lambda layers, x: base_everywhere(layers, x) + (normal_log_prob(x) if layers else 0),
    ),
    Mistake(
        "The log_dets are subtracted; from x to z they are added.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) - sum(dets)),
    ),
    Mistake(
        "The base density is taken at x; it belongs at the last z.",
        flow_mistake(lambda x, z, dets: normal_log_prob(x) + sum(dets)),
    ),
    Mistake("The log_dets are missing.", flow_mistake(lambda x, z, dets: normal_log_prob(z))),
    Mistake(
        "The log_dets are cut off the graph: no detach, no no_grad, no .item().",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) + sum(det.detach() for det in dets)),
    ),
    Mistake(CUT_BASE, flow_mistake(lambda x, z, dets: normal_log_prob(z.detach()) + sum(dets))),
    Mistake("This is -log p(x).", flow_mistake(lambda x, z, dets: -normal_log_prob(z) - sum(dets))),
    Mistake(
        "The log_dets are averaged over the layers; they add.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) + sum(dets) / len(dets)),
    ),
    Mistake(
        "The layers run side by side, all from x; the output of a layer is the input of the next.",
        side_by_side,
    ),
    Mistake(
        "Only the last layer's log_det is there: sum over all.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) + dets[-1]),
    ),
    Mistake(
        "Only the first layer's log_det is there: sum over all.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) + dets[0]),
    ),
    Mistake(
        "Every layer's log_det is taken at x; layer k takes it at the output of layer k - 1.",
        parallel_log_dets,
    ),
    Mistake("The layers run in the reversed order: the first of the list comes first.", reversed_layers),
    Mistake(
        "The constant -m/2 log 2π of the base density is missing.",
        flow_mistake(lambda x, z, dets: -0.5 * z.square().sum(-1) + sum(dets)),
    ),
    Mistake(
        "The base density is averaged over the features; independent features add.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) / x.shape[1] + sum(dets)),
    ),
    Mistake(
        "Rows are mixed: the log_dets are summed or averaged over the rows.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) + sum(det.mean() for det in dets)),
    ),
    Mistake(
        "The base densities of all rows are summed or averaged; each row has its own.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z).mean() + sum(dets)),
    ),
    Mistake(
        "Rows are mixed: the log_dets are summed or averaged over the rows.",
        flow_mistake(lambda x, z, dets: normal_log_prob(z) + sum(det.sum() for det in dets)),
    ),
    Mistake(
        "The constant -1/2 log 2π is there once; each of the m features has one.",
        flow_mistake(lambda x, z, dets: -0.5 * z.square().sum(-1) - HALF_LOG_TAU + sum(dets)),
    ),
    Mistake(
        "z² lacks its 1/2: log N(z; 0, 1) = -z²/2 - 1/2 log 2π.",
        flow_mistake(lambda x, z, dets: -z.square().sum(-1) - z.shape[1] * HALF_LOG_TAU + sum(dets)),
    ),
    Mistake(
        "The constant lacks its 1/2: log N(z; 0, 1) = -z²/2 - 1/2 log 2π.",
        flow_mistake(lambda x, z, dets: -0.5 * z.square().sum(-1) - 2 * z.shape[1] * HALF_LOG_TAU + sum(dets)),
    ),
    Mistake("The base density is added at every layer; it belongs to the last z alone.", base_everywhere),
    Mistake("The last layer is left out.", lambda layers, x: reference_flow(layers[:-1], x)),
    Mistake("The first layer is left out.", lambda layers, x: reference_flow(layers[1:], x)),
    Mistake("This is p(x), not log p(x).", lambda layers, x: torch.exp(reference_flow(layers, x))),
    Mistake(
        "The log_dets are added to every column before the sum, m times; they are added once.",
        lambda layers, x: through(layers, x)[1] * x.shape[1] + normal_log_prob(through(layers, x)[0]),
    ),
)


def through(layers, x):
    """The last z, and the sum of all log_dets."""
    total = x.new_zeros(len(x))
    for layer in layers:
        x, log_det = layer.forward(x)
        total = total + log_det
    return x, total


EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Log-Likelihood (Recap of Previous Lecture)",
    call="layers(), x",
    returns="log_prob",
    probe=probe,
    cases=cases,
    reference=reference_flow,
    laws=(
        value("value", "log p(x) = log N(z_K; 0, I) + the sum of all layers' log_det."),
        shapes(0.25, ["no layers"], "Without layers it is log N(x; 0, I) itself.", name="no layers"),
        gradient(0.5),
        stable(0.375, ["extreme"], "The product of determinants leaves the range of floats: add their logarithms."),
        shapes(0.25, ["one row", "one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("The square of z", lambda layers, x: -through(layers, x)[0].square().sum(-1) / 2),
        Mistake(
            "The constant -m/2 log 2π", lambda layers, x: x.new_full((len(x),), -x.shape[1] / 2 * math.log(2 * math.pi))
        ),
        Mistake("The sum of the log_dets", lambda layers, x: through(layers, x)[1]),
    ),
)
