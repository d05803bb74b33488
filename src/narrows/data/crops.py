"""Pictures of any sizes at full resolution, from which crops of one size are cut: nothing is resized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from narrows.data.layout import to_pictures
from narrows.data.source import Source


class Crops(Source):
    """Pictures, of which a crop is taken at a random position each time.

    Parameters
    ----------
    pictures : each (H, W) or each (H, W, C), of one type.
    side : of the crops in pixels; it becomes less where no picture is that high or wide. A pair (height, width) is
        kept as it is. A picture that is smaller than the crops is mirrored at its lower and right border up to their
        size.

    Attributes
    ----------
    shape : of one crop, (C, height, width).
    dtype : of the values.
    is_grey : whether pictures are (H, W).
    visits : (n,) the picture of each crop of an epoch: a picture has as many as fit into its area, at least one.

    Examples
    --------
    >>> crops = Crops([np.zeros((100, 90), np.uint8), np.zeros((64, 64), np.uint8)], 32)
    >>> len(crops), crops.shape, crops.visits.bincount().tolist()
    (2, (1, 32, 32), [9, 4])
    >>> crops.take(crops.visits[:5], Generator()).shape
    torch.Size([5, 1, 32, 32])
    """

    takes_whole = False

    def __init__(self, pictures: Sequence[np.ndarray], side: int | tuple[int, int]) -> None:
        self.is_grey = pictures[0].ndim == 2
        planes = [picture[np.newaxis] if self.is_grey else np.moveaxis(picture, -1, 0) for picture in pictures]
        if isinstance(side, tuple):
            height, width = side
        else:
            height, width = (min(side, max(plane.shape[axis] for plane in planes)) for axis in (1, 2))
        self.pictures = pictures
        self.shape = (planes[0].shape[0], height, width)
        self.planes = [mirror(plane, height, width) for plane in planes]
        self.dtype = pictures[0].dtype
        counts = [max(1, round(plane[0].size / (height * width))) for plane in self.planes]
        self.visits = torch.arange(len(planes)).repeat_interleave(torch.tensor(counts))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pictures)

    def describe(self) -> str:
        """Return a line on the patches of an epoch."""
        count, (_, height, width) = len(self.visits), self.shape
        smaller = sum(p.shape[0] < height or p.shape[1] < width for p in self.pictures)
        whole = f"{len(self):,} picture{'s' if len(self) > 1 else ''}"
        mirrored = f"; {smaller:,} smaller ones are mirrored at their borders" if smaller else ""
        return f"patches: {count:,} of {height}x{width} in an epoch, cut at random out of {whole}{mirrored}"

    def take(self, index: Tensor, generator: Generator) -> Tensor:
        """Return a crop of each picture of `index`, (n, *shape), at positions that `generator` draws."""
        offsets = torch.rand(len(index), 2, generator=generator).tolist()
        return self._cut(index.tolist(), offsets)

    def centres(self) -> Tensor:
        """Return the crop in the middle of every picture, (N, *shape)."""
        return self._cut(range(len(self)), [(0.5, 0.5)] * len(self))

    def patches(self) -> tuple[Tensor, list[tuple[int, int, int]]]:
        """Return the patches (n, *shape) that cover every picture, and of each (picture, top, left).

        The last ones of a row and of a column are moved back into the picture.
        """
        _, height, width = self.shape
        places = [
            (i, min(top, plane.shape[1] - height), min(left, plane.shape[2] - width))
            for i, plane in enumerate(self.planes)
            for top in range(0, plane.shape[1], height)
            for left in range(0, plane.shape[2], width)
        ]
        found = [self.planes[i][:, top : top + height, left : left + width] for i, top, left in places]
        return _as_tensor(np.stack(found)), places

    def to(self, device: torch.device | str) -> Crops:
        """Return itself: pictures stay in the machine's memory, only their crops go to a device."""
        return self

    def part(self, index: Sequence[int] | Tensor) -> Crops:
        """Return the pictures of `index` as a Source of their own, with crops of the same size."""
        return Crops([self.pictures[i] for i in torch.as_tensor(index).tolist()], (self.shape[1], self.shape[2]))

    def chunks(self, size: int = 1) -> Iterator[Tensor]:
        """Return every picture whole, (1, C, H, W), one at a time whatever `size` is."""
        return (_as_tensor(plane[np.newaxis]) for plane in self.planes)

    def _cut(self, index: Sequence[int], offsets: Sequence[Sequence[float]]) -> Tensor:
        """Return a crop of each picture of `index`; an offset (down, right) is 0 at one border, and 1 at the other."""
        _, height, width = self.shape
        crops = np.empty((len(index), *self.shape), self.dtype)
        for crop, i, (down, right) in zip(crops, index, offsets, strict=True):
            plane = self.planes[i]
            top, left = int(down * (plane.shape[1] - height + 1)), int(right * (plane.shape[2] - width + 1))
            crop[:] = plane[:, top : top + height, left : left + width]
        return _as_tensor(crops)


def cut(x: Any, size: tuple[int, int]) -> Crops:
    """Return crops (height, width) of `size` of an array of pictures, or of the pictures of other crops.

    >>> cut(np.zeros((5, 40, 30, 3)), (16, 16)).shape
    (3, 16, 16)
    """
    if isinstance(x, Crops):
        return x if x.shape[1:] == size else Crops(x.pictures, size)
    pictures = to_pictures(x)[0]
    return Crops([picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1) for picture in pictures], size)


def mirror(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return planes (..., H, W), mirrored at its lower and right border where it is smaller than (height, width)."""
    below, right = max(0, height - plane.shape[-2]), max(0, width - plane.shape[-1])
    widths = [*[(0, 0)] * (plane.ndim - 2), (0, below), (0, right)]
    return np.pad(plane, widths, mode="symmetric") if below or right else plane


def _as_tensor(values: np.ndarray) -> Tensor:
    """Return values as a tensor; types that torch cannot calculate with become float64."""
    values = values.astype(np.float64) if values.dtype in (np.uint32, np.uint64) else np.ascontiguousarray(values)
    return torch.from_numpy(values if values.flags.writeable else values.copy())  # torch warns of read-only arrays
