"""What comes out has the dtype and the device of what went in, and nothing that went in has changed."""

import copy
import importlib

import pytest
import torch
from torch.testing import assert_close

from tests.lvm import library as lib
from tests.lvm.cases import covariance, mixture, normal, ppca, responsibilities
from tests.test_kl import Affine

CALLS = {
    "gaussian_kl": lambda t: lib.gaussian_kl(t["mean"], t["cov"], t["mean"], t["cov"]),
    "forward_kl_loss": lambda t: lib.forward_kl_loss(t["flow"], t["x"]),
    "reverse_kl_loss": lambda t: lib.reverse_kl_loss(t["flow"], t["x"], t["flow"].base.log_prob),
    "latent_log_prob": lambda t: lib.latent_log_prob(t["flow"], t["x"], t["flow"].base.log_prob),
    "latent_reverse_kl": lambda t: lib.latent_reverse_kl(t["flow"], t["x"], t["flow"].base.log_prob),
    "grid_posterior": lambda t: lib.grid_posterior(t["mean"], t["mean"], 0.1),
    "gaussian_mean_posterior": lambda t: lib.gaussian_mean_posterior(t["x"], 1.0, 0.0, t["mean"][0].abs()),
    "map_linear_regression": lambda t: lib.map_linear_regression(t["x"], t["x"][:, 0], 0.5, 1.0),
    "linear_regression_posterior": lambda t: lib.linear_regression_posterior(t["x"], t["x"][:, 0], 0.5, 1.0),
    "mixture log_prob": lambda t: lib.GaussianMixture(*t["mixture"]).log_prob(t["x"]),
    "mixture posterior": lambda t: lib.GaussianMixture(*t["mixture"]).posterior(t["x"]),
    "mixture sample": lambda t: lib.GaussianMixture(*t["mixture"]).sample(4)[0],
    "mixture elbo": lambda t: lib.GaussianMixture(*t["mixture"]).elbo(t["x"], t["q"]),
    "mixture e_step": lambda t: lib.GaussianMixture(*t["mixture"]).e_step(t["x"])[0],
    "hard e_step": lambda t: lib.HardMixture(*t["mixture"]).e_step(t["x"])[0],
    "mixture m_step": lambda t: parts(lib.GaussianMixture(*t["mixture"]).m_step(t["x"], t["q"])),
    "mixture em": lambda t: parts(lib.em(lib.GaussianMixture(*t["mixture"]), t["x"], 2)[0]),
    "fit_mixture": lambda t: parts(lib.fit_mixture(lib.GaussianMixture(*t["mixture"]), t["x"], 2)[0]),
    "ppca log_prob": lambda t: lib.PPCA(*t["ppca"]).log_prob(t["x"]),
    "ppca log_joint": lambda t: lib.PPCA(*t["ppca"]).log_joint(t["x"], t["x"][:, :2]),
    "ppca posterior": lambda t: lib.PPCA(*t["ppca"]).posterior(t["x"]),
    "ppca sample": lambda t: lib.PPCA(*t["ppca"]).sample(4),
    "ppca em": lambda t: parts(lib.em(lib.PPCA(*t["ppca"]), t["x"], 2)[0]),
    "mean-field em": lambda t: parts(lib.em(lib.MeanFieldPPCA(*t["ppca"]), t["x"], 2)[0]),
    "ppca maximum_likelihood": lambda t: parts(lib.PPCA.maximum_likelihood(t["x"], 2)),
    "naive_log_likelihood": lambda t: lib.naive_log_likelihood(t["x"], t["x"], lambda x, z: z @ x.mT, 7),
    "naive_gaussian": lambda t: lib.naive_gaussian_log_likelihood(t["x"], t["x"][:9], 0.7, 4),
    "kl_to_standard_normal": lambda t: lib.kl_to_standard_normal(t["x"], t["x"]),
    "elbo_from_joint": lambda t: lib.elbo_from_joint(t["x"], t["x"]),
    "elbo_from_kl": lambda t: lib.elbo_from_kl(t["x"], t["x"][0]),
    "ppca_elbo": lambda t: lib.ppca_elbo(t["x"], *t["ppca"], t["x"][:, :2], t["cov"][:2, :2]),
    "variational_gap": lambda t: lib.variational_gap(t["x"], *t["ppca"], t["x"][:, :2], t["cov"][:2, :2]),
    "importance_weighted_bound": lambda t: lib.importance_weighted_bound(t["x"], t["x"]),
}


def parts(model) -> list:
    """The parameters of a model."""
    names = ("weights", "means", "covariances") if hasattr(model, "weights") else ("W", "mu", "sigma")
    return [getattr(model, name) for name in names]


def inputs(device, dtype) -> dict:
    flow = Affine(3, device)
    flow.shift, flow.log_scale = flow.shift.detach().to(dtype), flow.log_scale.detach().to(dtype)
    q = responsibilities(40, 2, device).to(dtype)
    tensors = {
        "x": normal(40, 3, device=device),
        "mean": normal(3, device=device),
        "cov": covariance(m=3, device=device),
    }
    models = {"mixture": mixture(2, 3, device), "ppca": ppca(3, 2, device)}
    return {
        **{name: value.to(dtype) for name, value in tensors.items()},
        **{name: [p.to(dtype) for p in value] for name, value in models.items()},
        "q": q,
        "flow": flow,
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("place", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
@pytest.mark.parametrize("name", CALLS)
def test_dtype_and_device_are_kept_and_inputs_left_alone(name, place, dtype):
    given = inputs(place, dtype)
    kept = {key: value for key, value in given.items() if key != "flow"}
    before = copy.deepcopy(kept)
    out = CALLS[name](given)
    for tensor in [out] if isinstance(out, torch.Tensor) else out:
        assert (tensor.dtype, tensor.device.type) == (dtype, place)
        assert tensor.isfinite().all()
    assert_close(kept, before, rtol=0, atol=0)


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("module", "law", "arguments"),
    [
        ("tests.test_kl", "test_gaussian_kl_is_the_integral", {}),
        ("tests.test_kl", "test_duality_sample_by_sample_in_value_and_gradient", {"name": "MAF"}),
        ("tests.test_bayes", "test_map_is_ridge_regression", {"n": 20, "d": 3}),
        ("tests.lvm.test_mixture", "test_em_is_that_of_scikit_learn_from_the_same_start", {"K": 4, "m": 3}),
        ("tests.lvm.test_mixture_em", "test_fast_em_is_em", {"K": 4, "m": 3, "n": 6000}),
        ("tests.lvm.test_ppca", "test_em_reaches_the_eigen_solution", {}),
        ("tests.lvm.test_ppca", "test_maximum_likelihood_is_a_stationary_point", {}),
        ("tests.lvm.test_monte_carlo", "test_chunks_do_not_change_the_estimate", {"chunk": 7}),
        ("tests.test_elbo", "test_elbo_and_gap_add_up_to_log_prob_for_any_q", {"m": 5, "d": 2}),
        ("tests.test_em", "test_diagonal_q_is_the_best_of_all_diagonal_gaussians", {}),
    ],
)
def test_law_holds_on_a_gpu(module, law, arguments):
    getattr(importlib.import_module(module), law)(**arguments, device="cuda")
