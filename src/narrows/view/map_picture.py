"""The picture of a map: the samples' points beside what the model decodes at each spot, on the same axes.

The same calls draw on a `Figure`, which pages show, and on a `Raster`, which a PNG file holds. Lengths are CSS pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from narrows.files import whole
from narrows.modelfile import Model
from narrows.tasks.encode import decode_map
from narrows.tasks.mapping import Map
from narrows.tasks.units import as_samples
from narrows.view.charts import show
from narrows.view.colours import STEPS, Colouring, colour
from narrows.view.figure import GROUND, INK, LINE, MUTED, Axes, Box, Drawing, Figure, extent
from narrows.view.page import number
from narrows.view.raster import Raster
from narrows.view.study import find_limits

SIDE = 600  # of the square that points, or spots, fill
CELLS = 20  # spots across and up; samples' pictures take the same room
LEFT, TOP, FOOT = 56, 36, 54  # room for names and numbers
LEGEND = 190  # the room for it
DOTS = 60  # dots of a decoded or a sample's picture, each way: two per CSS pixel
ROUNDS = 24  # in which groups are drawn in turns, so that none covers the others
DOT = 250.0  # the size of a point times the root of their number
SMALLEST, LARGEST = 1.5, 6.0  # points
NEAR = 1.5  # cells between a spot and the nearest sample, beyond which it is drawn paler
PALER = 0.72  # of the ground's colour in those
REACH = 2.5  # cells between a sample's picture and its point at most
MAX_THUMBS = 40
FIELD_CELLS = 40  # of a table's fields, each way
FIELDS = 4
CENTRAL = 500  # points of a group among which the most central one is looked for
On = TypeVar("On", bound=Drawing)


@dataclass(frozen=True)
class Frame:
    """A square of a drawing that shows a part of the map, with one scale for both axes.

    Attributes
    ----------
    left, top : of the square, in CSS pixels.
    x, y : the ends of what it shows, in the map's units.
    """

    left: float
    top: float
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def cell(self) -> float:
        """The side of a cell in the map's units."""
        return (self.x[1] - self.x[0]) / CELLS

    def centres(self, cells: int = CELLS) -> np.ndarray:
        """Return the centres of cells, row by row from the top left, (cells * cells, 2) in the map's units."""
        shares = (np.arange(cells) + 0.5) / cells
        x = self.x[0] + shares * (self.x[1] - self.x[0])
        y = self.y[1] - shares * (self.y[1] - self.y[0])
        return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)

    def at(self, points: np.ndarray) -> list[tuple[float, float]]:
        """Return where points (n, 2) of the map lie in the drawing."""
        x = self.left + SIDE * (points[:, 0] - self.x[0]) / (self.x[1] - self.x[0])
        y = self.top + SIDE * (self.y[1] - points[:, 1]) / (self.y[1] - self.y[0])
        return list(zip(x.tolist(), y.tolist(), strict=True))


def write_picture(path: str | Path, model: Model, mapped: Map, by: str | None = None, overwrite: bool = False) -> None:
    """Write the picture of a map: an .svg file, else a PNG file.

    Parameters
    ----------
    by : what the points are coloured by, see `colour`.

    Raises DataError where the map does not hold that, or the path exists or cannot be written.
    """
    colouring = colour(mapped, by)
    if Path(path).suffix == ".svg":
        figure = draw_map(model, mapped, colouring, Figure)
        with whole(path, overwrite) as temporary:
            temporary.write_text(figure.svg, encoding="utf-8")
        return
    draw_map(model, mapped, colouring, Raster).write(path, overwrite)


def draw_map(model: Model, mapped: Map, colouring: Colouring, on: type[On]) -> On:
    """Draw the points of a map, and beside them what the model decodes at its spots.

    Parameters
    ----------
    on : `Figure` or `Raster`.
    """
    beside = LEFT + SIDE + LEGEND
    drawing = on(beside + LEFT + SIDE + 24, TOP + SIDE + FOOT)
    _draw_points(drawing, 0, model, mapped, colouring)
    _draw_spots(drawing, beside, model, mapped)
    return drawing


def draw_points(model: Model, mapped: Map, colouring: Colouring, on: type[On]) -> On:
    """Draw the points of a map with a legend, and pictures of some samples in the empty places."""
    drawing = on(LEFT + SIDE + LEGEND, TOP + SIDE + FOOT)
    _draw_points(drawing, 0, model, mapped, colouring)
    return drawing


def draw_spots(model: Model, mapped: Map, on: type[On]) -> On:
    """Draw what the model decodes over the part of the map where the samples lie."""
    drawing = on(LEFT + SIDE + 24, TOP + SIDE + FOOT)
    _draw_spots(drawing, 0, model, mapped)
    return drawing


