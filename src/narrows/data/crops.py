"""Pictures of any sizes at full resolution, from which crops of one size are cut: nothing is resized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Generator, Tensor


class Crops:
    """A Source that cuts each sample out of a picture, at another place each time.

    Parameters
    ----------
    pictures : each (H, W) or each (H, W, C), of one type.
    side : of the crops in pixels; less where no picture is as high or as wide; a pair (height, width) stays as it is.
        A picture that is smaller than the crops is mirrored at its lower and right border up to their size.

    Attributes
    ----------
    shape : of one crop, (C, height, width).
    dtype : of the values.
    visits : (n,) the picture of every crop of an epoch: a picture is visited as often as crops fit into its area.

    Examples
    --------
    >>> crops = Crops([np.zeros((100, 90), np.uint8), np.zeros((64, 64), np.uint8)], 32)
    >>> len(crops), crops.shape, crops.visits.bincount().tolist()
    (2, (1, 32, 32), [9, 4])
    >>> crops.take(crops.visits[:5], Generator()).shape
    torch.Size([5, 1, 32, 32])
    """

    def __init__(self, pictures: Sequence[np.ndarray], side: int | tuple[int, int]) -> None:
        self.is_grey = pictures[0].ndim == 2
        planes = [picture[np.newaxis] if self.is_grey else np.moveaxis(picture, -1, 0) for picture in pictures]
        if isinstance(side, tuple):
            height, width = side
        else:
            height, width = (min(side, max(plane.shape[axis] for plane in planes)) for axis in (1, 2))
        self.pictures = pictures
        self.shape = (planes[0].shape[0], height, width)
        self.planes = [_mirrored(plane, height, width) for plane in planes]
        self.dtype = pictures[0].dtype
        counts = [max(1, round(plane[0].size / (height * width))) for plane in self.planes]
        self.visits = torch.arange(len(planes)).repeat_interleave(torch.tensor(counts))

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.pictures)

    def take(self, index: Tensor, generator: Generator) -> Tensor:
        """Return a crop of each picture of `index`, (n, *shape), at places that `generator` draws."""
        share = torch.rand(len(index), 2, generator=generator).tolist()
        return self._cut(index.tolist(), share)

    def centres(self) -> Tensor:
        """Return the middle of every picture, (N, *shape)."""
        return self._cut(range(len(self)), [(0.5, 0.5)] * len(self))

    def to(self, device: torch.device | str) -> Crops:
        """Return itself: pictures stay in the machine's memory, only their crops go to a device."""
        return self

    def part(self, index: Sequence[int]) -> Crops:
        """Return crops of the same size of the pictures of `index` alone."""
        return Crops([self.pictures[i] for i in index], self.shape[1:])

    def chunks(self, size: int = 1) -> Iterator[Tensor]:
        """Yield every picture whole, (1, C, H, W), whatever `size` asks for."""
        return (_as_tensor(plane[np.newaxis]) for plane in self.planes)

    def _cut(self, pictures: Sequence[int], share: Sequence[Sequence[float]]) -> Tensor:
        """Return crops that begin at shares of the places where they can."""
        _, height, width = self.shape
        cut = np.empty((len(pictures), *self.shape), self.dtype)
        for row, i, (down, right) in zip(cut, pictures, share, strict=True):
            plane = self.planes[i]
            top, left = int(down * (plane.shape[1] - height + 1)), int(right * (plane.shape[2] - width + 1))
            row[:] = plane[:, top : top + height, left : left + width]
        return _as_tensor(cut)


def _mirrored(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a plane (C, H, W) of at least that size."""
    below, right = max(0, height - plane.shape[1]), max(0, width - plane.shape[2])
    return np.pad(plane, ((0, 0), (0, below), (0, right)), mode="symmetric") if below or right else plane


def _as_tensor(values: np.ndarray) -> Tensor:
    """Return values as a tensor; types that torch cannot reckon with become float64."""
    values = values.astype(np.float64) if values.dtype in (np.uint32, np.uint64) else np.ascontiguousarray(values)
    return torch.from_numpy(values if values.flags.writeable else values.copy())  # torch warns of what is read only
