"""One picture file at its full size: read with its own depth, and written back in its own format.

What is kept and what is not is told to users in docs/denoising.md, "Your files: what comes out".
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from narrows.data.image_formats import EXTENSIONS, GREY_MODES, is_deep, open_picture
from narrows.data.image_metadata import keywords_for_saving, read_metadata
from narrows.errors import DataError
from narrows.files import whole

# format -> the pixel modes (Pillow's names) that it can hold
CARRIES = {
    "PNG": ("L", "LA", "RGB", "RGBA", "I;16"),
    "TIFF": ("L", "LA", "RGB", "RGBA", "I;16"),
    "JPEG2000": ("L", "LA", "RGB", "RGBA", "I;16"),
    "PPM": ("L", "RGB", "I;16"),
    "JPEG": ("L", "RGB"),
    "BMP": ("L", "RGB"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("L", "RGB", "RGBA"),
}
# options without which a format's writer would lose more; JPEG and AVIF always lose a little
SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True},  # exact keeps the colours below full transparency
}
WRITTEN_AS = {"GIF": "PNG", "MPO": "JPEG"}  # GIF has only 256 colours; MPO is a JPEG with a second picture


@dataclass(frozen=True, eq=False)
class Original:
    """A picture as its file holds it, upright.

    Attributes
    ----------
    values : (H, W) or (H, W, 3), bytes, or uint16 where the file is 16-bit grey.
    alpha : (H, W) bytes, its transparency; None where it has none.
    format : that it is written in, a key of CARRIES.
    metadata : what its file says of it beside the pixels, as `read_metadata` returns it.
    """

    values: np.ndarray
    alpha: np.ndarray | None
    format: str
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        """The pixel mode, as Pillow names it.

        >>> Original(np.zeros((2, 3), np.uint8), None, "PNG").mode
        'L'
        """
        if self.values.dtype == np.uint16:
            return "I;16"
        return ("L" if self.values.ndim == 2 else "RGB") + ("" if self.alpha is None else "A")


def read_original(path: Path) -> Original:
    """Read a picture at its full size, upright by its EXIF orientation.

    Palettes become RGB, or grey where all colours in use are grey; pictures of one bit become bytes.

    Raises
    ------
    OSError, ValueError and what else Pillow's decoders raise, for a file that is broken or holds what cannot be
    written back: several pictures, 16 bits a colour, 32 bits, inks. `image_formats.reason_of` puts it in words.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.png"
    >>> Image.new("I;16", (9, 8)).save(path)
    >>> original = read_original(path)
    >>> original.values.shape, original.values.dtype, original.format
    ((8, 9), dtype('uint16'), 'PNG')
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures that it reads well
        with open_picture(path) as image:
            _check_restorable(image)
            image.load()
            try:
                ImageOps.exif_transpose(image, in_place=True)
            except (ValueError, TypeError, KeyError, SyntaxError, OSError):
                image.info.pop("exif", None)  # a picture with damaged metadata is still read
            values, alpha = _split(image)
            format_ = WRITTEN_AS.get(image.format or "", image.format or "")
            return Original(values, alpha, format_, read_metadata(image))


def write_original(
    path: Path, original: Original, values: np.ndarray, format_: str | None = None, overwrite: bool = False
) -> None:
    """Write `values` as `original` was written: its format, transparency and metadata; whole or not at all.

    Parameters
    ----------
    values : like `original.values`.
    format_ : another format, a key of CARRIES.

    Raises DataError where the file exists, cannot be written, or is of a format that cannot hold the depth.
    """
    format_ = format_ or original.format
    mode = carried_mode(original, format_)
    image = Image.fromarray(values)
    if mode.endswith("A") and original.alpha is not None:
        image.putalpha(Image.fromarray(original.alpha))
    if image.mode != mode:
        image = image.convert(mode)
    same_colours = ("RGB" in mode) == (original.values.ndim == 3)
    with whole(path, overwrite) as temporary:
        metadata = keywords_for_saving(original.metadata, format_, with_profile=same_colours)
        image.save(temporary, format_, **SAVING.get(format_, {}), **metadata)


def carried_mode(original: Original, format_: str) -> str:
    """Return the pixel mode in which a format holds a picture: its own, else grey as RGB, else without transparency.

    Raises DataError where the format has fewer bits.

    Examples
    --------
    >>> picture = Original(np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), "PNG")
    >>> carried_mode(picture, "TIFF"), carried_mode(picture, "JPEG"), carried_mode(picture, "WEBP")
    ('LA', 'L', 'RGBA')
    """
    own = original.mode
    coloured = own.replace("L", "RGB")
    for mode in (own, coloured, own.rstrip("A"), coloured.rstrip("A")):
        if mode in CARRIES[format_]:
            return mode
    raise DataError(f"{format_} holds 8 bits a value, however the picture has 16; give it the ending .png or .tif")


def find_format(path: Path) -> str:
    """Return the format, a key of CARRIES, that a file's ending names.

    Raises DataError for any other ending; .gif is one.

    Examples
    --------
    >>> find_format(Path("a.tif"))
    'TIFF'
    """
    Image.init()
    format_ = Image.registered_extensions().get(path.suffix.lower(), "")
    if format_ not in CARRIES or path.suffix.lower() not in EXTENSIONS:
        endings = ", ".join(sorted(EXTENSIONS - {".gif"}))
        raise DataError(f"{path} must end in one of {endings} to hold a restored picture, or be a folder")
    return format_


# Reading


def _check_restorable(image: Image.Image) -> None:
    """Raise a ValueError for a picture that could not be written back as it was."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise ValueError(f"it holds {frames} pictures; save each as a file of its own")
    if image.mode in ("I", "F") and not is_deep(image):
        raise ValueError("it has 32 bits a pixel; save it as an array, .npy")
    if image.mode not in (*GREY_MODES, "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr") and not is_deep(image):
        raise ValueError(f"its colours are {image.mode}, which are neither grey nor RGB; convert it to RGB")
    if not is_deep(image) and _stored_bits(image) > 8:
        raise ValueError("it has 16 bits a colour, of which 8 would be lost; save it as an array, .npy")


def _stored_bits(image: Image.Image) -> int:
    """Return 16 where the file has 16 bits a value, which the decoder would reduce to 8; else 8."""
    arguments = [text for tile in getattr(image, "tile", ()) for text in _flat(tile.args)]
    return 16 if any(isinstance(text, str) and ";16" in text for text in arguments) else 8


def _flat(arguments: Any) -> tuple[Any, ...]:
    return arguments if isinstance(arguments, tuple) else (arguments,)


def _split(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the values, (H, W) or (H, W, 3), and the transparency, (H, W) or None."""
    if is_deep(image):
        return np.asarray(image).astype(np.uint16), None
    grey = image.mode in GREY_MODES
    if image.has_transparency_data:
        *bands, alpha = image.convert("LA" if grey else "RGBA").split()
        values = np.stack([np.asarray(band) for band in bands], -1)
        return _as_grey(values, image.mode), np.asarray(alpha)
    values = np.asarray(image.convert("L" if grey else "RGB"))
    return _as_grey(values, image.mode), None


def _as_grey(values: np.ndarray, mode: str) -> np.ndarray:
    """Return (H, W) where there is one channel, or a palette of which only greys are in use; else `values`."""
    if values.ndim == 2:
        return values
    alike = values.shape[-1] == 1 or (mode in ("P", "PA") and bool((values == values[..., :1]).all()))
    return np.ascontiguousarray(values[..., 0]) if alike else values
