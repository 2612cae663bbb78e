"""`ppca_mle`: PPCA in closed form."""

import torch

from ...engine import (
    Exercise,
    Mistake,
    gradient,
    interface_laws,
    normal,
    rotation,
    single,
    stable,
    supporting_value,
    uniform,
    value,
)


def ppca_mle(x, d):
    return fit()(x, d)


def fit(
    covariance=lambda x: (x - x.mean(0)).T @ (x - x.mean(0)) / len(x),
    variance=lambda rest: rest.mean(),
    scale=lambda kept, variance: (kept - variance).sqrt(),
    sigma=lambda variance: variance.sqrt(),
    keep=lambda values, vectors, d: (values[-d:], vectors[:, -d:], values[:-d]),
):
    """The closed form with any of its parts replaced. eigh sorts upwards."""

    def answer(x, d):
        kept, U, rest = keep(*torch.linalg.eigh(covariance(x)), d)
        noise = variance(rest)
        return U * scale(kept, noise), x.mean(0), sigma(noise)

    return answer


def spectrum(rng, n, m, d, gap=1.7):
    """Data whose covariance has eigenvalues a factor of about `gap` apart, in any directions, about any mean."""
    columns = torch.linalg.qr(torch.cat([torch.ones(n, 1).double(), normal(rng, n, m)], 1)).Q[:, 1:]
    values = 0.6 * gap ** (torch.arange(m) + uniform(rng, -0.15, 0.15, m))
    x = (n * values).sqrt() * columns @ rotation(rng, m) + 2 * normal(rng, m)
    return {"x": x, "d": torch.tensor(d)}


def cases(rng):
    value_case = spectrum(rng, 9, 5, 2)
    return {
        "value": value_case,
        "float32": single(value_case),
        "one latent": spectrum(rng, 7, 4, 1),
        "one discarded": spectrum(rng, 7, 4, 3),
        "few rows": {"x": normal(rng, 6, 9) + 2 * normal(rng, 9), "d": torch.tensor(2)},
    }


def probe(answer, given, record):
    """W is unique up to a rotation of the latent space, so W Wᵀ stands for it."""
    try:
        record.returned(answer(given["x"], int(given["d"])), "W", "mu", "sigma")
    finally:
        if (W := record.pop("W", None)) is not None:
            record["W @ W.T"] = W @ W.mT if W.ndim == 2 else W
            record["shape of W"] = torch.tensor(W.shape, device=W.device)


def lowest(values, vectors, d):
    return values[:d], vectors[:, :d], values[d:]


def rows_for_columns(values, vectors, d):
    return values[-d:], vectors[-d:].T, values[:-d]


def all_values(values, vectors, d):
    return values[-d:], vectors[:, -d:], values


def kept_values(values, vectors, d):
    return values[-d:], vectors[:, -d:], values[-d:]


def top_noise(values, vectors, d):
    """Eigenvalues taken from the wrong end of an ascending list, the eigenvectors from the right one."""
    return values[-d:], vectors[:, -d:], values[d:]


def thin(x, d):
    """sigma² averaged over the discarded singular values of a thin SVD, of which few rows have fewer than m - d."""
    _, s, V = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    values = s.square() / len(x)
    variance = values[d:].mean()
    return V[:d].T * (values[:d] - variance).sqrt(), x.mean(0), variance.sqrt()


def lowest_vectors(values, vectors, d):
    """The first columns, and the right noise."""
    return values[:d], vectors[:, :d], values[:-d]


def crossed(values, vectors, d):
    return values[-d:].flip(0), vectors[:, -d:], values[:-d]


def over_m(x, d):
    return fit(variance=lambda rest: rest.sum() / x.shape[1])(x, d)


def unsquared(x, d):
    _, s, V = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    variance = s[d:].sum() / (x.shape[1] - d)
    return V[:d].T * (s[:d] - variance).sqrt(), x.mean(0), variance.sqrt()


def transposed_fit(x, d):
    W, mu, sigma = ppca_mle(x, d)
    return W.T, mu, sigma


def first_vectors(values, vectors, d):
    return values[-d:], vectors[:, :d], values[:-d]


def first_vectors_falling(values, vectors, d):
    return values[-d:].flip(0), vectors[:, :d], values[:-d]


