"""`sample_mixture`: judged by the law of what came, never by the numbers, so any order of random calls is right.

Every statistic is a mean over independent draws, standardised by its exact standard error. About thirty are looked at,
and one may be 6.5 standard errors off: a right answer fails less than once in a million. The sizes are such that each
known mistake is 10 or more off.
"""

import torch
from torch import Tensor

from ...engine import CaseResults, Exercise, Failure, covariance, custom, keeps_device, keeps_inputs, normal, uniform
from ._mixture import SLIDE, weights_of

REPEATS, REPEATED_N = 16, 30
FAR = 6.5
FEWEST, MOST = 3.5, 250.0  # a sum of χ² over all repeats, expected 32: a right answer leaves these once in 1e9 times
TWIN = 1e-12
BY_COUNT = "k holds each component n · weights times in every call; draw each k at random"
SHAPES = ("one row", "one component", "one feature", "float32")


def sample(n, weights, means, covariances):
    k = torch.multinomial(weights, n, replacement=True)
    noise = torch.randn(n, means.shape[1], 1, dtype=means.dtype, device=means.device)
    return means[k] + (torch.linalg.cholesky(covariances)[k] @ noise).squeeze(-1), k


def correlated(rng, K: int) -> Tensor:
    """2-by-2 covariances with strong correlations and unlike scales, none of them 1; no two alike in both."""
    kinds = [(first, sign) for first in (True, False) for sign in (1, -1)]
    return torch.stack([tilted(rng, *kinds[kind]) for kind in rng.permutation(4)[:K]])


def tilted(rng, wide_first: bool, sign: int) -> Tensor:
    wide, narrow, correlation = uniform(rng, 1.8, 2.4), uniform(rng, 0.4, 0.6), sign * uniform(rng, 0.65, 0.8)
    scales = torch.stack([wide, narrow] if wide_first else [narrow, wide])
    return scales[:, None] * scales * torch.tensor([[1, correlation], [correlation, 1]], dtype=scales.dtype)


def size(n: int) -> Tensor:
    return torch.tensor(n)


def cases(rng):
    weights = torch.as_tensor(rng.permutation([0.54, 0.29, 0.17]) * rng.uniform(0.97, 1.03, 3))
    value_case = {
        "weights": weights / weights.sum(),
        "means": normal(rng, 3, 2, scale=0.3, shift=6.0)
        + 4 * torch.as_tensor(rng.permutation([[0, 1], [1, -1], [-1, -1]])),
        "covariances": correlated(rng, 3),
        "n": size(1200),
        "repeated": size(1),
    }
    return {
        "value": value_case,
        "one row": parameters(rng, 1, 3, 2),
        "one component": parameters(rng, 6, 2, 1),
        "one feature": parameters(rng, 5, 1, 2),
        "float32": {name: v.float() if v.is_floating_point() else v for name, v in parameters(rng, 5, 2, 4).items()},
    }


def parameters(rng, n, m, K):
    return {
        "weights": weights_of(rng, K),
        "means": normal(rng, K, m),
        "covariances": torch.stack([covariance(rng, m) for _ in range(K)]),
        "n": size(n),
    }


def probe(answer, given, record):
    """One large sample; many small ones show whether the counts vary from call to call as they should."""
    theta = [given[name] for name in ("weights", "means", "covariances")]
    record.returned(answer(int(given["n"]), *theta), "x", "k")
    if "repeated" in given:
        with record.section("repeats"):
            small = [answer(REPEATED_N, *theta) for _ in range(REPEATS)]
            record["repeated_x"] = torch.stack([x for x, _ in small])
            record["repeated_k"] = torch.stack([k for _, k in small])


