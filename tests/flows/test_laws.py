"""Every law for every bijection of the table."""

import pytest
import torch
from torch.testing import assert_close

import dgmlib.flows
from tests.flows import laws
from tests.flows.table import COUPLED, IDENTITY_AT_START, TABLE, events, make

SIZES = [(name, m) for name in TABLE for m in (1, 2, 5) if m > 1 or name not in COUPLED]
AUTOREGRESSIVE = ["Autoregressive", "MaskedAutoregressive", "MaskedAutoregressive narrow", "AffineCoupling"]


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")  # torch's own, in its jvp
@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(("name", "m"), SIZES)
def test_law(law, name, m, device):
    law(make(name, m, device=device), m)


@pytest.mark.parametrize("name", TABLE)
def test_every_parameter_gets_its_gradient(name, device):
    """With several columns: where there is one, nothing comes before it and hidden layers are idle."""
    laws.every_parameter_gets_its_gradient(make(name, 4, device=device), 4)


@pytest.mark.parametrize(("name", "m"), [(name, m) for name, m in SIZES if m <= 2])
def test_density_integrates_to_one(name, m, device):
    laws.density_integrates_to_one(make(name, m, device=device), m)


@pytest.mark.parametrize("name", AUTOREGRESSIVE)
def test_jacobian_is_triangular(name, device):
    laws.jacobian_is_triangular(make(name, 5, device=device), 5)


@pytest.mark.parametrize("name", sorted(IDENTITY_AT_START))
def test_starts_at_the_identity(name, device):
    laws.starts_at_the_identity(TABLE[name](dgmlib.flows, 5).double().to(device), 5)


@pytest.mark.parametrize("name", TABLE)
def test_state_dict_round_trip(name, device):
    f, g = make(name, 5, seed=3, device=device), make(name, 5, seed=4, device=device)
    g.load_state_dict(f.state_dict())
    x = events(6, 5, device=device)
    for one, two in ((f.forward(x), g.forward(x)), (f.inverse(x), g.inverse(x))):
        assert_close(two, one)


@pytest.mark.parametrize("name", TABLE)
def test_state_is_all_that_a_layer_without_memory_needs(name, device):
    def built():
        return TABLE[name](dgmlib.flows, 5)

    laws.state_is_all_that_a_layer_without_memory_needs(make(name, 5, device=device), 5, built)


@pytest.mark.parametrize("law", [laws.exports_with_a_free_batch, laws.compiles_as_one_graph])
@pytest.mark.parametrize("name", TABLE)
def test_one_graph(name, law, device):
    law(make(name, 3, device=device), 3)


@pytest.mark.parametrize("name", TABLE)
def test_float32_agrees_with_float64(name, device):
    f = make(name, 5, device=device)
    x = events(64, 5, device=device)
    exact = [f.forward(x), f.inverse(x)]
    f = f.float()
    for (value, log_det), (value64, log_det64) in zip([f.forward(x.float()), f.inverse(x.float())], exact, strict=True):
        assert value.dtype == log_det.dtype == torch.float32
        assert_close(value.double(), value64, rtol=1e-3, atol=1e-3)
        assert_close(log_det.double(), log_det64, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 1e4])
@pytest.mark.parametrize("name", TABLE)
def test_extreme_scale_stays_finite(name, scale, device):
    """Points 1e4 standard deviations away, in float32, in both directions."""
    f = make(name, 5, device=device).float()
    x = scale * events(64, 5, device=device).float()
    for value, log_det in (f.forward(x), f.inverse(x)):
        assert value.isfinite().all()
        assert log_det.isfinite().all()


@pytest.mark.cuda
@pytest.mark.parametrize("name", TABLE)
def test_runs_on_cuda_without_waiting_for_it(name):
    """The same numbers as on the CPU, and no synchronisation in either direction."""
    f, x = make(name, 5), events(6, 5)
    expected = [*f.forward(x), *f.inverse(x)]
    f, x = f.cuda(), x.cuda()
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        got = [*f.forward(x), *f.inverse(x)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for one, two in zip(got, expected, strict=True):
        assert_close(one.cpu(), two, rtol=1e-8, atol=1e-8)
