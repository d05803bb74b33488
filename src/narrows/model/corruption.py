"""Damage done to the input in training, which the network learns to undo.

A corruption works in model's units: shares of the range under `unit`, standard deviations under `standard`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Generator, Tensor, nn

from narrows.errors import SpecError
from narrows.spec import Part, check_flag, check_number


class Corruption(Part, nn.Module, ABC):
    """A random change of a batch, with the weight that each value then has in the loss.

    `clip` tells that the damaged values are clamped to the data's range whatever their type; whole numbers
    always are.
    """

    clip = False

    @abstractmethod
    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor | None]:
        """Return `x` (N, C, *grid) damaged, and weights of its shape or None: every value counts alike."""


class Clean(Corruption):
    """Leaves the data as they are: written `none()`.

    Examples
    --------
    >>> Clean()(torch.ones(1, 2), torch.Generator())
    (tensor([[1., 1.]]), None)
    """

    spelling = "none"

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` itself."""
        return x, None


class Gaussian(Corruption):
    """Adds normal noise: x + std * N(0, 1).

    Parameters
    ----------
    std : standard deviation, at least 0, in model's units.
    max_std : when given, each sample draws its own strength uniformly from [std, max_std].
    clip : clamp the result to the data's range; False leaves it as it falls (whole numbers are clamped anyway).

    Examples
    --------
    >>> Gaussian(0.0, 0.5)
    gaussian(0.0, 0.5, clip=False)
    """

    def __init__(self, std: float = 0.1, max_std: float | None = None, *, clip: bool = False) -> None:
        super().__init__()
        self.std = check_number("std", std, 0)
        self.max_std = None if max_std is None else check_number("max_std", max_std, std)
        self.clip = check_flag("clip", clip)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with noise of the given strength, or of a strength drawn per sample."""
        std: float | Tensor = self.std
        if self.max_std is not None:
            std = self.std + (self.max_std - self.std) * _uniform((len(x),), x, generator)
            std = std.view(-1, *[1] * (x.ndim - 1))
        noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        return x + std * noise, None


class Mask(Corruption):
    """Sets a share of the values to a fixed one, as in Vincent et al., "Extracting and Composing Robust
    Features with Denoising Autoencoders", 2008.

    Parameters
    ----------
    share : the probability in [0, 1] with which a value is hidden.
    value : what stands in its place, in model's units.

    Examples
    --------
    >>> Mask(1.0)(torch.ones(1, 3), torch.Generator())[0]
    tensor([[0., 0., 0.]])
    """

    def __init__(self, share: float = 0.25, *, value: float = 0.0) -> None:
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.value = check_number("value", value, -1e6, 1e6)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with about `share` of its values hidden."""
        return x.masked_fill(_uniform(x.shape, x, generator) < self.share, self.value), None


class SaltPepper(Corruption):
    """Sets a share of the values to the darkest or the brightest, half of them each.

    Parameters
    ----------
    share : the probability in [0, 1] with which a value is replaced.
    low, high : pepper and salt, in model's units.

    Examples
    --------
    >>> SaltPepper(1.0)(torch.full((1, 1000), 0.5), torch.Generator())[0].unique()
    tensor([0., 1.])
    """

    spelling = "salt_pepper"

    def __init__(self, share: float = 0.1, *, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.low = check_number("low", low, -1e6, 1e6)
        self.high = check_number("high", high, low, 1e6)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with about `share` of its values replaced."""
        u = _uniform(x.shape, x, generator)
        return x.masked_fill(u < self.share, self.high).masked_fill(u < self.share / 2, self.low), None


class Chain(Corruption):
    """Applies corruptions one after another; written with `|`. Their weights multiply.

    Examples
    --------
    >>> Chain(Mask(0.5), Gaussian(0.1))
    mask(0.5, value=0.0) | gaussian(0.1, clip=False)
    """

    def __init__(self, *parts: Corruption) -> None:
        super().__init__()
        if len(parts) > 16:
            raise SpecError(f"a chain has at most 16 corruptions, however this one has {len(parts)}")
        self.parts = nn.ModuleList(parts)
        self.clip = any(part.clip for part in parts)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor | None]:
        """Return `x` through all corruptions, and the product of their weights."""
        weight = None
        for part in self.parts:
            x, w = part(x, generator)
            weight = w if weight is None else weight if w is None else weight * w
        return x, weight

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.parts))


def _uniform(shape: tuple[int, ...], like: Tensor, generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)


CORRUPTIONS: dict[str, type[Corruption]] = {
    "none": Clean,
    "gaussian": Gaussian,
    "mask": Mask,
    "salt_pepper": SaltPepper,
}