def drawn(seen: CaseResults, case: str = "value") -> tuple[Tensor, Tensor] | Failure | str:
    """x and k, safe to compute with: of the right shapes, finite, k an integer from 0 to K - 1; else what is wrong."""
    given, came = seen.inputs[case], seen.outputs.get(case, {})
    n, (K, m) = int(given["n"]), given["means"].shape
    if "x" not in came or "k" not in came:
        return seen.raised(case) or "x and k did not come back"
    if came["k"].shape == (n, K) and K > 1:
        return "k: one column a component came, as one-hot rows or probabilities; k holds the components' numbers, shape (n,)"
    for name, shape in (("x", (n, m)), ("k", (n,))):
        if came[name].shape != shape:
            return f"{name}: expected shape {shape}, got {tuple(came[name].shape)}"
        if came[name].is_complex():
            return f"{name}: expected real numbers, got {came[name].dtype}"
    x, k = came["x"].double(), came["k"].double()
    if not bool(x.isfinite().all()):
        return "x: expected finite numbers, got nan or inf"
    if not bool(((k == k.round()) & (k >= 0) & (k < K)).all()):
        return f"k: expected integers from 0 to {K - 1}, got {float(k.min()):.3g} to {float(k.max()):.3g}"
    return x, k.long()


def off(counts: Tensor, weights: Tensor) -> float:
    """The largest distance of the counts from n · weights, in standard errors."""
    n = counts.sum()
    return float(((counts - n * weights) / (n * weights * (1 - weights)).sqrt()).abs().max())


def components(seen: CaseResults) -> Failure | str | None:
    """k follows the weights."""
    pair = drawn(seen)
    if not isinstance(pair, tuple):
        return pair
    weights = seen.inputs["value"]["weights"]
    counts = pair[1].bincount(minlength=len(weights)).double()
    if off(counts, weights) < FAR:
        return None
    guesses = {
        "All components are equally likely here; component k has probability weights_k.": torch.ones_like(weights),
        "weights pass through softmax (they are probabilities, not logits).": weights.exp(),
        "weights are squared.": weights.square(),
    }
    far = {message: off(counts, w / w.sum()) for message, w in guesses.items()}
    known = [message for message in sorted(far, key=far.__getitem__)[:1] if far[message] < FAR]
    if counts.max() == counts.sum():
        known = ["Every draw is of the same component; draw k with probabilities weights."]
    frequencies = " ".join(f"{share:.3f}" for share in (counts / counts.sum()).tolist())
    wanted = " ".join(f"{share:.3f}" for share in weights.tolist())
    return " ".join([f"k: expected frequencies near {wanted}, got {frequencies}.", *known])


def worst(white: Tensor) -> float:
    """How far the covariance of whitened rows is from I, in standard errors of its entries."""
    spread = white.T @ white / len(white) - torch.eye(white.shape[1], dtype=white.dtype)
    error = (1 + torch.eye(white.shape[1], dtype=white.dtype)) / len(white)
    return float((spread / error.sqrt()).abs().max())


def whitened(groups: list[Tensor], covariances: Tensor) -> list[Tensor]:
    scales = torch.linalg.cholesky(covariances)
    return [
        torch.linalg.solve_triangular(scale, rows.T, upper=False).T for scale, rows in zip(scales, groups, strict=True)
    ]


def guesses(covariances: Tensor) -> dict[str, Tensor]:
    """The covariances that known mistakes give."""
    L = torch.linalg.cholesky(covariances)
    diagonal = torch.diag_embed(covariances.diagonal(dim1=1, dim2=2))
    root = covariances.abs().sqrt()
    return {
        "noise is multiplied by the covariance; multiply by its Cholesky factor L, covariance = L Lᵀ.": covariances
        @ covariances,
        "the Cholesky factor stands transposed: with noise in rows it is noise @ Lᵀ.": L.mT @ L,
        "only the variances enter; the covariances are full.": diagonal,
        "the variances scale the noise, and the correlations are lost: use the Cholesky factor.": diagonal @ diagonal,
        "the standard deviations stand where variances belong.": diagonal.sqrt(),
        "the covariances are not used: the noise has variance 1.": torch.eye(2).expand_as(covariances),
        "the covariance of component 0 serves for all.": covariances[:1].expand_as(covariances),
        "covariances are used as precisions.": torch.linalg.inv(covariances),
        "the inverse of the Cholesky factor multiplies the noise; the factor itself does.": torch.linalg.inv(L)
        @ torch.linalg.inv(L).mT,
        "the entries of the covariance are rooted one by one; the root of the matrix is its Cholesky factor.": root
        @ root.mT,
    }


