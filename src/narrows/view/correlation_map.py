"""A picture of the correlations between columns: in the data below the diagonal, in the reconstructions above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from narrows.view.figure import COLOURS, FAINT, INK, MUTED, Box, Figure, shorten_all

NEGATIVE, POSITIVE = COLOURS[2], COLOURS[1]
CHARACTERS = 16  # of a name
NAMES = 130  # pixels for them
SIDE, WIDE = 40, 520  # pixels of a pair at most, and of all of them
SCALE = (-1.0, -0.5, -0.1, 0.1, 0.5, 1.0)


def draw_correlations(names: Sequence[str], data: np.ndarray, made: np.ndarray) -> Figure:
    """Draw a square for each pair of columns, whose area is its correlation; none where that is not known.

    Parameters
    ----------
    names : of the columns.
    data, made : (n, n), in the data and in the reconstructions.

    Examples
    --------
    >>> figure = draw_correlations(["a", "b"], np.eye(2), np.eye(2))
    >>> figure.svg.count(">a<")
    2
    """
    count = len(names)
    side = min(SIDE, WIDE // count)
    figure = Figure(max(NAMES + side * count + 20, 400), NAMES + side * count + 74)
    for i, name in enumerate(shorten_all(names, CHARACTERS)):
        middle = NAMES + side * (i + 0.5) + 4
        figure.text(NAMES - 8, middle, name, size=12, colour=INK, anchor="end")
        figure.text(middle, NAMES - 8, name, size=12, colour=INK, anchor="start", upright=True)
    shown = np.where(np.tri(count, k=-1, dtype=bool), data, made)
    np.fill_diagonal(shown, np.nan)
    found = [(i, j, float(shown[i, j])) for i in range(count) for j in range(count) if not np.isnan(shown[i, j])]
    _draw_pairs(figure, [(NAMES + side * (j + 0.5), NAMES + side * (i + 0.5), value) for i, j, value in found], side)
    below = NAMES + side * count + 14
    _draw_pairs(figure, [(NAMES + 40 * k + 15, below + 15, value) for k, value in enumerate(SCALE)], 30)
    for k, value in enumerate(SCALE):
        figure.text(NAMES + 40 * k + 15, below + 46, f"{value:g}".replace("-", "−"), colour=MUTED)
    return figure


def _draw_pairs(figure: Figure, pairs: Sequence[tuple[float, float, float]], side: float) -> None:
    """Draw pairs of a middle (x, y) and a correlation as squares of at most `side` pixels."""
    figure.bars([_square(x, y, side - 1) for x, y, _ in pairs], FAINT)
    for colour, sign in ((NEGATIVE, -1), (POSITIVE, 1)):
        figure.bars([_square(x, y, (side - 1) * (sign * r) ** 0.5) for x, y, r in pairs if sign * r > 0], colour)


def _square(x: float, y: float, side: float) -> Box:
    return (x - side / 2, y - side / 2, side, side)
