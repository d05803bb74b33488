"""How alike two pictures are: PSNR and SSIM, of each picture by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from narrows.errors import DataError
from narrows.tasks.units import CHUNK_VALUES

WINDOW_STD, WINDOW_RADIUS = 1.5, 5  # of SSIM's Gaussian window, in pixels
WINDOW = 2 * WINDOW_RADIUS + 1  # its side; smaller pictures have no SSIM
K1, K2 = 0.01, 0.03  # of SSIM's constants, in data ranges
Measure = Callable[[Tensor, Tensor], Tensor]  # two batches (n, C, H, W) -> (n,)


def psnr(restored: np.ndarray, clean: np.ndarray, data_range: float = 1.0) -> np.ndarray:
    """Return the peak signal-to-noise ratio of every picture in dB, 10 log10(data_range² / MSE), float64 (N,).

    Infinite where both are equal.

    Parameters
    ----------
    restored, clean : (N, C, H, W), in the same units.
    data_range : the difference of the largest and the smallest value that the data can have; 1 in model's units.

    Raises DataError for arrays of different shapes, or of other dimensions.

    Examples
    --------
    >>> psnr(np.array([[[[0, 255]]]]), np.array([[[[0, 245]]]]), 255).round(2)
    array([31.14])
    """
    with np.errstate(divide="ignore"):
        return 10 * np.log10(data_range**2 / _means(_squared_error, restored, clean))


def ssim(restored: np.ndarray, clean: np.ndarray, data_range: float = 1.0) -> np.ndarray:
    """Return the structural similarity of every picture, float64 (N,); 1 where both are equal.

    That of Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural
    Similarity", 2004: a Gaussian window of 11x11 pixels and standard deviation 1.5, population variances, K1 = 0.01 and
    K2 = 0.03; the mean over all windows within the picture, and over its channels.

    Parameters
    ----------
    restored, clean : (N, C, H, W), in the same units, 11 pixels and more on each side.
    data_range : the difference of the largest and the smallest value that the data can have; 1 in model's units.

    Raises DataError for arrays of different shapes or of other dimensions, and for smaller pictures.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 1, 12, 12))
    >>> ssim(x, x)
    array([1., 1.])
    """
    if not has_ssim(clean):
        raise DataError(f"SSIM needs pictures of {WINDOW}x{WINDOW} and more, however: the shape is {np.shape(clean)}")
    return _means(partial(_ssim, data_range=data_range), restored, clean, 2 * WINDOW_RADIUS)


def has_ssim(pictures: np.ndarray) -> bool:
    """Return whether pictures (N, C, H, W) are as large as SSIM's window.

    Examples
    --------
    >>> has_ssim(np.zeros((2, 1, 11, 40))), has_ssim(np.zeros((2, 1, 10, 40)))
    (True, False)
    """
    return min(np.shape(pictures)[2:], default=0) >= WINDOW


def _means(measure: Measure, restored: np.ndarray, clean: np.ndarray, overlap: int = 0) -> np.ndarray:
    """Return a measure of every picture, float64 (N,), with CHUNK_VALUES values in float64 at once.

    A larger picture is measured in strips of rows, and its measure is their mean, weighted by their heights. Strips
    share `overlap` rows, so that every window of a measure lies in one strip.
    """
    if np.shape(restored) != np.shape(clean) or np.ndim(clean) != 4:
        shapes = f"{np.shape(restored)} and {np.shape(clean)}"
        raise DataError(f"pictures are compared as arrays (N, C, H, W) of one shape, however: these are {shapes}")
    _, channels, height, width = np.shape(clean)
    count = max(1, CHUNK_VALUES // max(channels * height * width, 1))
    rows = max(1, CHUNK_VALUES // max(channels * width, 1))
    means = np.zeros(len(clean))
    for first in range(0, len(clean), count):
        for top in range(0, height - overlap, rows):
            part = np.s_[first : first + count, :, top : top + rows + overlap]
            a, b = (torch.from_numpy(np.array(x[part], np.float64)) for x in (restored, clean))
            share = (a.shape[2] - overlap) / (height - overlap)
            means[first : first + count] += share * measure(a, b).numpy()
    return means


def _squared_error(restored: Tensor, clean: Tensor) -> Tensor:
    return (restored - clean).square().flatten(1).mean(1)


def _ssim(restored: Tensor, clean: Tensor, data_range: float) -> Tensor:
    offsets = torch.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1, dtype=torch.float64)
    window = torch.exp(-(offsets**2) / (2 * WINDOW_STD**2))
    window /= window.sum()

    def mean(x: Tensor) -> Tensor:
        planes = x.flatten(0, 1).unsqueeze(1)
        return conv2d(conv2d(planes, window.view(1, 1, 1, -1)), window.view(1, 1, -1, 1))

    a, b = mean(restored), mean(clean)
    a_variance, b_variance = mean(restored**2) - a**2, mean(clean**2) - b**2
    covariance = mean(restored * clean) - a * b
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    alike = (2 * a * b + c1) * (2 * covariance + c2) / ((a**2 + b**2 + c1) * (a_variance + b_variance + c2))
    return alike.unflatten(0, restored.shape[:2]).flatten(1).mean(1)
