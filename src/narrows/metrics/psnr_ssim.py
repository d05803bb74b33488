"""How alike pictures are: the two measures of denoising, one definition each.

A figure of many pictures is the mean of their own figures.
"""

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
LEAST_SIDE = 2 * WINDOW_RADIUS + 1  # of a picture that has an SSIM
K1, K2 = 0.01, 0.03  # of SSIM's constants, in data ranges
Measure = Callable[[Tensor, Tensor], Tensor]


def psnr(restored: np.ndarray, clean: np.ndarray, data_range: float = 1.0) -> np.ndarray:
    """Return the peak signal-to-noise ratio of every picture in dB, 10 log10(data_range² / MSE), float64 (N,).

    Infinite where both are equal.

    Parameters
    ----------
    restored, clean : (N, C, H, W), in the same units.
    data_range : the distance from the darkest to the brightest that the data can be; 1 in model's units.

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
    data_range : the distance from the darkest to the brightest that the data can be; 1 in model's units.

    Raises DataError for arrays of different shapes or of other dimensions, and for smaller pictures.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 1, 12, 12))
    >>> ssim(x, x)
    array([1., 1.])
    """
    if min(np.shape(clean)[2:], default=0) < LEAST_SIDE:
        raise DataError(f"SSIM needs pictures of 11x11 and more, however: the shape is {np.shape(clean)}")
    return _means(partial(_ssim, data_range=data_range), restored, clean, 2 * WINDOW_RADIUS)


def _means(measure: Measure, restored: np.ndarray, clean: np.ndarray, overlap: int = 0) -> np.ndarray:
    """Return the mean of a measure over every picture, (N,), in the memory that some small pictures take.

    A large picture goes through in strips of rows that share `overlap` rows, which a window reads beyond its first.
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
            place = np.s_[first : first + count, :, top : top + rows + overlap]
            a, b = (torch.from_numpy(np.array(x[place], np.float64)) for x in (restored, clean))
            share = (a.shape[2] - overlap) / (height - overlap)
            means[first : first + count] += share * measure(a, b).numpy()
    return means


def _squared_error(restored: Tensor, clean: Tensor) -> Tensor:
    return (restored - clean).square().flatten(1).mean(1)


def _ssim(restored: Tensor, clean: Tensor, data_range: float) -> Tensor:
    places = torch.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1, dtype=torch.float64)
    window = torch.exp(-(places**2) / (2 * WINDOW_STD**2))
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
