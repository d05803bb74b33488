"""One picture becomes an array of the size, colour and depth of a plan, upright."""

from __future__ import annotations

import numpy as np
from PIL import Image

from narrows.data.image_plan import Plan
from narrows.data.image_source import PictureFile, Pixels, depth_of

FULL = {8: 255, 16: 65535}  # the largest value of whole numbers of a depth


def decode(file: PictureFile, page: int, plan: Plan) -> np.ndarray:
    """Return a page as (H, W, channels) in the plan's size, colour and depth.

    Raises
    ------
    OSError, ValueError and what else decoders raise, if the file is broken, or has fractions and the plan has none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from narrows.data.image_open import open_file
    >>> path = Path(tempfile.mkdtemp()) / "a.png"
    >>> Image.new("L", (90, 80)).save(path)
    >>> with open_file(path) as file:
    ...     decode(file, 0, Plan((28, 28), "crop", "grey", 8)).shape
    (28, 28, 1)
    """
    flat = _over_white(file.read(page, 2 * max(plan.size)))
    values = flat[..., np.newaxis] if flat.ndim == 2 else flat
    return _as_planned(_resize(values, plan.size, plan.fit), plan)


def _over_white(pixels: Pixels) -> np.ndarray:
    """Return the values, over white where they are transparent; those of fractions without a white stay."""
    values, alpha = pixels.values, pixels.alpha
    if alpha is None or not pixels.covers or values.dtype not in (np.uint8, np.uint16):
        return values
    if values.dtype == np.uint16:
        share = alpha / 65535 if values.ndim == 2 else alpha[..., np.newaxis] / 65535
        return np.rint(values * share + 65535 * (1 - share)).astype(np.uint16)
    grey = values.ndim == 2
    image = Image.fromarray(np.stack([values] * 3, -1) if grey else values)
    image.putalpha(Image.fromarray(alpha))
    flat = np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image))
    return flat[..., 0] if grey else flat[..., :3]


def _resize(values: np.ndarray, size: tuple[int, int], fit: str) -> np.ndarray:
    """Return a picture (H, W, channels) in `size` (H, W)."""
    (height, width), (target_height, target_width) = values.shape[:2], size
    if (height, width) == size:
        return values
    if fit == "pad":
        return _pad(values, size)
    box = (0.0, 0.0, float(width), float(height))
    if fit == "crop":
        scale = min(width / target_width, height / target_height)
        left, top = (width - scale * target_width) / 2, (height - scale * target_height) / 2
        box = (max(left, 0.0), max(top, 0.0), min(width - left, width), min(height - top, height))
    return _scale(values, size, box)


def _pad(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    scale = min(size[1] / values.shape[1], size[0] / values.shape[0])
    height, width = max(1, round(values.shape[0] * scale)), max(1, round(values.shape[1] * scale))
    padded = np.zeros((*size, values.shape[2]), values.dtype)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    padded[top : top + height, left : left + width] = _scale(values, (height, width), None)
    return padded


def _scale(values: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float] | None) -> np.ndarray:
    """Return the part `box` of the picture (all of it for None) in `size` (H, W)."""

    def scaled(image: Image.Image) -> np.ndarray:
        # with reducing_gap a large reduction averages whole blocks of pixels first, which is fast
        return np.asarray(image.resize(size[::-1], Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))

    if values.dtype == np.uint8:
        grey = values.shape[-1] == 1
        return scaled(Image.fromarray(values[..., 0] if grey else values)).reshape(*size, -1)
    low, high = values.min(), values.max()  # the filter would go beyond them at edges
    planes = [scaled(Image.fromarray(plane.astype(np.float32))) for plane in np.moveaxis(values, -1, 0)]
    resized = np.stack(planes, -1).clip(float(low), float(high))
    return np.rint(resized).astype(values.dtype) if values.dtype.kind in "iu" else resized.astype(values.dtype)


def _as_planned(values: np.ndarray, plan: Plan) -> np.ndarray:
    """Return (H, W, channels) in the depth and colour of the plan."""
    own, channels = depth_of(values.dtype), values.shape[-1]
    if plan.depth in FULL and own not in FULL:
        raise ValueError(f"it holds {values.dtype} values, however: the model learned {plan.depth}-bit pictures")
    if own in FULL and plan.depth in FULL and own != plan.depth:  # the full range is mapped to the full range
        scaled = values.astype(plan.dtype) * 257 if own == 8 else np.rint(values / 257)
        values = scaled
    if plan.channels < channels:
        values = _grey(values)
    return np.repeat(values, plan.channels // values.shape[-1], axis=-1).astype(plan.dtype, copy=False)


def _grey(values: np.ndarray) -> np.ndarray:
    """Return (H, W, 1) from RGB, with Pillow's weights."""
    if values.dtype == np.uint8:
        return np.asarray(Image.fromarray(values).convert("L"))[..., np.newaxis]
    grey = values @ np.array([0.299, 0.587, 0.114])
    return (np.rint(grey).astype(values.dtype) if values.dtype.kind in "iu" else grey)[..., np.newaxis]
