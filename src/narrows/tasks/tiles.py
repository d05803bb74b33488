"""Restoring pictures of any size in overlapping tiles, of which only the inner parts are kept.

A tile begins at a multiple of the backbone's stride. Pixels that are nearer to a cut edge than the backbone's reach are
taken from the neighbouring tile. So the result is that of the whole picture, without seams, and memory is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from torch import Tensor

from narrows.data.crops import mirror
from narrows.data.layout import to_pictures, to_samples
from narrows.errors import DataError
from narrows.model.inference import BLOCK_ROWS
from narrows.model.network import as_tensor
from narrows.model.tiling import Tiling
from narrows.modelfile import Model
from narrows.tasks.depths import FULL, Depth, find_depth, type_of_results

SIDE = 512  # pixels of a tile's side: 64 feature maps are 67 MB, and a reach of 24 costs a fifth more work
OVERLAPS = 8  # least side in overlaps: at 8, a tile computes 1.8 times the pixels that are kept
ROWS = 8  # small tiles in a batch; it is filled up with zeros, so a larger one would slow a single tile


class Span(NamedTuple):
    """One tile along one axis: it reads pixels `start` to `stop`, and `first` to `last` of these are kept."""

    start: int
    stop: int
    first: int
    last: int


def takes_any_size(model: Model) -> bool:
    """Return whether the model takes pictures of any size: in overlapping tiles, or in patches as it was trained on."""
    if len(model.network.shape) != 3:
        return False
    return model.network.backbone.tiling is not None or takes_patches(model)


def takes_patches(model: Model) -> bool:
    """Return whether the model was trained on patches of larger pictures."""
    card = model.card
    return bool(card.recipe.get("patch_size")) or ("size" in card.reading and card.reading["size"] is None)


def keeps_size(model: Model) -> bool:
    """Return whether files of pictures are restored at their own size: the model was trained on crops, or on arrays."""
    return takes_any_size(model) and model.card.reading.get("size") is None


def is_other_size(model: Model, x: np.ndarray) -> bool:
    """Return whether the model takes pictures of any size, and those of `x` are of another one than its own."""
    if not takes_any_size(model) or x.ndim not in (2, 3, 4) or not x.size:
        return False
    try:
        to_samples(x, model.network.shape)
    except DataError:
        return x.ndim > 2 or not model.card.layout.endswith("flat")
    return False


def restore_pictures(model: Model, x: np.ndarray) -> np.ndarray:
    """Return pictures of any size restored, in their own arrangement and type, see `Restoring`."""
    restoring = Restoring(model, x, find_depth(model, x, restores=True))
    for _ in restoring:
        pass
    return restoring.result


class Restoring:
    """Pictures of any size that are restored tile by tile: iterating restores one tile of all of them after another.

    A model of grey pictures restores each channel by itself. A model of several channels gets a grey picture as equal
    channels, and the mean of the restored channels is returned. A model that does not tile restores patches of its own
    size, side by side.

    Parameters
    ----------
    x : (H, W), (N, H, W), (H, W, C) or (N, H, W, C), as `to_pictures` takes it.
    depth : of their numbers.

    Attributes
    ----------
    result : the restored pictures, in the arrangement and of the type of results for `x`; whole after iterating.

    Raises DataError for other arrangements and for a number of channels that the model does not take.
    """

    def __init__(self, model: Model, x: np.ndarray, depth: Depth) -> None:
        self.model, self.x, self.depth = model, x, depth
        self.result = np.empty(x.shape, type_of_results(x.dtype))
        self.source, self.target = (to_pictures(pictures)[0] for pictures in (x, self.result))  # two views
        note_on_channels(model, self.source.shape[1])
        tiling, (_, height, width) = model.network.backbone.tiling, model.network.shape
        if tiling is None:
            self.source = mirror(self.source, height, width)
            self.target = np.empty(self.source.shape, self.result.dtype) if self._is_mirrored else self.target
            spans = [cut_patches(self.source.shape[2], height), cut_patches(self.source.shape[3], width)]
        else:
            side, overlap = choose_side(tiling), find_overlap(tiling)
            spans = [cut(length, side, overlap) for length in self.source.shape[2:]]
        self.tiles = [(rows, columns) for rows in spans[0] for columns in spans[1]]

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.tiles)

    def __iter__(self) -> Iterator[int]:
        """Restore one tile after another, and yield how many are done."""
        for done, (rows, columns) in enumerate(self.tiles, 1):
            _restore_tile(self.model, self.depth, rows, columns, self.source, self.target)
            if done == len(self.tiles):
                self._finish()
            yield done

    @property
    def _is_mirrored(self) -> bool:
        return self.source.shape[2:] != to_pictures(self.x)[0].shape[2:]

    def _finish(self) -> None:
        """Take what was mirrored off, and put back what lies beyond the range."""
        if self._is_mirrored:
            pictures = to_pictures(self.result)[0]
            pictures[:] = self.target[:, :, : pictures.shape[2], : pictures.shape[3]]
        top = self.depth.top
        if top is not None and self.x.dtype == np.uint16 and top < FULL["uint16"]:
            np.copyto(self.result, self.x, where=self.x > top)


def picture_errors(model: Model, pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Return the MSE of every picture (H, W) or (H, W, C) of any size, float64 (N,), per value and in model's units."""
    return np.array([_picture_error(model, picture) for picture in pictures])


