"""Bad input raises ValueError that names the argument, what was expected, what came, and a remedy."""

import pytest
import torch
from torch import nn

from dgmlib import flows
from dgmlib.nn import MADE, AffineConditioner
from tests.flows.table import events

x5, x3 = events(4, 5), events(4, 3)
eye = torch.eye(3, dtype=torch.float64)


def broadcasting(x1):
    return torch.zeros(len(x1), 1), torch.zeros(len(x1), 1)


BAD = {
    "matrix not square": (lambda: flows.LULinear(torch.ones(2, 3)), r"weight: expected .*\(m, m\).*\(2, 3\)"),
    "matrix of integers": (lambda: flows.QRLinear(torch.eye(3).long()), "weight: expected a floating.*int64"),
    "singular for LU": (lambda: flows.LULinear(torch.ones(3, 3)), "weight: expected an invertible.*qr"),
    "singular for QR": (lambda: flows.QRLinear(torch.ones(3, 3)), "weight: expected an invertible.*qr"),
    "zero matrix": (lambda: flows.LULinear(0 * eye), "weight: expected an invertible"),
    "nearly singular": (lambda: flows.LULinear(1e-17 * eye + 1), "weight: expected an invertible.*float64"),
    "nan in a matrix": (lambda: flows.LULinear(eye * torch.nan), "weight: expected an invertible"),
    "columns for LU": (lambda: flows.LULinear(eye).forward(x5), r"x: expected shape \(\.\.\., 3\), got \(4, 5\)"),
    "columns back": (lambda: flows.QRLinear(eye).inverse(x5), r"z: expected shape \(\.\.\., 3\), got \(4, 5\)"),
    "dtype": (lambda: flows.LULinear(eye.float()).forward(x3), "x: expected torch.float32, got torch.float64"),
    "dtype of a network": (lambda: flows.MaskedAutoregressive(3).forward(x3), "x: expected torch.float32"),
    "dtype of a sweep": (lambda: flows.MaskedAutoregressive(3).inverse(x3), "z: expected torch.float32"),
    "dtype of RealNVP": (lambda: flows.RealNVP(3).forward(x3), "x: expected torch.float32"),
    "integers": (lambda: flows.Flip().forward(torch.arange(3)), "x: expected floating-point.*int64.*double"),
    "a number": (lambda: flows.Flip().inverse(torch.tensor(1.0)), r"z: expected shape \(\.\.\., m\), got \(\)"),
    "columns of MADE": (lambda: flows.MaskedAutoregressive(3).forward(x5.float()), r"x: expected shape \(\.\.\., 3\)"),
    "columns of a sweep": (lambda: flows.MaskedAutoregressive(3).inverse(x5.float()), r"z: expected shape"),
    "columns of RealNVP": (lambda: flows.RealNVP(3).inverse(x5.float()), r"z: expected shape \(\.\.\., 3\)"),
    "order repeats": (lambda: flows.Permutation([0, 0, 2]), r"order: expected each.*\[0, 0, 2\].*randperm"),
    "columns to permute": (lambda: flows.Permutation([1, 0]).forward(x3), r"x: expected shape \(\.\.\., 2\)"),
    "no split": (lambda: flows.AffineCoupling(broadcasting, 0), "split: expected at least 1, got 0; m // 2"),
    "nothing to move": (lambda: flows.AffineCoupling(broadcasting, 3).forward(x3), "x: expected more than 3.*lower it"),
    "mu that broadcasts": (
        lambda: flows.AffineCoupling(broadcasting, 1).forward(x3),
        r"conditioner: expected mu and log_sigma of shape \(4, 2\), got \(4, 1\)",
    ),
    "autoregressive mu": (lambda: flows.autoregressive_forward(x3, broadcasting), "conditioner: expected mu"),
    "autoregressive mu back": (lambda: flows.autoregressive_inverse(x3, broadcasting), "conditioner: expected mu"),
    "one column": (lambda: flows.RealNVP(1), "features: expected at least 2, got 1; use MaskedAutoregressive"),
    "no layers": (lambda: flows.RealNVP(2, 0), "num_layers: expected at least 1, got 0"),
    "no layers of MAF": (lambda: flows.MAF(2, 0), "num_layers: expected at least 1, got 0"),
    "no columns": (lambda: MADE(0), "features: expected at least 1, got 0"),
    "no units": (lambda: MADE(3, (4, 0)), r"hidden: expected positive widths, got \(4, 0\)"),
    "no outputs": (lambda: AffineConditioner(3, 0), "out_features: expected at least 1, got 0"),
    "no base": (lambda: flows.StandardNormal(0), "features: expected at least 1, got 0"),
    "base columns": (lambda: flows.StandardNormal(2).log_prob(x3), r"z: expected shape \(\.\.\., 2\)"),
    "not a bijection": (lambda: flows.Compose(nn.Linear(3, 3)), "f_1: expected a module with forward and inverse"),
    "not to be inverted": (lambda: flows.Inverse(nn.Linear(3, 3)), "bijection: expected a module"),
    "no flow": (lambda: flows.Flow(flows.StandardNormal(3), torch.sin), "bijection: expected a module.*got"),
    "no sample": (lambda: flows.Flow(flows.StandardNormal(3), flows.Flip()).sample(-1), "num_samples: expected"),
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