def _draw_points(drawing: Drawing, left: float, model: Model, mapped: Map, colouring: Colouring) -> None:
    frame = _frame(mapped.points, left)
    of = f" of {mapped.origin}" if mapped.origin else ""
    _draw_axes(drawing, frame, f"{len(mapped):,} samples{of}" + (f", by {colouring.by}" if colouring.by else ""))
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


def _draw_axes(drawing: Drawing, frame: Frame, title: str) -> None:
    Axes(drawing, (frame.left, frame.top, SIDE, SIDE), frame.x, frame.y, most=6)
    drawing.text(frame.left + SIDE / 2, frame.top - 14, title, size=13, bold=True)


def _draw_legend(drawing: Drawing, left: float, colouring: Colouring) -> None:
    if not colouring.by:
        return
    drawing.text(left, TOP + 10, colouring.by, bold=True, anchor="start")
    for i, group in enumerate(colouring.groups):
        middle = TOP + 14 + LINE * (i + 1)
        drawing.marks([(left + 6, middle)], group.colour, 9, group.mark)
        drawing.text(left + 18, middle + 4, f"{group.name} ({len(group.index):,})", size=11, anchor="start")


def _name_groups(drawing: Drawing, frame: Frame, mapped: Map, colouring: Colouring) -> None:
    """Write each group's name at its most central point: to be read without telling colours apart."""
    boxes: list[Box] = []
    for group in colouring.groups:
        own = mapped.points[group.index[:: -(-len(group.index) // CENTRAL)]].astype(np.float64)
        apart = np.hypot(*(own[:, np.newaxis] - own).transpose(2, 0, 1)).sum(1)
        wide = 8.0 * len(group.name) + 8
        places = [(x - wide / 2, y - 10, wide, 20.0) for x, y in frame.at(own[apart.argsort(kind="stable")])]
        box = next((box for box in places if not any(_overlap(box, other) for other in boxes)), places[0])
        boxes.append(box)
        left, top, width, height = box
        drawing.bars([box], group.colour)
        drawing.bars([(left + 2, top + 2, width - 4, height - 4)], GROUND)
        drawing.text(left + width / 2, top + 14.5, group.name, size=13, bold=True)


def _overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes cover each other in part."""
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def _draw_thumbs(drawing: Drawing, frame: Frame, model: Model, mapped: Map, colouring: Colouring) -> None:
    """Draw samples' pictures in every other empty cell that has a sample near, with a line to its point."""
    places = dict(_choose_thumbs(frame, mapped.points))
    if not places:
        return
    chosen, colours = np.array(list(places)), colouring.colours(len(mapped))
    pictures = _pictures(model, mapped.x[chosen], mapped)
    side = SIDE / CELLS - 4
    for sample, picture in zip(chosen.tolist(), pictures, strict=True):
        centre, point = frame.at(np.stack([places[sample], mapped.points[sample]]))
        left, top = centre[0] - side / 2, centre[1] - side / 2
        drawing.line([centre, point], MUTED, 0.7)
        drawing.bars([(left - 1.5, top - 1.5, side + 3, side + 3)], colours[sample])
        drawing.image((left, top, side, side), _fit(picture))


def _choose_thumbs(frame: Frame, points: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield samples, and the centres of the cells where they are shown, each sample once."""
    centres, taken = frame.centres(), _cells_of(frame, points)
    nearest, distances = _nearest(centres, points)
    shown: set[int] = set()
    for cell in np.argsort(distances, kind="stable").tolist():
        sample = int(nearest[cell])
        free = cell not in taken and sum(divmod(cell, CELLS)) % 2 == 0 and distances[cell] < REACH * frame.cell
        if free and sample not in shown and len(shown) < MAX_THUMBS:
            shown.add(sample)
            yield sample, centres[cell]


def _draw_spots(drawing: Drawing, left: float, model: Model, mapped: Map) -> None:
    frame = _frame(mapped.points, left)
    draw = _draw_decoded if len(model.network.shape) == 3 else _draw_fields
    draw(drawing, frame, model, mapped)


def _draw_decoded(drawing: Drawing, frame: Frame, model: Model, mapped: Map) -> None:
    """Draw the decoded pictures of all cells, those far from every sample paler."""
    centres = frame.centres()
    decoded = _pictures(model, decode_map(model, centres.astype(np.float32)), mapped)
    far = _nearest(centres, mapped.points)[1] > NEAR * frame.cell
    tiles = np.stack([_fit(picture) for picture in decoded])
    rows = _paler(tiles, far).reshape(CELLS, CELLS, DOTS, DOTS, 3).swapaxes(1, 2)
    _draw_axes(drawing, frame, "what the model decodes at each spot; paler where no sample is near")
    drawing.image((frame.left, frame.top, SIDE, SIDE), rows.reshape(CELLS * DOTS, CELLS * DOTS, 3))


def _draw_fields(drawing: Drawing, frame: Frame, model: Model, mapped: Map) -> None:
    """Draw what a table's model decodes for the columns that change most over the map, a field each."""
    centres, columns = frame.centres(FIELD_CELLS), mapped.columns or ()
    decoded = decode_map(model, centres.astype(np.float32)).astype(np.float64)
    far = _nearest(centres, mapped.points)[1] > NEAR * frame.cell
    near = decoded[~far] if (~far).any() else decoded
    spread = np.ptp(near, axis=0) / np.maximum(mapped.x.std(0, dtype=np.float64), 1e-12)
    chosen = np.argsort(-spread, kind="stable")[:FIELDS].tolist()
    side = (SIDE - 40) / 2
    words = "what the model decodes at each spot, column by column"
    drawing.text(frame.left + SIDE / 2, frame.top - 14, words, size=13, bold=True)
    for i, column in enumerate(chosen):
        left, top = frame.left + (i % 2) * (side + 40), frame.top + 14 + (i // 2) * (side + 40)
        low, high = float(near[:, column].min()), float(near[:, column].max())
        colours = _ramp((decoded[:, column] - low) / ((high - low) or 1.0))
        field = _paler(colours[:, np.newaxis, np.newaxis], far).reshape(FIELD_CELLS, FIELD_CELLS, 3)
        words = f"{columns[column]}: {number(low)} (dark) to {number(high)}"
        drawing.text(left + side / 2, top - 6, words, size=11, colour=INK)
        drawing.image((left, top, side, side), field)


def _frame(points: np.ndarray, left: float) -> Frame:
    """Return the square around all points, the same scale on both axes, since distances are read off it."""
    (x0, x1), (y0, y1) = (extent([float(axis.min()), float(axis.max())]) for axis in points.T)
    half = max(x1 - x0, y1 - y0) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return Frame(left + LEFT, TOP, (x - half, x + half), (y - half, y + half))


def _nearest(centres: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of `points` is nearest to each of `centres`, and how far it is.

    Without scikit-learn, which would take longer to load than this takes.
    """
    index, distances = np.empty(len(centres), int), np.empty(len(centres))
    for i, centre in enumerate(centres):
        squares = np.square(points - centre).sum(1)
        index[i] = squares.argmin()
        distances[i] = squares[index[i]] ** 0.5
    return index, distances


def _cells_of(frame: Frame, points: np.ndarray) -> set[int]:
    """Return the cells in which points lie."""
    column = np.clip((points[:, 0] - frame.x[0]) / frame.cell, 0, CELLS - 1).astype(int)
    row = np.clip((frame.y[1] - points[:, 1]) / frame.cell, 0, CELLS - 1).astype(int)
    return set(np.unique(row * CELLS + column).tolist())


def _pictures(model: Model, x: np.ndarray, mapped: Map) -> np.ndarray:
    """Return samples in the user's arrangement as pictures of bytes, on the scale of the map's data."""
    samples, _ = as_samples(model, x)
    limits = find_limits(model, as_samples(model, mapped.x)[0])
    return show(np.moveaxis(samples.numpy(), 1, -1), limits)


def _fit(pixels: np.ndarray) -> np.ndarray:
    """Return a picture of bytes, in colour, in the middle of a square of DOTS x DOTS on the ground's colour."""
    picture = Image.fromarray(pixels).convert("RGB")
    times = DOTS / max(picture.size)
    kind = Image.Resampling.LANCZOS if times < 1 else Image.Resampling.NEAREST
    picture = picture.resize([max(round(times * side), 1) for side in picture.size], kind)
    square = Image.new("RGB", (DOTS, DOTS), GROUND)
    square.paste(picture, ((DOTS - picture.width) // 2, (DOTS - picture.height) // 2))
    return np.asarray(square)


def _paler(tiles: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return tiles (n, h, w, 3) of bytes, some of them mixed with the ground's colour."""
    tiles = tiles.astype(np.float64)
    tiles[which] = (1 - PALER) * tiles[which] + PALER * _rgb(GROUND)
    return np.rint(tiles).astype(np.uint8)


def _ramp(shares: np.ndarray) -> np.ndarray:
    """Return colours (n, 3) for shares (n,) of the way from the darkest step to the palest."""
    stops = np.stack([_rgb(step) for step in STEPS])
    places = np.clip(shares, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(places, np.arange(len(stops)), stops[:, i]) for i in range(3)], -1)


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)
