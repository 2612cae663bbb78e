"""`gaussian_kl`: KL between two Gaussians in closed form."""

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from ...engine import Exercise, Mistake, covariance, gradient, interface_laws, normal, shapes, single, stable, value


def reference(mean_p, cov_p, mean_q, cov_q):
    return kl_divergence(MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q))


def gaussians(rng, m, p=(0.3, 2.0), q=(0.5, 3.0)):
    return {
        "mean_p": normal(rng, m),
        "cov_p": covariance(rng, m, *p),
        "mean_q": normal(rng, m),
        "cov_q": covariance(rng, m, *q),
    }


def cases(rng):
    value_case = gaussians(rng, 4)
    return {
        "value": value_case,
        "narrow q": gaussians(rng, 2, (0.5, 2.0), (0.05, 0.3)),
        "float32": single(value_case),
        "one feature": gaussians(rng, 1),
        "extreme": single(gaussians(rng, 150, (0.02, 0.1), (2.0, 5.0))),
    }


def terms(mean_p, cov_p, mean_q, cov_q):
    """tr(Σ_q⁻¹ Σ_p), the squared distance, m, log det Σ_q - log det Σ_p."""
    delta = mean_q - mean_p
    trace = torch.linalg.solve(cov_q, cov_p).trace()
    distance = delta @ torch.linalg.solve(cov_q, delta)
    return trace, distance, len(delta), torch.logdet(cov_q) - torch.logdet(cov_p)


def mistaken(combine):
    """A wrong answer out of the four terms."""
    return lambda *arguments: combine(*terms(*arguments))


def distance_by_p(mean_p, cov_p, mean_q, cov_q):
    delta = mean_q - mean_p
    wrong = delta @ torch.linalg.solve(cov_p, delta) - delta @ torch.linalg.solve(cov_q, delta)
    return reference(mean_p, cov_p, mean_q, cov_q) + wrong / 2


def trace_by_p(mean_p, cov_p, mean_q, cov_q):
    wrong = torch.linalg.solve(cov_p, cov_q).trace() - torch.linalg.solve(cov_q, cov_p).trace()
    return reference(mean_p, cov_p, mean_q, cov_q) + wrong / 2


def both_by_p(mean_p, cov_p, mean_q, cov_q):
    delta = mean_q - mean_p
    trace, distance = torch.linalg.solve(cov_p, cov_q).trace(), delta @ torch.linalg.solve(cov_p, delta)
    return (trace + distance - len(delta) + torch.logdet(cov_q) - torch.logdet(cov_p)) / 2


def distance_without_inverse(mean_p, cov_p, mean_q, cov_q):
    delta = mean_q - mean_p
    wrong = delta @ cov_q @ delta - delta @ torch.linalg.solve(cov_q, delta)
    return reference(mean_p, cov_p, mean_q, cov_q) + wrong / 2


def distance_by_identity(mean_p, cov_p, mean_q, cov_q):
    delta = mean_q - mean_p
    wrong = delta @ delta - delta @ torch.linalg.solve(cov_q, delta)
    return reference(mean_p, cov_p, mean_q, cov_q) + wrong / 2


def log_dets_of_diagonals(mean_p, cov_p, mean_q, cov_q):
    trace, distance, m, _ = terms(mean_p, cov_p, mean_q, cov_q)
    return (trace + distance - m + cov_q.diagonal().log().sum() - cov_p.diagonal().log().sum()) / 2


def sum_of_entries(mean_p, cov_p, mean_q, cov_q):
    product = torch.linalg.solve(cov_q, cov_p)
    return reference(mean_p, cov_p, mean_q, cov_q) + (product.sum() - product.trace()) / 2


def trace_of_products(mean_p, cov_p, mean_q, cov_q):
    right = torch.linalg.solve(cov_q, cov_p).trace()
    wrong = (torch.linalg.inv(cov_q) * cov_p).trace() - right
    return reference(mean_p, cov_p, mean_q, cov_q) + wrong / 2


