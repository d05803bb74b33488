"""The layers that backbones are built of, beside torch's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import linear, pad

MAX_FEATURES = 65536  # of a layer, and of a code


class Encoder(nn.Sequential):
    """Layers in a row, without skip connections."""

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
        """Return the sum of the parts' outputs for `x`."""


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
    """Cuts pictures (N, C, H, W) to height x width; what lies below and to the right is cut off."""

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
        """Return the sum of `x` (N, channels, H, W) and the convolutions' output."""
        return x + self.second(self.first(x).relu())


class PixelConv(nn.Conv2d):
    """A 1x1 convolution as one matrix product, which is faster where a pixel's features lie side by side in memory."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels_out, H, W), channels last in memory, of `x` (N, channels_in, H, W)."""
        return linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class PatchConv(nn.Conv2d):
    """A convolution of overlapping patches as one matrix product, which is faster than torch's on a CPU.

    Parameters
    ----------
    stride : pixels from one patch to the next. A patch is twice as high and wide; what reaches beyond the picture is 0.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__(channels_in, channels_out, 2 * stride, stride, padding=stride // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels_out, H / stride, W / stride), rounded upwards, of `x` (N, channels_in, H, W)."""
        (side, _), (stride, _), before = self.kernel_size, self.stride, self.stride[0] // 2
        below, right = (-length % stride + side - stride - before for length in x.shape[2:])
        x = pad(x, (before, right, before, below))
        patches = x.unfold(2, side, stride).unfold(3, side, stride).permute(0, 2, 3, 1, 4, 5)
        return linear(patches.flatten(3), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


class PatchConvTranspose(nn.ConvTranspose2d):
    """A transposed convolution whose kernel is as large as its stride, by one matrix product.

    Parameters
    ----------
    side : of the square that each input pixel makes, pixels.
    """

    def __init__(self, channels_in: int, channels_out: int, side: int) -> None:
        super().__init__(channels_in, channels_out, side, stride=side)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Return (N, channels_out, side * H, side * W) of `x` (N, channels_in, H, W)."""
        side, channels = self.stride[0], self.out_channels
        squares = linear(x.permute(0, 2, 3, 1), self.weight.flatten(1).mT)
        squares = squares.unflatten(3, (channels, side, side)).permute(0, 3, 1, 4, 2, 5)
        assert self.bias is not None
        return squares.flatten(4).flatten(2, 3) + self.bias.view(-1, 1, 1)


class PixelFlatten(nn.Module):
    """Turns feature maps (N, C, H, W) into rows (N, H * W * C), pixel by pixel: no copy of channels last."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows."""
        return x.permute(0, 2, 3, 1).flatten(1)


class PixelUnflatten(nn.Module):
    """Turns rows (N, H * W * C), pixel by pixel, into feature maps of shape (C, H, W): no copy.

    Parameters
    ----------
    shape : (C, H, W).
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """Return the feature maps (N, C, H, W), channels last in memory."""
        channels, height, width = self.shape
        return x.unflatten(1, (height, width, channels)).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        """Return the shape for printing."""
        return str(self.shape)


class UNetEncoder(nn.Module):
    """The left side of a U: halves a picture stage by stage, and keeps the output of each stage for the right side.

    Parameters
    ----------
    channels : of the picture, then of every stage; the first stage has the picture's size.
    features : of each pixel of the bottom, the smallest stage.
    """

    def __init__(self, channels: list[int], features: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.halve = nn.ModuleList(nn.Conv2d(*pair, 3, stride=2, padding=1) for pair in pairwise(channels[1:]))
        self.blocks = nn.ModuleList(Block(count) for count in channels[1:])
        self.narrow = nn.Conv2d(channels[-1], features, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the bottom (N, features, *grid); and the picture and the outputs of all stages but the last."""
        skips = [x]
        for deepen, block in zip([self.enter, *self.halve], self.blocks, strict=True):
            skips.append(block(deepen(skips[-1]).relu()))
        return self.narrow(skips.pop()), tuple(skips)


class UNetDecoder(nn.Module):
    """The right side of a U: doubles a picture stage by stage, and adds the output of the left side's stage to each."""

    def __init__(self, channels: list[int], features: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(features, channels[-1], 1)
        self.blocks = nn.ModuleList(Block(count) for count in reversed(channels[1:]))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(*pair, 2, stride=2) for pair in pairwise(channels[:0:-1]))
        self.leave = nn.Conv2d(channels[1], channels[0], 3, padding=1)

    def forward(self, z: Tensor, skips: tuple[Tensor, ...]) -> Tensor:
        """Return the picture (N, C, H, W) that `skips` begin with, plus a correction."""
        picture, *stages = skips
        h = self.blocks[0](self.widen(z).relu())
        for grow, block, kept in zip(self.grow, self.blocks[1:], reversed(stages), strict=True):
            h = block(grow(h)[..., : kept.shape[2], : kept.shape[3]] + kept)
        return picture + self.leave(h)
