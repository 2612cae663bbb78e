"""`ppca_posterior`: p(z given x) of the linear Gaussian model."""

import torch

from ...engine import Exercise, Mistake, gradient, interface_laws, shapes, single, value
from ._ppca import SLIDE, eye_like, posterior, ppca


def cases(rng):
    value_case = ppca(rng, 4, 6, 3)
    return {
        "value": value_case,
        "large sigma": ppca(rng, 5, 4, 2, (1.5, 2.0)),
        "float32": single(value_case),
        "one row": ppca(rng, 1, 4, 2),
        "one latent": ppca(rng, 3, 4, 1),
    }


def posterior_with(mean=None, covariance=None):
    """A wrong posterior: mean and covariance as functions of (M, W, x - mu, sigma)."""

    def answer(x, W, mu, sigma):
        M = W.T @ W + sigma**2 * eye_like(W, W.shape[1])
        right = posterior(x, W, mu, sigma)
        wrong = [f and f(M, W, x - mu, sigma) for f in (mean, covariance)]
        return tuple(r if w is None else w for r, w in zip(right, wrong, strict=True))

    return answer


def with_M(change):
    """Everything right but for M."""

    def answer(x, W, mu, sigma):
        M = change(W, sigma, eye_like(W, W.shape[1]))
        return torch.linalg.solve(M, W.T @ (x - mu).T).T, sigma**2 * torch.linalg.inv(M)

    return answer


def solved(M, W, x):
    return torch.linalg.solve(M, W.T @ x.T).T


def second_moment(mean):
    """Of z over all rows, as EM takes it; a mean over them, or a sum."""

    def answer(x, W, mu, sigma):
        z, S = posterior(x, W, mu, sigma)
        total = len(x) * S + z.T @ z
        return z, total / len(x) if mean else total

    return answer


