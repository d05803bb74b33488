"""The picture of a map: the samples' points beside what the model decodes, on the same axes.

The same calls draw on a `Figure`, which pages show, and on a `Raster`, which a PNG file holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from narrows.files import whole
from narrows.modelfile import Model
from narrows.tasks.mapping import Map
from narrows.view.colours import Colouring, colour
from narrows.view.figure import Drawing, Figure
from narrows.view.map_decoded import add_decoded
from narrows.view.map_frame import FOOT, LEFT, SIDE, TOP
from narrows.view.map_points import LEGEND, add_points
from narrows.view.raster import Raster

On = TypeVar("On", bound=Drawing)


def write_picture(path: str | Path, model: Model, mapped: Map, by: str | None = None, overwrite: bool = False) -> None:
    """Write the picture of a map, as SVG where the path ends in .svg, else as PNG.

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
    """Draw the points of a map, and beside them what the model decodes over it.

    Parameters
    ----------
    on : `Figure` or `Raster`.
    """
    beside = LEFT + SIDE + LEGEND
    drawing = on(beside + LEFT + SIDE + 24, TOP + SIDE + FOOT)
    add_points(drawing, 0, model, mapped, colouring)
    add_decoded(drawing, beside, model, mapped)
    return drawing
