"""Recipes that build the two halves of an autoencoder: an encoder and a decoder.

encoder(x) -> (h, around) and decoder(z, around) -> raw, where `around` are the tensors that go round the
bottleneck: none but for a `SkipBackbone`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from narrows.errors import SpecError
from narrows.spec import Part, check_choice, check_flag, check_sizes

MAX_WIDTH = 65536


class Tiling(NamedTuple):
    """How a network that takes pictures of any size may take one in parts.

    A part that begins at multiples of `stride` gives the same output as the whole picture at every pixel that is at
    least `reach` away from the part's inner edges, since no output depends on inputs that are farther away.

    Attributes
    ----------
    stride : pixels between two places where a part may begin.
    reach : pixels from an output to the farthest input that it depends on.
    """

    stride: int
    reach: int


class Backbone(Part, ABC):
    """A recipe for the encoder and the decoder; it holds no weights itself."""

    grid = False  # whether h and z are (N, features, *grid) instead of (N, features)

    @property
    def tiling(self) -> Tiling | None:
        """How pictures of other sizes than the trained one go through; None where the weights fit that size alone."""
        return None

    @abstractmethod
    def build(self, shape: tuple[int, ...], features_in: int, features_out: int) -> tuple[nn.Module, nn.Module]:
        """Return (encoder, decoder) for samples of `shape` (C, *grid).

        The encoder's last layer makes `features_in` features, the decoder's first reads `features_out`.
        Raises SpecError for a shape that the backbone cannot take.
        """


class SkipBackbone(Backbone, ABC):
    """A backbone whose tensors go round the bottleneck too.

    Such a model restores, and has no code that holds the whole sample.
    """


class Encoder(nn.Sequential):
    """Layers in a row, and nothing that goes round the bottleneck."""

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return (h, ())."""
        return super().forward(x), ()


class Decoder(nn.Sequential):
    """Layers in a row that read the code alone."""

    def forward(self, z: Tensor, around: tuple[Tensor, ...] = ()) -> Tensor:
        """Return raw (N, C, *grid)."""
        return super().forward(z)


class Dense(Backbone):
    """Fully connected layers with ReLU between them; the decoder mirrors the encoder.

    Parameters
    ----------
    hidden : widths of the encoder's hidden layers, outermost first; an empty list is one layer a half.

    Examples
    --------
    >>> encoder, decoder = Dense(hidden=[]).build((1, 28, 28), 128, 128)
    >>> sum(p.numel() for half in (encoder, decoder) for p in half.parameters())
    201616
    """

    def __init__(self, *, hidden: list[int] | tuple[int, ...] = (256,)) -> None:
        self.hidden = check_sizes("hidden", hidden, MAX_WIDTH)

    def build(self, shape: tuple[int, ...], features_in: int, features_out: int) -> tuple[Encoder, Decoder]:
        """Return (encoder, decoder) for samples of any shape."""
        size = math.prod(shape)
        down = _dense_layers([size, *self.hidden, features_in])
        up = _dense_layers([features_out, *reversed(self.hidden), size])
        return Encoder(nn.Flatten(), *down), Decoder(*up, nn.Unflatten(1, shape))


