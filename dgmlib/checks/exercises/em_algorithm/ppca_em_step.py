"""`ppca_em_step`: one step of EM for PPCA."""

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
    supporting_value,
    uniform,
    value,
)


def moments(x, W, mu, sigma):
    """E z, (n, d), and the covariance of z given x, (d, d)."""
    M = W.T @ W + sigma**2 * torch.eye(W.shape[1], dtype=W.dtype, device=W.device)
    return (x - mu) @ torch.linalg.solve(M, W.T).T, sigma**2 * torch.linalg.inv(M)


def ppca_em_step(x, W, mu, sigma):
    return em_step()(x, W, mu, sigma)


def em_step(
    spread=lambda S, sigma: S,
    new_W=lambda cross, second: torch.linalg.solve(second, cross.T).T,
    residual_W=lambda old, new: new,
    trace=lambda W, S, x: torch.einsum("ma,ab,mb->", W, S, W),
    noise=lambda squares, x: (squares / x.numel()).sqrt(),
    centre=lambda x, mu: mu,
    new_mu=lambda x: x.mean(0),
    finish=lambda sigma, x, W: sigma,
):
    """One EM step with any of its parts replaced."""

    def answer(x, W, mu, sigma):
        z, S = moments(x, W, centre(x, mu), sigma)
        S = spread(S, sigma)
        centred = x - centre(x, mu)
        new = new_W(centred.T @ z, z.T @ z + len(x) * S)
        used = residual_W(W, new)
        squares = (centred - z @ used.T).square().sum() + len(x) * trace(used, S, x)
        return new, new_mu(x), finish(noise(squares, x), x, W)

    return answer


def by_hand(
    M=lambda W, sigma, identity: W.T @ W + sigma**2 * identity,
    second=lambda z, S, n: z.T @ z + n * S,
    variance=lambda residual, old, new, S: residual(new) + torch.trace(new @ S @ new.T) / len(new),
):
    """One EM step from other parts; `residual` gives the mean square of x - mu - W E z."""

    def answer(x, W, mu, sigma):
        inverse = torch.linalg.inv(M(W, sigma, torch.eye(W.shape[1], dtype=W.dtype, device=W.device)))
        centred = x - mu
        z, S = centred @ W @ inverse, sigma**2 * inverse
        new = centred.T @ z @ torch.linalg.inv(second(z, S, len(x)))
        return new, x.mean(0), variance(lambda W: (centred - z @ W.T).square().mean(), W, new, S).sqrt()

    return answer


def start(rng, n, m, d, low=0.6, high=1.2):
    """Data of any mean, and a start far from the fit, but for mu at the sample mean."""
    x = normal(rng, n, m) @ regular(rng, m) + 2 * normal(rng, m)
    return {"x": x, "W": normal(rng, m, d), "mu": x.mean(0), "sigma": uniform(rng, low, high)}


def cases(rng):
    value_case = start(rng, 9, 5, 2)
    return {
        "value": value_case,
        "large sigma": start(rng, 7, 4, 3, 2.5, 3.5),
        "float32": single(value_case),
        "one latent": start(rng, 6, 3, 1),
        "one feature": start(rng, 6, 1, 1),
        "few rows": start(rng, 3, 6, 2),
    }


def probe(answer, given, record):
    """Right answers agree where mu is the sample mean: the gradient by x is taken along that."""
    x = given["x"]
    mu = x.mean(0) if x.requires_grad else given["mu"]
    record.returned(answer(x, given["W"], mu, given["sigma"]), "W", "mu", "sigma")


def previous_residual(old, new):
    return old


def stale_sigma(x, W, mu, sigma):
    new_W, new_mu, _ = ppca_em_step(x, W, mu, sigma)
    return new_W, new_mu, sigma


def sigma_e_step(x, W, mu, sigma):
    """sigma where sigma² belongs, in the E-step."""
    return ppca_em_step(x, W, mu, sigma.sqrt())


def many_steps(x, W, mu, sigma):
    return ppca_em_step(x, *ppca_em_step(x, W, mu, sigma))


