"""Every public name of these rooms on every odd input: the right answer, or a ValueError that says what to do.

A call takes its tensors by name, so that each can be spoilt in turn. Where numbers are meant, right is the answer to
the same numbers in float64; anywhere else an answer is at least without nan.
"""

import re
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import dgmlib.bayes
import dgmlib.elbo
import dgmlib.em
import dgmlib.kl
import dgmlib.lvm
from dgmlib.flows import Flow, LULinear, StandardNormal
from dgmlib.kl import forward_kl_loss, gaussian_kl, latent_log_prob, latent_reverse_kl, reverse_kl_loss
from tests.lvm import library as lib
from tests.lvm.cases import covariance, generator, mixture, normal, ppca, responsibilities

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text()
MIXTURE, PPCA = (
    dict(zip(("weights", "means", "covariances"), mixture(2, 3), strict=True)),
    dict(zip(("W", "mu", "sigma"), ppca(3, 2), strict=True)),
)
X = {"x": normal(40, 3)}
Q = {"q_mean": normal(40, 2), "q_cov": covariance(m=2)}
SAMPLES = {"log_joint": normal(6, 5), "log_q": normal(6, 5, seed=1)}
LINEAR = {"features": normal(20, 3), "targets": normal(20, seed=1)}
FLOW = Flow(StandardNormal(3).double(), LULinear(normal(3, 3)))


def pairs(x, z):
    return lib.PPCA(*(p.to(z) for p in ppca(3, 2))).log_likelihood(x, z.unsqueeze(1))


def shown(model) -> list:
    return list(model.state_dict().values())


def fit(result) -> list:
    return [*shown(result[0]), result[1]]


