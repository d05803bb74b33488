"""The points of a map, coloured, with a legend and pictures of some samples. Lengths are CSS pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar
from unicodedata import east_asian_width

import numpy as np
import torch

from narrows.modelfile import Model
from narrows.tasks.mapping import Map
from narrows.view.axes import LINE
from narrows.view.colours import Colouring
from narrows.view.figure import GAP, GROUND, MUTED, NOT_LABELLED, Box, Drawing
from narrows.view.map_frame import CELLS, FOOT, LEFT, SIDE, TOP, Frame, find_frame, find_nearest
from narrows.view.map_tiles import make_tiles

LEGEND = 190  # its width
ROUNDS = 24  # in each a part of every group is drawn, so that no group covers the others
DOT = 250.0  # the diameter of a point times the square root of their number
SMALLEST, LARGEST = 1.5, 6.0  # diameters of points
REACH = 2.5  # cells between a sample's picture and its point, at most
MAX_THUMBS = 40  # pictures of samples
CENTRAL = 500  # points of a group at most, among which the most central one is looked for
On = TypeVar("On", bound=Drawing)


def draw_points(model: Model, mapped: Map, colouring: Colouring, on: type[On]) -> On:
    """Draw the points of a map with a legend, and pictures of some samples where the map is empty.

    Parameters
    ----------
    on : `Figure` or `Raster`.
    """
    drawing = on(LEFT + SIDE + LEGEND, TOP + SIDE + FOOT)
    add_points(drawing, 0, model, mapped, colouring)
    return drawing


def add_points(drawing: Drawing, left: float, model: Model, mapped: Map, colouring: Colouring) -> None:
    """Draw the points of a map, its axes and its legend `left` CSS pixels from the left of a drawing."""
    frame = find_frame(mapped.points, left)
    of = f" of {mapped.origin}" if mapped.origin else ""
    frame.draw_axes(drawing, f"{len(mapped):,} samples{of}" + (f", by {colouring.by}" if colouring.by else ""))
    if len(model.network.shape) == 3:
        _draw_thumbs(drawing, frame, model, mapped, colouring)
    size = float(np.clip(DOT / len(mapped) ** 0.5, SMALLEST, LARGEST))
    rng = np.random.default_rng(0)
    shuffled = [np.array_split(rng.permutation(group.index), ROUNDS) for group in colouring.groups]
    for turn in range(ROUNDS):
        for group, parts in zip(colouring.groups, shuffled, strict=True):
            if len(parts[turn]):
                drawing.marks(frame.at(mapped.points[parts[turn]]), group.colour, size, group.mark)
    if colouring.are_kinds:
        _name_groups(drawing, frame, mapped, colouring)
    _draw_legend(drawing, frame.left + SIDE + 14, colouring)


def _draw_legend(drawing: Drawing, left: float, colouring: Colouring) -> None:
    if not colouring.by:
        return
    drawing.text(left, TOP + 10, colouring.by, bold=True, anchor="start")
    for i, group in enumerate(colouring.groups):
        middle = TOP + 14 + LINE * (i + 1)
        drawing.marks([(left + 6, middle)], group.colour, 9, group.mark)
        drawing.text(left + 18, middle + 4, f"{group.name} ({len(group.index):,})", size=11, anchor="start")


def _name_groups(drawing: Drawing, frame: Frame, mapped: Map, colouring: Colouring) -> None:
    """Write each group's name at its most central point, so that the map is read without telling colours apart."""
    boxes: list[Box] = []
    for group in (group for group in colouring.groups if group.name not in (NOT_LABELLED, GAP)):
        own = mapped.points[group.index[:: -(-len(group.index) // CENTRAL)]].astype(np.float64)
        apart = np.hypot(*(own[:, np.newaxis] - own).transpose(2, 0, 1)).sum(1)
        wide = 8.0 + sum(14.0 if east_asian_width(c) in "WF" else 8.0 for c in group.name)
        candidates = [(x - wide / 2, y - 10, wide, 20.0) for x, y in frame.at(own[apart.argsort(kind="stable")])]
        box = next((box for box in candidates if not any(_overlap(box, other) for other in boxes)), candidates[0])
        boxes.append(box)
        left, top, width, height = box
        drawing.bars([box], group.colour)
        drawing.bars([(left + 2, top + 2, width - 4, height - 4)], GROUND)
        drawing.text(left + width / 2, top + 14.5, group.name, size=13, bold=True)


def _overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes overlap."""
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def _draw_thumbs(drawing: Drawing, frame: Frame, model: Model, mapped: Map, colouring: Colouring) -> None:
    """Draw the picture of the nearest sample in every other empty cell, with a line to its point, if that is near."""
    positions = dict(_choose_thumbs(frame, mapped.points))
    if not positions:
        return
    chosen, colours = np.array(list(positions)), colouring.colours(len(mapped))
    assert mapped.samples is not None, "made by make_map"
    tiles = make_tiles(model, mapped.samples[torch.from_numpy(chosen)], mapped)
    side = SIDE / CELLS - 4
    for sample, tile in zip(chosen.tolist(), tiles, strict=True):
        centre, point = frame.at(np.stack([positions[sample], mapped.points[sample]]))
        left, top = centre[0] - side / 2, centre[1] - side / 2
        drawing.line([centre, point], MUTED, 0.7)
        drawing.bars([(left - 1.5, top - 1.5, side + 3, side + 3)], colours[sample])
        drawing.image((left, top, side, side), tile)


def _choose_thumbs(frame: Frame, points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the indices of samples, each once, and the centres of the cells where their pictures are drawn."""
    centres, taken = frame.centres(), frame.occupied(points)
    nearest, distances = find_nearest(centres, points)
    shown: set[int] = set()
    for cell in np.argsort(distances, kind="stable").tolist():
        sample = int(nearest[cell])
        free = cell not in taken and sum(divmod(cell, CELLS)) % 2 == 0 and distances[cell] < REACH * frame.cell
        if free and sample not in shown and len(shown) < MAX_THUMBS:
            shown.add(sample)
            yield sample, centres[cell]
