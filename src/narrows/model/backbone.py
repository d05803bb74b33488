"""Recipes that build the two halves of an autoencoder: an encoder and a decoder.

encoder(x) -> (h, skips) and decoder(z, skips) -> logits, where `skips` are the tensors of skip connections, which
bypass the bottleneck: () except for a `SkipBackbone`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from fractions import Fraction
from itertools import pairwise

from torch import nn

from narrows.errors import SpecError
from narrows.model.layers import (
    MAX_FEATURES,
    Block,
    Cut,
    Decoder,
    Encoder,
    ParallelDecoder,
    ParallelEncoder,
    PatchConv,
    PatchConvTranspose,
    PixelConv,
    PixelFlatten,
    PixelUnflatten,
    UNetDecoder,
    UNetEncoder,
)
from narrows.model.tiling import Tiling, Window, find_reach
from narrows.spec import Part, check_choice, check_flag, check_number, check_sizes, check_whole

MAX_STAGES = 16
MAX_SIDE = 1024  # of a patch
MANY_PICTURES = 1000  # from which wide layers do not overfit
UNET_STAGES = 4
LEAK = 0.1  # of the default backbone, see `Dense`
BLOCK_WINDOW: Window = (1, -2, 2)  # two 3x3 convolutions
DOUBLING: Window = (Fraction(1, 2), 0, 0)  # a 2x2 transposed convolution of stride 2


class Backbone(Part, ABC):
    """A recipe for the encoder and the decoder; it holds no weights itself."""

    grid = False  # whether h and z are (N, features, *grid) instead of (N, features)
    adds_input = False  # whether the decoder's output is the input plus a learned correction
    pictures_only = False  # whether it takes pictures alone, no tables
    starts_as_pca = False  # whether training starts as PCA exactly, not only about as good

    @property
    def tiling(self) -> Tiling | None:
        """How pictures of other sizes than those of training are taken; None where the weights fit that size alone."""
        return None

    @abstractmethod
    def build(
        self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], features_in: int, features_out: int
    ) -> tuple[nn.Module, nn.Module]:
        """Return (encoder, decoder): the encoder reads `input_shape` (C, *grid), the decoder makes `output_shape`.

        They differ where the encoder is told which values are observed. The encoder's last layer makes `features_in`
        features, the decoder's first reads `features_out`. Raises SpecError for a shape that the backbone cannot take.
        """


class SkipBackbone(Backbone, ABC):
    """A backbone with skip connections, which bypass the bottleneck.

    Such a model restores; its code alone cannot be decoded.
    """


class Dense(Backbone):
    """Fully connected layers with an activation between them; the decoder mirrors the encoder.

    Parameters
    ----------
    hidden : widths of the encoder's hidden layers, outermost first; without any, each half is one layer.
    leak : slope of the ReLU below 0, which keeps a gradient in every unit: Maas, Hannun and Ng, "Rectifier
        Nonlinearities Improve Neural Network Acoustic Models", 2013; None is 0.
    activation : None is the ReLU, "silu" is x sigmoid(x), which deep layers learn faster with: Elfwing, Uchibe and
        Doya, "Sigmoid-Weighted Linear Units", 2018.

    Examples
    --------
    >>> encoder, decoder = Dense(hidden=[]).build((1, 28, 28), (1, 28, 28), 128, 128)
    >>> sum(p.numel() for half in (encoder, decoder) for p in half.parameters())
    201616
    """

    def __init__(
        self,
        *,
        hidden: list[int] | tuple[int, ...] = (256,),
        leak: float | None = None,
        activation: str | None = None,
    ) -> None:
        self.hidden = check_sizes("hidden", hidden, MAX_FEATURES)
        self.leak = None if leak is None else check_number("leak", leak, 0, 1)
        self.activation = None if activation is None else check_choice("activation", activation, ("silu",))
        if leak is not None and activation is not None:
            raise SpecError(f"a leak is one of the ReLU, however activation={activation!r}; leave one of them out")

    def build(
        self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], features_in: int, features_out: int
    ) -> tuple[Encoder, Decoder]:
        """Return (encoder, decoder) for samples of any shape."""
        down = self._layers([math.prod(input_shape), *self.hidden, features_in])
        up = self._layers([features_out, *reversed(self.hidden), math.prod(output_shape)])
        return Encoder(nn.Flatten(), *down), Decoder(*up, nn.Unflatten(1, output_shape))

    def _layers(self, widths: list[int]) -> list[nn.Module]:
        layers = [nn.Linear(a, b) for a, b in pairwise(widths)]
        return _with_silu(layers) if self.activation else _with_relu(layers, self.leak)


class Sum(Backbone):
    """Backbones side by side, whose outputs are added before the code and after it; written with `+` between them.

    Beside `dense(hidden=[])`, a linear map each way, hidden layers learn what a linear map cannot, as in Cheng et al.,
    "Wide & Deep Learning for Recommender Systems", 2016. When training starts, the first part is set by the data's
    principal components and the others add 0, so that the network begins at PCA's error.

    Parameters
    ----------
    parts : two backbones or more, each with a vector code and without skip connections.

    Examples
    --------
    >>> Sum(Dense(hidden=[]), Dense(hidden=[64]))
    dense(hidden=[]) + dense(hidden=[64])
    """

    def __init__(self, *parts: Backbone) -> None:
        for part in parts:
            if part.grid or part.adds_input:
                raise SpecError(
                    f"backbones are added where each makes a vector code, however: {part!r}; leave it out, or take "
                    f"grid=False"
                )
        self.parts = parts
        self.starts_as_pca = isinstance(parts[0], Dense) and not parts[0].hidden

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.parts))

    def build(
        self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], features_in: int, features_out: int
    ) -> tuple[ParallelEncoder, ParallelDecoder]:
        """Return (encoder, decoder) for samples of a shape that every part takes."""
        halves = [part.build(input_shape, output_shape, features_in, features_out) for part in self.parts]
        return ParallelEncoder(encoder for encoder, _ in halves), ParallelDecoder(decoder for _, decoder in halves)


class Halving(Backbone, ABC):
    """A backbone of stages that each halve a picture; the decoder doubles it again.

    An odd side is halved upwards (31 -> 16), and the doubled picture is cut to it (32 -> 31).
    """

    pictures_only = True
    widths: list[int]  # feature maps of each stage, outermost first

    @abstractmethod
    def _down(self, channels_in: int, channels_out: int) -> nn.Module:
        """Return a stage that halves."""

    @abstractmethod
    def _up(self, channels_in: int, channels_out: int, size: tuple[int, int]) -> nn.Module:
        """Return a stage that doubles, cut to `size`."""

    def _narrow(self, channels_in: int, features: int) -> nn.Module:
        """Return the last halving stage of a grid, which makes the code."""
        return self._down(channels_in, features)

    def _widen(self, features: int, channels_out: int, size: tuple[int, int]) -> nn.Module:
        """Return the first doubling stage of a grid, which reads the code."""
        return self._up(features, channels_out, size)

    def build(
        self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], features_in: int, features_out: int
    ) -> tuple[Encoder, Decoder]:
        """Return (encoder, decoder) for pictures of shape (C, H, W), any height and width."""
        _check_pictures(self, output_shape)
        sizes = [(output_shape[1], output_shape[2])]
        for _ in self.widths:
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))
        deepest, rising = [input_shape[0], *self.widths][-1], [*self.widths[::-1], output_shape[0]]
        down = [self._down(*pair) for pair in pairwise([input_shape[0], *self.widths])]
        narrow = [self._narrow(deepest, features_in)] if self.grid else []
        widen = [self._widen(features_out, rising[0], sizes[-1])] if self.grid else []
        up = [self._up(*pair, size) for pair, size in zip(pairwise(rising), sizes[-2::-1], strict=True)]
        if self.grid:
            return Encoder(*_with_relu([*down, *narrow])), Decoder(*_with_relu([*widen, *up]))
        inner = (self.widths[-1], *sizes[-1])
        flat = [nn.ReLU(), nn.Flatten(), nn.Linear(math.prod(inner), features_in)]
        deep = [nn.Linear(features_out, math.prod(inner)), nn.Unflatten(1, inner), nn.ReLU()]
        return Encoder(*_with_relu(down), *flat), Decoder(*deep, *_with_relu(up))


class Conv(Halving):
    """3x3 convolutions with ReLU that halve the picture stage by stage; the decoder doubles it again.

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
    >>> conv, shape = Conv(channels=[16], pool="max", up="transposed", grid=True), (1, 28, 28)
    >>> encoder, decoder = conv.build(shape, shape, 4, 4)
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
        self.channels = self.widths = check_sizes("channels", channels, MAX_FEATURES, most=MAX_STAGES)
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

    def _down(self, channels_in: int, channels_out: int) -> nn.Module:
        if self.pool == "stride":
            return _strided(channels_in, channels_out)
        # a ReLU after the pooling equals one before it, on a quarter of the values
        return nn.Sequential(nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.MaxPool2d(2, ceil_mode=True))

    def _up(self, channels_in: int, channels_out: int, size: tuple[int, int]) -> nn.Module:
        if self.up == "transposed":
            return nn.Sequential(nn.ConvTranspose2d(channels_in, channels_out, 2, stride=2), Cut(*size))
        conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        return nn.Sequential(nn.Upsample(scale_factor=2), Cut(*size), conv)


