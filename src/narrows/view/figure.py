"""A drawing as SVG, made mark by mark, and axes to draw data in.

A plotting library takes a second and 50 MB to load; the few marks below are all that the pages need. Lengths are CSS
pixels, from the left and from the top.
"""

from __future__ import annotations

import base64
import io
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
from PIL import Image

GROUND, INK, MUTED, FAINT = "#f6f6f3", "#23272b", "#666d73", "#d9dad5"
FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Noto Sans, sans-serif"
DOTS = 1.5  # of a picture per CSS pixel at most, so that it is sharp on phones and the page is not large
MARGIN = 0.05  # of an axis, left free beyond the data
LINE = 18  # from one line of a legend to the next

Points = Iterable[tuple[float, float]]
Box = tuple[float, float, float, float]  # left, top, width, height
Mark = Literal["", "dot", "square", "diamond"]
Anchor = Literal["start", "middle", "end"]


class Drawing(ABC):
    """A pale ground that each call adds a mark on top of.

    Parameters
    ----------
    width, height : in CSS pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = round(width), round(height)

    @abstractmethod
    def line(self, points: Points, colour: str, width: float = 1.0, dash: str = "") -> None:
        """Draw a line through points; `dash` is its strokes and gaps, "5 3"."""

    @abstractmethod
    def area(self, points: Points, colour: str) -> None:
        """Fill the area within points."""

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
        """Write lines of words, the first one standing on `y`; upright ones are read from below."""

    @abstractmethod
    def image(self, box: Box, pixels: np.ndarray) -> None:
        """Draw a picture of bytes, (H, W) or (H, W, 3); a small one's pixels stay sharp squares."""


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
        size = f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" text-anchor="middle">'
        return "\n".join([head, *self._marks, "</svg>\n"])

    def _repr_svg_(self) -> str:
        return self.svg

    def line(self, points: Points, colour: str, width: float = 1.0, dash: str = "") -> None:
        """Draw a line through points; `dash` is its strokes and gaps, "5 3"."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._path(_through(points), f'fill="none" stroke="{colour}" stroke-width="{width}"{dashed}')

    def area(self, points: Points, colour: str) -> None:
        """Fill the area within points."""
        self._path(f"{_through(points)}z", f'fill="{colour}"')

    def bars(self, boxes: Iterable[Box], colour: str) -> None:
        """Fill boxes."""
        corners = (f"M{_point(x, y)}h{_short(w)}v{_short(h)}h{_short(-w)}z" for x, y, w, h in boxes)
        self._path("".join(corners), f'fill="{colour}"')

    def marks(self, points: Points, colour: str, size: float, kind: Mark = "dot") -> None:
        """Draw a mark at every point; a diamond is hollow."""
        if kind == "diamond":
            half = _short(size / 2)
            corners = f"l{half} {half} -{half} {half} -{half} -{half}z"
            path = "".join(f"M{_point(x, y - size / 2)}{corners}" for x, y in points)
            self._path(path, f'fill="none" stroke="{colour}" stroke-width="1.5"')
            return
        # a line of no length is as wide as its cap: the shortest way to say a dot
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
        """Write lines of words, the first one standing on `y`; upright ones are read from below."""
        style = f'fill="{colour}" font-size="{size}"'
        style += f' text-anchor="{anchor}"' if anchor != "middle" else ""
        style += ' font-weight="bold"' if bold else ""
        style += f' transform="rotate(-90 {_point(x, y)})"' if upright else ""
        for i, line in enumerate(words.split("\n") if words else ()):
            place = f'x="{_short(x)}" y="{_short(y + 1.4 * size * i)}"'
            # a box for what is no character to see: some would make the whole file one that cannot be read
            shown = escape("".join(c if c.isprintable() else "□" for c in line))
            self._marks.append(f"<text {place} {style}>{shown}</text>")

    def image(self, box: Box, pixels: np.ndarray) -> None:
        """Draw a picture of bytes, (H, W) or (H, W, 3); a small one's pixels stay sharp squares."""
        wide, high = (max(round(DOTS * side), 1) for side in box[2:])
        picture = Image.fromarray(pixels)
        if picture.width > wide:
            picture = picture.resize((wide, high), Image.Resampling.LANCZOS)
        else:  # whole dots per pixel, or some would look wider than others
            times = round(wide / picture.width)
            picture = picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
        file = io.BytesIO()
        picture.save(file, "PNG")
        x, y, width, height = map(_short, box)
        self._marks.append(
            f'<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>'
        )

    def _path(self, path: str, style: str) -> None:
        self._marks.append(f'<path d="{path}" {style}/>')


