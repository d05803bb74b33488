"""Damage done to the input in training, which the network learns to undo.

A corruption works in model's units: shares of the range under `unit`, standard deviations under `standard`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from narrows.errors import SpecError
from narrows.model.scaling import Scaling
from narrows.spec import Part, check_flag, check_number, check_whole


class Corruption(Part, nn.Module, ABC):
    """A change of a batch, with the weight that each value then has in the loss.

    Attributes
    ----------
    clip : whether the damaged values are clamped to the data's range whatever their type; integers always are.
    harms : whether information is lost, which a network learns to put back.
    draws : whether it depends on random numbers.
    pictures_only : whether it takes pictures alone, no tables.
    hides_pixels : whether the loss looks at replaced pixels alone, so that a network cannot copy their noise.
    makes_gaps : whether it makes gaps, NaN, which only a scaling with `tells_observed` takes.
    replacements : the values that stand in place of others; () for a corruption that does not replace values.
    largest_std : of the noise that it adds, in model's units; 0 for a corruption that adds none.
    """

    clip = False
    harms = True
    draws = True
    pictures_only = False
    hides_pixels = False
    makes_gaps = False
    replacements: tuple[float, ...] = ()
    largest_std = 0.0

    def build(self, scaling: Scaling) -> None:
        """Learn which values belong together; raises SpecError for a scaling that does not take what it makes."""

    @abstractmethod
    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor | None]:
        """Return `x` (N, C, *grid) damaged, and loss weights of its shape; None where all values count alike."""


class Clean(Corruption):
    """Leaves the data as they are: written `none()`.

    Examples
    --------
    >>> Clean()(torch.ones(1, 2), torch.Generator())
    (tensor([[1., 1.]]), None)
    """

    spelling = "none"
    harms = draws = False

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` itself."""
        return x, None


class Gaussian(Corruption):
    """Adds normal noise: x + std * N(0, 1).

    Parameters
    ----------
    std : standard deviation, at least 0, in model's units.
    max_std : when given, each sample draws its own strength uniformly from [std, max_std].
    clip : clamp the result to the data's range; False does not, except for integers.

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
        self.largest_std = self.std if self.max_std is None else self.max_std

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with noise of the given strength, or of a strength drawn per sample."""
        std = _strength(self.std, self.max_std, x, generator)
        noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        return x + std * noise, None


class Poisson(Corruption):
    """Photon noise: values become Poisson counts of mean x * peak, divided by peak.

    Parameters
    ----------
    peak : photons at the full range, above 0; fewer are noisier. Values below 0 count as 0.
    max_peak : when given, each sample draws its own peak from [peak, max_peak], uniform in its logarithm.
    clip : clamp the result to the data's range; False does not, except for integers.

    Examples
    --------
    >>> noisy = Poisson(4.0)(torch.full((1, 1000), 0.5), torch.Generator().manual_seed(0))[0]
    >>> noisy.unique()[:3].tolist()
    [0.0, 0.25, 0.5]
    """

    def __init__(self, peak: float = 30.0, max_peak: float | None = None, *, clip: bool = False) -> None:
        super().__init__()
        self.peak = check_number("peak", peak, 1e-3, 1e9)
        self.max_peak = None if max_peak is None else check_number("max_peak", max_peak, peak, 1e9)
        self.clip = check_flag("clip", clip)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with photon noise."""
        top = None if self.max_peak is None else math.log(self.max_peak)
        peak = torch.as_tensor(_strength(math.log(self.peak), top, x, generator)).exp()
        return torch.poisson(x.clamp_min(0) * peak, generator=generator) / peak, None


class Blur(Corruption):
    """Averages a picture's pixels with their neighbours by a Gaussian; at the border by what is inside.

    Parameters
    ----------
    std : standard deviation of the Gaussian, at least 0, in pixels.
    max_std : when given, each sample draws its own uniformly from [std, max_std].

    Examples
    --------
    >>> Blur(1.0)(torch.tensor([[[[0.0, 1.0, 0.0]]]]), torch.Generator())[0]  # doctest: +NUMBER
    tensor([[[[0.35, 0.45, 0.35]]]])
    """

    pictures_only = True

    def __init__(self, std: float = 1.0, max_std: float | None = None) -> None:
        super().__init__()
        self.std = check_number("std", std, 0, 1e4)
        self.max_std = None if max_std is None else check_number("max_std", max_std, std, 1e4)
        self.draws = max_std is not None

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return pictures `x` (N, C, H, W) blurred; raises SpecError for a table."""
        _check_pictures(self, x)
        std = torch.as_tensor(_strength(self.std, self.max_std, x, generator), device=x.device, dtype=x.dtype)
        rows, columns = (_averages(side, std) for side in x.shape[2:])
        return rows @ x @ columns.mT, None


