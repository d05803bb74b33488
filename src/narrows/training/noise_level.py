"""How noisy pictures are, estimated from the pictures alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

NORMAL_MEDIAN = 0.6745  # the median of |N(0, 1)|
MASK_NORM = 6.0  # the root of the sum of squares of the mask's weights


def estimate_noise(pictures: Iterable[np.ndarray]) -> float:
    """Return the standard deviation of the noise in `pictures` (..., H, W), in their units: the median over them.

    The second differences along both axes hold little of a picture but its edges (Immerkaer, "Fast Noise Variance
    Estimation", 1996); the median of their absolute values is hardly changed by those (Donoho and Johnstone, "Ideal
    Spatial Adaptation by Wavelet Shrinkage", 1994). Fine texture counts as noise; noise that is equal in neighbouring
    pixels does not. Pictures of less than 3x3 pixels are left out; without others the result is 0.

    Examples
    --------
    >>> noisy = np.linspace(0, 1, 64) + np.random.default_rng(0).normal(0, 0.1, (5, 64, 64))
    >>> round(estimate_noise(noisy), 2)
    0.1
    """
    levels = [_level(picture) for picture in pictures if min(picture.shape[-2:]) >= 3]
    return float(np.median(levels)) if levels else 0.0


def _level(picture: np.ndarray) -> float:
    x = picture.astype(np.float64)
    down = x[..., :-2, :] - 2 * x[..., 1:-1, :] + x[..., 2:, :]
    both = down[..., :-2] - 2 * down[..., 1:-1] + down[..., 2:]
    return float(np.median(np.abs(both))) / (NORMAL_MEDIAN * MASK_NORM)