def gradient_free(x, W, mu, sigma):
    return tuple(t.detach() for t in ppca_em_step(x, W, mu, sigma))


def newest_moments(x, W, mu, sigma):
    new_W, new_mu, _ = ppca_em_step(x, W, mu, sigma)
    z, S = moments(x, new_W, mu, sigma)
    squares = (x - mu - z @ new_W.T).square().mean() + torch.trace(new_W @ S @ new_W.T) / x.shape[1]
    return new_W, new_mu, squares.sqrt()


def no_covariance(S, sigma):
    return 0 * S


def once_for_all_rows(x, W, mu, sigma):
    return em_step(trace=lambda W, S, x: torch.trace(W @ S @ W.T) / len(x))(x, W, mu, sigma)


def second_of_mean(cross, second):
    return torch.linalg.solve(second.T, cross.T)


def centred_at_zero(x, mu):
    return 0 * mu


def expanded(cross=2.0, last=1.0):
    """sigma² from the square multiplied out, with other factors before its last two terms."""

    def answer(x, W, mu, sigma):
        new, new_mu, _ = ppca_em_step(x, W, mu, sigma)
        z, S = moments(x, W, mu, sigma)
        second = z.T @ z + len(x) * S
        squares = (
            (x - mu).square().sum() - cross * (z @ new.T * (x - mu)).sum() + last * torch.trace(second @ new.T @ new)
        )
        return new, new_mu, (squares / x.numel()).sqrt()

    return answer


def by_rows_summed(x, W, mu, sigma):
    return by_hand(
        variance=lambda residual, old, new, S: len(x) * residual(new) + torch.trace(new @ S @ new.T) / len(new)
    )(x, W, mu, sigma)


def centred_in_the_e_step_alone(x, W, mu, sigma):
    z, S = moments(x, W, mu, sigma)
    new = torch.linalg.solve(z.T @ z + len(x) * S, z.T @ x).T
    squares = (x - z @ new.T).square().mean() + torch.trace(new @ S @ new.T) / x.shape[1]
    return new, x.mean(0), squares.sqrt()


def mean_with(e_step):
    """One EM step with other moments: e_step(x, W, mu, sigma) -> E z, the covariance of z given x."""

    def answer(x, W, mu, sigma):
        z, S = e_step(x, W, mu, sigma)
        new = torch.linalg.solve(z.T @ z + len(x) * S, z.T @ (x - mu)).T
        squares = (x - mu - z @ new.T).square().mean() + torch.trace(new @ S @ new.T) / x.shape[1]
        return new, x.mean(0), squares.sqrt()

    return answer


