"""The plain denoisers that stand beside a model, each with the settings that it is tried with.

A filter works on one picture (H, W, C) in model's units and is told of the damage what a person could know: how strong
it is, and which values it writes. SciPy does the simple ones; scikit-image and PyWavelets, which
`pip install "narrows[baselines]"` brings, do the others.
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
NEIGHBOURS = 3  # the side of the square in which a hidden pixel is told from one that is truly so


@dataclass(frozen=True)
class Noise:
    """What a filter is told of the damage.

    Attributes
    ----------
    std : the root of the mean squared change of a value, in model's units, as it is after clipping.
    values : what stands in the place of values that were replaced: pepper and salt, or what hides a pixel. Which
        pixels are hit is told to nobody.
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
    grid : the values of every argument that are tried, all combinations of them.
    needs : packages that it stands on.
    impulse : whether it is made for damage that replaces values, and is left out for other damage.

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
    def at_hand(self) -> bool:
        """Whether the packages that it needs are installed."""
        return all(importlib.util.find_spec(name) for name in self.needs)


def describe(setting: Setting) -> str:
    """Return a setting in words.

    Examples
    --------
    >>> describe({"wavelet": "haar", "std": 0.8})
    'haar, std 0.8'
    """
    return ", ".join(value if isinstance(value, str) else f"{name} {value}" for name, value in setting.items())


def median(picture: np.ndarray, noise: Noise, *, size: int, times: int) -> np.ndarray:
    """Return the median of the square of side `size` round every pixel, applied `times` times."""
    from scipy.ndimage import median_filter

    for _ in range(times):
        picture = median_filter(picture, (size, size, 1), mode="nearest")
    return picture


def gaussian(picture: np.ndarray, noise: Noise, *, std: float) -> np.ndarray:
    """Return the mean round every pixel, weighted by a Gaussian of `std` pixels."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(picture, (std, std, 0), mode="nearest")


def wiener(picture: np.ndarray, noise: Noise, *, size: int, power: float) -> np.ndarray:
    """Return the local Wiener filter (Lim, "Two-Dimensional Signal and Image Processing", 1990).

    `power` is that of the noise, in units of its true one.
    """
    from scipy.signal import wiener as filter_locally

    edge = size // 2
    padded = np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), mode="edge")  # it takes all beyond for black
    with np.errstate(divide="ignore", invalid="ignore"):  # places without any variance, which it then replaces
        restored = filter_locally(padded, (size, size, 1), power * noise.std**2)
    return restored[edge:-edge, edge:-edge]


def total_variation(picture: np.ndarray, noise: Noise, *, weight: float) -> np.ndarray:
    """Return the picture of least total variation that is near (Chambolle, "An Algorithm for Total Variation
    Minimization and Applications", 2004); `weight` is in units of the noise's standard deviation.
    """
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(picture, weight * noise.std, channel_axis=-1)


def wavelet(picture: np.ndarray, noise: Noise, *, method: str, wavelet: str, std: float) -> np.ndarray:
    """Return the picture with its wavelet coefficients shrunk (Chang, Yu and Vetterli, "Adaptive Wavelet Thresholding",
    2000: BayesShrink; Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", 1994: VisuShrink).

    `std` is in units of the noise's own.
    """
    from skimage.restoration import denoise_wavelet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that wavelets reach over the edge of a small picture
        return denoise_wavelet(picture, std * noise.std, wavelet, method=method, channel_axis=-1)


def nonlocal_means(picture: np.ndarray, noise: Noise, *, patch: int, distance: int, h: float, std: float) -> np.ndarray:
    """Return the mean of the pixels with alike patches round them (Buades, Coll and Morel, "A Non-Local Algorithm for
    Image Denoising", 2005), in the fast form of Darbon et al., 2008.

    `h`, how alike, and `std`, what is subtracted for the noise, are in units of the noise's standard deviation.
    """
    from skimage.restoration import denoise_nl_means

    strength = {"h": h * noise.std, "sigma": std * noise.std}
    grey = picture.shape[-1] == 1  # it would drop that axis
    seen, axis = (picture[..., 0], None) if grey else (picture, -1)
    return denoise_nl_means(seen, patch, distance, fast_mode=True, channel_axis=axis, **strength).reshape(picture.shape)


def adaptive_median(picture: np.ndarray, noise: Noise, *, size: int) -> np.ndarray:
    """Return the picture with its extreme pixels replaced by the median of a square that grows up to side `size`
    (Hwang and Haddad, "Adaptive Median Filters", 1995).
    """
    from scipy.ndimage import maximum_filter, median_filter, minimum_filter

    result, open_ = picture.copy(), np.ones(picture.shape, bool)
    for side in range(3, size + 1, 2):
        low, middle, high = (
            take(picture, (side, side, 1), mode="nearest") for take in (minimum_filter, median_filter, maximum_filter)
        )
        sound = open_ & (low < middle) & (middle < high)  # the median is no impulse itself
        result = np.where(sound & ((picture <= low) | (picture >= high)), middle, result)
        open_ &= ~sound
    return np.where(open_, middle, result)


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
    """Return the picture with hidden pixels filled as smoothly as a bent plate (biharmonic functions, Damelin and
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
    """Return which pixels are taken to be replaced: those with one of the noise's values of whose eight neighbours
    at least `seen` have others. Digits are black where nothing is hidden, and no filter is told which pixels are.

    Examples
    --------
    >>> picture = np.zeros((1, 5, 1))
    >>> picture[0, 2] = 1.0
    >>> find_hidden(picture, Noise(0.5, values=(0.0,)), seen=1)[0, :, 0]
    array([False,  True, False,  True, False])
    """
    from scipy.ndimage import convolve

    suspect = np.isin(picture, np.asarray(noise.values, picture.dtype))
    others = convolve((~suspect).astype(np.int8), np.ones((NEIGHBOURS, NEIGHBOURS, 1), np.int8), mode="constant")
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
