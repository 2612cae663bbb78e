"""Answers to `AffineCoupling`."""

import copy

import torch
from torch import nn

from . import right, wrong


@right("AffineCoupling")
class AsTheSlide(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner, self.split = conditioner, split

    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, log_sigma = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) * torch.exp(-log_sigma)], dim=1), -log_sigma.sum(dim=1)

    def inverse(self, z):
        z1, z2 = z[:, : self.split], z[:, self.split :]
        mu, log_sigma = self.conditioner(z1)
        return torch.cat([z1, z2 * torch.exp(log_sigma) + mu], dim=1), log_sigma.sum(dim=1)


@right("AffineCoupling")
class Cloned(nn.Module):
    """Writes into a copy."""

    def __init__(self, conditioner, split):
        super().__init__()
        self.net, self.d = conditioner, split

    def forward(self, x):
        mu, log_sigma = self.net(x[:, : self.d])
        z = x.clone()
        z[:, self.d :] = (x[:, self.d :] - mu) / log_sigma.exp()
        return z, log_sigma.neg().sum(-1)

    def inverse(self, z):
        mu, log_sigma = self.net(z[:, : self.d])
        x = z.clone()
        x[:, self.d :] = mu + z[:, self.d :] * log_sigma.exp()
        return x, torch.einsum("ij->i", log_sigma)


@right("AffineCoupling")
class Padded(nn.Module):
    """mu and log_sigma as full rows, zero in the first part."""

    def __init__(self, conditioner, split):
        super().__init__()
        self.conditioner = conditioner
        self.split = split

    def full(self, x):
        return [nn.functional.pad(part, (self.split, 0)) for part in self.conditioner(x[:, : self.split])]

    def forward(self, x):
        mu, log_sigma = self.full(x)
        return (x - mu) * (-log_sigma).exp(), -log_sigma.sum(-1)

    def inverse(self, z):
        mu, log_sigma = self.full(z)
        return torch.addcmul(mu, z, log_sigma.exp()), log_sigma.sum(-1)


@right("AffineCoupling")
class ThroughTensorSplit(nn.Module):
    def __init__(self, conditioner, split):
        super().__init__()
        self.layers = nn.ModuleList([conditioner]) if isinstance(conditioner, nn.Module) else [conditioner]
        self.split = split

    def forward(self, x):
        first, second = torch.tensor_split(x, [self.split], dim=-1)
        shift, log_scale = self.layers[0](first)
        return torch.hstack((first, (second - shift) / torch.exp(log_scale))), 0 - log_scale.sum(-1)

    def inverse(self, z):
        first, second = torch.tensor_split(z, [self.split], dim=-1)
        shift, log_scale = self.layers[0](first)
        return torch.hstack((first, second * torch.exp(log_scale) + shift)), log_scale.sum(-1)


class Swapped(AsTheSlide):
    def forward(self, x):
        return super().inverse(x)

    def inverse(self, z):
        return super().forward(z)


@wrong("AffineCoupling", law="z", says="log sigma")
class SigmaForLogSigma(AsTheSlide):
    def forward(self, x):
        x1, x2 = x[:, : self.split], x[:, self.split :]
        mu, sigma = self.conditioner(x1)
        return torch.cat([x1, (x2 - mu) / sigma], dim=1), -sigma.abs().log().sum(dim=1)


@wrong("AffineCoupling", law="submodule", says="attribute")
class HiddenConditioner(AsTheSlide):
    def __init__(self, conditioner, split):
        nn.Module.__init__(self)
        self.hidden, self.split = [conditioner], split

    @property
    def conditioner(self):
        return self.hidden[0]


@wrong("AffineCoupling", law="submodule", says="in no nn.Module")
class PlainObject:
    def __init__(self, conditioner, split):
        self.conditioner, self.split = conditioner, split

    forward, inverse = AsTheSlide.forward, AsTheSlide.inverse


@wrong("AffineCoupling", law="submodule", says="eval mode")
class EvaluatingConditioner(AsTheSlide):
    def __init__(self, conditioner, split):
        super().__init__(conditioner, split)
        self.eval()

    def eval(self):
        for module in self.children():
            module.eval()


@wrong("AffineCoupling", law="submodule", says="eval mode")
class EvaluatingInverse(AsTheSlide):
    def inverse(self, z):
        modes = [module.training for module in self.modules()]
        for module in self.modules():
            module.training = False
        x = super().inverse(z)
        for module, mode in zip(self.modules(), modes, strict=True):
            module.training = mode
        return x


@wrong("AffineCoupling", law="submodule", says="frozen")
class FrozenConditioner(AsTheSlide):
    def __init__(self, conditioner, split):
        super().__init__(conditioner, split)
        self.requires_grad_(False)


@wrong("AffineCoupling", law="log sigma", says="log_sigma itself")
class LogOfExp(AsTheSlide):
    def forward(self, x):
        z, _ = super().forward(x)
        return z, -self.conditioner(x[:, : self.split])[1].exp().log().sum(dim=1)


@wrong("AffineCoupling", law="gradient", says="conditioner")
class CopiedConditioner(AsTheSlide):
    def __init__(self, conditioner, split):
        super().__init__(copy.deepcopy(conditioner), split)


@wrong("AffineCoupling", law="stability", says="product")
class LogOfProductOfSigmas(AsTheSlide):
    def forward(self, x):
        log_sigma = self.conditioner(x[:, : self.split])[1]
        return super().forward(x)[0], -log_sigma.exp().prod(1).log()


@wrong("AffineCoupling", law="gradient", says="gradient")
class DetachedScale(AsTheSlide):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det.detach()


@wrong("AffineCoupling", law="z", says="shape")
class SecondPartOnly(AsTheSlide):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z[:, self.split :], log_det


@wrong("AffineCoupling", law="inputs unchanged", says="x")
class WritesIntoX(AsTheSlide):
    def forward(self, x):
        mu, log_sigma = self.conditioner(x[:, : self.split])
        x[:, self.split :] = (x[:, self.split :] - mu) * (-log_sigma).exp()
        return x, -log_sigma.sum(dim=1)