def lowest_both(values, vectors, d):
    """The smallest d kept, and the noise averaged over as many as there are to discard, from the smallest on."""
    return values[:d], vectors[:, :d], values[: len(values) - d]


def rows_flipped(values, vectors, d):
    return values[-d:].flip(0), vectors.flip(1)[:d].T, values[:-d]


def columns_of_V(x, d):
    _, s, V = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    variance = s[d:].square().sum() / len(x) / (x.shape[1] - d)
    return V[:, :d] * (s[:d].square() / len(x) - variance).sqrt(), x.mean(0), variance.sqrt()


def unsquared_over_n(x, d):
    _, s, V = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    values = s / len(x)
    variance = values[d:].mean()
    return V[:d].T * (values[:d] - variance).clamp_min(0).sqrt(), x.mean(0), variance.sqrt()


def one_too_many(x, d):
    W, mu, sigma = ppca_mle(x, min(d + 1, x.shape[1] - 1))
    return W.flip(1)[:, :d], mu, sigma


def all_columns(x, d):
    values, U = torch.linalg.eigh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x))
    variance = values[:-d].mean()
    return U * (values - variance).clamp_min(0).sqrt(), x.mean(0), variance.sqrt()


def rooted(x, d):
    values, U = torch.linalg.eigh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x))
    values = values.clamp_min(0).sqrt()
    variance = values[:-d].mean()
    return U[:, -d:] * (values[-d:] - variance).sqrt(), x.mean(0), variance.sqrt()


