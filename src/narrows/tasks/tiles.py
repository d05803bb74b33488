"""Pictures of any size through a network that takes them in parts: overlapping tiles, whose insides are kept.

A tile begins at a multiple of the backbone's stride, and what lies within its reach of an edge inside the picture is
left to the neighbour. So the tiles make what the whole picture would, without seams, in memory that a tile bounds.
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
from narrows.tasks.units import Depth, find_depth, type_of_results

SIDE = 512  # pixels of a tile: 64 feature maps of it are 67 MB, and a reach of 24 costs a fifth more work
OVERLAPS = 8  # overlaps in a side at the least: at 8, a tile makes 1.8 times the pixels that it keeps
ROWS = 8  # tiles that go through at once where they are small; filled up with zeros, so more would cost one alone


class Span(NamedTuple):
    """One tile along one axis: it reads `start` to `stop` and answers for `first` to `last`."""

    start: int
    stop: int
    first: int
    last: int


def takes_any_size(model: Model) -> bool:
    """Return whether the model takes pictures of any size, not only of that which it was trained on."""
    return model.network.backbone.tiling is not None and len(model.network.shape) == 3


def keeps_size(model: Model) -> bool:
    """Return whether files of pictures go through at their own size: it was trained on crops, or on arrays."""
    return takes_any_size(model) and model.card.reading.get("size") is None


def restore_pictures(model: Model, x: np.ndarray) -> np.ndarray:
    """Return pictures of any size restored, in their own arrangement and type.

    A model of grey pictures restores each channel by itself. To a model of several channels a grey picture goes as
    pictures all of whose channels are alike, and comes back as their mean.

    Parameters
    ----------
    x : as `to_pictures` takes it.

    Raises DataError for other arrangements and for a number of channels that the model does not know.
    """
    tiling = model.network.backbone.tiling
    assert tiling is not None, "the caller has asked takes_any_size"
    result = np.empty(x.shape, type_of_results(x.dtype))
    source, target = (to_pictures(pictures)[0] for pictures in (x, result))  # two views
    says_of_colours(model, source.shape[1])
    depth, side, overlap = find_depth(model, x.dtype), choose_side(tiling), find_overlap(tiling)
    for rows in cut(source.shape[2], side, overlap):
        for columns in cut(source.shape[3], side, overlap):
            _restore_tile(model, depth, rows, columns, source, target)
    return result


def _restore_tile(
    model: Model, depth: Depth, rows: Span, columns: Span, source: np.ndarray, target: np.ndarray
) -> None:
    """Restore one tile of all pictures (N, C, H, W) in `source`, and write the part that is kept to `target`."""
    place = (..., slice(rows.start, rows.stop), slice(columns.start, columns.stop))
    inside = (..., _kept(rows), _kept(columns))
    kept = (..., slice(rows.first, rows.last), slice(columns.first, columns.last))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    trained = (height, width) == model.network.shape[1:]  # so an array like the training data is as fast, and the same
    count = max(1, min(BLOCK_ROWS if trained else ROWS, SIDE**2 // (height * width)))
    pictures = max(1, count // source.shape[1])
    for i in range(0, len(source), pictures):
        restored = _restore_channels(model, depth, source[i : i + pictures][place], count)
        target[i : i + pictures][kept] = depth.outside(restored[inside])


def _restore_channels(model: Model, depth: Depth, tiles: np.ndarray, count: int) -> Tensor:
    """Return tiles (n, C, h, w) restored, in the units that the model was trained in."""
    network, (_, channels, height, width) = model.network, tiles.shape
    own = network.shape[0]
    planes = tiles.reshape(-1, 1, height, width) if own == 1 else np.repeat(tiles, own // channels, axis=1)
    restored = network.in_blocks(network.reconstruct, depth.inside(as_tensor(np.ascontiguousarray(planes))), count)
    return restored.reshape(tiles.shape) if own == 1 else restored.mean(1, True) if channels < own else restored


def cut(length: int, side: int, overlap: int) -> list[Span]:
    """Return tiles of `side` pixels over `length`, the last one shorter, whose kept parts lie end to end.

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
    """Return the reach, rounded up to strides: so every tile begins at one.

    >>> find_overlap(Tiling(stride=4, reach=9))
    12
    """
    return -(-tiling.reach // tiling.stride) * tiling.stride


def choose_side(tiling: Tiling) -> int:
    """Return the side of a tile: SIDE, or more where a long reach would leave little of it; a multiple of the stride.

    >>> choose_side(Tiling(stride=4, reach=9)), choose_side(Tiling(stride=16, reach=90))
    (512, 768)
    """
    return -(-max(SIDE, OVERLAPS * find_overlap(tiling)) // tiling.stride) * tiling.stride


def says_of_colours(model: Model, channels: int) -> str | None:
    """Return what a person should know of how pictures with `channels` channels go through, None for nothing.

    Raises DataError for a number of channels that the model does not know.
    """
    own = model.network.shape[0]
    if channels == own:
        return None
    if own == 1:
        return "this model was trained on grey pictures: each colour channel is restored by itself"
    if channels == 1:
        return f"this model was trained on pictures of {own} channels: grey ones go through as such, and come back grey"
    raise DataError(f"this model takes pictures of {own} channels or grey ones, however: these have {channels}")


def _kept(span: Span) -> slice:
    return slice(span.first - span.start, span.last - span.start)
