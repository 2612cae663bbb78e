"""What is likely wrong with a Gaussian fit, from what came back and from the path that its samples took."""

import torch
from torch import Tensor

from ...engine import CaseResults, Mistake
from ...run.fixtures.densities import LogJoint
from ._gaussian_fit import best_gaussian, elbo, laplace

NAMES = ("location", "precision", "constant", "A", "b", "counts")
LIKENESS = 0.04  # a fit is near its target, not on it


def likely(seen: CaseResults, case: str) -> str:
    """The words for this case; where it says nothing, those for the other: one mistake, two posteriors."""
    other = {"gaussian": "skewed", "skewed": "gaussian"}[case]
    return next(filter(None, (named(seen, case), named(seen, other))), "") or moved(seen, case)


def named(seen: CaseResults, case: str) -> str:
    came, given, best = seen.outputs.get(case, {}), seen.inputs[case], seen.expected[case]
    mean, cov = came.get("q_mean"), came.get("q_cov")
    if mean is None or cov is None or mean.shape != best["q_mean"].shape:
        return ""
    if cov.shape != best["q_cov"].shape:
        return STDS if cov.shape == mean.shape else ""
    if not (bool(mean.double().isfinite().all()) and bool(cov.double().isfinite().all())):
        return SIGN if run_away(came, given) else NOT_FINITE
    mean, cov = mean.double(), cov.double()
    return (
        exactly(given, best, mean, cov)
        or by_the_path(came, given, best, mean, cov)
        or (DIAGONAL if diagonal(cov) and not diagonal(best["q_cov"], 0.05) else "")
        or (scaled(cov, best["q_cov"]) if near(mean, best["q_mean"], 0.15) else "")
    )


def diagonal(cov: Tensor, likeness: float = 0.01) -> bool:
    return len(cov) > 1 and bool((cov - cov.diagonal().diag()).abs().max() <= likeness * cov.abs().max())


def exactly(given, best, mean: Tensor, cov: Tensor) -> str:
    """A q that one mistake makes of the best one."""
    start, target = (given["q_mean"], given["q_cov"]), (best["q_mean"], best["q_cov"])
    if near(mean, start[0]) and near(cov, start[1]):
        return START
    if near(mean, target[0]) and near(target[1], cov):
        return ""
    for mistake, change in CHANGES:
        wrong_mean, wrong_cov = change(LogJoint(**parts(given)), *start, *target)
        if near(wrong_mean, mean) and near(wrong_cov, cov):
            return mistake
    return ""


def scaled(cov: Tensor, best: Tensor) -> str:
    """A covariance that is a multiple of the best one: log_joint and entropy do not weigh the same."""
    factor = float((cov * best).sum() / best.square().sum())
    if not (near(factor * best, cov, 0.15) and abs(factor - 1) > 0.2):
        return ""
    return TOO_NARROW.format(f"{factor:.2g}") if factor < 1 else TOO_WIDE.format(f"{factor:.2g}")


def by_the_path(came, given, best, mean: Tensor, cov: Tensor) -> str:
    """From where the samples went, and whether a gradient came back from them."""
    path, target = came.get("path", torch.zeros(0)), best["q_mean"]
    widest, narrow = torch.linalg.eigvalsh((cov + cov.T) / 2)[-1], torch.linalg.eigvalsh(best["q_cov"])
    if not bool(came.get("differentiated", torch.tensor(True)).any()):
        return NO_GRADIENT
    if widest < 0.1 * narrow[0]:
        return NO_ENTROPY
    if bool(came.get("fixed", torch.tensor(False)).any()):
        return SAME_NOISE
    if swings(path, target, narrow[-1].sqrt()):
        return SWINGS
    if widest > 4 * narrow[-1] and near(mean, target, 0.5):
        return AT_MEAN
    if float((mean - given["q_mean"]).norm()) < 0.1 * float((target - given["q_mean"]).norm()):
        return HARDLY if near(given["q_cov"], cov, 0.25) else ONLY_COV
    return SIGN if run_away(came, given) or worse_than_the_start(given, mean, cov) else ""


