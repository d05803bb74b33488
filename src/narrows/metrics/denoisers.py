"""The plain denoisers that a model is compared with, each with the settings that are tried.

A filter works on one picture (H, W, C) in model's units. It is told what a person could know of the damage: how strong
it is, and which values it writes. The simple ones need SciPy; the others scikit-image and PyWavelets, which
`pip install "narrows[baselines]"` brings.
"""

from __future__ import annotations

import importlib.util
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EXTRA = "narrows[baselines]"
Setting = Mapping[str, Any]
HIDDEN_SIDE = 3  # of the square around a pixel by which `find_hidden` decides


@dataclass(frozen=True)
class Noise:
    """What a filter is told of the damage.

    Attributes
    ----------
    std : the root of the mean squared change of a value, in model's units, after clipping.
    values : what values were replaced by: pepper and salt, or a mask's value; () for other damage. No filter is told
        which pixels were replaced.
    """

    std: float
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Filter:
    """A plain denoiser and the grid of its settings.

    Attributes
    ----------
    name : in tables.
    apply : (picture (H, W, C), noise, **setting) -> picture.
    grid : the values of every argument that are tried, in all combinations.
    needs : packages that it imports.
    impulse : whether it is made for damage that replaces values, and so left out for other damage.

    Examples
    --------
    >>> [describe(setting) for setting in FILTERS[0].settings()][:2]
    ['size 3, times 1', 'size 3, times 2']
    """

    name: str
    apply: Callable[..., np.ndarray]
    grid: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    impulse: bool = False

    def settings(self) -> Iterator[Setting]:
        """Yield all combinations of the grid."""
        for values in itertools.product(*self.grid.values()):
            yield dict(zip(self.grid, values, strict=True))

    @property
    def is_installed(self) -> bool:
        """Whether the packages that it needs are installed."""
        return all(importlib.util.find_spec(name) for name in self.needs)


def describe(setting: Setting) -> str:
    """Return a setting as text: names and values, of a text the value alone.

    Examples
    --------
    >>> describe({"wavelet": "haar", "std": 0.8})
    'haar, std 0.8'
    """
    return ", ".join(value if isinstance(value, str) else f"{name} {value}" for name, value in setting.items())


def median(picture: np.ndarray, noise: Noise, *, size: int, times: int) -> np.ndarray:
    """Return the median of the square of side `size` around every pixel, taken `times` times; needs SciPy."""
    from scipy.ndimage import median_filter

    for _ in range(times):
        picture = median_filter(picture, (size, size, 1), mode="nearest")
    return picture


def median_3x3(pictures: np.ndarray) -> np.ndarray:
    """Return pictures (N, C, H, W) through a 3x3 median filter, their edges repeated.

    What `median` makes with size 3, but in NumPy alone, since a page should need no SciPy.

    Examples
    --------
    >>> speck = np.zeros((1, 1, 5, 5))
    >>> speck[..., 2, 2] = 1.0
    >>> median_3x3(speck).max()
    np.float64(0.0)
    """
    padded = np.pad(pictures, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3)), axis=(-2, -1))


