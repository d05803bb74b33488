"""PSNR and SSIM of noisy and of restored pictures against the clean ones, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from narrows.data.layout import to_pictures
from narrows.metrics.data_range import find_range
from narrows.metrics.psnr_ssim import WINDOW, has_ssim, psnr, ssim
from narrows.metrics.table import Table
from narrows.modelfile import Model


class Likeness(NamedTuple):
    """How like the clean pictures the noisy and the restored ones are, an array (N,) each.

    Attributes
    ----------
    noisy_psnr, psnr : of noisy and of restored pictures, in dB.
    noisy_ssim, ssim : NaN for pictures that are smaller than its window.
    data_range : the range that PSNR is over.
    clipped : whether noisy and restored values lie within it, as integers do.
    """

    noisy_psnr: np.ndarray
    psnr: np.ndarray
    noisy_ssim: np.ndarray
    ssim: np.ndarray
    data_range: float
    clipped: bool


def measure_likeness(model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray) -> Likeness:
    """Return how like the clean pictures the noisy and the restored ones are, all of one shape and in the same units.

    Nothing is clipped here: integers lie within the range of their type, and fractions are taken as they are.

    Parameters
    ----------
    noisy, restored, clean : (H, W), (N, H, W), (H, W, C) or (N, H, W, C).
    """
    data_range = find_range(model, clean)
    before, after, truth = (to_pictures(x)[0] for x in (noisy, restored, clean))
    noisy_ssim = ssim_ = np.full(len(truth), np.nan)
    if has_ssim(truth):
        noisy_ssim, ssim_ = ssim(before, truth, data_range), ssim(after, truth, data_range)
    noisy_psnr, psnr_ = psnr(before, truth, data_range), psnr(after, truth, data_range)
    return Likeness(noisy_psnr, psnr_, noisy_ssim, ssim_, data_range, clean.dtype.kind != "f")


def likeness_table(names: Sequence[str], measured: Sequence[Likeness]) -> Table:
    """Return a table with a row per named picture, and the mean over all pictures below.

    Parameters
    ----------
    names : of the pictures; none for the mean alone.
    measured : the likeness of all of them, of any number of pictures each.
    """
    columns = [np.concatenate([piece[i] for piece in measured]) for i in range(4)]
    rows = [(name, *(_shown(i, column[row]) for i, column in enumerate(columns))) for row, name in enumerate(names)]
    mean = (f"mean of {len(columns[0]):,}", *(_shown(i, _mean(column)) for i, column in enumerate(columns)))
    ranges = " or ".join(sorted({f"{piece.data_range:g}" for piece in measured}))
    clipped = "noisy and restored values are clipped to it, being whole numbers of that range"
    rule = clipped if all(piece.clipped for piece in measured) else "nothing is clipped"
    return Table(
        "Likeness to the clean pictures",
        ("picture", "PSNR noisy", "PSNR restored", "SSIM noisy", "SSIM restored"),
        (*rows, mean),
        f"PSNR in dB over a range of {ranges}; {rule}. SSIM with a Gaussian window of {WINDOW}x{WINDOW}.",
    )


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _shown(column: int, value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.2f}" if column < 2 else f"{value:.4f}"