def _picture_error(model: Model, picture: np.ndarray) -> float:
    depth = find_depth(model, picture)
    values = depth.inside(as_tensor(np.ascontiguousarray(picture))).double().numpy()
    plain = Depth(lambda samples: samples, lambda restored: restored.numpy())
    restoring = Restoring(model, values, plain)
    for _ in restoring:
        pass
    own, scaling = model.network.shape[0], model.network.scaling
    planes = [_as_planes(np.ascontiguousarray(to_pictures(x)[0]), own) for x in (values, restoring.result)]
    before, after = (scaling(as_tensor(x).to(model.network.device)).double() for x in planes)
    return (after - before).square().mean().item()


def _restore_tile(
    model: Model, depth: Depth, rows: Span, columns: Span, source: np.ndarray, target: np.ndarray
) -> None:
    """Restore one tile of all pictures (N, C, H, W) in `source`, and write the part that is kept to `target`."""
    tile = (..., slice(rows.start, rows.stop), slice(columns.start, columns.stop))
    inside = (..., _kept(rows), _kept(columns))
    kept = (..., slice(rows.first, rows.last), slice(columns.first, columns.last))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    trained = (height, width) == model.network.shape[1:]  # an array like the training data goes in the usual blocks
    count = max(1, min(BLOCK_ROWS if trained else ROWS, SIDE**2 // (height * width)))
    pictures = max(1, count // source.shape[1])
    for i in range(0, len(source), pictures):
        restored = _restore_channels(model, depth, source[i : i + pictures][tile], count)
        target[i : i + pictures][kept] = depth.outside(restored[inside])


def _restore_channels(model: Model, depth: Depth, tiles: np.ndarray, count: int) -> Tensor:
    """Return tiles (n, C, h, w) restored, in the units that the model was trained in."""
    network, channels = model.network, tiles.shape[1]
    own = network.shape[0]
    planes = _as_planes(tiles, own)
    restored = network.in_blocks(network.reconstruct, depth.inside(as_tensor(np.ascontiguousarray(planes))), count)
    return restored.reshape(tiles.shape) if own == 1 else restored.mean(1, True) if channels < own else restored


def _as_planes(pictures: np.ndarray, channels: int) -> np.ndarray:
    """Return pictures (n, c, h, w) with as many channels as the model has: each by itself, or a grey one repeated."""
    if channels == 1:
        return pictures.reshape(-1, 1, *pictures.shape[2:])
    return np.repeat(pictures, channels // pictures.shape[1], axis=1)


def cut_patches(length: int, side: int) -> list[Span]:
    """Return patches of exactly `side` pixels that cover `length`, which is no less; the last one is moved back.

    Examples
    --------
    >>> cut_patches(70, 32)
    [Span(start=0, stop=32, first=0, last=32), Span(start=32, stop=64, first=32, last=64), \
Span(start=38, stop=70, first=64, last=70)]
    """
    starts = [min(start, length - side) for start in range(0, length, side)]
    return [Span(start, start + side, i * side, min((i + 1) * side, length)) for i, start in enumerate(starts)]


def cut(length: int, side: int, overlap: int) -> list[Span]:
    """Return tiles of `side` pixels that cover `length`, the last one shorter; their kept parts join without overlap.

    Parameters
    ----------
    side, overlap : multiples of the stride, `side` more than two overlaps.

    Examples
    --------
    >>> cut(100, 48, 8)
    [Span(start=0, stop=48, first=0, last=40), Span(start=32, stop=80, first=40, last=72), \
Span(start=64, stop=100, first=72, last=100)]
    """
    spans, start = [], 0
    while start + side < length:
        spans.append(Span(start, start + side, start + overlap if start else 0, start + side - overlap))
        start += side - 2 * overlap
    return [*spans, Span(start, length, start + overlap if start else 0, length)]


def find_overlap(tiling: Tiling) -> int:
    """Return the reach, rounded up to a multiple of the stride, so that every tile begins at one.

    Examples
    --------
    >>> find_overlap(Tiling(stride=4, reach=9))
    12
    """
    return -(-tiling.reach // tiling.stride) * tiling.stride


def choose_side(tiling: Tiling) -> int:
    """Return the side of a tile, a multiple of the stride: SIDE, or more for a long reach, see OVERLAPS.

    Examples
    --------
    >>> choose_side(Tiling(stride=4, reach=9)), choose_side(Tiling(stride=16, reach=90))
    (512, 768)
    """
    return -(-max(SIDE, OVERLAPS * find_overlap(tiling)) // tiling.stride) * tiling.stride


def note_on_channels(model: Model, channels: int) -> str | None:
    """Return a line on how pictures with `channels` channels are restored; None where the model has as many.

    Raises DataError for a number of channels that the model does not take.
    """
    own = model.network.shape[0]
    if channels == own:
        return None
    if own == 1:
        return "this model was trained on grey pictures: each colour channel is restored by itself"
    if channels == 1:
        return (
            f"this model was trained on pictures of {own} channels: grey ones go through as such, and come back grey; "
            f"one trained on grey pictures restores them better"
        )
    raise DataError(f"this model takes pictures of {own} channels or grey ones, however: these have {channels}")


def _kept(span: Span) -> slice:
    return slice(span.first - span.start, span.last - span.start)
