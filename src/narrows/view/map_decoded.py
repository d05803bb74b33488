"""What a model decodes over a map: a picture at each position, or a field for each column. Lengths are CSS pixels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from narrows.model.inference import rows_at_once
from narrows.modelfile import Model
from narrows.tasks.encode import decode_map
from narrows.tasks.map_columns import MapColumn
from narrows.tasks.mapping import Map
from narrows.tasks.units import as_samples
from narrows.view.colours import MAX_NAME, kind_colours, printable
from narrows.view.figure import GROUND, INK, Box, Drawing, shorten
from narrows.view.map_frame import CELLS, FOOT, LEFT, SIDE, TOP, Frame, find_frame, find_nearest
from narrows.view.map_tiles import TILE, make_tiles
from narrows.view.scale import STEPS, show_values

NEAR = 1.5  # cells to the nearest sample, beyond which a position is drawn fainter
FAINTER = 0.28  # its opacity there
FIELD_CELLS = 40  # of a column's field, each way
FIELDS, GAP = 4, 40  # how many, and pixels between them
WHOLE = 6.0  # deviations that a number's extremes lie apart
NAMED = 6  # categories of a field
DIGITS = 4  # of decoded numbers
On = TypeVar("On", bound=Drawing)


def draw_decoded(model: Model, mapped: Map, on: type[On]) -> On:
    """Draw what the model decodes over the part of the map where the samples lie.

    Parameters
    ----------
    on : `Figure` or `Raster`.
    """
    drawing = on(LEFT + SIDE + 24, TOP + SIDE + FOOT)
    add_decoded(drawing, 0, model, mapped)
    return drawing


def add_decoded(drawing: Drawing, left: float, model: Model, mapped: Map) -> None:
    """Draw what the model decodes, and the axes, `left` CSS pixels from the left of a drawing."""
    frame = find_frame(mapped.points, left)
    draw = _draw_pictures if len(model.network.shape) == 3 else _draw_fields
    draw(drawing, frame, model, mapped)


def _draw_pictures(drawing: Drawing, frame: Frame, model: Model, mapped: Map) -> None:
    """Draw the decoded picture of each cell, fainter where no sample is near."""
    centres = frame.centres()
    count = max(16, rows_at_once(model.network.values, len(centres)))  # all decoded pictures of a large size are GBs
    parts = [centres[start : start + count].astype(np.float32) for start in range(0, len(centres), count)]
    tiles = np.concatenate([make_tiles(model, as_samples(model, decode_map(model, part))[0], mapped) for part in parts])
    far = find_nearest(centres, mapped.points)[1] > NEAR * frame.cell
    rows = _fainter(tiles, far).reshape(CELLS, CELLS, TILE, TILE, 4).swapaxes(1, 2)
    frame.draw_axes(drawing, "what the model decodes at each spot; fainter where no sample is near")
    drawing.image((frame.left, frame.top, SIDE, SIDE), rows.reshape(CELLS * TILE, CELLS * TILE, 4))


def _draw_fields(drawing: Drawing, frame: Frame, model: Model, mapped: Map) -> None:
    """Draw a field for each of the columns whose decoded values change most over the map, for models of tables."""
    centres = frame.centres(FIELD_CELLS)
    decoded = decode_map(model, centres.astype(np.float32)).astype(np.float64)
    far = find_nearest(centres, mapped.points)[1] > NEAR * frame.cell
    near = ~far if (~far).any() else far
    spread = [_spread(column, decoded[near, j]) for j, column in enumerate(mapped.learned_columns)]
    chosen = np.argsort(-np.array(spread), kind="stable")[:FIELDS].tolist()
    side = (SIDE - GAP) / 2
    frame.write_title(drawing, "what the model decodes at each spot, column by column")
    for i, j in enumerate(chosen):
        box = (frame.left + (i % 2) * (side + GAP), frame.top + 14 + (i // 2) * (side + GAP), side, side)
        draw = _draw_kinds if mapped.learned_columns[j].kind == "category" else _draw_scale
        draw(drawing, box, mapped.learned_columns[j], decoded[:, j], far)


def _spread(column: MapColumn, decoded: np.ndarray) -> float:
    """Return how much a column's decoded values (n,) change over the map, in deviations of its own.

    A category that is the same everywhere has 0, and one whose kinds fill equal parts of the map WHOLE, as numbers have
    about.
    """
    if column.kind == "category":
        shares = np.unique(decoded, return_counts=True)[1] / len(decoded)
        return float(WHOLE * (1 - shares.max()) * len(shares) / max(len(shares) - 1, 1))
    deviation = float(np.ma.filled(np.ma.masked_invalid(column.values).std(), 0))
    return float(np.ptp(decoded)) / deviation if deviation > 0 else 0.0


def _draw_scale(drawing: Drawing, box: Box, column: MapColumn, decoded: np.ndarray, far: np.ndarray) -> None:
    """Draw a column's numbers or times from dark to pale."""
    near = decoded[~far] if (~far).any() else decoded
    low, high = float(near.min()), float(near.max())
    _draw_field(drawing, box, _ramp((decoded - low) / ((high - low) or 1.0)), far)
    first, last = show_values(column, np.array([low, high]), DIGITS)
    words = f"{shorten(column.name)}: {first} (dark) to {last}"
    drawing.text(box[0] + box[2] / 2, box[1] - 6, words, size=11, colour=INK)


