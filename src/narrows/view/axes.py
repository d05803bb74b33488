"""Axes to draw data in: a scale along two sides with round numbers, styles of curves and their legend."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from narrows.view.figure import FAINT, MUTED, Box, Drawing, Mark, Points
from narrows.view.times import Ticks

MARGIN = 0.05  # of an axis, left free beyond the data
LINE = 18  # from one line of a legend to the next


class Axes:
    """A box in a drawing with a scale, a grid and a name along two of its sides.

    Parameters
    ----------
    box : where the data go; numbers and names are drawn to its left and below.
    x, y : the smallest and the largest value along each side.
    names : of `x` and of `y`.
    log : whether `y` is logarithmic.
    whole : whether `x` and `y` are counts, so that only integers are marked.
    marks : what marks times along `x` and `y`, see `ticks_of`; None for numbers.
    most : about how many numbers are marked along each side.

    Examples
    --------
    >>> from narrows.view.figure import Figure
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
        marks: tuple[Ticks | None, Ticks | None] = (None, None),
        most: int = 7,
    ) -> None:
        self.figure, self.box, self.x, self.y, self.log = figure, box, x, y, log
        left, top, width, height = box
        right, bottom = left + width, top + height
        for value, words in marks[0](*x, 2) if marks[0] else _marked(ticks(*x, most, whole[0])):
            across = self.at([value], [y[0]])[0][0]
            figure.line([(across, top), (across, bottom)], FAINT, 0.6)
            figure.text(across, bottom + 15, words, size=11, colour=MUTED)
        numbers = log_ticks(*y) if log else ticks(*y, most, whole[1])
        for value, words in marks[1](*y, most) if marks[1] else _marked(numbers):
            down = self.at([x[0]], [value])[0][1]
            figure.line([(left, down), (right, down)], FAINT, 0.6)
            figure.text(left - 6, down + 4, words, size=11, colour=MUTED, anchor="end")
        figure.text(left + width / 2, bottom + 33, names[0], colour=MUTED)
        figure.text(left - (74 if marks[1] else 58), top + height / 2, names[1], colour=MUTED, upright=True)

    def at(self, x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> list[tuple[float, float]]:
        """Return the positions of values in the drawing."""
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
    mark, size : what is drawn at every point, and how large.
    """

    colour: str
    width: float = 0.0
    dash: str = ""
    mark: Mark = ""
    size: float = 6.0

    def draw(self, figure: Drawing, line: Points, marks: Points) -> None:
        """Draw the line through the points of `line`, and marks at those of `marks`."""
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
    """Return the ends of an axis that shows `values` with a margin; values that are all equal, or none, get one too.

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


def _marked(values: Iterable[float]) -> list[tuple[float, str]]:
    return [(value, show_tick(value)) for value in values]


def _share(values: np.ndarray, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    """Return where values lie between `low`, 0, and `high`, 1."""
    return (values - low) / (high - low)


def show_tick(value: float) -> str:
    """Return a number on an axis as text.

    Examples
    --------
    >>> show_tick(-0.5), show_tick(2e9)
    ('−0.5', '2e+09')
    """
    return f"{value:.6g}".replace("-", "−")
