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
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from narrows.data.images import EXTENSIONS, GREY_MODES, is_deep, open_picture
from narrows.errors import DataError
from narrows.files import whole

# format -> the kinds of pixels that it holds without loss of depth or transparency
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
# formats whose writer loses something unless it is told; JPEG and AVIF always lose a little
SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True},  # exact keeps the colours below full transparency
}
WRITTEN_AS = {"GIF": "PNG", "MPO": "JPEG"}  # 256 colours would undo the work; MPO is a JPEG with a second picture
LOSSLESS_TIFF = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits")
EXIF, GPS, EXIF_WIDTH, EXIF_HEIGHT, XMP_TAG = 0x8769, 0x8825, 0xA002, 0xA003, 700
TEXT_TAGS = (270, 271, 272, 282, 283, 296, 305, 306, 315, 33432)  # description, device, resolution, software, author
# position, IPTC, Photoshop's and the places on earth of GeoTIFF and GDAL
TIFF_TAGS = (*TEXT_TAGS, 286, 287, XMP_TAG, 33723, 34377, 33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)


@dataclass(frozen=True, eq=False)
class Original:
    """A picture as its file holds it, upright.

    Attributes
    ----------
    values : (H, W) or (H, W, 3), bytes, or uint16 where the file is 16-bit grey.
    alpha : (H, W) bytes, its transparency; None where it has none.
    format : the format that it is written in, a key of CARRIES.
    about : what is saved beside the pixels, by names that Pillow's writers know.
    """

    values: np.ndarray
    alpha: np.ndarray | None
    format: str
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        """The kind of its pixels, as Pillow names it.

        >>> Original(np.zeros((2, 3), np.uint8), None, "PNG").mode
        'L'
        """
        if self.values.dtype == np.uint16:
            return "I;16"
        return ("L" if self.values.ndim == 2 else "RGB") + ("" if self.alpha is None else "A")


def read_original(path: Path) -> Original:
    """Read a picture at its full size, upright by its EXIF orientation.

    Palettes become RGB, or grey where all of theirs are; one bit becomes bytes.

    Raises
    ------
    OSError, ValueError and what else Pillow's decoders raise, for a file that is broken or holds what cannot be
    written back: several pictures, 16 bits a colour, 32 bits, inks. `data.pictures.reason_of` puts it in words.

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
                image.info.pop("exif", None)  # damaged metadata do not make a damaged picture
            values, alpha = _split(image)
            format_ = WRITTEN_AS.get(image.format or "", image.format or "")
            return Original(values, alpha, format_, _metadata(image))


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
    with whole(path, overwrite) as temporary:
        image.save(temporary, format_, **_keywords(original, format_, mode))


def carried_mode(original: Original, format_: str) -> str:
    """Return the kind of pixels that a format holds of a picture: its own, or without transparency, or grey as RGB.

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
    """Return the format that a file's ending names; GIF is none to write.

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
    """Raise a ValueError for a picture that would not come back as it was."""
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
    """Return 16 where the decoder would reduce such values to bytes, else 8."""
    arguments = [text for tile in getattr(image, "tile", ()) for text in _flat(tile.args)]
    return 16 if any(isinstance(text, str) and ";16" in text for text in arguments) else 8


def _flat(arguments: Any) -> tuple[Any, ...]:
    return arguments if isinstance(arguments, tuple) else (arguments,)


def _split(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the values and the transparency."""
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
    """Return (H, W) where there is one channel, or a palette all of whose colours in use are grey."""
    if values.ndim == 2:
        return values
    alike = values.shape[-1] == 1 or (mode in ("P", "PA") and bool((values == values[..., :1]).all()))
    return np.ascontiguousarray(values[..., 0]) if alike else values


# Metadata


def _metadata(image: Image.Image) -> dict[str, Any]:
    """Return what is saved beside the pixels; what is damaged is left out."""
    about: dict[str, Any] = {}
    for key in ("icc_profile", "xmp", "dpi", "comment"):
        if image.info.get(key):
            about[key] = image.info[key]
    try:
        if image.format == "TIFF":
            about |= _tiff_metadata(image)
        else:
            about["exif"] = _exif(image)
        about["text"] = dict(getattr(image, "text", {}))
    except Exception:  # a damaged tag raises nearly anything, and does not make a damaged picture
        about.pop("tags", None)
    return {key: value for key, value in about.items() if value}


def _exif(image: Image.Image) -> bytes:
    """Return the picture's EXIF without orientation and thumbnail, which is the noisy picture; its size corrected."""
    exif = image.getexif()
    exif.pop(0x0112, None)
    if not len(exif):
        return b""
    camera = exif.get_ifd(EXIF)
    if EXIF_WIDTH in camera:
        camera |= {EXIF_WIDTH: image.width, EXIF_HEIGHT: image.height}
        exif[EXIF] = camera
    return exif.tobytes()


def _tiff_metadata(image: Any) -> dict[str, Any]:
    """Return the tags that say something of the picture rather than of how its bytes lie, and its compression."""
    tags, exif, source = ImageFileDirectory_v2(), Image.Exif(), image.tag_v2
    for tag in TIFF_TAGS:
        if tag in source:
            tags[tag] = source[tag]
            tags.tagtype[tag] = source.tagtype[tag]
    for tag in TEXT_TAGS:
        if tag in source:
            exif[tag] = source[tag]
    for tag in (EXIF, GPS):
        if directory := image.getexif().get_ifd(tag):
            tags[tag] = exif[tag] = directory
    own = image.info.get("compression")
    compression = own if own in LOSSLESS_TIFF else "tiff_adobe_deflate"
    return {"tags": tags, "exif": exif.tobytes() if len(exif) else b"", "compression": compression}


def _keywords(original: Original, format_: str, mode: str) -> dict[str, Any]:
    """Return what Pillow's writer of a format is told."""
    about = original.about
    keywords = SAVING.get(format_, {}) | {k: about[k] for k in ("exif", "xmp", "dpi", "comment") if k in about}
    if "icc_profile" in about and ("RGB" in mode) == (original.values.ndim == 3):
        keywords["icc_profile"] = about["icc_profile"]
    if format_ == "TIFF":
        keywords["compression"] = about.get("compression", "tiff_adobe_deflate")
        if "tags" in about:
            keywords["tiffinfo"] = about["tags"]
            keywords.pop("dpi", None)  # the tags have it with its unit
    if format_ == "PNG":
        keywords["pnginfo"] = _png_texts(about)
    return keywords


def _png_texts(about: dict[str, Any]) -> PngInfo:
    texts = PngInfo()
    for key, value in about.get("text", {}).items():
        if not key.startswith(("XML:com.adobe.xmp", "Raw profile type")):  # both are metadata that were read
            texts.add_itxt(key, value)
    if "xmp" in about:
        xmp = about["xmp"]
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else xmp)
    return texts