def gaussian(picture: np.ndarray, noise: Noise, *, std: float) -> np.ndarray:
    """Return the mean around every pixel, weighted by a Gaussian of `std` pixels."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(picture, (std, std, 0), mode="nearest")


def wiener(picture: np.ndarray, noise: Noise, *, size: int, power: float) -> np.ndarray:
    """Return the local Wiener filter (Lim, "Two-Dimensional Signal and Image Processing", 1990).

    `power` is the assumed variance of the noise over the true one.
    """
    from scipy.signal import wiener as filter_locally

    edge = size // 2
    padded = np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), mode="edge")  # SciPy takes zeros beyond the edge
    with np.errstate(divide="ignore", invalid="ignore"):  # squares without any variance, which it then replaces
        restored = filter_locally(padded, (size, size, 1), power * noise.std**2)
    return restored[edge:-edge, edge:-edge]


def total_variation(picture: np.ndarray, noise: Noise, *, weight: float) -> np.ndarray:
    """Return a picture close to `picture` with a small total variation (Chambolle, "An Algorithm for Total Variation
    Minimization and Applications", 2004); `weight` is over the noise's standard deviation.
    """
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(picture, weight * noise.std, channel_axis=-1)


def wavelet(picture: np.ndarray, noise: Noise, *, method: str, wavelet: str, std: float) -> np.ndarray:
    """Return the picture with its wavelet coefficients shrunk (Chang, Yu and Vetterli, "Adaptive Wavelet Thresholding",
    2000: BayesShrink; Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994: VisuShrink).

    `std` is the assumed standard deviation of the noise over the true one.
    """
    from skimage.restoration import denoise_wavelet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wavelets that are wider than a small picture
        return denoise_wavelet(picture, std * noise.std, wavelet, method=method, channel_axis=-1)


def nonlocal_means(picture: np.ndarray, noise: Noise, *, patch: int, distance: int, h: float, std: float) -> np.ndarray:
    """Return the mean of the pixels that have similar patches around them (Buades, Coll and Morel, "A Non-Local
    Algorithm for Image Denoising", 2005), in the fast form of Darbon et al., 2008.

    `h`, the distance at which patches count as similar, and `std`, the noise that is subtracted from distances, are
    over the noise's true standard deviation.
    """
    from skimage.restoration import denoise_nl_means

    strength = {"h": h * noise.std, "sigma": std * noise.std}
    grey = picture.shape[-1] == 1  # scikit-image would drop that axis
    pixels, axis = (picture[..., 0], None) if grey else (picture, -1)
    return denoise_nl_means(pixels, patch, distance, fast_mode=True, channel_axis=axis, **strength).reshape(
        picture.shape
    )


def adaptive_median(picture: np.ndarray, noise: Noise, *, size: int) -> np.ndarray:
    """Return the picture with its extreme pixels replaced by the median of a square that grows up to side `size`
    (Hwang and Haddad, "Adaptive Median Filters", 1995).
    """
    from scipy.ndimage import maximum_filter, median_filter, minimum_filter

    result, undecided = picture.copy(), np.ones(picture.shape, bool)
    for side in range(3, size + 1, 2):
        low, middle, high = (
            take(picture, (side, side, 1), mode="nearest") for take in (minimum_filter, median_filter, maximum_filter)
        )
        sound = undecided & (low < middle) & (middle < high)  # the median is no extreme itself
        result = np.where(sound & ((picture <= low) | (picture >= high)), middle, result)
        undecided &= ~sound
    return np.where(undecided, middle, result)


def closing(picture: np.ndarray, noise: Noise, *, size: int) -> np.ndarray:
    """Return the grey closing by a square of side `size`, which fills dark holes that are smaller (Serra, "Image
    Analysis and Mathematical Morphology", 1982).
    """
    from scipy.ndimage import grey_closing

    return grey_closing(picture, (size, size, 1), mode="nearest")


def mean_of_seen(picture: np.ndarray, noise: Noise, *, std: float, seen: int) -> np.ndarray:
    """Return the picture with hidden pixels replaced by the mean of seen ones, weighted by a Gaussian of `std` pixels
    (Knutsson and Westin, "Normalized and Differential Convolution", 1993); see `find_hidden` for `seen`.
    """
    from scipy.ndimage import gaussian_filter

    hidden = find_hidden(picture, noise, seen)
    weights, shown = (~hidden).astype(picture.dtype), np.where(hidden, 0, picture)
    total, weight = (gaussian_filter(x, (std, std, 0), mode="nearest") for x in (shown, weights))
    return np.where(hidden & (weight > 1e-6), total / np.maximum(weight, 1e-6), picture)


def inpainting(picture: np.ndarray, noise: Noise, *, seen: int) -> np.ndarray:
    """Return the picture with hidden pixels filled as smoothly as possible (biharmonic functions, Damelin and
    Hoang, "On Surface Completion and Image Inpainting by Biharmonic Functions", 2018); see `find_hidden` for `seen`.
    """
    from skimage.restoration import inpaint_biharmonic

    channels = []
    for channel in np.moveaxis(picture, -1, 0):
        hidden = find_hidden(channel[..., np.newaxis], noise, seen)[..., 0]
        known = hidden.any() and not hidden.all()
        channels.append(inpaint_biharmonic(channel, hidden) if known else channel)
    return np.stack(channels, -1)


def find_hidden(picture: np.ndarray, noise: Noise, seen: int) -> np.ndarray:
    """Return which pixels count as hidden: those with one of the noise's values, of whose eight neighbours at least
    `seen` have other values. Digits are black where nothing is hidden too, and no filter is told which pixels are.

    Examples
    --------
    >>> picture = np.zeros((1, 5, 1))
    >>> picture[0, 2] = 1.0
    >>> find_hidden(picture, Noise(0.5, values=(0.0,)), seen=1)[0, :, 0]
    array([False,  True, False,  True, False])
    """
    from scipy.ndimage import convolve

    suspect = np.isin(picture, np.asarray(noise.values, picture.dtype))
    others = convolve((~suspect).astype(np.int8), np.ones((HIDDEN_SIDE, HIDDEN_SIDE, 1), np.int8), mode="constant")
    return suspect & (others >= seen)


SKIMAGE, PYWT = "skimage", "pywt"
FILTERS = (
    Filter("median", median, {"size": (3, 5, 7), "times": (1, 2, 3)}),
    Filter("Gaussian", gaussian, {"std": (0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)}),
    Filter("Wiener", wiener, {"size": (3, 5, 7), "power": (0.5, 0.75, 1.0, 1.5, 2.0)}),
    Filter(
        "total variation", total_variation, {"weight": (0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)}, (SKIMAGE,)
    ),
    Filter(
        "wavelet",
        wavelet,
        {
            "method": ("BayesShrink", "VisuShrink"),
            "wavelet": ("haar", "db2", "sym4"),
            "std": (0.125, 0.25, 0.5, 0.75, 1.0, 1.5),
        },
        (SKIMAGE, PYWT),
    ),
    Filter(
        "non-local means",
        nonlocal_means,
        {"patch": (3, 5, 7), "distance": (5, 10), "h": (0.3, 0.45, 0.6, 0.8, 1.0, 1.3), "std": (0.0, 1.0)},
        (SKIMAGE,),
    ),
    Filter("adaptive median", adaptive_median, {"size": (3, 5, 7, 9)}, impulse=True),
    Filter("closing", closing, {"size": (2, 3, 4, 5)}, impulse=True),
    Filter(
        "mean of seen pixels", mean_of_seen, {"std": (0.5, 0.7, 1.0, 1.4), "seen": (0, 1, 2, 3, 4, 5)}, impulse=True
    ),
    Filter("inpainting", inpainting, {"seen": (1, 2, 3, 4, 5)}, (SKIMAGE,), impulse=True),
)