MISTAKES = (
    Mistake("cholesky_solve and cholesky_inverse take a Cholesky factor; here they are given M itself.", posterior_with(None, lambda M, W, x, s: s**2 * torch.cholesky_inverse(M))),
    *(Mistake("This is the second moment of z over all x; the covariance given one x is sigma² M⁻¹.", second_moment(mean)) for mean in (True, False)),
    Mistake("The mean is reshaped where it is to be transposed: the numbers are right, in other places.", posterior_with(lambda M, W, x, s: torch.linalg.solve(M, (x @ W).reshape(len(M), len(x))).reshape(len(x), len(M)))),
    Mistake("The mean is reshaped where it is to be transposed: the numbers are right, in other places.", posterior_with(lambda M, W, x, s: solved(M, W, x).T.reshape(len(x), len(M)))),
    Mistake("x - mu is divided by sigma first; the mean is M⁻¹ Wᵀ(x - mu), sigma in M alone.", posterior_with(lambda M, W, x, s: solved(M, W, x) / s)),
    Mistake("The mean is solved with the Cholesky factor once; M = L Lᵀ takes two solves (cholesky_solve).", posterior_with(lambda M, W, x, s: torch.linalg.solve(torch.linalg.cholesky(M), W.T @ x.T).T)),
    Mistake("The mean is solved with the Cholesky factor once; M = L Lᵀ takes two solves (cholesky_solve).", posterior_with(lambda M, W, x, s: torch.linalg.solve(torch.linalg.cholesky(M).T, W.T @ x.T).T)),
    Mistake("cholesky_solve and cholesky_inverse take a Cholesky factor; here they are given M itself.", posterior_with(lambda M, W, x, s: torch.cholesky_solve(W.T @ x.T, M).T)),
    Mistake("The mean takes the diagonal of M alone, inverted entry by entry; invert the matrix.", posterior_with(lambda M, W, x, s: (x @ W) / M.diagonal())),
    Mistake("This is what the posterior lost, I - sigma² M⁻¹; the covariance is sigma² M⁻¹.", lambda x, W, mu, s: (posterior(x, W, mu, s)[0], torch.eye(W.shape[1], dtype=x.dtype) - posterior(x, W, mu, s)[1])),
    Mistake("This is sigma² M; the covariance is sigma² M⁻¹.", lambda x, W, mu, s: (posterior(x, W, mu, s)[0], s**4 * torch.linalg.inv(posterior(x, W, mu, s)[1]))),
    Mistake("x is not centred: the posterior's mean takes x - mu.", lambda x, W, mu, s: posterior(x, W, 0 * mu, s)),
    Mistake("x is centred on its own mean; the model's mean is mu.", lambda x, W, mu, s: posterior(x, W, x.mean(0), s)),
    Mistake("sigma is not squared: M = WᵀW + sigma² I.", lambda x, W, mu, s: (lambda mean, _: (mean, s * torch.linalg.inv(W.T @ W + s * eye_like(W, W.shape[1]))))(*posterior(x, W, mu, s.sqrt()))),
    Mistake("sigma is not squared: M = WᵀW + sigma² I.", with_M(lambda W, s, eye: W.T @ W + s * eye)),
    Mistake("M has I where sigma² I belongs: right for unit noise alone.", with_M(lambda W, s, eye: W.T @ W + eye)),
    Mistake("The prior is missing: this is least squares, (WᵀW)⁻¹ Wᵀ(x - mu).", with_M(lambda W, s, eye: W.T @ W)),
    Mistake("The covariance lacks sigma²: it is sigma² M⁻¹.", posterior_with(None, lambda M, W, x, s: torch.linalg.inv(M))),
    Mistake("The covariance has sigma where sigma² belongs.", posterior_with(None, lambda M, W, x, s: s * torch.linalg.inv(M))),
    Mistake("The covariance divides by sigma²; it is sigma² M⁻¹.", posterior_with(None, lambda M, W, x, s: torch.linalg.inv(M) / s**2)),
    Mistake("This is M (or the precision M/sigma²); the covariance is its inverse.", posterior_with(None, lambda M, W, x, s: M)),
    Mistake("This is M (or the precision M/sigma²); the covariance is its inverse.", posterior_with(None, lambda M, W, x, s: M / s**2)),
    Mistake("The covariance is that of the prior, I; x makes it narrower.", posterior_with(None, lambda M, W, x, s: eye_like(W, len(M)))),
    Mistake("Only the variances come back, (d,); the covariance is a matrix, (d, d).", posterior_with(None, lambda M, W, x, s: s**2 * torch.linalg.inv(M).diagonal())),
    Mistake("Only the diagonal of the covariance is there; the latents are correlated given x.", posterior_with(None, lambda M, W, x, s: s**2 * torch.diag(torch.linalg.inv(M).diagonal()))),
    Mistake("The diagonal is that of M, inverted entry by entry; invert the matrix.", posterior_with(None, lambda M, W, x, s: s**2 * torch.diag(1 / M.diagonal()))),
    Mistake("This is the Cholesky factor of the covariance; the covariance is wanted.", posterior_with(None, lambda M, W, x, s: torch.linalg.cholesky(s**2 * torch.linalg.inv(M)))),
    Mistake("The mean carries an extra sigma²; that belongs to the covariance.", posterior_with(lambda M, W, x, s: s**2 * solved(M, W, x))),
    Mistake("The mean is divided by sigma² once too often.", posterior_with(lambda M, W, x, s: solved(M, W, x) / s**2)),
    Mistake("The covariance is cut off the graph: keep sigma a tensor, no detach.", posterior_with(None, lambda M, W, x, s: (s**2 * torch.linalg.inv(M)).detach())),
    Mistake("sigma is cut off the graph in the covariance: keep it a tensor.", posterior_with(None, lambda M, W, x, s: s.detach() ** 2 * torch.linalg.inv(M))),
    Mistake("M⁻¹ is missing in the mean: Wᵀ(x - mu) alone.", posterior_with(lambda M, W, x, s: x @ W)),
    Mistake("The mean multiplies by M; it wants M⁻¹.", posterior_with(lambda M, W, x, s: x @ W @ M)),
    Mistake("The mean is averaged over the rows; each row has its own.", posterior_with(lambda M, W, x, s: solved(M, W, x).mean(0).expand(len(x), -1))),
    Mistake("The mean comes back as (d, n); it is (n, d).", posterior_with(lambda M, W, x, s: solved(M, W, x).T)),
    Mistake("One covariance serves for all x: (d, d), no copy a row.", posterior_with(None, lambda M, W, x, s: (s**2 * torch.linalg.inv(M)).expand(len(x), -1, -1))),
    Mistake("This maps back to x; the posterior is of z, (n, d).", posterior_with(lambda M, W, x, s: solved(M, W, x) @ W.T)),
    Mistake("This maps back to x; the posterior is of z, (n, d).", lambda x, W, mu, s: (posterior(x, W, mu, s)[0] @ W.T + mu, posterior(x, W, mu, s)[1])),
    Mistake("The covariance carries sigma⁴; it is sigma² M⁻¹.", posterior_with(None, lambda M, W, x, s: s**4 * torch.linalg.inv(M))),
    Mistake("The mean has the wrong sign: M⁻¹ Wᵀ(x - mu).", posterior_with(lambda M, W, x, s: -solved(M, W, x))),
    Mistake("M is inverted entry by entry; invert the matrix.", lambda x, W, mu, s: (lambda M: ((x - mu) @ W @ (1 / M), s**2 / M))(W.T @ W + s**2 * eye_like(W, W.shape[1]))),
    Mistake("sigma² is added to every entry of WᵀW; it belongs on the diagonal: sigma² I.", with_M(lambda W, s, eye: W.T @ W + s**2)),
    Mistake("M has I/sigma² where sigma² I belongs.", with_M(lambda W, s, eye: W.T @ W + eye / s**2)),
    Mistake("This is the spread of the posterior means; the covariance of z given one x is sigma² M⁻¹.", lambda x, W, mu, s: (posterior(x, W, mu, s)[0], torch.cov(posterior(x, W, mu, s)[0].T))),
    Mistake("This is the spread of the posterior means; the covariance of z given one x is sigma² M⁻¹.", lambda x, W, mu, s: (posterior(x, W, mu, s)[0], torch.cov(posterior(x, W, mu, s)[0].T, correction=0))),
    Mistake("Wᵀ C⁻¹ W is added to I; x makes z's covariance smaller: I - Wᵀ C⁻¹ W.", lambda x, W, mu, s: (posterior(x, W, mu, s)[0], 2 * eye_like(W, W.shape[1]) - posterior(x, W, mu, s)[1])),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=2,
    slide=SLIDE,
    call="x, W, mu, sigma",
    returns="mean, covariance",
    cases=cases,
    reference=posterior,
    laws=(
        value(
            "mean",
            "M⁻¹ Wᵀ(x - mu) with M = WᵀW + sigma² I, one row for each x.",
            cases=["value", "large sigma"],
            outputs=["mean"],
        ),
        value(
            "covariance",
            "sigma² M⁻¹ with M = WᵀW + sigma² I.",
            cases=["value", "large sigma"],
            outputs=["covariance"],
            weight=0.5,
        ),
        gradient(0.375),
        shapes(0.125, ["one row", "one latent"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
