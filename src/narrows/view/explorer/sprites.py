"""Small copies of many samples, packed in sheets of pictures that a page opens one at a time."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

ACROSS = 16  # pictures in a row of a sheet, and rows in a sheet
A_SHEET = ACROSS**2
LONGEST_SIDE = 64  # pixels of a small copy
LEAST_SIDE = 8  # pixels of a small copy; on less nothing can be recognised
PROBES = 4  # sheets by which the size of all sheets is estimated
QUALITIES = (None, 90, 70)  # of WebP; None is lossless


@dataclass(frozen=True)
class Sprites:
    """Pictures in sheets of ACROSS x ACROSS, the last one filled up with black.

    Attributes
    ----------
    height, width : of one picture, pixels.
    exact : whether no value was changed.
    sheets : WebP files as base64.
    """

    height: int
    width: int
    exact: bool
    sheets: list[str]


def pack(pictures: np.ndarray, most: float) -> Sprites:
    """Pack pictures in sheets: exact where these fit in `most` characters, else with losses, else smaller too.

    Parameters
    ----------
    pictures : bytes (N, H, W) or (N, H, W, 3).
    most : about how many characters all sheets may have together.

    Examples
    --------
    >>> sprites = pack(np.zeros((300, 9, 8), np.uint8), most=1e6)
    >>> len(sprites.sheets), sprites.height, sprites.width, sprites.exact
    (2, 9, 8, True)
    """
    height, width = pictures.shape[1:3]
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    sides, quality = _choose(pictures, (height * shrink, width * shrink), most)
    sheets = [_encode(group, sides, quality) for group in _groups(pictures)]
    return Sprites(*sides, sides == (height, width) and quality is None, sheets)


def _choose(pictures: np.ndarray, sides: tuple[float, float], most: float) -> tuple[tuple[int, int], int | None]:
    """Return the best (height, width) and quality whose sheets take at most `most` characters."""
    sheets = -(-len(pictures) // A_SHEET)
    probes = [pictures[i * A_SHEET : (i + 1) * A_SHEET] for i in range(0, sheets, -(-sheets // PROBES))]
    count = sum(map(len, probes))
    whole = (1, 1)
    while True:
        whole = max(1, round(sides[0])), max(1, round(sides[1]))
        for quality in QUALITIES:
            characters = sum(len(_encode(probe, whole, quality)) for probe in probes)
            if characters * len(pictures) / count <= most:
                return whole, quality
        if max(whole) < 2 * LEAST_SIDE:
            return whole, QUALITIES[-1]
        sides = sides[0] / 2, sides[1] / 2


def _groups(pictures: np.ndarray) -> Iterator[np.ndarray]:
    return (pictures[start : start + A_SHEET] for start in range(0, len(pictures), A_SHEET))


def _encode(group: np.ndarray, sides: tuple[int, int], quality: int | None) -> str:
    """Return a sheet of the pictures, each resized to `sides`, as base64."""
    height, width = sides
    sheet = np.zeros((ACROSS, height, ACROSS, width, *group.shape[3:]), np.uint8)
    for i, picture in enumerate(group):
        if picture.shape[:2] != sides:
            picture = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))
        sheet[i // ACROSS, :, i % ACROSS] = picture
    rows = -(-len(group) // ACROSS)
    image = Image.fromarray(sheet[:rows].reshape(rows * height, ACROSS * width, *group.shape[3:]))
    file = io.BytesIO()
    if quality is None:
        image.save(file, "WEBP", lossless=True, quality=50, method=2)
    else:
        image.save(file, "WEBP", quality=quality, method=4)
    return base64.b64encode(file.getvalue()).decode()