class Conv(Backbone):
    """3x3 convolutions with ReLU that halve the picture stage by stage; the decoder doubles it again.

    An odd side is halved upwards (31 -> 16), and the doubled picture is cut to it (32 -> 31).

    Parameters
    ----------
    channels : feature maps of each stage, outermost first.
    pool : how a stage halves: "max" by 2x2 max-pooling, "stride" by the convolution itself.
    up : how a stage doubles: "transposed" by a 2x2 transposed convolution of stride 2, "upsample" by repeating
        pixels before a 3x3 convolution (Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", 2016).
    grid : False ends in a dense layer and a vector code; True adds a last halving stage whose feature maps are
        the code.

    Examples
    --------
    >>> encoder, decoder = Conv(channels=[16], pool="max", up="transposed", grid=True).build((1, 28, 28), 4, 4)
    >>> sum(p.numel() for half in (encoder, decoder) for p in half.parameters())
    1077
    """

    def __init__(
        self,
        *,
        channels: list[int] | tuple[int, ...] = (32, 64),
        pool: str = "stride",
        up: str = "upsample",
        grid: bool = False,
    ) -> None:
        self.channels = check_sizes("channels", channels, MAX_WIDTH, most=16)
        self.pool = check_choice("pool", pool, ("max", "stride"))
        self.up = check_choice("up", up, ("transposed", "upsample"))
        self.grid = check_flag("grid", grid)
        if not self.channels and not grid:
            raise SpecError("channels must name at least one stage unless grid=True, however: channels=[]")

    @property
    def tiling(self) -> Tiling | None:
        """Pictures of any size go through a grid; a dense layer takes one size."""
        if not self.grid:
            return None
        stages = len(self.channels) + 1
        down = [(2, -1, 1) if self.pool == "stride" else (2, -1, 2)] * stages
        up = [(Fraction(1, 2), *((-1, 1) if self.up == "upsample" else (0, 0)))] * stages
        return Tiling(2**stages, find_reach([*down, *up]))

    def build(self, shape: tuple[int, ...], features_in: int, features_out: int) -> tuple[Encoder, Decoder]:
        """Return (encoder, decoder) for pictures of shape (C, H, W), any height and width."""
        if len(shape) != 3:
            raise SpecError(
                f"the backbone 'conv' takes pictures (channels, height, width), however the data are "
                f"{shape}; use backbone='dense(hidden=[256])' for tables"
            )
        if self.grid:
            down, up = [shape[0], *self.channels, features_in], [features_out, *reversed(self.channels), shape[0]]
        else:
            down, up = [shape[0], *self.channels], [*reversed(self.channels), shape[0]]
        sizes = [shape[1:]]
        for _ in down[1:]:
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))
        encoder = [self._down(*pair) for pair in pairwise(down)]
        decoder = [self._up(a, b, size) for (a, b), size in zip(pairwise(up), reversed(sizes[:-1]), strict=True)]
        if self.grid:
            return Encoder(*_with_relu(encoder)), Decoder(*_with_relu(decoder))
        inner = (self.channels[-1], *sizes[-1])
        narrow = [nn.ReLU(), nn.Flatten(), nn.Linear(math.prod(inner), features_in)]
        widen = [nn.Linear(features_out, math.prod(inner)), nn.Unflatten(1, inner), nn.ReLU()]
        return Encoder(*_with_relu(encoder), *narrow), Decoder(*widen, *_with_relu(decoder))

    def _down(self, channels_in: int, channels_out: int) -> nn.Module:
        if self.pool == "stride":
            return nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1)
        # a ReLU after the pooling equals one before it, on a quarter of the values
        return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True))

    def _up(self, channels_in: int, channels_out: int, size: tuple[int, int]) -> nn.Module:
        if self.up == "transposed":
            return nn.Sequential(nn.ConvTranspose2d(channels_in, channels_out, 2, stride=2), Cut(*size))
        conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        return nn.Sequential(nn.Upsample(scale_factor=2), Cut(*size), conv)


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


def find_reach(layers: list[tuple[Fraction | int, int, int]]) -> int:
    """Return how many pixels lie between an output and the farthest input that it depends on.

    Parameters
    ----------
    layers : in the order in which a picture passes them, each as (step, before, after): the output at `i` reads inputs
        from `step * i + before` to `step * i + after`. A layer that doubles has step 1/2, and its window is of the
        doubled picture: a convolution after the doubling.

    Examples
    --------
    >>> find_reach([(1, -1, 1)] * 3)
    3
    >>> find_reach([(2, -1, 1), (Fraction(1, 2), 0, 0)])  # pixels 0 and 1 both read -1, 0 and 1
    2
    """
    stride = math.prod(step for step, *_ in layers if step > 1)
    reach = 0
    for place in range(int(stride)):
        low = high = place
        for step, before, after in reversed(layers):
            if step < 1:
                low, high = math.floor((low + before) * step), math.floor((high + after) * step)
            else:
                low, high = int(step * low + before), int(step * high + after)
        reach = max(reach, place - low, high - place)
    return reach


def choose_backbone(shape: tuple[int, ...]) -> str:
    """Return the text of the backbone that `auto` means for samples of `shape` (C, *grid).

    Convolutions for pictures of 8x8 and more, with stages down to a smallest side of 4 to 7; else dense layers.

    Examples
    --------
    >>> choose_backbone((1, 28, 28))
    "conv(channels=[32, 64], pool='stride', up='transposed', grid=False)"
    >>> choose_backbone((30,))
    'dense(hidden=[256])'
    """
    if len(shape) != 3 or min(shape[1:]) < 8:
        return repr(Dense())
    stages = min(int(math.log2(min(shape[1:]) / 4)), 4)
    return repr(Conv(channels=[min(32 * 2**i, 128) for i in range(stages)], up="transposed"))


def _dense_layers(widths: list[int]) -> list[nn.Module]:
    return _with_relu([nn.Linear(a, b) for a, b in pairwise(widths)])


def _with_relu(layers: list) -> list[nn.Module]:
    """Return the layers with a ReLU between each two."""
    return [part for layer in layers for part in (layer, nn.ReLU())][:-1]


BACKBONES: dict[str, type[Backbone]] = {"dense": Dense, "conv": Conv}