# name: (call, its tensors)
CALLS = {
    "gaussian_kl": (gaussian_kl, {"mean_p": normal(4, 3), "cov_p": covariance(m=3), "mean_q": normal(3), "cov_q": covariance(m=3, seed=1)}),
    "forward_kl_loss": (lambda x: forward_kl_loss(FLOW, x), X),
    "reverse_kl_loss": (lambda z: reverse_kl_loss(FLOW, z, FLOW.base.log_prob), {"z": normal(7, 3)}),
    "latent_log_prob": (lambda z: latent_log_prob(FLOW, z, FLOW.base.log_prob), {"z": normal(7, 3)}),
    "latent_reverse_kl": (lambda x: latent_reverse_kl(FLOW, x, FLOW.base.log_prob), X),
    "grid_posterior": (lambda log_prior, log_likelihood: lib.grid_posterior(log_prior, log_likelihood, 0.1), {"log_prior": normal(5), "log_likelihood": normal(3, 5)}),
    "gaussian_mean_posterior": (lambda x, m, s: lib.gaussian_mean_posterior(x, s, m, 1.5), {"x": normal(2, 5), "m": normal(2), "s": normal(2).abs()}),
    "map_linear_regression": (lambda features, targets: lib.map_linear_regression(features, targets, 0.5, 1.0), LINEAR),
    "linear_regression_posterior": (lambda features, targets: lib.linear_regression_posterior(features, targets, 0.5, 1.0), LINEAR),
    "GaussianMixture": (lambda **theta: shown(lib.GaussianMixture(**theta)), MIXTURE),
    "GaussianMixture.log_likelihood": (lambda x, **theta: lib.GaussianMixture(**theta).log_likelihood(x), X | MIXTURE),
    "GaussianMixture.log_joint": (lambda x, **theta: lib.GaussianMixture(**theta).log_joint(x), X | MIXTURE),
    "GaussianMixture.log_prob": (lambda x, **theta: lib.GaussianMixture(**theta).log_prob(x), X | MIXTURE),
    "GaussianMixture.posterior": (lambda x, **theta: lib.GaussianMixture(**theta).posterior(x), X | MIXTURE),
    "GaussianMixture.elbo": (lambda x, q, **theta: lib.GaussianMixture(**theta).elbo(x, q), X | {"q": responsibilities(40, 2)} | MIXTURE),
    "GaussianMixture.e_step": (lambda x, **theta: lib.GaussianMixture(**theta).e_step(x), X | MIXTURE),
    "GaussianMixture.m_step": (lambda x, q, **theta: shown(lib.GaussianMixture(**theta).m_step(x, q)), X | {"q": responsibilities(40, 2)} | MIXTURE),
    "GaussianMixture.sample": (lambda **theta: lib.GaussianMixture(**theta).sample(5, generator(0))[1].double(), MIXTURE),
    "GaussianMixture.kmeans_plus_plus": (lambda x: shown(lib.GaussianMixture.kmeans_plus_plus(x, 2, generator(0))), X),
    "GaussianMixture.restart": (lambda x, **theta: shown(lib.GaussianMixture(**theta).restart(x, generator(0))), X | MIXTURE),
    "GaussianMixture.to": (lambda **theta: shown(lib.GaussianMixture(**theta).to(torch.float64)), MIXTURE),
    "GaussianMixture.state_dict": (lambda **theta: shown(lib.GaussianMixture(**theta)), MIXTURE),
    "HardMixture": (lambda x, **theta: lib.HardMixture(**theta).e_step(x), X | MIXTURE),
    "PPCA": (lambda **theta: shown(lib.PPCA(**theta)), PPCA),
    "PPCA.log_likelihood": (lambda x, z, **theta: lib.PPCA(**theta).log_likelihood(x, z), X | {"z": normal(6, 40, 2)} | PPCA),
    "PPCA.log_joint": (lambda x, z, **theta: lib.PPCA(**theta).log_joint(x, z), X | {"z": normal(6, 40, 2)} | PPCA),
    "PPCA.log_prob": (lambda x, **theta: lib.PPCA(**theta).log_prob(x), X | PPCA),
    "PPCA.posterior": (lambda x, **theta: lib.PPCA(**theta).posterior(x), X | PPCA),
    "PPCA.elbo": (lambda x, q_mean, q_cov, **theta: lib.PPCA(**theta).elbo(x, (q_mean, q_cov)), X | Q | PPCA),
    "PPCA.gap": (lambda x, q_mean, q_cov, **theta: lib.PPCA(**theta).gap(x, (q_mean, q_cov)), X | Q | PPCA),
    "PPCA.e_step": (lambda x, **theta: lib.PPCA(**theta).e_step(x)[1], X | PPCA),
    "PPCA.m_step": (lambda x, q_mean, q_cov, **theta: shown(lib.PPCA(**theta).m_step(x, (q_mean, q_cov))), X | Q | PPCA),
    "PPCA.sample": (lambda **theta: lib.PPCA(**theta.copy()).sample(0)[0], PPCA),
    "PPCA.maximum_likelihood": (lambda x: [lib.PPCA.maximum_likelihood(x, 2).sigma], X),
    "PPCA.restart": (lambda x, **theta: lib.PPCA(**theta).restart(x).mu, X | PPCA),
    "PPCA.to": (lambda **theta: shown(lib.PPCA(**theta).to(torch.float64)), PPCA),
    "PPCA.state_dict": (lambda **theta: shown(lib.PPCA(**theta)), PPCA),
    "MeanFieldPPCA": (lambda x, **theta: lib.MeanFieldPPCA(**theta).e_step(x)[1], X | PPCA),
    "fit_mixture": (lambda x, **theta: fit(lib.fit_mixture(lib.GaussianMixture(**theta), x, 2)), X | MIXTURE),
    "naive_log_likelihood": (lambda x, z: lib.naive_log_likelihood(x, z, pairs), X | {"z": normal(50, 2, seed=1)}),
    "naive_gaussian_log_likelihood": (lambda x, means, sigma: lib.naive_gaussian_log_likelihood(x, means, sigma), X | {"means": normal(50, 3, seed=1), "sigma": PPCA["sigma"]}),
    "elbo_from_joint": (lib.elbo_from_joint, SAMPLES),
    "elbo_from_kl": (lib.elbo_from_kl, {"log_likelihood": normal(6, 5), "kl": normal(5)}),
    "importance_weighted_bound": (lib.importance_weighted_bound, SAMPLES),
    "kl_to_standard_normal": (lib.kl_to_standard_normal, {"mean": normal(4, 3), "log_var": normal(4, 3, seed=1)}),
    "ppca_elbo": (lib.ppca_elbo, X | PPCA | Q),
    "variational_gap": (lib.variational_gap, X | PPCA | Q),
    "em": (lambda x, **theta: fit(lib.em(lib.GaussianMixture(**theta), x, 2)), X | MIXTURE),
    "EMModel": (lambda x, **theta: lib.em(lib.PPCA(**theta), x, 2)[1], X | PPCA),
    "EMResult": (lambda x, **theta: lib.em(lib.PPCA(**theta), x, 2).history, X | PPCA),
}  # fmt: skip


def first(tensor, value):
    """The tensor with its first number replaced."""
    return torch.cat([tensor.new_tensor([value]), tensor.flatten()[1:]]).reshape(tensor.shape)