def worse_than_the_start(given, mean, cov) -> bool:
    log_joint = LogJoint(**parts(given))
    try:
        return bool(elbo(log_joint, mean, cov) < elbo(log_joint, given["q_mean"], given["q_cov"]) - 1)
    except RuntimeError:  # no covariance
        return False


def run_away(came, given) -> bool:
    """The samples ended far away, further than anything in these posteriors."""
    path = came.get("path", torch.zeros(0))
    return path.ndim == 2 and len(path) > 20 and float((path[-1] - given["q_mean"]).norm().nan_to_num(99)) > 12


def swings(path: Tensor, target: Tensor, width: Tensor) -> bool:
    """The mean of the samples crosses the best mean again and again, by far each time."""
    if path.ndim != 2 or len(path) < 200 or path.shape[1] != len(target):
        return False
    apart = (path - target).nan_to_num(0).unfold(0, 10, 5).mean(-1) / width
    return any(turns(column[column.abs() > 1]) >= 3 for column in apart.T)


def turns(numbers: Tensor) -> int:
    return int((numbers.sign().diff() != 0).sum())


def moved(seen: CaseResults, case: str) -> str:
    """Nothing is known to be wrong: how far did it come?"""
    came, best = seen.outputs.get(case, {}), seen.expected[case]
    mean, cov = came.get("q_mean"), came.get("q_cov")
    if mean is None or cov is None or cov.shape != best["q_cov"].shape or mean.shape != best["q_mean"].shape:
        return ""
    if near(mean.double(), best["q_mean"], 0.1):
        return "q_mean is right, q_cov is not."
    if near(cov.double(), best["q_cov"], 0.2):
        return "q_cov is right, q_mean is not."
    return NOT_THERE


def parts(given) -> dict[str, Tensor]:
    return {name: given[name] for name in NAMES if name in given}


def near(wrong: Tensor, got: Tensor, likeness: float = LIKENESS) -> bool:
    return float((wrong - got).abs().max()) <= likeness * max(float(wrong.abs().max()), 0.05)


START = "This is the q that you were given: the ELBO was not maximised, or the optimiser does not hold the parameters that you return."
DIAGONAL = "q_cov is diagonal, and the posterior is correlated: let q have a full covariance, q_cov = L Lᵀ with a lower triangular L."
LAPLACE = "This is the Laplace approximation, the mode of log_joint with the curvature there; the best Gaussian maximises E_q[log_joint] + entropy, which looks at all of q."
MODE = "q has shrunk to a point: without the entropy of q (log det L for q_cov = L Lᵀ) nothing keeps it wide."
ONLY_MEAN = "Only the mean was fitted: q_cov is still the one that you were given."
ONLY_COV = "Only the covariance was fitted: q_mean is still the one that you were given. Does the optimiser hold it, and does z = q_mean + L ε depend on it?"
HARDLY = "q has hardly left its start: take all num_steps steps, or larger ones."
PRIOR_TWICE = (
    "log_joint holds the prior already: KL(q‖N(0, I)) counts it once more. Maximise E_q[log_joint] + entropy of q."
)
FACTOR = "This is a Cholesky factor L; q_cov is L Lᵀ."
TRANSPOSED = "The order of the factors matters: this is Lᵀ L, q_cov is L Lᵀ."
SAMPLED_TRANSPOSED = (
    "The samples are q_mean + ε @ L, and have the covariance Lᵀ L; q_cov = L Lᵀ wants ε @ Lᵀ, with ε in rows."
)
PRECISION = "This is the precision; q_cov is its inverse."
TWICE = "This is the covariance squared, or L Lᵀ taken twice."
NEGATIVE = "q_mean has the wrong sign."
STDS = "q_cov is a d x d matrix, the covariance; a vector of standard deviations or variances is the diagonal q."
NO_ENTROPY = MODE
NO_GRADIENT = "No z that log_joint was given carries a gradient: sample as z = q_mean + L ε (rsample, not sample; no detach, no no_grad), so that the ELBO depends on q through z."
AT_MEAN = "q_cov grows and grows: log_joint is not asked at samples that spread as q_cov says. Average it over z = q_mean + L ε, ε from N(0, I) (randn, not rand), several a step."
SIGN = "The steps lead away from the best q: an optimiser minimises, so hand it minus the ELBO, and mind the sign of each of its terms."
SWINGS = "q swings around the best q and never settles: without optimizer.zero_grad() old gradients add up; a step size that is much too large does the same."
NOT_FINITE = (
    "A step size that is too large, or the log of a determinant below 0, does this: parametrise q_cov by a factor L."
)
TOO_NARROW = "q_cov is {} times the best one: the entropy weighs too little beside log_joint (half of it, its negative, or log_joint is summed over the samples where the mean belongs)."
TOO_WIDE = "q_cov is {} times the best one: the entropy weighs too much beside log_joint. It is log det L, half of log det q_cov, and log|diag L| is log|det L| of a triangular L alone: mask it (tril). A logsumexp over the samples is another bound, and wider."
SAME_NOISE = "The same few ε serve every step, and q fits these alone: draw new ones in each."
NOT_THERE = (
    "This is not the best q yet: take all num_steps steps, smaller ones towards the end, with several new ε in each."
)


