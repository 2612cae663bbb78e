"""What a wrong output has in common with the right one, in any exercise: changed inputs, one term that went through a
function, one row left out, random numbers. No list of mistakes knows these answers."""

import pytest
import torch
from torch.distributions import MultivariateNormal

from dgmlib import bayes, kl, lvm
from dgmlib.checks import card, evaluate
from dgmlib.checks.assignments import find
from dgmlib.checks.engine.altered import SQUARES, altered
from dgmlib.checks.engine.likeness import alike, partly

from .test_terms import WITH_TERMS


def said(name, answer, seed=3):
    """The message of the first law that fails."""
    return next(law.message for law in evaluate(find(name), answer, seed) if not law.passed)


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("gaussian_kl", lambda a, S, b, T: kl.gaussian_kl(a, S.inverse(), b, T.inverse()), "the inverse of each"),
        ("gaussian_kl", lambda a, S, b, T: kl.gaussian_kl(a, S, b, 2 * T), "2 cov_q in place of cov_q"),
        (
            "gaussian_kl",
            lambda a, S, b, T: kl.gaussian_kl(a, S, b, T + 1e-3 * torch.eye(len(T), dtype=T.dtype)),
            "cov_q + 0.001 I",
        ),
        ("ppca_posterior", lambda x, W, mu, s: lvm.PPCA(W, mu, s.exp()).posterior(x), "exp(sigma) in place of sigma"),
        (
            "map_linear_regression",
            lambda X, y, s, t: bayes.map_linear_regression(X / X.norm(dim=1, keepdim=True), y, s, t),
            "each row of features divided by its norm",
        ),
        (
            "map_linear_regression",
            lambda X, y, s, t: bayes.map_linear_regression(X[:-1], y[:-1], s, t),
            "without its last row in place of features and targets",
        ),
        (
            "mixture_log_prob",
            lambda x, w, mu, S: lvm.GaussianMixture(w.flip(0), mu, S).log_prob(x),
            "weights in the reversed order",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_input_is_named(name, answer, words):
    assert words in said(name, answer)


@pytest.mark.parametrize("words", SQUARES)
def test_every_change_of_a_matrix_can_be_made(words):
    change = SQUARES[words]
    matrices = torch.eye(3, dtype=torch.float64) * torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1) + 0.1
    assert change(matrices).shape == matrices.shape
    assert words.format("cov") != words or words == "the identity"


def test_an_iteration_has_no_changed_inputs():
    assert not altered(find("em_mixture"))
    assert not altered(find("LULinear"))
    assert len(altered(find("gaussian_kl"))) > 100


@pytest.mark.parametrize("name", WITH_TERMS)
@pytest.mark.parametrize(
    ("change", "words"),
    [(torch.square, "is squared"), (lambda t: t.exp(), "exponential"), (torch.abs, "absolute value")],
    ids=["square", "exp", "abs"],
)
def test_a_function_of_a_term_is_named(name, change, words):
    exercise = find(name)
    term = exercise.terms[0].answer
    if exercise.mean_over:
        pytest.skip("its terms go through the function row by row: below")

    def answer(*given):
        return exercise.reference(*given) - term(*given) + change(term(*given))

    failed = [law.message for law in evaluate(exercise, answer, 3) if not law.passed]
    as_true = ["has the wrong sign", "is missing"]  # of |t| where t < 0, of exp t where t is far below
    known = [mistake.message for mistake in exercise.mistakes]
    positive = change is torch.abs and not failed
    assert positive or any(message in failed[0] for message in [words, *as_true, *known])


def by_rows(change, log_det):
    def answer(flow, x):
        z, d = flow.forward(x)
        return change(-(flow.base.log_prob(z) + log_det(d)))

    return answer


def unchanged(d):
    return d


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (by_rows(lambda t: t[:-1].sum() / len(t), unchanged), "The last row is left out"),
        (by_rows(lambda t: t[:-1].mean() if len(t) > 1 else t.mean(), unchanged), "leaves the last row out"),
        (by_rows(lambda t: t[0], unchanged), "the first row's number"),
        (by_rows(lambda t: t.clamp(max=5.0).mean(), unchanged), "above 5 are set to it"),
        (by_rows(torch.mean, torch.abs), "log|det J_f| enters by its absolute value"),
        (by_rows(torch.mean, torch.exp), "log|det J_f| enters by its exponential"),
        (by_rows(torch.mean, lambda d: d[:1]), "log|det J_f| is the first row's"),
    ],
)
def test_how_rows_came_to_a_wrong_mean_is_named(answer, words):
    assert words in said("forward_kl_loss", answer)