SPOILT = {
    "integers": lambda t: t.round().long(),
    "booleans": lambda t: t > 0,
    "complex": lambda t: t.to(torch.complex128),
    "float16": lambda t: t.half(),
    "bfloat16": lambda t: t.bfloat16(),
    "float32 alone": lambda t: t.float(),
    "a row more": lambda t: torch.cat([t, t[:1]]) if t.dim() else t.expand(3),
    "a column more": lambda t: torch.cat([t, t[..., :1]], -1) if t.dim() else t.expand(3, 3),
    "an axis more": lambda t: t.unsqueeze(0),
    "an axis less": lambda t: t[0] if t.dim() else t,
    "a number": lambda t: t.flatten()[0],
    "a vector": lambda t: t.flatten(),
    "nothing": lambda t: t[:0] if t.dim() else t.expand(0),
    "no columns": lambda t: t[..., :0] if t.dim() else t.expand(0),
    "one nan": lambda t: first(t, torch.nan),
    "one inf": lambda t: first(t, torch.inf),
    "all nan": lambda t: t * torch.nan,
    "a list": lambda t: t.tolist(),
    "an array": lambda t: t.numpy(),
    "None": lambda t: None,
}  # fmt: skip
MEANT = {"integers", "booleans", "complex", "float16", "bfloat16", "float32 alone"}  # the same numbers, or others
CASES = [(name, argument) for name, (_, tensors) in CALLS.items() for argument in tensors]


def listed() -> set[str]:
    """The public functions and classes of these rooms, in their modules and on the page, and the models' methods."""
    rooms = (dgmlib.bayes, dgmlib.elbo, dgmlib.em, dgmlib.kl, dgmlib.lvm)
    names = {name for room in rooms for name in getattr(room, "__all__", own(room))}
    rows = re.findall(r"^\| `dgmlib\.(?:kl|bayes|lvm|elbo|em)` \|[^|]*\| (.+) \|$", PAGE, re.M)
    names |= {name for row in rows for name in re.findall(r"`(\w+)[`(]", row)}
    models = {"GaussianMixture": lib.GaussianMixture, "PPCA": lib.PPCA}
    return names | {
        f"{model}.{name}" for model, kind in models.items() for name in dir(kind)
        if callable(getattr(kind, name)) and not name.startswith("_")
    }  # fmt: skip


def own(room) -> set[str]:
    """Functions that a module without `__all__` defines for others."""
    return {
        n
        for n, v in vars(room).items()
        if n[0] != "_" and n.islower() and getattr(v, "__module__", "") == room.__name__
    }


def test_the_table_holds_every_public_name():
    assert listed() - set(CALLS) == set()


def answers(result) -> list:
    flat = result if isinstance(result, tuple | list) else [result]
    return [t for part in flat for t in (answers(part) if isinstance(part, tuple | list) else [part])]


def answer_or_refusal(name: str, given: dict):
    """The tensors that come out, or None where a ValueError says what was expected, what came and what to do."""
    message = "none"
    try:
        return answers(CALLS[name][0](**given))
    except ValueError as error:
        message = str(error)
    assert re.match(r"(?s).+: expected .+, got .+[;:] .+", message), message
    return None


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_odd_input_is_answered_right_or_refused(name, argument):
    tensors = CALLS[name][1]
    for what, spoil in SPOILT.items():
        spoilt = spoil(tensors[argument])
        got = answer_or_refusal(name, tensors | {argument: spoilt})
        if got is None:
            continue
        assert not any(t.isnan().any() for t in got), f"{what} {argument}: a silent nan"
        if what in MEANT:
            right = answer_or_refusal(name, tensors | {argument: spoilt.double()})
            assert_close([t.double() for t in got], [t.double() for t in right], msg=lambda m, w=what: f"{w}: {m}")


@pytest.mark.parametrize("name", CALLS)
def test_one_precision_for_all_is_answered_right_or_refused(name):
    """All in float32 is right to its digits; in half precision, and under autocast, refused."""
    call, tensors = CALLS[name]
    right = [t.double() for t in answers(call(**tensors))]
    if "flow" not in call.__code__.co_names and "FLOW" not in call.__code__.co_names:
        got = [t.double() for t in answers(call(**{key: t.float() for key, t in tensors.items()}))]
        assert_close(got, right, rtol=1e-3, atol=1e-3)
    for dtype in (torch.float16, torch.bfloat16, torch.int64, torch.complex64):
        assert answer_or_refusal(name, {key: t.to(dtype) for key, t in tensors.items()}) is None
    with torch.autocast("cpu"):
        got = answer_or_refusal(name, tensors)
        assert got is None or all(torch.equal(t.double(), r) for t, r in zip(got, right, strict=True))
        got = answer_or_refusal(name, {key: t.float() for key, t in tensors.items()})
        assert got is None or all(torch.allclose(t.double(), r, 1e-4, 1e-4) for t, r in zip(got, right, strict=True))
