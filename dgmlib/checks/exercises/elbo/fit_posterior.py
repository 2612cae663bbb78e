"""`fit_posterior`: judged by the ELBO of the q that it returns, not by how it gets there. What is likely wrong stands in
`_fit_mistakes`."""

import torch

from ...engine import (
    NUMBERS,
    CaseResults,
    Exercise,
    Failure,
    covariance,
    custom,
    keeps_device,
    keeps_inputs,
    normal,
    single,
    uniform,
    wrong_dtype,
)
from ...run.fixtures.densities import LogJoint
from ._fit_mistakes import MISTAKES, likely
from ._gaussian_fit import best_gaussian, elbo, laplace

NUM_STEPS, FEW_STEPS = 2000, 20
MOST_SHORT = 0.1  # nats; forgives the noise of every honest optimiser and no approximation
LAPLACE_SHORT = 0.3, 3.0
MOST_NOISE = 2.5


def fit(log_joint, q_mean, q_cov, num_steps):
    return best_gaussian(log_joint, q_mean, q_cov)


def start(rng, d=2):
    return {"q_mean": normal(rng, d, scale=0.5), "q_cov": covariance(rng, d, 0.4, 1.5)}


def gaussian(rng):
    """A correlated Gaussian posterior about 1.5 from the start; the best diagonal q is 0.5 nats or more short."""
    stds, correlation = uniform(rng, 0.5, 1.0, 2), float(rng.uniform(0.8, 0.9)) * float(rng.choice([-1, 1]))
    S = torch.tensor([[1.0, correlation], [correlation, 1.0]], dtype=torch.float64) * stds * stds[:, None]
    given = start(rng)
    location = given["q_mean"] + uniform(rng, 0.8, 1.4, 2) * torch.as_tensor(rng.choice([-1.0, 1.0], 2))
    return {**given, "location": location, "precision": torch.linalg.inv(S), "constant": normal(rng, shift=-3.0)}


def skewed(rng):
    """Three counts, most of them 0, with Poisson rates: drawn until the Laplace approximation is far from the best q and
    plain steps come to it from the start."""
    while True:
        given = start(rng) | poisson(rng)
        if noise(given) > MOST_NOISE:
            continue
        log_joint = LogJoint(*(given[name] for name in ("location", "precision", "constant", "A", "b", "counts")))
        mean, cov = best_gaussian(log_joint, given["q_mean"], given["q_cov"])
        best, widths = elbo(log_joint, mean, cov), torch.linalg.eigvalsh(cov)
        short = [float(best - elbo(log_joint, *q)) for q in (laplace(log_joint, mean), start_of(given))]
        within_reach = float((mean - given["q_mean"]).norm()) < 4 and widths[0] > 0.2 and widths[1] < 4
        if LAPLACE_SHORT[0] < short[0] < LAPLACE_SHORT[1] and short[1] < 30 and within_reach:
            return given


def noise(given):
    """The log of the root mean square rate at the start, at most: where it is large a single sample moves Adam's step
    size for a thousand steps, and an honest fit is late."""
    A, S = given["A"], given["q_cov"]
    return float((given["b"] + A @ given["q_mean"] + (A @ S * A).sum(dim=1)).max())


def start_of(given):
    return given["q_mean"], given["q_cov"]


def poisson(rng, d=2):
    variance = uniform(rng, 2.0, 3.0).square()
    return {
        "location": normal(rng, d, scale=0.0),
        "precision": torch.eye(d, dtype=torch.float64) / variance,
        "constant": normal(rng, shift=-3.0),
        "A": normal(rng, 3, d),
        "b": uniform(rng, 0.0, 1.0, 3),
        "counts": torch.tensor([0.0, float(rng.integers(2)), 0.0], dtype=torch.float64),
    }


