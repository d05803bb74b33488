"""How near restored pictures are to clean ones, before and after the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from narrows.data.layout import to_pictures
from narrows.metrics.evaluate import Table
from narrows.modelfile import Model
from narrows.tasks.units import FULL

WINDOW = 11  # pixels of SSIM's window


class Likeness(NamedTuple):
    """Likeness of pictures, each (N,), before and after the model.

    Attributes
    ----------
    noisy_psnr, psnr : in dB.
    noisy_ssim, ssim : NaN for pictures that are smaller than its window.
    data_range : what PSNR was taken over.
    clipped : whether noisy and restored values lie within it, as whole numbers do.
    """

    noisy_psnr: np.ndarray
    psnr: np.ndarray
    noisy_ssim: np.ndarray
    ssim: np.ndarray
    data_range: float
    clipped: bool


def measure(model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray) -> Likeness:
    """Return how near noisy and restored pictures are to the clean ones, all of one shape and in the same units.

    Nothing is clipped here: whole numbers lie within the range of their type, and fractions are taken as they are.

    Parameters
    ----------
    noisy, restored, clean : (H, W), (N, H, W), (H, W, C) or (N, H, W, C).
    """
    from narrows.metrics.psnr_ssim import psnr, ssim

    data_range = find_range(model, clean)
    before, after, truth = (to_pictures(x)[0] for x in (noisy, restored, clean))
    noisy_ssim = ssim_ = np.full(len(truth), np.nan)
    if min(truth.shape[2:]) >= WINDOW:
        noisy_ssim, ssim_ = ssim(before, truth, data_range), ssim(after, truth, data_range)
    near = psnr(before, truth, data_range), psnr(after, truth, data_range)
    return Likeness(near[0], near[1], noisy_ssim, ssim_, data_range, clean.dtype.kind != "f")


def find_range(model: Model, x: np.ndarray) -> float:
    """Return the distance from the darkest to the brightest that data like `x` can be: the model's, or their type's.

    Data without such ends have their own: the distance from their least to their largest value.
    """
    if model.network.scaling.limits is not None and x.dtype.name == model.card.dtype:
        return float(model.network.scaling.scale.max())
    return FULL.get(x.dtype.name) or float(np.ptp(x)) or 1.0


def likeness_table(names: Sequence[str], figures: Sequence[Likeness]) -> Table:
    """Return a row per name, and the mean over pictures below.

    Parameters
    ----------
    names : of the pictures; none for the mean alone.
    figures : of all of them, in any pieces.
    """
    columns = [np.concatenate([piece[i] for piece in figures]) for i in range(4)]
    rows = [(name, *(_shown(i, column[row]) for i, column in enumerate(columns))) for row, name in enumerate(names)]
    mean = (f"mean of {len(columns[0]):,}", *(_shown(i, _mean(column)) for i, column in enumerate(columns)))
    ranges = " or ".join(sorted({f"{piece.data_range:g}" for piece in figures}))
    clipped = "noisy and restored values are clipped to it, being whole numbers of that range"
    rule = clipped if all(piece.clipped for piece in figures) else "nothing is clipped"
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