def cholesky(cov):
    return torch.linalg.cholesky(cov)


def upper(cov):
    """The upper triangular U with U Uᵀ = cov."""
    return torch.linalg.cholesky(cov.flip(0, 1)).flip(0, 1)


def with_prior(f: LogJoint) -> LogJoint:
    """log_joint plus log N(z; 0, I), up to a constant."""
    precision = f.precision + torch.eye(len(f.precision), dtype=f.precision.dtype)
    location = torch.linalg.solve(precision, f.precision @ f.location)
    return LogJoint(
        **{name: getattr(f, name) for name in NAMES if hasattr(f, name)}
        | {"location": location, "precision": precision}
    )


# (log_joint, the start's mean and covariance, the best q's) to a wrong q
CHANGES = (
    (DIAGONAL, lambda f, m, S, mean, cov: (mean, torch.linalg.inv(cov).diagonal().reciprocal().diag())),
    (DIAGONAL, lambda f, m, S, mean, cov: (mean, cov.diagonal().diag())),
    (LAPLACE, lambda f, m, S, mean, cov: laplace(f, mean)),
    (ONLY_MEAN, lambda f, m, S, mean, cov: (mean, S)),
    (ONLY_COV, lambda f, m, S, mean, cov: (m, cov)),
    (PRIOR_TWICE, lambda f, m, S, mean, cov: best_gaussian(with_prior(f), m, S)),
    (MODE, lambda f, m, S, mean, cov: (laplace(f, mean)[0], 0 * cov)),
    (FACTOR, lambda f, m, S, mean, cov: (mean, cholesky(cov))),
    (TRANSPOSED, lambda f, m, S, mean, cov: (mean, cholesky(cov).T @ cholesky(cov))),
    (SAMPLED_TRANSPOSED, lambda f, m, S, mean, cov: (mean, upper(cov).T @ upper(cov))),
    (PRECISION, lambda f, m, S, mean, cov: (mean, torch.linalg.inv(cov))),
    (TWICE, lambda f, m, S, mean, cov: (mean, cov @ cov)),
    (NEGATIVE, lambda f, m, S, mean, cov: (-mean, cov)),
)  # fmt: skip


def mistaken(change):
    def answer(log_joint, q_mean, q_cov, num_steps):
        return change(log_joint, q_mean, q_cov, *best_gaussian(log_joint, q_mean, q_cov))

    return answer


MISTAKES = tuple(Mistake(message, mistaken(change)) for message, change in CHANGES)