def test_a_term_that_is_cut_off_the_graph_is_named():
    def answer(x, W, mu, sigma, q_mean, q_cov):
        exercise = find("ppca_elbo")
        norm = q_mean.square().sum(1) / 2
        return exercise.reference(x, W, mu, sigma, q_mean, q_cov) + norm - norm.detach()

    assert "‖q_mean‖² is cut off the graph" in said("ppca_elbo", answer)


def test_random_numbers_are_named():
    def answer(mean_p, cov_p, mean_q, cov_q):
        p, q = MultivariateNormal(mean_p, cov_p), MultivariateNormal(mean_q, cov_q)
        x = p.rsample((1000,))
        return (p.log_prob(x) - q.log_prob(x)).mean()

    assert "Random numbers were drawn" in said("gaussian_kl", answer)


MATRIX = torch.arange(1.0, 26.0, dtype=torch.float64).reshape(5, 5)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((-1,), "the last row is wrong"),
        ((0,), "the first row is wrong"),
        ((slice(None), -1), "the last column is wrong"),
        ((slice(1, None),), "the first row is right"),
        ((torch.arange(5), torch.arange(5)), "The diagonal alone is wrong"),
        (tuple(torch.tril_indices(5, 5, -1)), "The lower triangle alone is wrong"),
    ],
)
def test_where_the_wrong_entries_stand_is_said(place, words):
    got = MATRIX.clone()
    got[place] += torch.rand(got[place].shape, dtype=torch.float64) + 1
    assert words in partly(MATRIX, got)


def test_entries_wrong_here_and_there_are_not_said_to_stand_anywhere():
    got = MATRIX.clone()
    got[1, 2] = got[3, 0] = 100.0
    assert not partly(MATRIX, got)


def test_a_multiple_of_the_identity_is_named():
    assert "0.001 times the identity is added" in alike(MATRIX, MATRIX + 1e-3 * torch.eye(5, dtype=torch.float64))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (MATRIX.mean(0).expand_as(MATRIX), "Every row holds the mean over the rows"),
        (MATRIX.flip(0), "The rows stand in the reversed order"),
        (MATRIX.cumsum(0), "running sum over the rows"),
        (MATRIX.flip(1), "The right numbers stand in other places"),
        (1.25 * MATRIX, "Every entry is 1.25 times the right one"),
        (MATRIX.mT, "The two last axes are swapped"),
    ],
)
def test_right_numbers_in_wrong_places_are_named(got, words):
    assert words in alike(MATRIX, got)


@pytest.mark.parametrize("size", [2, 100, 1000], ids=str)
@pytest.mark.parametrize("name", ["naive_log_likelihood", "importance_weighted_bound"])
def test_samples_taken_in_batches_do_not_pass(name, size):
    """The mean of the batches' logarithms is right where all samples are in one batch."""
    exercise = find(name)
    if name == "naive_log_likelihood":

        def answer(x, z, log_likelihood):
            return torch.stack([exercise.reference(x, part, log_likelihood) for part in z.split(size)]).mean(0)
    else:

        def answer(log_joint, log_q):
            parts = zip(log_joint.split(size), log_q.split(size), strict=True)
            return torch.stack([exercise.reference(*part) for part in parts]).mean(0)

    assert any(law.law == "value" and not law.passed for law in evaluate(exercise, answer, 3))


@pytest.mark.parametrize("descending", [False, True])
def test_means_that_are_sorted_alone_do_not_pass(descending):
    exercise = find("em_mixture")

    def answer(x, *given):
        weights, means, covariances, history = exercise.reference(x, *given)
        return weights, means[means[:, 0].argsort(descending=descending)], covariances, history

    assert "sort all or none" in said("em_mixture", answer)


def test_a_message_does_not_depend_on_what_was_checked_before():
    """What mistakes give is kept for a seed: by the mistake, never by its address."""
    exercise = find("gaussian_kl")

    def jitter(a, S, b, T):
        return exercise.reference(a, S, b, T + 1e-2 * torch.eye(len(T), dtype=T.dtype))

    for size in range(12):
        card(exercise, lambda a, S, b, T, size=size: exercise.reference(a, S, b, T).exp() + size)
        assert "cov_q + 0.01 I" in card(exercise, jitter).laws[0].message