MISTAKES = (
    Mistake("All entries of W S Wᵀ are added up; the trace takes its diagonal.", by_hand(variance=lambda residual, old, new, S: residual(new) + (new @ S @ new.T).sum() / len(new))),
    Mistake("The mean of the squared residual divides by n - 1; it divides by n.", lambda x, W, mu, sigma: by_hand(variance=lambda residual, old, new, S: residual(new) * len(x) / (len(x) - 1) + torch.trace(new @ S @ new.T) / len(new))(x, W, mu, sigma)),
    Mistake("The squared residual is divided by m twice; the whole bracket once.", by_hand(variance=lambda residual, old, new, S: (residual(new) + torch.trace(new @ S @ new.T)) / len(new))),
    Mistake("The E-step's mean takes x where x - mu belongs.", mean_with(lambda x, W, mu, sigma: moments(x, W, 0 * mu, sigma))),
    Mistake("E z is the least-squares projection, (WᵀW)⁻¹ Wᵀ(x - mu); the posterior's mean has M = WᵀW + sigma² I.", mean_with(lambda x, W, mu, sigma: ((x - mu) @ torch.linalg.pinv(W).T, moments(x, W, mu, sigma)[1]))),
    Mistake("Only the diagonal of the posterior covariance is used; the latents are correlated given x.", mean_with(lambda x, W, mu, sigma: (moments(x, W, mu, sigma)[0], torch.diag(moments(x, W, mu, sigma)[1].diagonal())))),
    Mistake("The E-step is cut off the graph: no detach, no no_grad.", mean_with(lambda x, W, mu, sigma: tuple(t.detach() for t in moments(x, W, mu, sigma)))),
    Mistake("The residual uses the old W; both lines of the M-step use the new one.", em_step(residual_W=previous_residual)),
    Mistake("The trace term is missing in sigma²: add tr(W Cov(z|x) Wᵀ) for each row.", em_step(trace=lambda W, S, x: 0.0)),
    Mistake("E[z zᵀ] lacks the posterior covariance: it is Cov(z|x) + E[z] E[z]ᵀ.", em_step(spread=no_covariance)),
    Mistake("The posterior covariance counts once; the sum over the rows holds it n times.", by_hand(second=lambda z, S, n: z.T @ z + S)),
    Mistake("One sum of the M-step is a mean over the rows and the other is not: both are sums.", by_hand(second=lambda z, S, n: z.T @ z / n + S)),
    Mistake("E[z zᵀ] lacks the posterior covariance: it is Cov(z|x) + E[z] E[z]ᵀ.", by_hand(second=lambda z, S, n: z.T @ z)),
    Mistake("M is WᵀW + I here; the noise is missing: M = WᵀW + sigma² I.", by_hand(lambda W, sigma, identity: W.T @ W + identity)),
    Mistake("The E-step takes sigma for sigma²: M = WᵀW + sigma² I.", by_hand(lambda W, sigma, identity: W.T @ W + sigma * identity)),
    Mistake("sigma² is added to every entry of WᵀW; it belongs on the diagonal: sigma² I.", by_hand(lambda W, sigma, identity: W.T @ W + sigma**2)),
    Mistake("The trace takes the old W; both terms of sigma² use the new one.", by_hand(variance=lambda residual, old, new, S: residual(new) + torch.trace(old @ S @ old.T) / len(new))),
    Mistake("The residual uses the old W; both terms of sigma² use the new one.", by_hand(variance=lambda residual, old, new, S: residual(old) + torch.trace(new @ S @ new.T) / len(new))),
    Mistake("The trace is not divided by m; the whole bracket is.", by_hand(variance=lambda residual, old, new, S: residual(new) + torch.trace(new @ S @ new.T))),
    Mistake("The trace is tr(S) here; the columns see it through W: tr(W S Wᵀ).", by_hand(variance=lambda residual, old, new, S: residual(new) + torch.trace(S) / len(new))),
    Mistake("The trace is divided by n; every row has it, so in the mean it stands whole.", once_for_all_rows),
    Mistake("The moments of z are taken again at the new W; those of the E-step, at the old parameters, serve both lines.", newest_moments),
    Mistake("The posterior covariance is M⁻¹; the factor sigma² is missing.", em_step(spread=lambda S, sigma: S / sigma**2)),
    Mistake("The posterior covariance carries sigma; it is sigma² M⁻¹.", em_step(spread=lambda S, sigma: S / sigma)),
    Mistake("This is sigma²; its square root is wanted.", em_step(noise=lambda squares, x: squares / x.numel())),
    Mistake("The E-step takes sigma for sigma²: M = WᵀW + sigma² I.", sigma_e_step),
    Mistake("sigma² is summed over the m columns; it is their mean.", em_step(noise=lambda squares, x: (squares / len(x)).sqrt())),
    Mistake("sigma² is summed over the rows; it is their mean.", em_step(noise=lambda squares, x: (squares / x.shape[1]).sqrt())),
    Mistake("sigma² divides by n - 1; maximum likelihood divides by n.", em_step(noise=lambda squares, x: (squares / (len(x) - 1) / x.shape[1]).sqrt())),
    Mistake("mu is the sample mean before the step and after it.", em_step(new_mu=lambda x: 0 * x.mean(0))),
    Mistake("x is not centred: subtract mu.", em_step(centre=centred_at_zero)),
    Mistake("x is not centred: subtract mu.", em_step(centre=centred_at_zero, new_mu=lambda x: 0 * x.mean(0))),
    Mistake("sigma is not updated.", stale_sigma),
    Mistake("W is not updated.", lambda x, W, mu, sigma: (W, *ppca_em_step(x, W, mu, sigma)[1:])),
    Mistake("W is not updated.", lambda x, W, mu, sigma: (W, *em_step(residual_W=previous_residual)(x, W, mu, sigma)[1:])),
    Mistake("W = (sum x E[z]ᵀ)(sum E[z zᵀ])⁻¹; the inverse is missing.", em_step(new_W=lambda cross, second: cross)),
    Mistake("W comes back transposed: (m, d) is wanted.", em_step(new_W=second_of_mean, residual_W=lambda old, new: new.T)),
    Mistake("This is two EM steps (or more); one is wanted.", many_steps),
    Mistake("The values are right and cut off the graph: no detach, no no_grad.", gradient_free),
    Mistake("sigma² divides by m - d; the mean runs over all m columns.", em_step(noise=lambda squares, x: squares.sqrt(), finish=lambda sigma, x, W: sigma / (len(x) * max(x.shape[1] - W.shape[1], 1)) ** 0.5)),
    Mistake("sigma² divides by m - 1; the mean runs over all m columns.", em_step(noise=lambda squares, x: (squares / (len(x) * max(x.shape[1] - 1, 1))).sqrt())),
    Mistake("The posterior covariance counts twice.", em_step(spread=lambda S, sigma: 2 * S)),
    Mistake("The cross term of the square is halved: ‖x - mu‖² - 2 E[z]ᵀWᵀ(x - mu) + tr(E[z zᵀ] WᵀW).", expanded(cross=1.0)),
    Mistake("The last term of the square is missing: ‖x - mu‖² - 2 E[z]ᵀWᵀ(x - mu) + tr(E[z zᵀ] WᵀW).", expanded(last=0.0)),
    Mistake("The last term of the square is subtracted: ‖x - mu‖² - 2 E[z]ᵀWᵀ(x - mu) + tr(E[z zᵀ] WᵀW).", expanded(last=-1.0)),
    Mistake("The cross term of the square is missing: ‖x - mu‖² - 2 E[z]ᵀWᵀ(x - mu) + tr(E[z zᵀ] WᵀW).", expanded(cross=0.0)),
    Mistake("W misses the second moment's inverse: this is S W M⁻¹, of the sample covariance S.", lambda x, W, mu, sigma: ((x - mu).T @ moments(x, W, mu, sigma)[0] / len(x), *ppca_em_step(x, W, mu, sigma)[1:])),
    Mistake("This is log sigma; sigma itself is wanted.", em_step(noise=lambda squares, x: (squares / x.numel()).log() / 2)),
    Mistake("sigma² divides by d; the mean runs over the m columns.", em_step(noise=lambda squares, x: squares.sqrt(), finish=lambda sigma, x, W: sigma / (len(x) * W.shape[1]) ** 0.5)),
    Mistake("The residual is summed over the rows; it is their mean, as the trace is one row's.", by_rows_summed),
    Mistake("The M-step takes x where x - mu belongs.", centred_in_the_e_step_alone),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="EM-Algorithm",
    call="x, W, mu, sigma",
    returns="W, mu, sigma",
    probe=probe,
    cases=cases,
    reference=ppca_em_step,
    laws=(
        value(
            "W",
            "W = (sum_i (x_i - mu) E[z_i]ᵀ)(sum_i E[z_i z_iᵀ])⁻¹.",
            cases=["value", "large sigma"],
            outputs=["W"],
        ),
        value(
            "sigma",
            "sigma² = mean over rows and columns of E[(x - mu - W z)²], with the new W.",
            cases=["value", "large sigma"],
            outputs=["sigma"],
            weight=0.75,
        ),
        supporting_value("mu", 0.25, ["value", "large sigma"], "mu stays at the sample mean.", outputs=["mu"]),
        gradient(0.375, ["x", "W", "sigma"]),
        shapes(0.125, ["one latent", "one feature", "few rows"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
)