def given_k(seen: CaseResults) -> Failure | str | None:
    """x given k is N(means_k, covariances_k): mean, covariance, and the Gaussian shape."""
    pair = drawn(seen)
    if not isinstance(pair, tuple):
        return pair
    (x, k), given = pair, seen.inputs["value"]
    groups = [x[k == c] - mean for c, mean in enumerate(given["means"])]
    if any(len(rows) < 100 for rows in groups):
        return "a component has too few draws in k to look at its x"
    return wrong_means(x, groups, given) or wrong_covariances(groups, given) or wrong_form(groups, given)


def wrong_means(x: Tensor, groups: list[Tensor], given) -> str | None:
    for c, rows in enumerate(groups):
        standardised = rows.mean(0) / (rows.std(0) / len(rows) ** 0.5).clamp_min(1e-12)
        if float(standardised.abs().max()) > FAR:
            means = torch.stack([g.mean(0) for g in groups]) + given["means"]
            got, want = (" ".join(f"{v:.3g}" for v in t.tolist()) for t in (means[c], given["means"][c]))
            if uniform_noise(groups, given):
                return f"x where k = {c}: expected mean near {want}, got {got}. The noise is uniform (torch.rand); it is normal, torch.randn."
            same = bool((rows.std(0) < 1e-6 * (1 + rows.abs().amax(0))).all())
            why = (
                "Every row got the same noise; each wants its own."
                if same
                else why_means(means, given["means"], x.mean(0))
            )
            return f"x where k = {c}: expected mean near {want}, got {got}. {why}".strip()
    return None


def uniform_noise(groups: list[Tensor], given) -> bool:
    """Whether all of it lies between 0 and 1."""
    white = torch.cat(whitened(groups, given["covariances"]))
    return bool(((white > -1e-3) & (white < 1 + 1e-3)).all())


def why_means(means: Tensor, given: Tensor, overall: Tensor) -> str:
    right, mixed = ((means - other).abs().amax(0) < 0.8 for other in (given, overall))
    if bool((right | mixed).all()) and bool(right.any()) and bool(mixed.any()):
        return "Each coordinate of x has a component of its own; a row has one, k, for all of its coordinates."
    if float(means.abs().max()) < 0.6:
        return "The means are not added."
    if float((means - overall).abs().max()) < 0.8:
        return "x looks independent of k: both must come from the same draw of the component."
    return ""


def wrong_covariances(groups: list[Tensor], given) -> str | None:
    covariances = given["covariances"]
    far = [worst(white) for white in whitened(groups, covariances)]
    if max(far) < FAR:
        return None
    known = [
        message
        for message, guess in guesses(covariances).items()
        if max(worst(white) for white in whitened(groups, guess.to(covariances))) < FAR
    ]
    c = far.index(max(far))
    if all(float(rows.abs().max()) < 1e-6 for rows in groups):
        return f"x where k = {c}: every row is the mean itself; noise with covariance {brief(covariances[c])} belongs to it"
    narrow = [torch.linalg.eigvalsh(rows.T @ rows / len(rows)) for rows in groups]
    if all(float(values[0]) < 1e-9 * float(values[-1]) for values in narrow):
        return f"x where k = {c}: all rows lie on a line: one number of noise serves for all coordinates; draw n x m of them"
    got = brief(groups[c].T @ groups[c] / len(groups[c]))
    message = f"x where k = {c}: expected covariance near {brief(covariances[c])}, got {got}."
    return " ".join([message, *(f"It looks as if {text}" for text in known[:1])])


def brief(matrix: Tensor) -> str:
    return "[" + ", ".join("[" + ", ".join(f"{v:.3g}" for v in row) + "]" for row in matrix.tolist()) + "]"


def wrong_form(groups: list[Tensor], given) -> str | None:
    """E cos(t w) = exp(-t²/2) for standard normal w: a bounded statistic, unlike a fourth moment."""
    white = torch.cat(whitened(groups, given["covariances"]))
    for t in (1.0, 2.0, 3.0):
        mean = torch.tensor(-(t**2) / 2).exp()
        error = (((1 + mean**4) / 2 - mean**2) / len(white)).sqrt()
        if float(((t * white).cos().mean(0) - mean).abs().max() / error) > FAR:
            return "x given k has the right mean and covariance, and is not Gaussian: draw noise with torch.randn"
    if shared(white):
        return "some rows of x share their noise (or have it up to a sign): each row needs its own"
    return None


