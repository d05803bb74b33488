"""The square of a drawing that shows a part of a map. Lengths are CSS pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narrows.view.axes import Axes, extent
from narrows.view.figure import Drawing

SIDE = 600  # of the square
CELLS = 20  # across and up: each shows a decoded position, or the picture of a sample
LEFT, TOP, FOOT = 56, 36, 54  # room for numbers and the title


@dataclass(frozen=True)
class Frame:
    """A square of a drawing that shows a part of the map, with the same scale along both axes.

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
        """Return the positions in the drawing of points (n, 2) of the map."""
        x = self.left + SIDE * (points[:, 0] - self.x[0]) / (self.x[1] - self.x[0])
        y = self.top + SIDE * (self.y[1] - points[:, 1]) / (self.y[1] - self.y[0])
        return list(zip(x.tolist(), y.tolist(), strict=True))

    def occupied(self, points: np.ndarray) -> set[int]:
        """Return the cells in which points (n, 2) of the map lie, counted row by row from the top left."""
        column = np.clip((points[:, 0] - self.x[0]) / self.cell, 0, CELLS - 1).astype(int)
        row = np.clip((self.y[1] - points[:, 1]) / self.cell, 0, CELLS - 1).astype(int)
        return set(np.unique(row * CELLS + column).tolist())

    def draw_axes(self, drawing: Drawing, title: str) -> None:
        """Draw the axes, and the title above."""
        Axes(drawing, (self.left, self.top, SIDE, SIDE), self.x, self.y, most=6)
        self.write_title(drawing, title)

    def write_title(self, drawing: Drawing, title: str) -> None:
        """Write the title above the square."""
        drawing.text(self.left + SIDE / 2, self.top - 14, title, size=13, bold=True)


def find_frame(points: np.ndarray, left: float) -> Frame:
    """Return the square that shows all points (n, 2) of a map, its axes `left` CSS pixels from the left."""
    (x0, x1), (y0, y1) = (extent([float(axis.min()), float(axis.max())]) for axis in points.T)
    half = max(x1 - x0, y1 - y0) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return Frame(left + LEFT, TOP, (x - half, x + half), (y - half, y + half))


def find_nearest(centres: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the index (n,) of the point (m, 2) that is nearest to each of `centres` (n, 2), and its distance (n,).

    In NumPy, since loading scikit-learn would take longer than this.
    """
    index, distances = np.empty(len(centres), int), np.empty(len(centres))
    for i, centre in enumerate(centres):
        squares = np.square(points - centre).sum(1)
        index[i] = squares.argmin()
        distances[i] = squares[index[i]] ** 0.5
    return index, distances
