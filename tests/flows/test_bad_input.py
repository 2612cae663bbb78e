"""Bad input raises ValueError that names the argument, what was expected, what came, and a remedy."""

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal

from dgmlib import flows
from dgmlib.nn import MADE, AffineConditioner, MaskedLinear
from tests.flows.table import events

x5, x3 = events(4, 5), events(4, 3)
eye = torch.eye(3, dtype=torch.float64)


flow3 = flows.Flow(flows.StandardNormal(3), flows.LULinear(eye))
broken = flows.Flow(flows.StandardNormal(3), flows.QRLinear(eye))
broken.bijection.upper.data.fill_(torch.nan)


class Unsummed(nn.Module):
    """A base that forgets to sum over the columns."""

    def log_prob(self, z):
        return -z.square() / 2

    def sample(self, shape):
        return torch.randn(*shape, 3)


def broadcasting(x1):
    return torch.zeros(len(x1), 1), torch.zeros(len(x1), 1)


BAD = {
    "matrix not square": (lambda: flows.LULinear(torch.ones(2, 3)), r"weight: expected .*\(m, m\).*\(2, 3\)"),
    "matrix of integers": (
        lambda: flows.QRLinear(torch.eye(3).long()),
        "weight: expected torch.float32 or.*int64",
    ),
    "singular for LU": (lambda: flows.LULinear(torch.ones(3, 3)), "weight: expected an invertible.*qr"),
    "singular for QR": (lambda: flows.QRLinear(torch.ones(3, 3)), "weight: expected an invertible.*qr"),
    "zero matrix": (lambda: flows.LULinear(0 * eye), "weight: expected an invertible"),
    "nearly singular": (lambda: flows.LULinear(1e-17 * eye + 1), "weight: expected an invertible.*float64"),
    "nan in a matrix": (lambda: flows.LULinear(eye * torch.nan), "weight: expected an invertible"),
    "columns for LU": (lambda: flows.LULinear(eye).forward(x5), r"x: expected shape \(\.\.\., 3\), got \(4, 5\)"),
    "columns back": (lambda: flows.QRLinear(eye).inverse(x5), r"z: expected shape \(\.\.\., 3\), got \(4, 5\)"),
    "dtype": (lambda: flows.LULinear(eye.float()).forward(x3), "x: expected torch.float32 on cpu.*got torch.float64"),
    "dtype of a network": (lambda: flows.MaskedAutoregressive(3).forward(x3), "x: expected torch.float32"),
    "dtype of a sweep": (lambda: flows.MaskedAutoregressive(3).inverse(x3), "z: expected torch.float32"),
    "dtype of RealNVP": (lambda: flows.RealNVP(3).forward(x3), "x: expected torch.float32"),
    "integers": (lambda: flows.Flip().forward(torch.arange(3)), "x: expected torch.float32 or.*int64.*float"),
    "a number": (lambda: flows.Flip().inverse(torch.tensor(1.0)), r"z: expected shape \(\.\.\., m\), got \(\)"),
    "columns of MADE": (lambda: flows.MaskedAutoregressive(3).forward(x5.float()), r"x: expected shape \(\.\.\., 3\)"),
    "columns of a sweep": (lambda: flows.MaskedAutoregressive(3).inverse(x5.float()), r"z: expected shape"),
    "columns of RealNVP": (lambda: flows.RealNVP(3).inverse(x5.float()), r"z: expected shape \(\.\.\., 3\)"),
    "order repeats": (lambda: flows.Permutation([0, 0, 2]), r"order: expected each.*\[0, 0, 2\].*randperm"),
    "columns to permute": (lambda: flows.Permutation([1, 0]).forward(x3), r"x: expected shape \(\.\.\., 2\)"),
    "no split": (lambda: flows.AffineCoupling(broadcasting, 0), "split: expected at least 1, .*got 0; m // 2"),
    "nothing to move": (lambda: flows.AffineCoupling(broadcasting, 3).forward(x3), "x: expected more than 3.*lower it"),
    "mu that broadcasts": (
        lambda: flows.AffineCoupling(broadcasting, 1).forward(x3),
        r"conditioner: expected mu and log_sigma of shape \(4, 2\), got \(4, 1\)",
    ),
    "autoregressive mu": (lambda: flows.autoregressive_forward(x3, broadcasting), "conditioner: expected mu"),
    "autoregressive mu back": (lambda: flows.autoregressive_inverse(x3, broadcasting), "conditioner: expected mu"),
    "one column": (
        lambda: flows.RealNVP(1),
        "features: expected at least 2, .*got 1; for one",
    ),
    "no layers": (lambda: flows.RealNVP(2, 0), "num_layers: expected at least 1, .*got 0"),
    "no layers of MAF": (lambda: flows.MAF(2, 0), "num_layers: expected at least 1, .*got 0"),
    "no columns": (lambda: MADE(0), "features: expected at least 1, .*got 0"),
    "no units": (lambda: MADE(3, (4, 0)), "hidden: expected at least 1, .*got 0"),
    "no outputs": (lambda: AffineConditioner(3, 0), "out_features: expected at least 1, .*got 0"),
    "no base": (lambda: flows.StandardNormal(0), "features: expected at least 1, .*got 0"),
    "base columns": (lambda: flows.StandardNormal(2).log_prob(x3), r"z: expected shape \(\.\.\., 2\)"),
    "not a bijection": (lambda: flows.Compose(nn.Linear(3, 3)), "f_1: expected a module with forward and inverse"),
    "not to be inverted": (lambda: flows.Inverse(nn.Linear(3, 3)), "bijection: expected a module"),
    "no flow": (lambda: flows.Flow(flows.StandardNormal(3), torch.sin), "bijection: expected a module.*got"),
    "no sample": (lambda: flows.Flow(flows.StandardNormal(3), flows.Flip()).sample(-1), "num_samples: expected"),
    "a list for x": (lambda: flows.Flip().forward([1.0, 2.0]), "x: expected a torch.Tensor, got list; torch.tensor"),
    "a list for a matrix": (lambda: flows.LULinear([[1.0]]), "weight: expected a torch.Tensor, got list"),
    "complex": (lambda: flows.Compose().forward(x3 + 1j), "x: expected torch.float32.*complex128; take its real part"),
    "half": (lambda: flows.MAF(3).half().forward(x3.half()), "x: expected torch.float32 or.*got torch.float16"),
    "bfloat": (lambda: flows.RealNVP(3).bfloat16().inverse(x3.bfloat16()), "z: expected torch.float32 or.*bfloat16"),
    "half a matrix": (lambda: flows.QRLinear(eye.half()), "weight: expected torch.float32 or.*float16"),
    "no columns at all": (lambda: flows.Flip().forward(x3[:, :0]), r"x: expected shape \(\.\.\., m\), got \(4, 0\)"),
    "a matrix of nothing": (lambda: flows.LULinear(eye[:0, :0]), r"weight: expected shape \(m, m\), got \(0, 0\)"),
    "no order": (lambda: flows.Permutation(None), "order: expected each.*got None"),
    "order of words": (lambda: flows.Permutation(["a"]), "order: expected each"),
    "order of nothing": (lambda: flows.Permutation([]), r"order: expected each.*got \[\]"),
    "order of fractions": (lambda: flows.Permutation([0.0, 1.0]), "order: expected each"),
    "order of truths": (lambda: flows.Permutation([False, True]), "order: expected each"),
    "order of a table": (lambda: flows.Permutation([[0, 1]]), "order: expected each"),
    "half a layer": (lambda: flows.MAF(2, 1.5), "num_layers: expected at least 1, a whole number, got 1.5"),
    "true columns": (lambda: MADE(True), "features: expected at least 1, a whole number, got True"),
    "a width alone": (lambda: MADE(3, 64), r"hidden: expected a sequence of widths, got 64; hidden=\(128, 128\)"),
    "widths as text": (lambda: AffineConditioner(3, 1, "64"), "hidden: expected a sequence of widths, got '64'"),
    "conditioner's columns": (lambda: AffineConditioner(2, 1)(x3.float()), r"x: expected shape \(\.\.\., 2\)"),
    "a mask of numbers": (lambda: MaskedLinear(torch.ones(2, 2)), "mask: expected booleans.*float32.*mask.bool"),
    "a mask that is a list": (
        lambda: MaskedLinear([[True]]),
        r"mask: expected booleans of shape \(out, in\), got list",
    ),
    "columns of a mask": (lambda: MaskedLinear(eye > 0)(x5.float()), r"x: expected shape \(\.\.\., 3\)"),
    "mu alone": (
        lambda: flows.autoregressive_forward(x3, lambda x: x),
        "conditioner: expected two tensors, got Tensor",
    ),
    "numbers for mu": (lambda: flows.autoregressive_inverse(x3, lambda x: (0, 0)), "conditioner: expected two tensors"),
    "base without samples": (
        lambda: flows.Flow(flows.Flip(), flows.Flip()),
        "base: expected log_prob and sample, got F",
    ),
    "base of a number": (lambda: flows.Flow(Normal(0.0, 1.0), flows.Flip()), "base: expected one.*Independent"),
    "base of numbers": (
        lambda: flows.Flow(Normal(x3[0], 1.0), flows.Flip()),
        r"base: expected one.*batch_shape \(3,\)",
    ),
    "base of many": (lambda: flows.Flow(MultivariateNormal(x3, eye), flows.Flip()), r"base: .*batch_shape \(4,\)"),
    "base that sums nothing": (
        lambda: flows.Flow(Unsummed(), flows.Flip()).log_prob(x3),
        r"base.*shape \(4,\), got \(4, 3\)",
    ),
    "nan": (lambda: flow3.log_prob(x3 * torch.nan), "x and the flow's parameters: expected finite numbers"),
    "nan among weights": (lambda: broken.log_prob(x3), "x and the flow's parameters: expected finite numbers"),
    "half a sample": (lambda: flow3.sample(1.5), "num_samples: expected at least 0, a whole number, got 1.5"),
    "no sample with a graph": (lambda: flow3.rsample(-1), "num_samples: expected at least 0, a whole number, got -1"),
    "a generator for torch's base": (
        lambda: flows.Flow(MultivariateNormal(x3[0], eye), flows.Flip()).sample(2, torch.Generator()),
        "generator: expected None, got one.*StandardNormal",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_to_do(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("linear", [flows.LULinear, flows.QRLinear])
def test_ill_conditioned_is_not_singular(linear):
    """Condition number 1e5 in float32 and 300 columns: the log_det is still right."""
    left, right = torch.linalg.qr(torch.randn(2, 300, 300, dtype=torch.float64)).Q
    scales = torch.logspace(0, -5, 300, dtype=torch.float64)
    _, log_det = linear((left * scales @ right).float()).forward(torch.ones(1, 300))
    torch.testing.assert_close(log_det[0].double(), scales.log().sum(), rtol=0, atol=0.1)


def test_bad_scale_is_no_bad_matrix():
    """Far from singular, though its entries differ by twenty orders of magnitude."""
    W = torch.diag(torch.tensor([1e-10, 1.0, 1e10], dtype=torch.float64))[[2, 0, 1]]
    for linear in (flows.LULinear, flows.QRLinear):
        f = linear(W)
        z, log_det = f.forward(x3)
        torch.testing.assert_close(f.inverse(z)[0], x3, rtol=1e-9, atol=0)
        torch.testing.assert_close(log_det, torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-9)


@pytest.mark.parametrize("make", [flows.LULinear, flows.QRLinear])
def test_autocast_is_refused_where_it_would_round(make):
    """In float32 it would round z to three digits and leave the log_det exact; float64 it does not touch."""
    single, double = make(eye.float()), make(eye)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with pytest.raises(ValueError, match=r"x: expected torch\.float32 outside of autocast"):
            single.forward(x3.float())
        torch.testing.assert_close(double.forward(x3)[0], x3)


def test_a_row_of_nan_stays_alone_in_a_layer():
    """Layers, inside a loop and on a GPU, read no values; a nan comes out where it went in."""
    x = x3.clone()
    x[1] = torch.nan
    z, log_det = flows.MAF(3, 2).double().forward(x)
    assert z.isnan().any(1).tolist() == [False, True, False, False]
    assert log_det.isfinite()[[0, 2, 3]].all()
