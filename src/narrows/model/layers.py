"""The layers that backbones are built of, beside torch's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn


class Encoder(nn.Sequential):
    """Layers in a row, and nothing that goes round the bottleneck."""

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return (h, ())."""
        return super().forward(x), ()


class Decoder(nn.Sequential):
    """Layers in a row that read the code alone."""

    def forward(self, z: Tensor, skips: tuple[Tensor, ...] = ()) -> Tensor:
        """Return logits (N, C, *grid)."""
        return super().forward(z)


class Parallel(nn.Module, ABC):
    """Encoders, or decoders, side by side: each gets the same input, and their outputs are added."""

    def __init__(self, parts: Iterable[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    @abstractmethod
    def forward(self, x: Tensor) -> Any:
        """Return the sum of what the parts make of `x`."""


def parallel_parts(half: nn.Module) -> list[nn.Module]:
    """Return the encoders or decoders that `half` adds up, or itself alone."""
    return list(half.parts) if isinstance(half, Parallel) else [half]


class ParallelEncoder(Parallel):
    """Encoders side by side."""

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return (the sum of their h, ())."""
        first, *others = (part(x)[0] for part in self.parts)
        return sum(others, first), ()


class ParallelDecoder(Parallel):
    """Decoders side by side."""

    def forward(self, z: Tensor, skips: tuple[Tensor, ...] = ()) -> Tensor:
        """Return the sum of their logits (N, C, *grid)."""
        first, *others = (part(z) for part in self.parts)
        return sum(others, first)


class Cut(nn.Module):
    """Cuts pictures (N, C, at least height, at least width) to height x width at their lower right."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height, self.width = height, width

    def forward(self, x: Tensor) -> Tensor:
        """Return the upper left height x width of every picture."""
        return x[..., : self.height, : self.width]

    def extra_repr(self) -> str:
        """Return the size for printing."""
        return f"{self.height}, {self.width}"


class Block(nn.Module):
    """Two 3x3 convolutions whose output is added to their input: He et al., "Deep Residual Learning", 2016.

    There is no normalisation in it, so an output depends on the pixels near it alone.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, channels, H, W) and what the convolutions make of it, added."""
        return x + self.second(self.first(x).relu())


class UNetEncoder(nn.Module):
    """The left side of a U: halves a picture stage by stage, and keeps what each stage made for the right side.

    Parameters
    ----------
    channels : of the picture, then of every stage; the first stage has the picture's size.
    features : of the bottom's places.
    """

    def __init__(self, channels: list[int], features: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.halve = nn.ModuleList(nn.Conv2d(*pair, 3, stride=2, padding=1) for pair in pairwise(channels[1:]))
        self.blocks = nn.ModuleList(Block(count) for count in channels[1:])
        self.narrow = nn.Conv2d(channels[-1], features, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the bottom (N, features, *grid), and the picture and each stage but the last, outermost first."""
        skips = [x]
        for deepen, block in zip([self.enter, *self.halve], self.blocks, strict=True):
            skips.append(block(deepen(skips[-1]).relu()))
        return self.narrow(skips.pop()), tuple(skips)


class UNetDecoder(nn.Module):
    """The right side of a U: doubles a picture stage by stage, each added to what the left side kept."""

    def __init__(self, channels: list[int], features: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(features, channels[-1], 1)
        self.blocks = nn.ModuleList(Block(count) for count in reversed(channels[1:]))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(*pair, 2, stride=2) for pair in pairwise(channels[:0:-1]))
        self.leave = nn.Conv2d(channels[1], channels[0], 3, padding=1)

    def forward(self, z: Tensor, skips: tuple[Tensor, ...]) -> Tensor:
        """Return the picture of `skips` (N, C, H, W), corrected."""
        picture, *stages = skips
        h = self.blocks[0](self.widen(z).relu())
        for grow, block, kept in zip(self.grow, self.blocks[1:], reversed(stages), strict=True):
            h = block(grow(h)[..., : kept.shape[2], : kept.shape[3]] + kept)
        return picture + self.leave(h)