def determinants(mean_p, cov_p, mean_q, cov_q):
    trace, distance, m, _ = terms(mean_p, cov_p, mean_q, cov_q)
    return (trace + distance - m + torch.det(cov_q) - torch.det(cov_p)) / 2


def diagonals(mean_p, cov_p, mean_q, cov_q):
    return reference(mean_p, cov_p.diagonal().diag(), mean_q, cov_q.diagonal().diag())


def spreads(mean_p, cov_p, mean_q, cov_q):
    """The covariances read as scales: Σ = S Sᵀ."""
    return reference(mean_p, cov_p @ cov_p.mT, mean_q, cov_q @ cov_q.mT)


DISTANCE = "The distance between the means is measured by Σ_q⁻¹ alone: (μ_q - μ_p)ᵀ Σ_q⁻¹ (μ_q - μ_p)."


def bracket(trace_factor, distance_factor, m_factor, log_dets_factor):
    """The four terms, each with a factor."""

    def answer(*gaussians):
        trace, distance, m, log_dets = terms(*gaussians)
        return (trace_factor * trace + distance_factor * distance - m_factor * m + log_dets_factor * log_dets) / 2

    return answer


def with_trace(trace):
    return lambda *a: reference(*a) + (trace - terms(*a)[0]) / 2


def with_distance(distance):
    return lambda *a: reference(*a) + (distance - terms(*a)[1]) / 2


