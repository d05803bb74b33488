"""What a model decodes over a map: a picture at each position, or a field for each column. Lengths are CSS pixels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from narrows.metrics.table import show_cell
from narrows.modelfile import Model
from narrows.tasks.encode import decode_map
from narrows.tasks.mapping import Map
from narrows.tasks.units import as_samples
from narrows.view.colours import STEPS
from narrows.view.figure import INK, Drawing
from narrows.view.map_frame import CELLS, FOOT, LEFT, SIDE, TOP, Frame, find_frame, find_nearest
from narrows.view.map_tiles import TILE, make_tiles

NEAR = 1.5  # cells to the nearest sample, beyond which a position is drawn fainter
FAINTER = 0.28  # its opacity there
FIELD_CELLS = 40  # of a column's field, each way
FIELDS, GAP = 4, 40  # how many, and pixels between them
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
    decoded, _ = as_samples(model, decode_map(model, centres.astype(np.float32)))
    tiles = make_tiles(model, decoded, mapped)
    far = find_nearest(centres, mapped.points)[1] > NEAR * frame.cell
    rows = _fainter(tiles, far).reshape(CELLS, CELLS, TILE, TILE, 4).swapaxes(1, 2)
    frame.draw_axes(drawing, "what the model decodes at each spot; fainter where no sample is near")
    drawing.image((frame.left, frame.top, SIDE, SIDE), rows.reshape(CELLS * TILE, CELLS * TILE, 4))


def _draw_fields(drawing: Drawing, frame: Frame, model: Model, mapped: Map) -> None:
    """Draw a field for each of the columns whose decoded values change most over the map, for models of tables."""
    centres, columns = frame.centres(FIELD_CELLS), mapped.columns or ()
    decoded = decode_map(model, centres.astype(np.float32)).astype(np.float64)
    far = find_nearest(centres, mapped.points)[1] > NEAR * frame.cell
    near = decoded[~far] if (~far).any() else decoded
    deviations = np.ma.masked_invalid(mapped.x).std(0, dtype=np.float64).filled(0)
    spread = np.ptp(near, axis=0) / np.maximum(deviations, 1e-12)
    chosen = np.argsort(-spread, kind="stable")[:FIELDS].tolist()
    side = (SIDE - GAP) / 2
    frame.write_title(drawing, "what the model decodes at each spot, column by column")
    for i, column in enumerate(chosen):
        left, top = frame.left + (i % 2) * (side + GAP), frame.top + 14 + (i // 2) * (side + GAP)
        low, high = float(near[:, column].min()), float(near[:, column].max())
        colours = _ramp((decoded[:, column] - low) / ((high - low) or 1.0))
        field = _fainter(colours[:, np.newaxis, np.newaxis], far).reshape(FIELD_CELLS, FIELD_CELLS, 4)
        words = f"{columns[column]}: {show_cell(low)} (dark) to {show_cell(high)}"
        drawing.text(left + side / 2, top - 6, words, size=11, colour=INK)
        drawing.image((left, top, side, side), field)


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
