"""The picture of a map: the samples' points beside what the model decodes, on the same axes.

The same calls draw on a `Figure`, which pages show, and on a `Raster`, which a PNG file holds.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from narrows.files import whole
from narrows.modelfile import Model
from narrows.tasks.mapping import Map
from narrows.view.colours import Colouring, colour
from narrows.view.figure import Drawing, Figure
from narrows.view.fonts import find_font, spell_out
from narrows.view.map_decoded import add_decoded
from narrows.view.map_frame import FOOT, LEFT, SIDE, TOP
from narrows.view.map_points import LEGEND, add_points
from narrows.view.raster import Raster

On = TypeVar("On", bound=Drawing)


def write_picture(path: str | Path, model: Model, mapped: Map, by: str | None = None, overwrite: bool = False) -> str:
    """Write the picture of a map, as SVG where the path ends in .svg, else as PNG.

    Return the characters of the groups' names that no font here has, which a PNG shows by their codes.

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
        return ""
    names = [spell_out(group.name) for group in colouring.groups]
    missing = {c for group in colouring.groups for c in group.name if find_font(c) is None}
    groups = (replace(group, name=name) for group, name in zip(colouring.groups, names, strict=True))
    draw_map(model, mapped, replace(colouring, groups=tuple(groups)), Raster).write(path, overwrite)
    return "".join(sorted(missing))


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