MISTAKES = (
    Mistake("The covariances are used as Cholesky factors (scale_tril); they are covariances.", lambda a, S, b, T: kl_divergence(MultivariateNormal(a, scale_tril=S, validate_args=False), MultivariateNormal(b, scale_tril=T, validate_args=False))),
    Mistake("The distance is solved with the Cholesky factor once; Σ_q = L Lᵀ takes two solves, or the square of one.", lambda a, S, b, T: with_distance((b - a) @ torch.linalg.solve(torch.linalg.cholesky(T), b - a))(a, S, b, T)),
    Mistake("The trace is solved with the Cholesky factor once; Σ_q = L Lᵀ takes two solves (cholesky_solve).", lambda a, S, b, T: with_trace(torch.linalg.solve(torch.linalg.cholesky(T), S).trace())(a, S, b, T)),
    Mistake("cholesky_solve takes a Cholesky factor; here it is given Σ_q itself.", lambda a, S, b, T: with_trace(torch.cholesky_solve(S, T).trace())(a, S, b, T)),
    Mistake("cholesky_solve takes a Cholesky factor; here it is given Σ_q itself.", lambda a, S, b, T: with_distance((b - a) @ torch.cholesky_solve((b - a)[:, None], T)[:, 0])(a, S, b, T)),
    Mistake("The distance solves with Lᵀ; it solves with L, where Σ_q = L Lᵀ.", lambda a, S, b, T: with_distance(torch.linalg.solve(torch.linalg.cholesky(T).T, b - a).square().sum())(a, S, b, T)),
    Mistake("The trace solves with Lᵀ; it solves with L, where Σ_q = L Lᵀ.", lambda a, S, b, T: with_trace(torch.linalg.solve(torch.linalg.cholesky(T).T, torch.linalg.cholesky(S)).square().sum())(a, S, b, T)),
    Mistake("The trace divides diagonal by diagonal; Σ_q⁻¹ is the inverse of the whole matrix.", lambda a, S, b, T: with_trace((S.diagonal() / T.diagonal()).sum())(a, S, b, T)),
    Mistake("The distance sums (μ_q - μ_p)²/Σ_q over the diagonal; Σ_q⁻¹ is the inverse of the whole matrix.", lambda a, S, b, T: with_distance(((b - a).square() / T.diagonal()).sum())(a, S, b, T)),
    Mistake("Σ_q multiplies where Σ_q⁻¹ belongs.", lambda a, b, c, d: (torch.trace(d @ b) + (c - a) @ d @ (c - a) - len(a) + torch.logdet(d) - torch.logdet(b)) / 2),
    Mistake("The log-determinants are halved twice: 1/2 stands in front of all terms.", mistaken(lambda t, d, m, r: (t + d - m + r / 2) / 2)),
    Mistake("The distance between the means enters once; it stands on both sides of Σ_q⁻¹.", lambda a, b, c, d: (torch.trace(torch.linalg.solve(d, b)) + torch.linalg.solve(d, c - a).sum() - len(a) + torch.logdet(d) - torch.logdet(b)) / 2),
    Mistake("This is KL(q‖p): the two arguments are swapped.", lambda a, b, c, d: reference(c, d, a, b)),
    Mistake("The factor 1/2 in front is missing.", mistaken(lambda t, d, m, r: t + d - m + r)),
    Mistake("- m is missing: KL(p‖p) must be 0.", mistaken(lambda t, d, m, r: (t + d + r) / 2)),
    Mistake("1 is subtracted where m belongs: KL(p‖p) must be 0 in every dimension.", mistaken(lambda t, d, m, r: (t + d - 1 + r) / 2)),
    Mistake("m is added; it is subtracted: KL(p‖p) must be 0.", mistaken(lambda t, d, m, r: (t + d + m + r) / 2)),
    Mistake("The sign of the log-determinants is flipped: + log det Σ_q - log det Σ_p.", mistaken(lambda t, d, m, r: (t + d - m - r) / 2)),
    Mistake("The log-determinants are missing.", mistaken(lambda t, d, m, r: (t + d - m) / 2)),
    Mistake("Only the log-determinants lack their factor 1/2: the whole bracket is halved.", mistaken(lambda t, d, m, r: (t + d - m) / 2 + r)),
    Mistake("The distance between the means is missing.", mistaken(lambda t, d, m, r: (t - m + r) / 2)),
    Mistake("The distance between the means is subtracted; it is added.", mistaken(lambda t, d, m, r: (t - d - m + r) / 2)),
    Mistake("The trace term is missing.", mistaken(lambda t, d, m, r: (d - m + r) / 2)),
    Mistake("The sign is flipped: KL is never negative.", mistaken(lambda t, d, m, r: -(t + d - m + r) / 2)),
    Mistake("The distance between the means wants its square.", mistaken(lambda t, d, m, r: (t + d.sqrt() - m + r) / 2)),
    Mistake("This is averaged over the features; KL adds up.", mistaken(lambda t, d, m, r: (t + d - m + r) / (2 * m))),
    Mistake(DISTANCE, distance_by_p),
    Mistake("The distance between the means lacks the inverse: (μ_q - μ_p)ᵀ Σ_q⁻¹ (μ_q - μ_p).", distance_without_inverse),
    Mistake("The distance between the means lacks Σ_q⁻¹ in the middle: (μ_q - μ_p)ᵀ Σ_q⁻¹ (μ_q - μ_p).", distance_by_identity),
    Mistake("Only the diagonals enter the log-determinants; a full covariance needs slogdet or Cholesky.", log_dets_of_diagonals),
    Mistake("All entries of Σ_q⁻¹ Σ_p are summed; the trace sums its diagonal.", sum_of_entries),
    Mistake("The trace takes the inverse of the wrong matrix: tr(Σ_q⁻¹ Σ_p).", trace_by_p),
    Mistake("Σ_p is inverted in the trace and in the distance; both want Σ_q⁻¹.", both_by_p),
    Mistake("Only the trace is halved; the factor 1/2 stands before the whole bracket.", mistaken(lambda t, d, m, r: t / 2 + d - m + r)),
    Mistake("Σ_q⁻¹ * Σ_p multiplies entry by entry; the trace wants the matrix product, Σ_q⁻¹ @ Σ_p.", trace_of_products),
    Mistake("The determinants themselves are there; their logarithms belong there.", determinants),
    Mistake("Only the diagonals of the covariances enter; the check's covariances are full.", diagonals),
    Mistake("The covariances are used as if they were standard deviations; Σ is already squared.", spreads),
    Mistake("The value is right, but the graph was cut.", lambda *a: reference(*a).detach()),
    Mistake("The 1/2 stands before the log-determinants alone; it stands before the whole bracket.", bracket(2, 2, 2, 1)),
    Mistake("The 1/2 before the distance between the means is missing.", bracket(1, 2, 1, 1)),
    Mistake("The 1/2 before the trace is missing.", bracket(2, 1, 1, 1)),
    Mistake("The 1/2 before m is missing.", bracket(1, 1, 2, 1)),
    Mistake("log det Σ_p is missing: log det Σ_q - log det Σ_p.", lambda a, S, b, T: reference(a, S, b, T) + torch.logdet(S) / 2),
    Mistake("log det Σ_q is missing: log det Σ_q - log det Σ_p.", lambda a, S, b, T: reference(a, S, b, T) - torch.logdet(T) / 2),
    Mistake("The log-determinants are added; they are subtracted: log det Σ_q - log det Σ_p.", lambda a, S, b, T: reference(a, S, b, T) + torch.logdet(S)),
    Mistake("The trace is that of Σ_p alone: Σ_q⁻¹ is missing.", lambda a, S, b, T: reference(a, S, b, T) + (S.trace() - terms(a, S, b, T)[0]) / 2),
    Mistake("The trace multiplies by Σ_q; it wants the inverse.", lambda a, S, b, T: reference(a, S, b, T) + ((T @ S).trace() - terms(a, S, b, T)[0]) / 2),
    Mistake("The means are added; their difference enters.", lambda a, S, b, T: reference(a, S, -b, T)),
    Mistake("Only the log-determinants are there.", lambda *a: terms(*a)[3] / 2),
    Mistake("This is the cross-entropy, -E_p log q; the KL subtracts the entropy of p.", lambda a, S, b, T: -MultivariateNormal(b, T).log_prob(a) + terms(a, S, b, T)[0] / 2),
    Mistake("This is the mean of KL(p‖q) and KL(q‖p); KL(p‖q) alone is asked for.", lambda a, S, b, T: (reference(a, S, b, T) + reference(b, T, a, S)) / 2),
    Mistake("m² is subtracted, the number of entries of a covariance; it is m.", lambda a, S, b, T: reference(a, S, b, T) + (len(a) - len(a) ** 2) / 2),
)  # fmt: skip