class Mask(Corruption):
    """Sets a share of the values to a fixed one, as in Vincent et al., "Extracting and Composing Robust
    Features with Denoising Autoencoders", 2008.

    Parameters
    ----------
    share : the probability in [0, 1] with which a value is hidden.
    max_share : when given, each sample draws its own share uniformly from [share, max_share].
    value : what hidden values are set to, in model's units.

    Examples
    --------
    >>> Mask(1.0)(torch.ones(1, 3), torch.Generator())[0]
    tensor([[0., 0., 0.]])
    """

    def __init__(self, share: float = 0.25, max_share: float | None = None, *, value: float = 0.0) -> None:
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.max_share = None if max_share is None else check_number("max_share", max_share, share, 1)
        self.value = check_number("value", value, -1e6, 1e6)
        self.replacements = (self.value,)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with about `share` of its values hidden."""
        share = _strength(self.share, self.max_share, x, generator)
        return x.masked_fill(_uniform(x.shape, x, generator) < share, self.value), None


class Hide(Corruption):
    """Hides a share of a table's cells: they become gaps, which the network is told of and learns to fill.

    All values that one of the user's columns makes are hidden together. Hidden cells count in the loss as seen ones do.
    It needs a scaling that takes gaps, `columns`.

    Parameters
    ----------
    share : the probability in [0, 1] with which a cell is hidden.
    max_share : when given, each sample draws its own share uniformly from [share, max_share].

    Examples
    --------
    >>> Hide(1.0)(torch.ones(1, 3), torch.Generator())[0]
    tensor([[nan, nan, nan]])
    """

    makes_gaps = True

    def __init__(self, share: float = 0.25, max_share: float | None = None) -> None:
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.max_share = None if max_share is None else check_number("max_share", max_share, share, 1)
        self.observed: Callable[[Tensor], Tensor | None] | None = None  # of the scaling, once it is built
        self.spread: Callable[[Tensor], Tensor] | None = None

    def build(self, scaling: Scaling) -> None:
        """Learn which values belong together; raises SpecError for a scaling that takes no gaps."""
        if not scaling.tells_observed:
            raise SpecError(
                f"the corruption {self!r} makes gaps, of which the scaling {scaling!r} does not tell the network; take "
                f"scaling='columns', or corruption='mask(0.25)'"
            )
        self.observed, self.spread = scaling.observed, scaling.spread

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` (N, M) with about `share` of the cells hidden."""
        cells = None if self.observed is None else self.observed(x)
        share = _strength(self.share, self.max_share, x, generator)
        hidden = _uniform(x.shape if cells is None else cells.shape, x, generator) < share
        return x.masked_fill(hidden if self.spread is None else self.spread(hidden), math.nan), None


class SaltPepper(Corruption):
    """Sets a share of the values to the darkest or the brightest, half of them each.

    Parameters
    ----------
    share : the probability in [0, 1] with which a value is replaced.
    max_share : when given, each sample draws its own share uniformly from [share, max_share].
    low, high : the darkest and the brightest value, in model's units.

    Examples
    --------
    >>> SaltPepper(1.0)(torch.full((1, 1000), 0.5), torch.Generator())[0].unique()
    tensor([0., 1.])
    """

    spelling = "salt_pepper"

    def __init__(
        self, share: float = 0.1, max_share: float | None = None, *, low: float = 0.0, high: float = 1.0
    ) -> None:
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.max_share = None if max_share is None else check_number("max_share", max_share, share, 1)
        self.low = check_number("low", low, -1e6, 1e6)
        self.high = check_number("high", high, low, 1e6)
        self.replacements = (self.low, self.high)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return `x` with about `share` of its values replaced."""
        share = _strength(self.share, self.max_share, x, generator)
        u = _uniform(x.shape, x, generator)
        return x.masked_fill(u < share, self.high).masked_fill(u < share / 2, self.low), None


class BlindSpots(Corruption):
    """Replaces a share of the pixels by a random neighbour's value, and gives a loss weight to these pixels alone.

    So a network that sees only noisy pictures cannot copy a pixel's noise. It predicts the pixel from its neighbours,
    and if the noise of pixels is independent, it predicts the clean value: Krull, Buchholz and Jug, "Noise2Void", 2019;
    Batson and Royer, "Noise2Self", 2019. All channels of a pixel are replaced together.

    Parameters
    ----------
    share : the probability in (0, 1] with which a pixel is replaced.
    reach : largest distance of the neighbour, in pixels along each axis.

    Examples
    --------
    >>> x = torch.arange(16.0).view(1, 1, 4, 4)
    >>> damaged, weight = BlindSpots(0.2)(x, torch.Generator())
    >>> bool(((damaged != x) == (weight == 1)).all())
    True
    """

    spelling = "blind_spots"
    pictures_only = hides_pixels = True

    def __init__(self, share: float = 0.2, *, reach: int = 2) -> None:
        super().__init__()
        self.share = check_number("share", share, 1e-4, 1)
        self.reach = check_whole("reach", reach, 1, 100)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return pictures `x` (N, C, H, W) with pixels replaced, weight 1 for these; raises SpecError for a table."""
        _check_pictures(self, x)
        spots = _uniform((len(x), 1, *x.shape[2:]), x, generator) < self.share
        sample, _, *pixel = spots.nonzero(as_tuple=True)
        neighbour = _neighbours(pixel, x.shape[2:], self.reach, generator)
        damaged = x.clone()
        damaged[sample, :, pixel[0], pixel[1]] = x[sample, :, neighbour[0], neighbour[1]]
        return damaged, spots.to(x.dtype).expand_as(x)


