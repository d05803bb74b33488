"""Restoring pictures of any size in overlapping tiles, of which only the inner parts are kept.

A tile begins at a multiple of the backbone's stride. Pixels that are nearer to a cut edge than the backbone's reach are
taken from the neighbouring tile. So the result is that of the whole picture, without seams, and memory is bounded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from narrows.data.layout import to_pictures
from narrows.errors import DataError
from narrows.model.inference import BLOCK_ROWS
from narrows.model.network import as_tensor
from narrows.model.tiling import Tiling
from narrows.modelfile import Model
from narrows.tasks.depths import Depth, find_depth, type_of_results

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
    """Return whether the model takes pictures of any size, not only of the size that it was trained on."""
    return model.network.backbone.tiling is not None and len(model.network.shape) == 3


def keeps_size(model: Model) -> bool:
    """Return whether files of pictures are restored at their own size: the model was trained on crops, or on arrays."""
    return takes_any_size(model) and model.card.reading.get("size") is None


def restore_pictures(model: Model, x: np.ndarray) -> np.ndarray:
    """Return pictures of any size restored, in their own arrangement and type.

    A model of grey pictures restores each channel by itself. A model of several channels gets a grey picture as equal
    channels, and the mean of the restored channels is returned.

    Parameters
    ----------
    x : (H, W), (N, H, W), (H, W, C) or (N, H, W, C), as `to_pictures` takes it.

    Raises DataError for other arrangements and for a number of channels that the model does not take.
    """
    tiling = model.network.backbone.tiling
    assert tiling is not None, "the caller has checked takes_any_size"
    result = np.empty(x.shape, type_of_results(x.dtype))
    source, target = (to_pictures(pictures)[0] for pictures in (x, result))  # two views
    note_on_channels(model, source.shape[1])
    depth, side, overlap = find_depth(model, x, restores=True), choose_side(tiling), find_overlap(tiling)
    for rows in cut(source.shape[2], side, overlap):
        for columns in cut(source.shape[3], side, overlap):
            _restore_tile(model, depth, rows, columns, source, target)
    if depth.top is not None and x.dtype.kind == "u":
        np.copyto(result, x, where=x > depth.top)
    return result


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
    network, (_, channels, height, width) = model.network, tiles.shape
    own = network.shape[0]
    planes = tiles.reshape(-1, 1, height, width) if own == 1 else np.repeat(tiles, own // channels, axis=1)
    restored = network.in_blocks(network.reconstruct, depth.inside(as_tensor(np.ascontiguousarray(planes))), count)
    return restored.reshape(tiles.shape) if own == 1 else restored.mean(1, True) if channels < own else restored


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
