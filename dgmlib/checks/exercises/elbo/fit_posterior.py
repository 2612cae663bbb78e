"""`fit_posterior`: judged by the gap KL(q‖p(z|x)) of what it returns, not by how it gets there."""

import math

import torch
from torch import Tensor

from ...engine import (
    NUMBERS,
    Exercise,
    Mistake,
    Seen,
    custom,
    keeps_device,
    keeps_inputs,
    normal,
    rotation,
    single,
    uniform,
    wrong_dtype,
)
from ._ppca import gaussian_kl, posterior

NUM_STEPS, FEW_STEPS = 2000, 20
ASKED_GAP, LARGEST_GAP = 0.01, 0.02  # the noise of a stochastic optimiser is forgiven, once over
LIKENESS = 0.03  # a fit is near its target, not on it: a mistake is recognised this far from its own closed form


def fit(x, W, mu, sigma, num_steps):
    return posterior(x, W, mu, sigma)


def cases(rng):
    """A posterior with correlation about 0.6, standard deviations from 0.4 to 0.9, and a mean about 1 from zero:
    within reach of 2000 plain steps from the prior, also where samples of q make them noisy. A mean field's gap is
    eight times what is allowed."""
    n, m, d = 3, 4, 2
    angle, sigma = float(rng.uniform(0.6, 0.97)) * float(rng.choice([-1, 1])), uniform(rng, 0.45, 0.65)
    cos, sin = math.cos(angle), math.sin(angle)
    axes = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    precisions = torch.stack([uniform(rng, 1.2, 1.4), uniform(rng, 4.0, 5.0)])
    W = rotation(rng, m)[:, :d] @ torch.diag(sigma * (precisions - 1).sqrt()) @ axes.T
    mu = normal(rng, m, shift=1.0)
    signs = torch.as_tensor(rng.choice([-1.0, 1.0], (n, d)))
    signs[1] = -signs[0]  # no seed puts all means in one place
    z = uniform(rng, 0.6, 1.4, n, d) * signs
    given = {"x": z @ W.T + mu + 0.3 * sigma * normal(rng, n, m), "W": W, "mu": mu, "sigma": sigma}
    few = {**single(given), "num_steps": torch.tensor(FEW_STEPS)}
    return {"value": {**given, "num_steps": torch.tensor(NUM_STEPS)}, "float32": few}


def small_gap(seen: Seen) -> str | None:
    """The gap, averaged over the rows, is small."""
    given, came = seen.inputs["value"], seen.outputs.get("value", {})
    q_mean, q_cov = came.get("q_mean"), came.get("q_cov")
    want = seen.expected["value"]
    if q_mean is None or q_cov is None:
        return seen.raised("value") or "q_mean and q_cov did not come back"
    if message := unusable(q_mean, q_cov, want):
        return message
    if message := no_covariance(q_cov.double()):
        return f"{message} {named(seen, q_mean, q_cov)}".strip()
    message = too_far(q_mean.double(), q_cov.double(), given)
    return message and f"{message} {named(seen, q_mean, q_cov) or MORE_STEPS}"


def unusable(q_mean: Tensor, q_cov: Tensor, want: dict[str, Tensor]) -> str | None:
    """A wrong shape, or no numbers."""
    for name, got in {"q_mean": q_mean, "q_cov": q_cov}.items():
        if got.shape != want[name].shape:
            return f"{name}: expected shape {tuple(want[name].shape)}, got {tuple(got.shape)}."
        if got.dtype not in NUMBERS or not bool(got.double().isfinite().all()):
            return f"{name}: expected finite numbers. A step size too large, or the log of a determinant below 0, does this."
    return None


def no_covariance(S: Tensor) -> str | None:
    """What keeps N(q_mean, S) from being a distribution."""
    if float((S - S.T).abs().max()) > 1e-5 * float(S.abs().max()):
        return f"q_cov is no covariance: it is not symmetric, {float(S[0, 1]):.4g} against {float(S[1, 0]):.4g}. A factor L makes one: L Lᵀ."
    smallest = float(torch.linalg.eigvalsh(S)[0])
    if smallest <= 1e-12:
        return f"q_cov is no covariance: its smallest eigenvalue is {smallest:.3g}, and must be above 0. A factor L makes one: L Lᵀ."
    return None


def too_far(q_mean: Tensor, q_cov: Tensor, given: dict[str, Tensor]) -> str | None:
    mean, cov = posterior(*(given[name] for name in ("x", "W", "mu", "sigma")))
    whole = float(gaussian_kl(q_mean, q_cov, mean, cov).mean())
    of_mean = float(gaussian_kl(q_mean, cov, mean, cov).mean())
    if whole < LARGEST_GAP:
        return None
    return (
        f"the gap KL(q‖p(z|x)) is {whole:.3g} nats, expected below {ASKED_GAP}: "
        f"{of_mean:.2g} from q_mean, {whole - of_mean:.2g} from q_cov."
    )


def named(seen: Seen, q_mean: Tensor, q_cov: Tensor) -> str:
    """The mistake that this fit is close to."""
    for mistake in seen.exercise.mistakes:
        wrong_mean, wrong_cov = (seen.wrong_output(mistake, "value", key) for key in ("q_mean", "q_cov"))
        if near(wrong_mean, q_mean) and near(wrong_cov, q_cov):
            return mistake.message
    if q_cov.ndim == 2 and bool((q_cov - q_cov.diagonal().diag()).abs().max() <= 0.01 * q_cov.abs().max()):
        return DIAGONAL
    return ""