class Shift(Corruption):
    """Moves each picture by whole pixels, up or down and left or right, and fills the gap by repeating its border.

    The target is not moved, so a code learns what is in a picture rather than where.

    Parameters
    ----------
    share : the largest shift, as a share of each side in [0, 1], rounded to whole pixels; all are equally likely.
    chance : share of the pictures that move, in [0, 1].

    Examples
    --------
    >>> x = torch.arange(3.0).expand(1, 1, 1, 3)
    >>> {tuple(Shift(0.4)(x, torch.Generator().manual_seed(i))[0].flatten().int().tolist()) for i in range(99)} == {
    ...     (0, 0, 1), (0, 1, 2), (1, 2, 2)}
    True
    """

    harms = False
    pictures_only = True

    def __init__(self, share: float = 0.05, *, chance: float = 1.0) -> None:
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.chance = check_number("chance", chance, 0, 1)

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, None]:
        """Return pictures `x` (N, C, H, W) moved; raises SpecError for a table."""
        _check_pictures(self, x)
        moved = (torch.rand(len(x), generator=generator, device=x.device) < self.chance).nonzero()[:, 0]
        rows, columns = (self._sources(side, len(moved), generator) for side in x.shape[2:])
        index = (rows[:, :, None] * x.shape[3] + columns[:, None]).flatten(1)
        index = index[:, None].expand(-1, x.shape[1], -1)
        result = x.clone()
        result[moved] = x[moved].flatten(2).gather(2, index).unflatten(2, x.shape[2:])
        return result, None

    def _sources(self, side: int, n: int, generator: Generator) -> Tensor:
        """Return the index that each position along an axis is read from, (n, side)."""
        reach = round(self.share * side)
        moves = torch.randint(-reach, reach + 1, (n, 1), generator=generator, device=generator.device)
        return (torch.arange(side, device=moves.device) + moves).clamp(0, side - 1)


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
        self.harms = any(part.harms for part in parts)
        self.draws = any(part.draws for part in parts)
        self.pictures_only = any(part.pictures_only for part in parts)
        self.hides_pixels = any(part.hides_pixels for part in parts)
        self.largest_std = max((part.largest_std for part in parts), default=0.0)
        self.makes_gaps = any(part.makes_gaps for part in parts)

    def build(self, scaling: Scaling) -> None:
        """Build every part."""
        for part in self.parts:
            part.build(scaling)  # type: ignore[operator]

    def forward(self, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor | None]:
        """Return `x` through all corruptions, and the product of their weights."""
        weight = None
        for part in self.parts:
            x, w = part(x, generator)
            weight = w if weight is None else weight if w is None else weight * w
        return x, weight

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.parts))


def _strength(low: float, high: float | None, x: Tensor, generator: Generator) -> float | Tensor:
    """Return `low`, or where `high` is given a draw between them for each sample, (N, 1, ...)."""
    if high is None:
        return low
    return low + (high - low) * _uniform((len(x), *[1] * (x.ndim - 1)), x, generator)


def _averages(side: int, std: Tensor) -> Tensor:
    """Return the weights (..., side, side) with which each position along an axis averages all of them."""
    index = torch.arange(side, device=std.device, dtype=std.dtype)
    distance = (index[:, None] - index) / std.clamp_min(1e-3)  # for a smaller one, nothing is averaged
    return (-distance.square() / 2).softmax(-1)


def _neighbours(pixel: list[Tensor], size: torch.Size, reach: int, generator: Generator) -> list[Tensor]:
    """Return another pixel at most `reach` away from each `pixel` (rows, columns), for pictures larger than `reach`."""
    side = 2 * reach + 1
    chosen = torch.randint(side**2 - 1, pixel[0].shape, generator=generator, device=generator.device)
    chosen += chosen >= side**2 // 2  # the middle one is the pixel itself
    steps = chosen // side - reach, chosen % side - reach
    return [_step(at, step, count) for at, step, count in zip(pixel, steps, size, strict=True)]


def _step(index: Tensor, step: Tensor, count: int) -> Tensor:
    """Return the positions along an axis a step away; a step that would leave the axis goes the other way."""
    inside = (index + step >= 0) & (index + step < count)
    return (index + torch.where(inside, step, -step)).clamp(0, count - 1)


def _check_pictures(corruption: Corruption, x: Tensor) -> None:
    if x.ndim != 4:
        raise SpecError(
            f"the corruption {corruption!r} is for pictures, however the data are a table of {x.shape[1]} columns; "
            f"take 'gaussian' or 'mask'"
        )


def _uniform(shape: tuple[int, ...], like: Tensor, generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)


CORRUPTIONS: dict[str, type[Corruption]] = {
    "none": Clean,
    "gaussian": Gaussian,
    "poisson": Poisson,
    "blur": Blur,
    "mask": Mask,
    "hide": Hide,
    "salt_pepper": SaltPepper,
    "blind_spots": BlindSpots,
    "shift": Shift,
}
