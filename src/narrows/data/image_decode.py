"""One picture file becomes an array of the size, colour and depth of a plan, upright."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from narrows.data.image_formats import GREY_MODES, is_deep, open_picture, read_orientation
from narrows.data.image_plan import Plan

UPRIGHT = {  # EXIF orientation -> what turns the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(path: Path, plan: Plan) -> np.ndarray:
    """Return a picture as (H, W, channels) in the plan's size, colour and depth.

    Raises
    ------
    OSError, ValueError and what else Pillow's decoders raise, if the file is broken or has 32 bits a pixel.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.png"
    >>> Image.new("L", (90, 80)).save(path)
    >>> decode(path, Plan((28, 28), "crop", "grey", 8)).shape
    (28, 28, 1)
    """
    with open_picture(path) as image:
        side = 2 * max(plan.size)
        image.draft(None, (side, side))  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves twice the pixels
        image.load()
        orientation = read_orientation(image)
        flat = _flatten(image)
    if orientation in UPRIGHT:
        flat = flat.transpose(UPRIGHT[orientation])
    return _as_values(_resize(flat, plan.size, plan.fit), plan)


def _flatten(image: Image.Image) -> Image.Image:
    """Return the picture in Pillow's mode "L", "RGB" (over white where it is transparent), or "F" if it has 16 bits."""
    if is_deep(image):
        return image.convert("I").convert("F")
    if image.mode in ("I", "F"):
        raise ValueError("it has 32 bits a pixel; save it as an array, .npy")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("L" if image.mode in GREY_MODES else "RGB")


def _resize(image: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    """Return the picture in `size` (H, W)."""
    (width, height), (target_height, target_width) = image.size, size
    if (width, height) == (target_width, target_height):
        return image
    if fit == "pad":
        return _pad(image, size)
    box = (0.0, 0.0, float(width), float(height))
    if fit == "crop":
        scale = min(width / target_width, height / target_height)
        left, top = (width - scale * target_width) / 2, (height - scale * target_height) / 2
        box = (max(left, 0.0), max(top, 0.0), min(width - left, width), min(height - top, height))
    return _scale(image, (target_width, target_height), box)


def _pad(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(size[1] / image.width, size[0] / image.height)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    padded = Image.new(image.mode, (size[1], size[0]))
    padded.paste(_scale(image, (width, height), None), ((size[1] - width) // 2, (size[0] - height) // 2))
    return padded


def _scale(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None) -> Image.Image:
    """Return the part `box` of the picture (all of it for None) in `size` (W, H)."""
    # with reducing_gap a large reduction averages whole blocks of pixels first, which is fast
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def _as_values(image: Image.Image, plan: Plan) -> np.ndarray:
    """Return (H, W, channels); where the depth differs, the full range is mapped to the full range."""
    if image.mode == "F":
        values = np.asarray(image).clip(0, 65535)[..., np.newaxis]
        values = np.rint(values if plan.depth == 16 else values / 257).astype(plan.dtype)
        return np.repeat(values, plan.channels, axis=-1)
    values = np.asarray(image.convert("L" if plan.channels == 1 else "RGB"))
    values = values.reshape(*values.shape[:2], plan.channels)
    return values.astype(plan.dtype) * 257 if plan.depth == 16 else values