EXERCISE = Exercise(
    __name__,
    points=3,
    slide="Forward KL vs. Reverse KL",
    call="mean_p, cov_p:symmetric, mean_q, cov_q:symmetric",
    returns="kl",
    cases=cases,
    reference=reference,
    laws=(
        value(
            "value",
            "In closed form: ½ [tr(Σ_q⁻¹ Σ_p) + (μ_q - μ_p)ᵀ Σ_q⁻¹ (μ_q - μ_p) - m + log det Σ_q - log det Σ_p].",
            cases=["value", "narrow q"],
        ),
        gradient(0.5),
        stable(0.375, ["extreme"], "A determinant of 150 features leaves float32: use slogdet or Cholesky."),
        shapes(0.25, ["one feature"]),
        *interface_laws(),
    ),
    mistakes=MISTAKES,
    terms=(
        Mistake("The trace tr(Σ_q⁻¹ Σ_p)", lambda *a: terms(*a)[0] / 2),
        Mistake("The distance between the means", lambda *a: terms(*a)[1] / 2),
        Mistake("m", lambda *a: -terms(*a)[0].new_tensor(len(a[0])) / 2),
        Mistake("log det Σ_q", lambda a, S, b, T: torch.logdet(T) / 2),
        Mistake("log det Σ_p", lambda a, S, b, T: -torch.logdet(S) / 2),
    ),
)
