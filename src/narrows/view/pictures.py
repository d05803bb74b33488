"""Figures of pictures: rows, panels with words, and one picture by several methods.

Pictures of data are drawn on one fixed scale, never stretched to their own contrast. Lengths are CSS pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from narrows.view.figure import MUTED, Figure, shorten

CELL = 74  # the width of a picture in a row: ten are as wide as the page
PANEL = 138  # the longer side of a panel's picture
LABEL = 166  # the width of the labels of rows
CAPTION = 16  # the height of the texts below a row
ACROSS = 5  # panels in a row
CROP = 96  # pixels of a side, of which each is visible in a panel


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture with a title above and lines of text below."""

    title: str
    image: np.ndarray
    words: str = ""


def draw_rows(
    rows: Mapping[str, np.ndarray],
    limits: tuple[float, float] = (0.0, 1.0),
    captions: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Figure:
    """Draw rows of pictures, all on the scale `limits`.

    Parameters
    ----------
    rows : pictures (n, H, W) or (n, H, W, C) by the row's label; the second line of a label is drawn paler.
    limits : the values that are shown black and white.
    captions : a short text below each picture of a row, by the row's label.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((10, 8, 8))
    >>> draw_rows({"data": x, "restored": x / 2}).svg.count("<image")
    20
    """
    count, tall, wide = next(iter(rows.values())).shape[:3]
    height, gap, step, top = CELL * tall / wide, 10, CELL + 4, 10.0
    figure = Figure(LABEL + count * step + 8, gap + len(rows) * (height + gap) + len(captions) * CAPTION)
    for label, images in rows.items():
        first, _, second = label.partition("\n")
        middle = top + height / 2
        figure.text(12, middle + (-3 if second else 4), first, bold=True, anchor="start")
        figure.text(12, middle + 13, second, size=11, colour=MUTED, anchor="start")
        for j, pixels in enumerate(as_bytes(images, limits)):
            figure.image((LABEL + j * step, top, CELL, height), pixels)
        top += height + gap
        if label in captions:
            for j, caption in enumerate(captions[label][:count]):
                figure.text(LABEL + j * step + CELL / 2, top + 5, caption, size=11, colour=MUTED)
            top += CAPTION
    return figure


def draw_panels(rows: Sequence[Sequence[Panel]], limits: tuple[float, float] = (0.0, 1.0)) -> Figure:
    """Draw rows of panels, all on the scale `limits`.

    Examples
    --------
    >>> panel = Panel("clean", np.eye(8), "8x8")
    >>> draw_panels([[panel, panel], [panel, panel]]).svg.count("<image")
    4
    """
    tall, wide = rows[0][0].image.shape[:2]
    width, height = (PANEL * side / max(tall, wide) for side in (wide, tall))
    column, row_high = PANEL + 40, height + 86
    figure = Figure(column * max(map(len, rows)) + 8, row_high * len(rows) + 8)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            centre, top = 4 + column * (j + 0.5), 30 + row_high * i
            figure.text(centre, top - 8, shorten(panel.title), bold=True)
            figure.image((centre - width / 2, top, width, height), as_bytes(panel.image[np.newaxis], limits)[0])
            figure.text(centre, top + height + 16, panel.words, size=11, colour=MUTED)
    return figure


def draw_methods(results: Mapping[str, tuple[np.ndarray, str]], limits: tuple[float, float] = (0.0, 1.0)) -> Figure:
    """Draw one picture as several methods made it; of a large one the middle, so that single pixels are visible.

    Parameters
    ----------
    results : a picture (H, W) or (H, W, C) and the text below it, by method.
    limits : the values that are shown black and white.

    Examples
    --------
    >>> draw_methods({"clean": (np.eye(8), ""), "median": (np.eye(8), "PSNR 20.0 dB")}).svg.count("<image")
    2
    """
    panels = [Panel(method, _middle(image), words) for method, (image, words) in results.items()]
    return draw_panels([panels[i : i + ACROSS] for i in range(0, len(panels), ACROSS)], limits)


def as_bytes(images: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """Return pictures (n, H, W) or (n, H, W, C) as bytes, grey (n, H, W) or RGB (n, H, W, 3), on the scale `limits`.

    Of four channels the first three are shown; of two, or of five and more, the mean.

    Examples
    --------
    >>> as_bytes(np.array([[[-1, 0, 1, 2]]]))
    array([[[  0,   0, 255, 255]]], dtype=uint8)
    """
    low, high = limits
    values = np.clip((images.astype(np.float64) - low) / ((high - low) or 1.0), 0, 1)
    if values.ndim == 4:
        values = values[..., :3] if values.shape[-1] in (3, 4) else values.mean(-1)
    return np.rint(255 * values).astype(np.uint8)


def as_images(samples: np.ndarray) -> np.ndarray:
    """Return samples (n, C, H, W) as pictures (n, H, W, C).

    Examples
    --------
    >>> as_images(np.zeros((2, 3, 8, 9))).shape
    (2, 8, 9, 3)
    """
    return np.moveaxis(samples, 1, -1)


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - CROP) // 2) for side in image.shape[:2])
    return image[top : top + CROP, left : left + CROP]