def _draw_kinds(drawing: Drawing, box: Box, column: MapColumn, decoded: np.ndarray, far: np.ndarray) -> None:
    """Draw a column's categories in their colours, and write the names of those that fill most at their middle."""
    kinds, own, counts = np.unique(decoded, return_inverse=True, return_counts=True)
    colours = np.stack([_rgb(colour) for colour in kind_colours(len(kinds))])
    _draw_field(drawing, box, colours[own], far)
    drawing.text(box[0] + box[2] / 2, box[1] - 6, shorten(column.name), size=11, colour=INK)
    cell = box[2] / FIELD_CELLS
    for kind in np.argsort(-counts, kind="stable")[:NAMED].tolist():
        cells = np.stack(np.divmod(np.flatnonzero(own == kind), FIELD_CELLS), 1)
        row, across = cells[np.abs(cells - np.median(cells, 0)).sum(1).argmin()].tolist()
        (name,) = show_values(column, kinds[kind : kind + 1])
        name = printable(shorten(name, MAX_NAME))
        x, y, wide = box[0] + (across + 0.5) * cell, box[1] + (row + 0.5) * cell, 6.5 * len(name) + 8
        drawing.bars([(x - wide / 2, y - 8, wide, 16)], GROUND)
        drawing.text(x, y + 4, name, size=11, colour=INK)


def _draw_field(drawing: Drawing, box: Box, colours: np.ndarray, far: np.ndarray) -> None:
    """Draw a field of a colour (n, 3) for each spot."""
    drawing.image(box, _fainter(colours[:, np.newaxis, np.newaxis], far).reshape(FIELD_CELLS, FIELD_CELLS, 4))


def _fainter(tiles: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return tiles (n, h, w, 3) as bytes with opacity (n, h, w, 4): the ground shows through those in `which`."""
    opacity = np.where(which, FAINTER, 1.0)[:, np.newaxis, np.newaxis, np.newaxis]
    levels = np.broadcast_to(255 * opacity, (*tiles.shape[:3], 1))
    return np.rint(np.concatenate([tiles, levels], -1)).astype(np.uint8)


def _ramp(shares: np.ndarray) -> np.ndarray:
    """Return RGB colours (n, 3) for numbers (n,) from 0, the darkest of STEPS, to 1, the palest."""
    stops = np.stack([_rgb(step) for step in STEPS])
    positions = np.clip(shares, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(positions, np.arange(len(stops)), stops[:, i]) for i in range(3)], -1)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)
