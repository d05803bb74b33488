"""Sheets to judge a restoration by: noisy, restored, their difference and, if known, the clean picture side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from narrows.data.image_file import find_format
from narrows.data.layout import to_pictures
from narrows.data.write import number_names, png_names
from narrows.errors import DataError
from narrows.files import whole, whole_folder

GAIN = 3  # of the difference: noise of 25 of 255 levels then fills the range and rarely leaves it
LEAST_PANEL = 192  # pixels of a side; the pixels of smaller pictures become squares
GAP, LABEL, TEXT = 8, 24, 14  # pixels between panels, above them, and of letters' height
STRIP = 256  # rows that are drawn at once, so that a large picture is never copied as floats


def write_sheet(
    path: Path,
    noisy: np.ndarray,
    restored: np.ndarray,
    clean: np.ndarray | None = None,
    data_range: float = 255.0,
    overwrite: bool = False,
) -> None:
    """Write a picture with the labelled panels noisy | restored | difference, and | clean where it is given.

    The difference is noisy minus restored, times GAIN, and 0 is grey: where it looks like the picture, the model has
    removed more than noise.

    Parameters
    ----------
    noisy, restored, clean : (H, W) or (H, W, 3), of one shape, in the same units.
    data_range : the value that is shown white; 0 is shown black.

    Raises DataError where the path exists, cannot be written or is no picture's.
    """
    sheet = Image.fromarray(make_sheet(noisy, restored, clean, data_range))
    with whole(path, overwrite) as temporary:
        sheet.save(temporary, find_format(path))


def write_sheets(
    path: Path,
    noisy: np.ndarray,
    restored: np.ndarray,
    clean: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    data_range: float = 255.0,
    overwrite: bool = False,
) -> None:
    """Write a sheet per picture to the folder `path`; that of a single picture to the file `path`.

    Parameters
    ----------
    noisy, restored, clean : (H, W), (N, H, W), (H, W, 3) or (N, H, W, 3), see `write_sheet`.
    names : of the pictures, else they are numbered.

    Raises DataError where the path exists or cannot be written, or the pictures are neither grey nor RGB.
    """
    before, after = _as_grey_or_rgb(noisy), _as_grey_or_rgb(restored)
    truth = [None] * len(before) if clean is None else _as_grey_or_rgb(clean)
    if path.suffix and len(before) == 1:
        write_sheet(path, before[0], after[0], truth[0], data_range, overwrite)
        return
    names = png_names(names or number_names(len(before)))
    with whole_folder(path, overwrite) as temporary:
        for name, noisy_one, restored_one, clean_one in zip(names, before, after, truth, strict=True):
            write_sheet(temporary / name, noisy_one, restored_one, clean_one, data_range)


def make_sheet(
    noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None = None, data_range: float = 255.0
) -> np.ndarray:
    """Return the sheet that `write_sheet` writes, bytes (H, W) or (H, W, 3).

    Examples
    --------
    >>> make_sheet(np.zeros((200, 300), np.uint8), np.zeros((200, 300), np.uint8)).shape
    (224, 916)
    """
    titles = ["noisy", "restored", f"difference x{GAIN}"] + ["clean"] * (clean is not None)
    zoom = -(-LEAST_PANEL // min(max(noisy.shape[:2]), LEAST_PANEL))
    height, width = zoom * noisy.shape[0], max(zoom * noisy.shape[1], LEAST_PANEL)
    across = len(titles) * width + (len(titles) - 1) * GAP
    sheet = np.full((LABEL + height, across, *noisy.shape[2:]), 255, np.uint8)
    for i, title in enumerate(titles):
        left = i * (width + GAP)
        sheet[:LABEL, left : left + width] = _letters(title, width).reshape(LABEL, width, *[1] * (noisy.ndim - 2))
        for top in range(0, noisy.shape[0], STRIP):
            rows = slice(top, top + STRIP)
            panel = _panel(i, noisy[rows], restored[rows], clean if clean is None else clean[rows], data_range)
            panel = panel.repeat(zoom, 0).repeat(zoom, 1)
            start = LABEL + zoom * top
            sheet[start : start + len(panel), left : left + panel.shape[1]] = panel
    return sheet


def _as_grey_or_rgb(x: np.ndarray) -> np.ndarray:
    """Return pictures as (N, H, W) or (N, H, W, 3)."""
    pictures = np.moveaxis(to_pictures(x)[0], 1, -1)
    if pictures.shape[-1] not in (1, 3):
        raise DataError(f"a comparison shows grey or RGB pictures, however: these have {pictures.shape[-1]} channels")
    return pictures[..., 0] if pictures.shape[-1] == 1 else pictures


def _panel(i: int, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None, data_range: float) -> np.ndarray:
    """Return some rows of the panel `i` as bytes."""
    shown = np.asarray((noisy, restored, noisy, clean)[i], np.float32)
    shown = (GAIN * (shown - restored) if i == 2 else shown) * (255 / data_range) + 127.5 * (i == 2)
    return np.clip(np.rint(shown), 0, 255).astype(np.uint8)


def _letters(title: str, width: int) -> np.ndarray:
    """Return a title in black on white, bytes (LABEL, width)."""
    strip = Image.new("L", (width, LABEL), 255)
    ImageDraw.Draw(strip).text((2, 3), title, fill=0, font=ImageFont.load_default(TEXT))
    return np.asarray(strip)