class Axes:
    """A box of a figure with a scale along each side, its grid and its names.

    Parameters
    ----------
    box : where the data go; numbers and names are drawn to the left of it and below.
    x, y : the smallest and the largest value along each side.
    names : of both sides.
    log : whether `y` is logarithmic.
    whole : whether `x` and `y` are counts, so that only whole numbers are marked.
    most : about so many numbers along each side.

    Examples
    --------
    >>> axes = Axes(Figure(140, 130), (30, 10, 100, 100), (0, 4), (0, 1))
    >>> axes.at([0, 4], [0, 1])
    [(30.0, 110.0), (130.0, 10.0)]
    """

    def __init__(
        self,
        figure: Drawing,
        box: Box,
        x: tuple[float, float],
        y: tuple[float, float],
        names: tuple[str, str] = ("", ""),
        *,
        log: bool = False,
        whole: tuple[bool, bool] = (False, False),
        most: int = 7,
    ) -> None:
        self.figure, self.box, self.x, self.y, self.log = figure, box, x, y, log
        left, top, width, height = box
        right, bottom = left + width, top + height
        for value in ticks(*x, most, whole[0]):
            place = self.at([value], [y[0]])[0][0]
            figure.line([(place, top), (place, bottom)], FAINT, 0.6)
            figure.text(place, bottom + 15, _number(value), size=11, colour=MUTED)
        for value in log_ticks(*y) if log else ticks(*y, most, whole[1]):
            place = self.at([x[0]], [value])[0][1]
            figure.line([(left, place), (right, place)], FAINT, 0.6)
            figure.text(left - 6, place + 4, _number(value), size=11, colour=MUTED, anchor="end")
        figure.text(left + width / 2, bottom + 33, names[0], colour=MUTED)
        figure.text(left - 58, top + height / 2, names[1], colour=MUTED, upright=True)

    def at(self, x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> list[tuple[float, float]]:
        """Return where values lie in the figure."""
        left, top, width, height = self.box
        across = _share(np.asarray(x), *self.x)
        up = _share(np.log(y), *np.log(self.y)) if self.log else _share(np.asarray(y), *self.y)
        return list(zip((left + width * across).tolist(), (top + height * (1 - up)).tolist(), strict=True))


@dataclass(frozen=True)
class Style:
    """How a curve is drawn: its line, and the marks on it.

    Attributes
    ----------
    width : of the line; 0 draws marks only.
    dash : strokes and gaps, "" for a full line.
    mark, size : what stands at every point, and how large.
    """

    colour: str
    width: float = 0.0
    dash: str = ""
    mark: Mark = ""
    size: float = 6.0

    def draw(self, figure: Drawing, line: Points, marks: Points) -> None:
        """Draw a line through some points, and the marks at some."""
        if self.width:
            figure.line(line, self.colour, self.width, self.dash)
        if self.mark:
            figure.marks(marks, self.colour, self.size, self.mark)


def legend(figure: Drawing, x: float, y: float, styles: Mapping[str, Style]) -> None:
    """Write what each style stands for, in lines from (x, y) down."""
    for i, (words, style) in enumerate(styles.items()):
        middle = y + LINE * i
        style.draw(figure, [(x, middle), (x + 24, middle)], [(x + 12, middle)])
        figure.text(x + 32, middle + 4, words, size=11, anchor="start")


def extent(values: Iterable[float], log: bool = False) -> tuple[float, float]:
    """Return the ends of an axis that shows `values` with a margin, also where they are all alike, or none.

    Examples
    --------
    >>> extent([0, 10]), extent([3])
    ((-0.5, 10.5), (2.5, 3.5))
    """
    shown = [math.log(value) if log else float(value) for value in values] or [0.0]
    low, high = min(shown), max(shown)
    free = MARGIN * (high - low) or 0.5
    return (math.exp(low - free), math.exp(high + free)) if log else (low - free, high + free)


def ticks(low: float, high: float, most: int = 7, whole: bool = False) -> list[float]:
    """Return round numbers between two ends, evenly spaced.

    Examples
    --------
    >>> ticks(0, 7), ticks(0.5, 1.5, whole=True)
    ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [1.0])
    """
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= least * (1 - 1e-9))
    step = max(step, 1.0) if whole else step
    return [i * step for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two ends, nearly evenly spaced on a logarithmic scale.

    Examples
    --------
    >>> log_ticks(0.8, 25), log_ticks(0.8, 4)
    ([1.0, 2.0, 5.0, 10.0, 20.0], [1.0, 1.5, 2.0, 3.0, 4.0])
    """
    digits = (1, 1.5, 2, 3, 4, 5, 7) if high < 10 * low else (1, 2, 5) if high < 1e4 * low else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    round_ones = [float(f"{digit}e{power}") for power in powers for digit in digits]
    shown = [value for value in round_ones if low <= value <= high]
    return shown if len(shown) > 1 else ticks(low, high)


def _share(values: np.ndarray, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    """Return how far from `low` to `high` values are, in shares of the way."""
    return (values - low) / (high - low)


def _through(points: Points) -> str:
    return "M" + "L".join(_point(x, y) for x, y in points)


def _point(x: float, y: float) -> str:
    return f"{_short(x)} {_short(y)}"


def _short(length: float) -> str:
    """Return a length to a tenth of a pixel."""
    return f"{length:.1f}".removesuffix(".0")


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