MISTAKES = (
    Mistake("sigma is the mean of the roots of the discarded eigenvalues; it is the root of their mean.", fit(variance=lambda rest: rest.clamp_min(0).sqrt().mean().square())),
    Mistake("The covariance is cut off the graph: no detach, no numpy.", fit(covariance=lambda x: ((x - x.mean(0)).T @ (x - x.mean(0)) / len(x)).detach())),
    Mistake("sigma² is the mean of the discarded eigenvalues, not of the kept ones.", fit(keep=kept_values, scale=lambda kept, v: (kept - v).abs().sqrt())),
    Mistake("sigma² is the mean of the m - d discarded eigenvalues, not of all.", fit(keep=all_values, scale=lambda kept, v: (kept - v).clamp_min(0).sqrt())),
    Mistake("sigma² is the mean of the discarded eigenvalues, not their sum.", fit(variance=lambda rest: rest.sum(), scale=lambda kept, v: (kept - v).clamp_min(0).sqrt())),
    Mistake("sigma² is the smallest eigenvalue here; it is the mean of all the discarded ones.", fit(variance=lambda rest: rest[0])),
    Mistake("sigma² is the largest discarded eigenvalue here; it is their mean.", fit(variance=lambda rest: rest[-1])),
    Mistake("eigh sorts upwards: sigma² averages the wrong end.", fit(keep=top_noise, scale=lambda kept, v: (kept - v).clamp_min(0).sqrt())),
    Mistake("eigh sorts upwards: the last d eigenvectors carry the largest eigenvalues.", fit(keep=lowest, scale=lambda kept, v: (kept - v).abs().sqrt())),
    Mistake("eigh sorts upwards: the last d eigenvectors carry the largest eigenvalues.", fit(keep=lowest)),
    Mistake("eigh sorts upwards: the last d eigenvectors carry the largest eigenvalues.", fit(keep=lowest_vectors)),
    Mistake("eigh sorts upwards: the last d eigenvectors carry the largest eigenvalues.", fit(keep=lowest_vectors, scale=lambda kept, v: (kept - v).clamp_min(0).sqrt())),
    Mistake("The eigenvalues stand in another order than their eigenvectors: flip both or none.", fit(keep=crossed)),
    Mistake("This takes a difference of roots; it is the root of the difference: (Λ - sigma² I)^½.", fit(scale=lambda kept, v: kept.sqrt() - v.sqrt())),
    Mistake("sigma² divides the sum of the discarded eigenvalues by m; they are m - d.", over_m),
    Mistake("Eigenvectors are the columns of eigh's second output, not its rows.", fit(keep=rows_for_columns)),
    Mistake("The kept eigenvalues are not reduced by sigma²: W = U (Λ - sigma² I)^½.", fit(scale=lambda kept, v: kept.sqrt())),
    Mistake("The square root is missing: W = U (Λ - sigma² I)^½.", fit(scale=lambda kept, v: kept - v)),
    Mistake("The eigenvectors are not scaled: W = U (Λ - sigma² I)^½.", fit(scale=lambda kept, v: torch.ones_like(kept))),
    Mistake("The kept eigenvalues are reduced by sigma; it is sigma².", fit(scale=lambda kept, v: (kept - v.sqrt()).clamp_min(0).sqrt())),
    Mistake("This is sigma²; its square root is wanted.", fit(sigma=lambda v: v)),
    Mistake("The covariance divides by n - 1; maximum likelihood divides by n.", fit(covariance=lambda x: torch.cov(x.T).reshape(x.shape[1], -1))),
    Mistake("The covariance is not divided by n.", fit(covariance=lambda x: len(x) * torch.cov(x.T, correction=0))),
    Mistake("x is not centred before its covariance.", fit(covariance=lambda x: x.T @ x / len(x))),
    Mistake("Singular values are not eigenvalues: lambda = s² / n.", unsquared),
    Mistake("W comes back transposed: (m, d) is wanted.", transposed_fit),
    Mistake("A thin SVD of few rows leaves out eigenvalues that are 0: sigma² still averages over all m - d.", thin),
    Mistake("The values are right and cut off the graph: no detach, no no_grad.", lambda x, d: tuple(t.detach() for t in ppca_mle(x, d))),
    Mistake("sigma² is added to the kept eigenvalues; it is subtracted: W = U (Λ - sigma² I)^½.", fit(scale=lambda kept, v: (kept + v).sqrt())),
    Mistake("The root stands in the denominator: W = U (Λ - sigma² I)^½.", fit(scale=lambda kept, v: (kept - v).rsqrt())),
    Mistake("The eigenvalues are divided by sigma², not reduced by it: W = U (Λ - sigma² I)^½.", fit(scale=lambda kept, v: (kept / v).sqrt())),
    Mistake("eigh sorts upwards: the last d eigenvectors carry the largest eigenvalues.", fit(keep=lowest_vectors, scale=lambda kept, v: (kept - v).abs().sqrt())),
    Mistake("eigh sorts upwards: the last d eigenvectors carry the largest eigenvalues.", fit(keep=lowest_both, scale=lambda kept, v: (kept - v).abs().sqrt())),
    Mistake("The largest eigenvalues stand beside the eigenvectors of the smallest: eigh sorts both upwards.", fit(keep=first_vectors)),
    Mistake("The largest eigenvalues stand beside the eigenvectors of the smallest: eigh sorts both upwards.", fit(keep=first_vectors_falling)),
    Mistake("Eigenvectors are the columns of eigh's second output, not its rows.", fit(keep=rows_flipped)),
    Mistake("svd's last output is V transposed: its rows are the eigenvectors.", columns_of_V),
    Mistake("Singular values are not eigenvalues: lambda = s² / n.", unsquared_over_n),
    Mistake("sigma² averages one eigenvalue too few, W keeps one too many: d are kept, m - d discarded.", one_too_many),
    Mistake("W keeps all m columns; d of them are wanted.", all_columns),
    Mistake("mu is not the sample mean.", lambda x, d: (ppca_mle(x, d)[0], torch.zeros_like(x[0]), ppca_mle(x, d)[2])),
    Mistake("The roots of the eigenvalues stand where the eigenvalues belong.", rooted),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide="Latent Variable Models (LVM)",
    call="x, d:int",
    returns="W @ W.T, mu, sigma",
    probe=probe,
    cases=cases,
    reference=ppca_mle,
    laws=(
        value(
            "W", "W = U_d (Λ_d - sigma² I)^½, up to a rotation of the latent space.", outputs=["W @ W.T"], weight=0.5
        ),
        value("sigma", "sigma² = mean of the m - d discarded eigenvalues.", outputs=["sigma"]),
        supporting_value("mu", 0.125, ["value"], "mu is the sample mean.", outputs=["mu"]),
        gradient(0.25),
        stable(
            0.125, ["few rows"], "With fewer rows than columns some eigenvalues are 0; they count.", name="few rows"
        ),
        supporting_value(
            "shape", 0.125, ["value", "one latent", "one discarded"], outputs=["shape of W", "W @ W.T", "mu", "sigma"]
        ),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
