"""A drawing as SVG, made mark by mark.

A plotting library takes a second and 50 MB to load; the few marks below are all that the pages need. Lengths are CSS
pixels, positions are counted from the left and from the top.
"""

from __future__ import annotations

import base64
import io
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

import numpy as np
from PIL import Image

from narrows.view.dark import dark_style

GROUND, INK, MUTED, FAINT = "#f6f6f3", "#23272b", "#666d73", "#d9dad5"
COLOURS = ("#1b7a78", "#c9622b", "#5b6bbf", "#a3478f", "#6f8f2f", "#b8912f", "#3f8fc4", "#c04a5a", "#7d6a55", "#3d4a52")
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Noto Sans, sans-serif"
DOTS = 1.5  # dots of a picture per CSS pixel at most: sharp on phones, and the page stays small
MAX_WORDS = 28  # characters of a name in a figure
COLOUR = re.compile('(?:fill|stroke)="(#[0-9a-f]{6})"')
GREY, NOT_LABELLED = "#c4c6c2", "not labelled"  # colour and name of samples without a label
GAP = "gap"  # name of samples without a value, which have the same colour

Points = Iterable[tuple[float, float]]
Box = tuple[float, float, float, float]  # left, top, width, height
Mark = Literal["", "dot", "square", "diamond"]
Anchor = Literal["start", "middle", "end"]


