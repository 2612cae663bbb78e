"""The weights of a random mixture."""

import torch

SLIDE = "Latent Variable Models (LVM): Mixture of Gaussians"


def weights_of(rng, K):
    """Unequal weights, none small, in random order."""
    raw = torch.as_tensor(rng.permutation(torch.linspace(1, 2.5, K).tolist()) * rng.uniform(0.95, 1.05, K))
    return raw / raw.sum()
