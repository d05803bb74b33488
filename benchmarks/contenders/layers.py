"""The two networks of the tutorial and the default one of narrows, as layers of torch."""

from __future__ import annotations

import torch
from torch import nn


def build_halves(model: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Return encoder and decoder of `model`; "linear" takes (N, 784), the others (N, 1, 28, 28)."""
    if model == "linear":
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU()), nn.Sequential(nn.Linear(128, 784), nn.Sigmoid())
    if model == "default":
        return _build_default()
    encoder = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
    decoder = nn.Sequential(
        nn.ConvTranspose2d(4, 16, 2, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 2, stride=2),
        nn.Sigmoid(),
    )
    return encoder, decoder


def _build_default() -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layers of `patches(64, side=4)` with a code of 32 numbers."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 64, 8, stride=4, padding=2),
        nn.SiLU(),
        nn.Conv2d(64, 64, 1),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(3136, 32),
    )
    decoder = nn.Sequential(
        nn.Linear(32, 3136),
        nn.Unflatten(1, (64, 7, 7)),
        nn.SiLU(),
        nn.Conv2d(64, 64, 1),
        nn.SiLU(),
        nn.Conv2d(64, 64, 1),
        nn.SiLU(),
        nn.ConvTranspose2d(64, 1, 4, stride=4),
        nn.Sigmoid(),
    )
    return encoder, decoder


def sample_shape(model: str) -> tuple[int, ...]:
    """Return the shape in which `model` takes a sample."""
    return (784,) if model == "linear" else (1, 28, 28)


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers `module` learns."""
    return sum(p.numel() for p in module.parameters())


def finish_imports() -> None:
    """Import what torch puts off until a first optimizer is built, some 800 modules, before the clock runs."""
    torch.optim.Adam([nn.Parameter(torch.zeros(1))])