class Drawing(ABC):
    """Something to draw on: each call adds a mark on top of those before, on a pale ground.

    Parameters
    ----------
    width, height : in CSS pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = round(width), round(height)

    @abstractmethod
    def line(self, points: Points, colour: str, width: float = 1.0, dash: str = "") -> None:
        """Draw a line through points; `dash` holds the lengths of its strokes and gaps, "5 3"."""

    @abstractmethod
    def area(self, points: Points, colour: str) -> None:
        """Fill the polygon with these corners."""

    @abstractmethod
    def bars(self, boxes: Iterable[Box], colour: str) -> None:
        """Fill boxes."""

    @abstractmethod
    def marks(self, points: Points, colour: str, size: float, kind: Mark = "dot") -> None:
        """Draw a mark at every point; a diamond is hollow."""

    @abstractmethod
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

    @abstractmethod
    def image(self, box: Box, pixels: np.ndarray) -> None:
        """Draw a picture of bytes, (H, W), (H, W, 3) or with opacity (H, W, 4); small ones have sharp squares."""


class Figure(Drawing):
    """A drawing as SVG; texts are escaped. Notebooks show it.

    Parameters
    ----------
    width, height : in CSS pixels.

    Examples
    --------
    >>> figure = Figure(80, 20)
    >>> figure.text(40, 14, "a < b")
    >>> "a &lt; b</text>" in figure.svg
    True
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__(width, height)
        self._marks: list[str] = []
        self.area([(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)], GROUND)

    @property
    def svg(self) -> str:
        """The figure as the text of an SVG file."""
        return self._file()

    @property
    def page_svg(self) -> str:
        """The same for a page: in dark colours where the reader prefers these."""
        colours = sorted({colour for mark in self._marks for colour in COLOUR.findall(mark)})
        return self._file(f"<style>{dark_style(colours)}</style>")

    def _file(self, *style: str) -> str:
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" text-anchor="middle">'
        return "\n".join([head, *style, *self._marks, "</svg>\n"])

    def _repr_svg_(self) -> str:
        return self.svg

    def line(self, points: Points, colour: str, width: float = 1.0, dash: str = "") -> None:
        """Draw a line through points; `dash` holds the lengths of its strokes and gaps, "5 3"."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._path(_path_through(points), f'fill="none" stroke="{colour}" stroke-width="{width}"{dashed}')

    def area(self, points: Points, colour: str) -> None:
        """Fill the polygon with these corners."""
        self._path(f"{_path_through(points)}z", f'fill="{colour}"')

    def bars(self, boxes: Iterable[Box], colour: str) -> None:
        """Fill boxes."""
        corners = (f"M{_point(x, y)}h{_tenths(w)}v{_tenths(h)}h{_tenths(-w)}z" for x, y, w, h in boxes)
        self._path("".join(corners), f'fill="{colour}"')

    def marks(self, points: Points, colour: str, size: float, kind: Mark = "dot") -> None:
        """Draw a mark at every point; a diamond is hollow."""
        if kind == "diamond":
            half = _tenths(size / 2)
            corners = f"l{half} {half} -{half} {half} -{half} -{half}z"
            path = "".join(f"M{_point(x, y - size / 2)}{corners}" for x, y in points)
            self._path(path, f'fill="none" stroke="{colour}" stroke-width="1.5"')
            return
        # a line of no length shows its caps alone: the shortest way to write a dot
        path, cap = "".join(f"M{_point(x, y)}h.01" for x, y in points), "round" if kind == "dot" else "square"
        self._path(path, f'fill="none" stroke="{colour}" stroke-width="{size}" stroke-linecap="{cap}"')

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
        style = f'fill="{colour}" font-size="{size}"'
        style += f' text-anchor="{anchor}"' if anchor != "middle" else ""
        style += ' font-weight="bold"' if bold else ""
        style += f' transform="rotate(-90 {_point(x, y)})"' if upright else ""
        for i, line in enumerate(words.split("\n") if words else ()):
            position = f'x="{_tenths(x)}" y="{_tenths(y + 1.4 * size * i)}"'
            # a box for characters that cannot be printed: some would make the file invalid XML
            shown = escape("".join(c if c.isprintable() else "□" for c in line))
            self._marks.append(f"<text {position} {style}>{shown}</text>")

    def image(self, box: Box, pixels: np.ndarray) -> None:
        """Draw a picture of bytes, (H, W), (H, W, 3) or with opacity (H, W, 4); small ones have sharp squares."""
        wide, high = (max(round(DOTS * side), 1) for side in box[2:])
        picture = Image.fromarray(pixels)
        if picture.width > wide:
            picture = picture.resize((wide, high), Image.Resampling.LANCZOS)
        else:  # whole dots per pixel, or some would look wider than others
            times = round(wide / picture.width)
            picture = picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
        file = io.BytesIO()
        picture.save(file, "PNG")
        x, y, width, height = map(_tenths, box)
        self._marks.append(
            f'<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>'
        )

    def _path(self, path: str, style: str) -> None:
        self._marks.append(f'<path d="{path}" {style}/>')


def _path_through(points: Points) -> str:
    return "M" + "L".join(_point(x, y) for x, y in points)


def _point(x: float, y: float) -> str:
    return f"{_tenths(x)} {_tenths(y)}"


def _tenths(length: float) -> str:
    """Return a length to a tenth of a pixel."""
    return f"{length:.1f}".removesuffix(".0")


def shorten(words: str, most: int = MAX_WORDS) -> str:
    """Return words of at most `most` characters; "…" stands for the middle of longer ones.

    Examples
    --------
    >>> shorten("a long name", 6), shorten("short", 6)
    ('a l…me', 'short')
    """
    half = most // 2
    return words if len(words) <= most else f"{words[:half]}…{words[len(words) - (most - half - 1) :]}"


def shorten_all(names: Sequence[str], most: int = MAX_WORDS) -> list[str]:
    """Return names that are shortened and differ: those that would be alike end in their number among these.

    Examples
    --------
    >>> shorten_all(["measured at noon", "measured at night", "measured at eight"], 10)
    ['measu…noon', 'meas…ght#1', 'meas…ght#2']
    """
    shown = [shorten(name, most) for name in names]
    alike = {name for name, count in Counter(shown).items() if count > 1}
    seen: Counter[str] = Counter()
    for i, (name, short) in enumerate(zip(names, shown, strict=True)):
        if short in alike:
            seen[short] += 1
            number = f"#{seen[short]}"
            shown[i] = shorten(name, most - len(number)) + number
    return shown