class Patches(Backbone):
    """Overlapping patches, layers on each of them, and a dense layer that makes a code of all; the decoder mirrors it.

    Each patch becomes `channels` numbers, as in Xie et al., "SegFormer", 2021; further layers mix these place by place,
    as in Lin, Chen and Yan, "Network in Network", 2014. So nearly all work is matrix products, and training takes a
    quarter of the time of `conv` for the same error (benchmarks/log.md). Between the layers is the SiLU, x sigmoid(x):
    Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units", 2018.

    Parameters
    ----------
    channels : features of each patch.
    side : pixels from one patch to the next; a patch is twice as high and wide. The decoder's do not overlap.

    Examples
    --------
    >>> encoder, decoder = Patches(8, side=4).build((1, 28, 28), (1, 28, 28), 10, 10)
    >>> [tuple(p.shape) for p in encoder.parameters() if p.ndim > 1]
    [(8, 1, 8, 8), (8, 8, 1, 1), (10, 392)]
    """

    pictures_only = True

    def __init__(self, channels: int = 64, *, side: int = 4) -> None:
        self.channels = check_whole("channels", channels, 1, MAX_FEATURES)
        self.side = check_whole("side", side, 1, MAX_SIDE)

    def build(
        self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], features_in: int, features_out: int
    ) -> tuple[Encoder, Decoder]:
        """Return (encoder, decoder) for pictures of shape (C, H, W), any height and width."""
        _check_pictures(self, output_shape)
        side, channels, (height, width) = self.side, self.channels, output_shape[1:]
        inner = (channels, -(-height // side), -(-width // side))
        encoder = Encoder(
            *_with_silu([PatchConv(input_shape[0], channels, side), PixelConv(channels, channels), PixelFlatten()]),
            nn.Linear(math.prod(inner), features_in),
        )
        layers = [PixelUnflatten(inner), PixelConv(channels, channels), PixelConv(channels, channels)]
        leave = PatchConvTranspose(channels, output_shape[0], side)
        return encoder, Decoder(
            nn.Linear(features_out, math.prod(inner)), *_with_silu([*layers, leave]), Cut(height, width)
        )


class Residual(Halving):
    """Stages of a strided convolution and a residual block: a deeper `conv`.

    He et al., "Deep Residual Learning for Image Recognition", 2016, without its normalisation.

    Parameters
    ----------
    channels : feature maps of the first stage; every later one has twice as many, at most four times the first.
    stages : how often the picture is halved, the code's own halving with grid=True not counted.
    grid : False ends in a dense layer and a vector code; True adds a last halving stage whose feature maps are
        the code.

    Examples
    --------
    >>> encoder, decoder = Residual(8).build((1, 28, 28), (1, 28, 28), 10, 10)
    >>> [layer.out_channels for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    [8, 8, 8, 16, 16, 16]
    """

    def __init__(self, channels: int = 32, *, stages: int = 2, grid: bool = False) -> None:
        self.channels = check_whole("channels", channels, 1, MAX_FEATURES)
        self.stages = check_whole("stages", stages, 1, MAX_STAGES)
        self.grid = check_flag("grid", grid)
        self.widths = _doubling(self.channels, self.stages)

    @property
    def tiling(self) -> Tiling | None:
        """Pictures of any size go through a grid; a dense layer takes one size."""
        if not self.grid:
            return None
        down, up = [(2, -1, 1), BLOCK_WINDOW] * self.stages, [BLOCK_WINDOW, DOUBLING] * self.stages
        return Tiling(2 ** (self.stages + 1), find_reach([*down, (2, -1, 1), DOUBLING, *up]))

    def _down(self, channels_in: int, channels_out: int) -> nn.Module:
        return nn.Sequential(_strided(channels_in, channels_out), nn.ReLU(), Block(channels_out))

    def _up(self, channels_in: int, channels_out: int, size: tuple[int, int]) -> nn.Module:
        return nn.Sequential(Block(channels_in), nn.ReLU(), self._widen(channels_in, channels_out, size))

    def _narrow(self, channels_in: int, features: int) -> nn.Module:
        return _strided(channels_in, features)

    def _widen(self, features: int, channels_out: int, size: tuple[int, int]) -> nn.Module:
        return nn.Sequential(nn.ConvTranspose2d(features, channels_out, 2, stride=2), Cut(*size))


class UNet(SkipBackbone):
    """A U of residual blocks, from the full resolution to an eighth of it; it corrects its input.

    Every stage of the way down is added to the way up: Ronneberger, Fischer and Brox, "U-Net", 2015; the blocks are
    those of Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", 2021. The bottleneck is at the
    bottom, one cell of the grid for 8x8 pixels. As the input is added, the scaling should not bound the output:
    `unit(output="linear")`, which `auto` takes.

    Parameters
    ----------
    channels : feature maps of the first stage; the others have twice, four and eight times as many.

    Examples
    --------
    >>> UNet(16).tiling
    Tiling(stride=8, reach=76)
    """

    grid = adds_input = pictures_only = True

    def __init__(self, channels: int = 16) -> None:
        self.channels = check_whole("channels", channels, 1, MAX_FEATURES)

    @property
    def tiling(self) -> Tiling:
        """Pictures of any size go through."""
        down = [(1, -1, 1), BLOCK_WINDOW, *[(2, -1, 1), BLOCK_WINDOW] * (UNET_STAGES - 1)]
        up = [BLOCK_WINDOW, *[DOUBLING, BLOCK_WINDOW] * (UNET_STAGES - 1), (1, -1, 1)]
        return Tiling(2 ** (UNET_STAGES - 1), find_reach([*down, *up]))

    def build(
        self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], features_in: int, features_out: int
    ) -> tuple[nn.Module, nn.Module]:
        """Return (encoder, decoder) for pictures of shape (C, H, W), any height and width; both shapes are the same."""
        _check_pictures(self, input_shape)
        channels = [input_shape[0], *(self.channels * 2**i for i in range(UNET_STAGES))]
        return UNetEncoder(channels, features_in), UNetDecoder(channels, features_out)


def choose_backbone(shape: tuple[int, ...], code: bool = True, samples: int = MANY_PICTURES) -> str:
    """Return the text of the backbone that `auto` means for `samples` samples of `shape` (C, *grid).

    Patches for pictures of 8x8 and more, 4 to 7 along the smallest side as long as they are no larger than 16 pixels
    apart, or a U where no `code` is needed. Few pictures get fewer channels, since many overfit. Else dense layers
    beside a linear map; a linear map beside patches or convolutions overfits (benchmarks/log.md).

    Examples
    --------
    >>> choose_backbone((1, 28, 28))
    'patches(64, side=4)'
    >>> choose_backbone((30,))
    'dense(hidden=[]) + dense(hidden=[256, 256], leak=0.1)'
    """
    if len(shape) != 3 or min(shape[1:]) < 8:
        return f"{Dense(hidden=[])!r} + {Dense(hidden=[256, 256], leak=LEAK)!r}"
    if not code:
        return repr(UNet())
    halvings = min(int(math.log2(min(shape[1:]) / 4)), 4)
    return repr(Patches(64 if samples >= MANY_PICTURES else 32, side=2**halvings))


def _check_pictures(backbone: Backbone, shape: tuple[int, ...]) -> None:
    if len(shape) != 3:
        name = type(backbone).__name__.lower()
        raise SpecError(
            f"the backbone {name!r} takes pictures (channels, height, width), however the data are "
            f"{shape}; use backbone='dense(hidden=[256])' for tables"
        )


def _doubling(first: int, stages: int) -> list[int]:
    """Return the widths of stages: each twice the one before, at most four times the first."""
    return [first * min(2**i, 4) for i in range(stages)]


def _strided(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1)


def _with_relu(layers: list, leak: float | None = None) -> list[nn.Module]:
    """Return the layers with a ReLU between each two, of slope `leak` below 0."""
    return [part for layer in layers for part in (layer, nn.LeakyReLU(leak) if leak else nn.ReLU())][:-1]


def _with_silu(layers: list) -> list[nn.Module]:
    """Return the layers with a SiLU between each two."""
    return [part for layer in layers for part in (layer, nn.SiLU())][:-1]


BACKBONES: dict[str, type[Backbone]] = {
    "dense": Dense,
    "conv": Conv,
    "patches": Patches,
    "residual": Residual,
    "unet": UNet,
}