def cases(rng):
    few = single(start(rng, 1) | poisson(rng, 1))
    return {
        "gaussian": gaussian(rng) | {"num_steps": torch.tensor(NUM_STEPS)},
        "skewed": skewed(rng) | {"num_steps": torch.tensor(NUM_STEPS)},
        "float32": few | {"num_steps": torch.tensor(FEW_STEPS)},
    }


def near_the_best(case: str, weight: float | None = None):
    """A law: in this case the ELBO of q is at most 0.1 nats below the best one."""

    def test(seen: CaseResults) -> Failure | str | None:
        came, want = seen.outputs.get(case, {}), seen.expected[case]
        if "q_mean" not in came or "q_cov" not in came:
            return seen.raised(case) or "q_mean and q_cov did not come back"
        if unusable := no_distribution(came["q_mean"], came["q_cov"], want):
            return Failure(unusable, mistake=likely(seen, case))
        log_joint = joint(seen, case)
        best, got = (elbo(log_joint, q["q_mean"], q["q_cov"]) for q in (want, came))
        if best - got <= MOST_SHORT:
            return None
        said = f"{got:.4g}" if got > -1e6 else "-inf"
        return Failure(f"the ELBO of your q is {said}, the best q's {best:.4g}.", mistake=likely(seen, case))

    return custom(f"{case} posterior", weight, test, requires="")


def joint(seen: CaseResults, case: str) -> LogJoint:
    names = ("location", "precision", "constant", "A", "b", "counts")
    return LogJoint(**{name: seen.inputs[case][name] for name in names if name in seen.inputs[case]})


def no_distribution(q_mean, q_cov, want) -> str | None:
    """What keeps N(q_mean, q_cov) from being one."""
    for name, got in {"q_mean": q_mean, "q_cov": q_cov}.items():
        if got.shape != want[name].shape:
            return f"{name}: expected shape {tuple(want[name].shape)}, got {tuple(got.shape)}."
        if got.dtype not in NUMBERS or not bool(got.double().isfinite().all()):
            return f"{name}: expected finite numbers."
    S = q_cov.double()
    if float((S - S.T).abs().max()) > 1e-5 * float(S.abs().max()):
        return f"q_cov is no covariance: it is not symmetric, {float(S[0, 1]):.4g} against {float(S[1, 0]):.4g}."
    smallest = float(torch.linalg.eigvalsh(S)[0])
    if smallest <= 1e-12:
        return f"q_cov is no covariance: its smallest eigenvalue is {smallest:.3g}, and must be above 0."
    return None


def same_dtype(seen: CaseResults) -> Failure | str | None:
    """Of the fits, and of a few steps in float32 with one latent variable where these ran through."""
    cases = ["gaussian"] + ["float32"] * ("q_mean" in seen.outputs.get("float32", {}))
    found = [wrong_dtype(seen, case, name) for case in cases for name in ("q_mean", "q_cov")]
    return next((message for message in found if message), None) or one_latent(seen)


def one_latent(seen: CaseResults) -> Failure | str | None:
    """The shapes where d = 1."""
    came, want = seen.outputs.get("float32", {}), seen.expected["float32"]
    if "q_mean" not in came:
        return seen.raised("float32")
    wrong = [name for name in ("q_mean", "q_cov") if came[name].shape != want[name].shape]
    return (
        f"{wrong[0]}: expected shape {tuple(want[wrong[0]].shape)} for one latent variable, got {tuple(came[wrong[0]].shape)}"
        if wrong
        else None
    )


EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Variational Evidence Lower Bound (ELBO)",
    call="log_joint(), q_mean, q_cov, num_steps:int",
    returns="q_mean, q_cov",
    counts={"path": "log_joint.path", "differentiated": "log_joint.differentiated", "fixed": "log_joint.fixed"},
    cases=cases,
    reference=fit,
    laws=(
        near_the_best("gaussian", 0.75),
        near_the_best("skewed"),
        custom("float32 and one latent", 0.25, same_dtype, requires="any value"),
        keeps_inputs(0.25),
        keeps_device(0.25),
    ),
    mistakes=MISTAKES,
)