def shared(white: Tensor) -> bool:
    """Whether two rows come from the same noise: then their lengths agree to rounding, whatever root of the covariance
    and whatever sign stands before it. Lengths of independent rows, in all, come as close less than once in 1e6 times."""
    lengths = white.square().sum(-1).flatten().sort().values
    return bool((lengths.diff() < TWIN * (1 + lengths[1:])).any())


def varies(seen: CaseResults) -> Failure | str | None:
    """Small samples differ from call to call, and their counts scatter as a multinomial's."""
    came, weights = seen.outputs["value"], seen.inputs["value"]["weights"]
    x, k = came.get("repeated_x"), came.get("repeated_k")
    if x is None or k is None or k.shape != (REPEATS, REPEATED_N) or x.shape[:2] != k.shape or x.is_complex():
        return seen.raised("value", "error.repeats") or "a second call gave another shape than the first"
    if bool((x.double() == x[:1].double()).all()):
        return "every call gives the same sample: set no seed inside your answer"
    if bool((k == k[:1]).all()):
        ordered = bool((k.double().diff(dim=1) >= 0).all())
        return BY_COUNT if ordered else "every call draws the same k: set no seed inside your answer"
    if x.dtype == torch.float64 and bool(x.isfinite().all()) and shared(repeated_noise(x, k, seen.inputs["value"])):
        return "every call draws the same noise: set no seed inside your answer, and give no seeded generator"
    pair = drawn(seen)
    if isinstance(pair, tuple) and in_blocks(pair[1], weights):
        return "rows of one component stand together: every row is a draw of its own, so they come in no order"
    counts = torch.stack([(k.double() == c).sum(1) for c in range(len(weights))], 1).double()
    squares = float(((counts - REPEATED_N * weights).square() / (REPEATED_N * weights)).sum())
    if squares < FEWEST:
        return BY_COUNT
    if squares > MOST:
        return "the counts of k scatter too much from call to call: rows need a k each, and a fresh one"
    return None


def in_blocks(k: Tensor, weights: Tensor) -> bool:
    """Whether neighbours differ in k less often than independent rows do: sorted, or one component after the other."""
    mean, variance = changes(weights, len(k))
    return mean - int((k[1:] != k[:-1]).sum()) > FAR * variance**0.5


def changes(weights: Tensor, n: int) -> tuple[float, float]:
    """Mean and variance of how many of n independent rows differ in k from the one before."""
    differ = float((weights * (1 - weights)).sum())
    both = float((weights * (1 - weights).square()).sum())  # a row differs from both of its neighbours
    return (n - 1) * differ, (n - 1) * differ * (1 - differ) + 2 * (n - 2) * (both - differ**2)


def repeated_noise(x: Tensor, k: Tensor, given) -> Tensor:
    """What remains of the small samples without the means and a root of the covariances. `k` is right already: the law
    that asks waits for the others."""
    k = k.long().clamp(0, len(given["means"]) - 1)
    scale = torch.linalg.cholesky(given["covariances"])[k]
    return torch.linalg.solve_triangular(scale, (x - given["means"][k])[..., None], upper=False)[..., 0]


def shape(seen: CaseResults) -> Failure | str | None:
    for case in SHAPES:
        if not isinstance(wrong := drawn(seen, case), tuple):
            return wrong
    return None


def dtype(seen: CaseResults) -> Failure | str | None:
    for case in ("float32", "value"):
        for name, want in (("x", seen.inputs[case]["means"].dtype), ("k", torch.int64)):
            got = seen.outputs.get(case, {}).get(name)
            if got is None:
                return seen.raised(case) or f"{name} did not come back"
            if got.dtype != want:
                return f"{name}: expected {want}, got {got.dtype}"
    return None


EXERCISE = Exercise(
    __name__,
    points=2,
    slide=SLIDE,
    call="n:int, weights, means, covariances",
    returns="x, k",
    probe=probe,
    constants={"REPEATS": REPEATS, "REPEATED_N": REPEATED_N},
    cases=cases,
    reference=sample,
    laws=(
        custom("components", 0.5, components, requires=""),
        custom("x given k", None, given_k, requires=""),
        custom("random counts", 0.25, varies, requires="all values"),
        custom("shape", 0.125, shape, requires="any value"),
        custom("dtype", 0.125, dtype, requires="any value"),
        keeps_inputs(0.125),
        keeps_device(0.125),
    ),
)
