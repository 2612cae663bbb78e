"""KL objectives against torch.distributions, quadrature, and the duality theorem."""

import pytest
import torch
from torch.distributions import AffineTransform, MultivariateNormal, Normal, TransformedDistribution, kl_divergence
from torch.testing import assert_close

from dgmlib.flows import Flow, StandardNormal
from tests.flows.table import make
from tests.lvm import library as lib
from tests.lvm.cases import covariance, normal


class Affine:
    """z = (x - shift) / scale, a column at a time: p(x) = N(shift, diag scale²), known without change of variables."""

    def __init__(self, m: int, device="cpu"):
        self.shift = normal(m, device=device, seed=5).requires_grad_()
        self.log_scale = normal(m, device=device, seed=6).requires_grad_()
        self.base = StandardNormal(m).to(device)

    def forward(self, x):
        return (x - self.shift) / self.log_scale.exp(), -self.log_scale.sum().expand(x.shape[:-1])

    def inverse(self, z):
        return self.shift + self.log_scale.exp() * z, self.log_scale.sum().expand(z.shape[:-1])

    def parameters(self):
        return [self.shift, self.log_scale]

    def distribution(self):
        return MultivariateNormal(self.shift, self.log_scale.exp().square().diag())


class Untouchable(Affine):
    """A flow whose f may not be called."""

    def forward(self, x):
        raise AssertionError("the reverse KL needs g alone")


def target(m: int, device="cpu") -> MultivariateNormal:
    return MultivariateNormal(normal(m, device=device, seed=7), covariance(m=m, device=device, seed=8))


def flow(name: str, m: int, device) -> Flow:
    return Flow(StandardNormal(m).to(device), make(name, m, device=device))


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize(("batch_p", "batch_q"), [((), ()), ((4,), ()), ((3, 1), (4,))])
def test_gaussian_kl_is_that_of_torch_distributions(m, batch_p, batch_q, device):
    p = normal(*batch_p, m, device=device), covariance(*batch_p, m=m, device=device, seed=1)
    q = normal(*batch_q, m, device=device, seed=2), covariance(*batch_q, m=m, device=device, seed=3)
    assert_close(lib.gaussian_kl(*p, *q), kl_divergence(MultivariateNormal(*p), MultivariateNormal(*q)))


def test_gaussian_kl_is_the_integral(device):
    mean_p, var_p, mean_q, var_q = (torch.tensor([v], dtype=torch.float64, device=device) for v in (1, 0.5, -1, 2))
    x = torch.linspace(-9, 11, 4001, dtype=torch.float64, device=device)
    p, q = Normal(mean_p, var_p.sqrt()), Normal(mean_q, var_q.sqrt())
    integral = torch.trapezoid(p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x)), x)
    assert_close(lib.gaussian_kl(mean_p, var_p[None], mean_q, var_q[None]), integral)


def test_gaussian_kl_gradient_is_that_of_torch_distributions(device):
    args = [normal(3, device=device), covariance(m=3, device=device), normal(3, device=device, seed=1)]
    args = [a.requires_grad_() for a in [*args, covariance(m=3, device=device, seed=2)]]
    ours = torch.autograd.grad(lib.gaussian_kl(*args), args)
    kl = kl_divergence(MultivariateNormal(*args[:2]), MultivariateNormal(*args[2:]))
    for one, two in zip(ours, torch.autograd.grad(kl, args), strict=True):
        assert_close(one + one.mT if one.dim() == 2 else one, two + two.mT if two.dim() == 2 else two)


@pytest.mark.parametrize("batch", [(7,), (2, 3)])
def test_forward_kl_is_the_mean_negative_log_likelihood(batch, device):
    f, x = Affine(3, device), normal(*batch, 3, device=device)
    loss, exact = lib.forward_kl_loss(f, x), -f.distribution().log_prob(x).mean()
    assert_close(loss, exact)
    assert_close(torch.autograd.grad(loss, f.parameters()), torch.autograd.grad(exact, f.parameters()))


def test_reverse_kl_sample_by_sample(device):
    """Of one sample: log p(x) - log π(x) at x = g(z)."""
    f, pi = Untouchable(3, device), target(3, device)
    for z in normal(6, 1, 3, device=device):
        x = f.inverse(z)[0]
        assert_close(lib.reverse_kl_loss(f, z, pi.log_prob), (f.distribution().log_prob(x) - pi.log_prob(x))[0])


