"""Data for the notebooks: small, made with torch, the same on every machine of one kind.

Every maker takes `seed`, an int or a `torch.Generator`, and touches no global random state.
A row of `x` is one event; coordinates have no unit and a spread of about 1.
"""

import math

import torch
from torch import Tensor

from dgmlib._valid import require_count, require_event, require_positive, require_some, require_spread

Seed = int | torch.Generator


def _generator(seed: Seed) -> torch.Generator:
    if isinstance(seed, torch.Generator):
        return seed
    require_count("seed", seed, least=0, remedy="pass one, or a torch.Generator")
    return torch.Generator().manual_seed(seed)


def moons(n: int, *, noise: float = 0.08, seed: Seed = 0) -> Tensor:
    """Two half circles that interlock, centred at the origin, `(n, 2)`.

    >>> moons(4).shape
    torch.Size([4, 2])
    """
    require_count("n", n)
    require_spread("noise", noise)
    generator = _generator(seed)
    angle = math.pi * torch.rand(n, generator=generator)
    upper = torch.arange(n) % 2 == 0
    x1 = torch.where(upper, angle.cos(), 1 - angle.cos()) - 0.5
    x2 = torch.where(upper, angle.sin(), 0.5 - angle.sin()) - 0.25
    return 1.5 * (torch.stack([x1, x2], dim=1) + noise * torch.randn(n, 2, generator=generator))


def rings(n: int, *, radii: tuple[float, ...] = (0.7, 1.8), noise: float = 0.08, seed: Seed = 0) -> Tensor:
    """Concentric rings, as many points on each, `(n, 2)`."""
    require_count("n", n)
    require_some("radii", radii)
    require_spread("noise", noise)
    generator = _generator(seed)
    angle = 2 * math.pi * torch.rand(n, generator=generator)
    radius = torch.tensor(radii)[torch.arange(n) % len(radii)]
    radius = radius + noise * torch.randn(n, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def checkerboard(n: int, *, seed: Seed = 0) -> Tensor:
    """Uniform on the eight black squares of a 4 by 4 board over [-2, 2]², `(n, 2)`."""
    require_count("n", n)
    generator = _generator(seed)
    square = torch.randint(8, (n,), generator=generator)
    row, pair = square // 2, square % 2
    corner = torch.stack([2 * pair + row % 2, row], dim=1) - 2
    return corner + torch.rand(n, 2, generator=generator)


def correlated_gaussian(n: int, *, correlation: float = 0.9, seed: Seed = 0) -> Tensor:
    """Zero-mean normal events with unit variances and the given correlation, `(n, 2)`."""
    require_count("n", n)
    if not -1 < correlation < 1:
        raise ValueError(f"correlation: expected a number between -1 and 1, got {correlation}; choose one inside.")
    x1, noise = torch.randn(2, n, generator=_generator(seed))
    return torch.stack([x1, correlation * x1 + math.sqrt(1 - correlation**2) * noise], dim=1)


def bimodal(n: int, *, distance: float = 4.0, std: float = 0.6, seed: Seed = 0) -> Tensor:
    """Two round normals at (±distance/2, 0), half each, `(n, 2)`; the density is `bimodal_log_prob`."""
    require_count("n", n)
    require_spread("distance", distance)
    require_spread("std", std)
    generator = _generator(seed)
    side = torch.randint(2, (n,), generator=generator) - 0.5
    x = std * torch.randn(n, 2, generator=generator)
    return x + torch.stack([distance * side, torch.zeros(n)], dim=1)


def bimodal_log_prob(x: Tensor, *, distance: float = 4.0, std: float = 0.6) -> Tensor:
    """log π(x) = log ½ [N(x; c, std² I) + N(x; -c, std² I)], c = (distance/2, 0); `(..., 2)` -> `(...)`."""
    require_event("x", x, 2)
    require_spread("distance", distance)
    require_positive("std", std)
    offset = torch.stack([x[..., 0] - distance / 2, x[..., 0] + distance / 2])
    squares = (offset**2 + x[..., 1] ** 2) / std**2
    return torch.logsumexp(-0.5 * squares, dim=0) - math.log(4 * math.pi * std**2)


def clusters(n: int, *, seed: Seed = 0) -> tuple[Tensor, Tensor]:
    """Three normals of unlike size, width and tilt: `x (n, 2)`, and which one each came from, `(n,)`."""
    require_count("n", n)
    generator = _generator(seed)
    k = torch.multinomial(torch.tensor([0.5, 0.3, 0.2]), n, replacement=True, generator=generator)
    means = torch.tensor([[-1.5, -0.5], [1.5, -0.8], [0.3, 1.6]])
    scales = torch.tensor([[[0.5, 0.0], [0.45, 0.3]], [[0.4, 0.0], [-0.3, 0.5]], [[0.7, 0.0], [0.0, 0.2]]])
    noise = torch.randn(n, 2, 1, generator=generator)
    return means[k] + (scales[k] @ noise).squeeze(-1), k


def digits() -> tuple[Tensor, Tensor]:
    """Handwritten digits: images `(1797, 64)`, 8 by 8 pixels scaled to [0, 1], and labels `(1797,)`.

    They ship with scikit-learn (Colab has it); without it an `ImportError` says what to run.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("data.digits reads scikit-learn's copy; run: pip install scikit-learn") from error
    images, labels = load_digits(return_X_y=True)
    return torch.as_tensor(images / 16, dtype=torch.get_default_dtype()), torch.as_tensor(labels).long()