def near(wrong: Tensor | None, got: Tensor) -> bool:
    if wrong is None or wrong.shape != got.shape:
        return False
    return float((wrong - got.double()).abs().max()) <= LIKENESS * float(wrong.abs().max())


def same_dtype(seen: Seen) -> str | None:
    """Of the fit, and of a few steps in float32 where these ran through."""
    cases = ["value"] + ["float32"] * ("q_mean" in seen.outputs.get("float32", {}))
    found = [wrong_dtype(seen, case, name) for case in cases for name in ("q_mean", "q_cov")]
    return next((message for message in found if message), None)


def mistaken(change):
    """The posterior with one thing wrong: change(x, W, mu, sigma, mean, cov) -> (mean, cov)."""
    return lambda x, W, mu, sigma, num_steps: change(x, W, mu, sigma, *posterior(x, W, mu, sigma))


def eye(cov: Tensor) -> Tensor:
    return torch.eye(len(cov), dtype=cov.dtype, device=cov.device)


MORE_STEPS = "More steps, or a larger or decreasing step size, may be all it needs."
DIAGONAL = "q_cov is diagonal, and the posterior is correlated: let q have a full covariance, q_cov = L Lᵀ with a lower triangular L."
PRIOR = "This is the prior N(0, I): the ELBO was not maximised, or the optimiser does not hold the parameters that you return."
MISTAKES = (
    Mistake(DIAGONAL, mistaken(lambda x, W, mu, s, mean, cov: (mean, torch.linalg.inv(cov).diagonal().reciprocal().diag()))),
    Mistake(DIAGONAL, mistaken(lambda x, W, mu, s, mean, cov: (mean, cov.diagonal().diag()))),
    Mistake(PRIOR, mistaken(lambda x, W, mu, s, mean, cov: (0 * mean, eye(cov)))),
    Mistake("Only the mean was fitted: q_cov is still the identity.", mistaken(lambda x, W, mu, s, mean, cov: (mean, eye(cov)))),
    Mistake("Only the covariance was fitted: q_mean is still zero.", mistaken(lambda x, W, mu, s, mean, cov: (0 * mean, cov))),
    Mistake("q has shrunk to a point at the posterior's mode: the entropy of q (the -log det q_cov of the KL) is what keeps it wide.", mistaken(lambda x, W, mu, s, mean, cov: (mean, 0 * cov))),
    Mistake("sigma² is missing: the posterior's covariance is sigma² M⁻¹.", mistaken(lambda x, W, mu, s, mean, cov: (mean, cov / s.square()))),
    Mistake("sigma stands where sigma² belongs: the posterior's covariance is sigma² M⁻¹.", mistaken(lambda x, W, mu, s, mean, cov: (mean, cov / s))),
    Mistake("This is the posterior's precision; q_cov is its inverse.", mistaken(lambda x, W, mu, s, mean, cov: (mean, torch.linalg.inv(cov)))),
    Mistake("This is a Cholesky factor L; q_cov is L Lᵀ.", mistaken(lambda x, W, mu, s, mean, cov: (mean, torch.linalg.cholesky(cov)))),
    Mistake("The order of the factors matters: this is Lᵀ L, q_cov is L Lᵀ.", mistaken(lambda x, W, mu, s, mean, cov: (mean, torch.linalg.cholesky(cov).T @ torch.linalg.cholesky(cov)))),
    Mistake("q_cov is the posterior's covariance times 2: the halves of the ELBO's terms do not fit together.", mistaken(lambda x, W, mu, s, mean, cov: (mean, 2 * cov))),
    Mistake("q_mean has the wrong sign.", mistaken(lambda x, W, mu, s, mean, cov: (-mean, cov))),
    Mistake("The mean is least squares: the prior's sigma² I is missing from M = WᵀW + sigma² I.", mistaken(lambda x, W, mu, s, mean, cov: (torch.linalg.lstsq(W, (x - mu).T).solution.T, cov))),
    Mistake("This is the covariance squared or L Lᵀ taken twice.", mistaken(lambda x, W, mu, s, mean, cov: (mean, cov @ cov))),
    Mistake("mu is not subtracted: the posterior's mean is M⁻¹ Wᵀ(x - mu).", mistaken(lambda x, W, mu, s, mean, cov: (posterior(x + mu, W, mu, s)[0], cov))),
    Mistake("This is least squares: the prior's sigma² I is missing from M = WᵀW + sigma² I.", mistaken(lambda x, W, mu, s, mean, cov: (torch.linalg.lstsq(W, (x - mu).T).solution.T, s.square() * torch.linalg.inv(W.T @ W)))),
    Mistake("sigma stands where sigma² belongs: the model fitted has another noise.", lambda x, W, mu, s, num_steps: posterior(x, W, mu, s.sqrt())),
    Mistake("The mean is the same for every row; each x_i has its own posterior mean.", mistaken(lambda x, W, mu, s, mean, cov: (mean.mean(0).expand_as(mean), cov))),
    Mistake("q_cov is divided by the number of rows: the covariance's terms were counted n times, or the means' 1/n.", mistaken(lambda x, W, mu, s, mean, cov: (mean, cov / len(x)))),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Variational Evidence Lower Bound (ELBO)",
    call="x, W, mu, sigma, num_steps:int",
    returns="q_mean, q_cov",
    cases=cases,
    reference=fit,
    laws=(
        custom("gap below 0.01 nats", None, small_gap, waits=None),
        custom("dtype", 0.25, same_dtype, waits=any),
        keeps_inputs(0.25),
        keeps_device(0.25),
    ),
    mistakes=MISTAKES,
)
