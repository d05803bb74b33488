"""A drawing as pixels: for PNG files, and for more marks than an SVG file should hold."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from narrows.files import whole
from narrows.view.figure import GROUND, INK, Anchor, Box, Drawing, Mark, Points
from narrows.view.fonts import split_by_font

DOTS = 2  # dots per CSS pixel
FINE = 2  # pixels per dot each way, which are averaged so that edges are smooth
SCALE = DOTS * FINE
UPRIGHT = 90  # degrees that upright text is turned by
MINUS = "\N{MINUS SIGN}"  # which Pillow's font lacks
SHARES = {"start": 0.0, "middle": 0.5, "end": 1.0}  # of a line's width that lie before its anchor


class Raster(Drawing):
    """A drawing as a picture of bytes, two dots per CSS pixel.

    Texts are in Pillow's own font, and letters that it lacks in the first of the system's that has them; one that none
    has is a box.

    Examples
    --------
    >>> raster = Raster(40, 20)
    >>> raster.bars([(0, 0, 20, 20)], "#000000")
    >>> raster.pixels.shape, raster.pixels[20, [10, 60], 0].tolist()
    ((40, 80, 3), [0, 246])
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__(width, height)
        self._image = Image.new("RGB", (SCALE * self.width, SCALE * self.height), GROUND)
        self._draw = ImageDraw.Draw(self._image)

    @property
    def pixels(self) -> np.ndarray:
        """The drawing, bytes (H, W, 3)."""
        return np.asarray(self._image.reduce(FINE))

    def write(self, path: str | Path, overwrite: bool = False) -> None:
        """Write a PNG file, whole or not at all.

        Raises DataError where it exists, unless `overwrite`, or cannot be written.
        """
        with whole(path, overwrite) as temporary:
            Image.fromarray(self.pixels).save(temporary, "PNG", optimize=True)

    def line(self, points: Points, colour: str, width: float = 1.0, dash: str = "") -> None:
        """Draw a line through points; `dash` holds the lengths of its strokes and gaps, "5 3"."""
        through = _scaled(points)
        for stroke in _strokes(through, [SCALE * float(length) for length in dash.split()]) if dash else [through]:
            self._draw.line(stroke, colour, max(round(SCALE * width), 1), joint="curve")

    def area(self, points: Points, colour: str) -> None:
        """Fill the polygon with these corners."""
        self._draw.polygon(_scaled(points), colour)

    def bars(self, boxes: Iterable[Box], colour: str) -> None:
        """Fill boxes."""
        for x, y, width, height in boxes:
            self._draw.rectangle((*_corner(x, y), *_corner(x + width, y + height, -1)), colour)

    def marks(self, points: Points, colour: str, size: float, kind: Mark = "dot") -> None:
        """Draw a mark at every point; a diamond is hollow."""
        half = SCALE * size / 2
        for x, y in _scaled(points):
            if kind == "diamond":
                corners = [(x, y - half), (x + half, y), (x, y + half), (x - half, y), (x, y - half)]
                self._draw.line(corners, colour, round(1.5 * SCALE))
            else:
                draw = self._draw.ellipse if kind == "dot" else self._draw.rectangle
                draw((x - half, y - half, x + half, y + half), colour)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 12,
        colour: str = INK,
        anchor: Anchor = "middle",
        bold: bool = False,
        upright: bool = False,
    ) -> None:
        """Write lines of text, the first with its baseline at `y`; upright text reads from bottom to top."""
        stroke = round(SCALE * size / 40) if bold else 0
        for i, line in enumerate(words.replace(MINUS, "-").split("\n") if words else ()):
            pieces = split_by_font(line, SCALE * size)
            wide = sum(font.getlength(piece) for font, piece in pieces)
            before = wide * SHARES[anchor]
            x_here, y_here = SCALE * x, SCALE * (y + 1.4 * size * i)
            if not upright:
                _write(self._draw, x_here - before, y_here, pieces, colour, stroke)
                continue
            high = math.ceil(2 * SCALE * size)
            mask = Image.new("L", (math.ceil(wide), high))
            _write(ImageDraw.Draw(mask), 0, high / 2, pieces, 255, stroke)
            corner = round(x_here - high / 2), round(y_here - math.ceil(wide) + before)
            self._image.paste(colour, corner, mask.rotate(UPRIGHT, expand=True))

    def image(self, box: Box, pixels: np.ndarray) -> None:
        """Draw a picture of bytes, (H, W), (H, W, 3) or with opacity (H, W, 4); small ones have sharp squares."""
        left, top = _corner(box[0], box[1])
        right, bottom = _corner(box[0] + box[2], box[1] + box[3])
        picture = Image.fromarray(pixels)
        smooth = picture.width > DOTS * box[2]
        kind = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
        picture = picture.resize((max(right - left, 1), max(bottom - top, 1)), kind)
        self._image.paste(picture, (left, top), picture if picture.mode == "RGBA" else None)


def _write(draw: Any, x: float, y: float, pieces: list[tuple[Any, str]], colour: Any, stroke: int) -> None:
    """Write pieces of a line one after another, from (x, y) on its baseline."""
    for font, piece in pieces:
        draw.text((x, y), piece, colour, font=font, anchor="ls", stroke_width=stroke)
        x += font.getlength(piece)


def _scaled(points: Points) -> list[tuple[float, float]]:
    return [(SCALE * x, SCALE * y) for x, y in points]


def _corner(x: float, y: float, inside: int = 0) -> tuple[int, int]:
    return round(SCALE * x) + inside, round(SCALE * y) + inside


def _strokes(through: list[tuple[float, float]], lengths: list[float]) -> list[list[tuple[float, float]]]:
    """Return the strokes of a dashed line; `lengths` are those of a stroke and of a gap."""
    ends = np.array(through)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ends, axis=0).T))])
    starts = np.arange(0.0, along[-1], sum(lengths))
    stretches = np.stack([starts, np.minimum(starts + lengths[0], along[-1])], 1)
    x, y = (np.interp(stretches, along, ends[:, axis]) for axis in (0, 1))
    return [list(zip(*stroke, strict=True)) for stroke in zip(x.tolist(), y.tolist(), strict=True)]