def test_reverse_kl_averages_to_the_closed_form_with_its_gradient(device):
    """Averaged over quantiles of the base, which integrate like 20 000 samples without their noise."""
    f = Untouchable(1, device)
    pi = MultivariateNormal(f.shift.detach() + 1, 2 * torch.eye(1, dtype=torch.float64, device=device))
    levels = (torch.arange(20_000, dtype=torch.float64, device=device) + 0.5) / 20_000
    loss = lib.reverse_kl_loss(f, Normal(0.0, 1.0).icdf(levels).unsqueeze(-1), pi.log_prob)
    exact = kl_divergence(f.distribution(), pi)
    assert_close(loss, exact, rtol=1e-3, atol=1e-3)
    gradients = torch.autograd.grad(loss, f.parameters()), torch.autograd.grad(exact, f.parameters())
    assert_close(*gradients, rtol=1e-3, atol=1e-3)


def test_an_unnormalised_target_shifts_the_reverse_kl_by_log_z(device):
    f, pi, z = Affine(2, device), target(2, device), normal(5, 2, device=device)
    shifted = lib.reverse_kl_loss(f, z, lambda x: pi.log_prob(x) + 3)
    assert_close(shifted, lib.reverse_kl_loss(f, z, pi.log_prob) - 3)


@pytest.mark.parametrize("batch", [(7,), (2, 3)])
def test_latent_log_prob_is_the_law_of_f_of_x(batch, device):
    f, pi = Affine(2, device), target(2, device)
    scale = f.log_scale.exp().detach()
    to_latent = AffineTransform(-f.shift.detach() / scale, 1 / scale, event_dim=1)
    z = normal(*batch, 2, device=device)
    assert_close(lib.latent_log_prob(f, z, pi.log_prob), TransformedDistribution(pi, to_latent).log_prob(z))


@pytest.mark.parametrize("name", ["LULinear", "RealNVP odd", "MaskedAutoregressive"])
def test_latent_density_integrates_to_one(name, device):
    line = torch.linspace(-12, 12, 321, dtype=torch.float64, device=device)
    z = torch.cartesian_prod(line, line)
    with torch.no_grad():
        mass = lib.latent_log_prob(flow(name, 2, device), z, target(2, device).log_prob).exp().sum()
    assert_close(mass * (line[1] - line[0]) ** 2, torch.ones_like(mass), rtol=2e-3, atol=0)


@pytest.mark.parametrize("name", ["LULinear", "QRLinear", "RealNVP even", "MAF", "InverseAutoregressive"])
def test_duality_sample_by_sample_in_value_and_gradient(name, device):
    """KL(p(z|θ)‖p(z)) = KL(π‖p(x|θ)): at each x the two objectives differ by log π(x), a constant of θ."""
    f, pi = flow(name, 3, device), target(3, device)
    for x in normal(4, 1, 3, device=device, seed=9):
        forward, latent = lib.forward_kl_loss(f, x), lib.latent_reverse_kl(f, x, pi.log_prob)
        assert_close(latent, forward + pi.log_prob(x)[0])
        theta = [p for p in f.parameters() if p.requires_grad]
        of_forward = torch.autograd.grad(forward, theta, allow_unused=True)
        of_latent = torch.autograd.grad(latent, theta, allow_unused=True)
        assert_close([g for g in of_latent if g is not None], [g for g in of_forward if g is not None])


@pytest.mark.parametrize("name", ["LULinear", "RealNVP even", "MAF"])
def test_duality_through_the_latent_density(name, device):
    """The proof's first line: log p(z|θ) - log p(z) at z = f(x), with log p(z|θ) through g."""
    f, pi = flow(name, 3, device), target(3, device)
    for x in normal(4, 1, 3, device=device, seed=9):
        z = f.forward(x)[0]
        divergence = lib.latent_log_prob(f, z, pi.log_prob) - f.base.log_prob(z)
        assert_close(lib.latent_reverse_kl(f, x, pi.log_prob), divergence[0])


def test_one_covariance_and_many_means_make_no_copies(device):
    """As columns of one solve, without a copy of the factor for each."""
    means, one = normal(2, 500, 8, device=device), covariance(m=8, device=device)
    other = covariance(m=8, device=device, seed=1)
    each = lib.gaussian_kl(means, one, means[0, 0], other.expand(2, 500, 8, 8))
    assert_close(lib.gaussian_kl(means, one, means[0, 0], other), each)


class Scalars:
    """A base that treats each column as an event."""

    def log_prob(self, z):
        return Normal(0.0, 1.0).log_prob(z)


@pytest.mark.parametrize("m", [1, 3])
def test_a_base_or_target_of_scalars_is_refused(m):
    """(n, 1) and (n,) would broadcast to (n, n)."""
    f, x = Affine(m), normal(5, m)
    message = r"log_prob: expected one number for each event, \(5,\), got .*; give base and target vectors"
    with pytest.raises(ValueError, match=message):
        lib.reverse_kl_loss(f, x, Scalars().log_prob)
    with pytest.raises(ValueError, match=message):
        lib.latent_log_prob(f, x, Scalars().log_prob)
    f.base = Scalars()
    with pytest.raises(ValueError, match=message):
        lib.forward_kl_loss(f, x)
