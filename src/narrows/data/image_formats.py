"""Which files are pictures, and what their headers say before any pixel is decoded."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from narrows.data.unreadable import one_line

# Only decoders that need no outside program: Pillow's EPS reader, for one, starts Ghostscript.
DECODERS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000")
EXTENSIONS = {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".avif", ".jp2"}
EXTENSIONS |= {".pbm", ".pgm", ".ppm", ".pnm"}
GREY_MODES = ("1", "L", "LA", "La")  # Pillow's names for grey pixels of at most 8 bits
ORIENTATION = 0x0112  # the EXIF tag


class Header(NamedTuple):
    """What is known of a picture before its pixels are decoded.

    Attributes
    ----------
    name : its path relative to the folder that is read.
    path : where it is.
    size : (H, W) once it is upright.
    grey : whether it has no colours.
    deep : whether it is grey with 16 bits.
    """

    name: str
    path: Path
    size: tuple[int, int]
    grey: bool
    deep: bool


def read_header(name: str, path: Path, skipped: dict[str, str]) -> Header | None:
    """Return what a picture's file says of it, or None where it cannot be read, with the reason in `skipped`."""
    try:
        with open_picture(path) as image:
            width, height = image.size
            # a quarter turn swaps the sides; Pillow gives a TIFF's size upright already
            turned = image.format != "TIFF" and read_orientation(image) >= 5
            size = (width, height) if turned else (height, width)
            return Header(name, path, size, image.mode in GREY_MODES or is_deep(image), is_deep(image))
    except Exception as error:  # Pillow's decoders raise about seven classes of error
        skipped[name] = reason_of(error)
        return None


def open_picture(path: Path) -> Image.Image:
    """Open a picture with one of DECODERS; raises OSError or ValueError for any other file."""
    if not path.is_file():  # to open a named pipe would wait for ever
        raise ValueError("it is no file, or a broken link")
    if path.stat().st_size == 0:
        raise ValueError("the file is empty")
    return Image.open(path, formats=DECODERS)


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or it is damaged.

    >>> read_orientation(Image.new("L", (2, 2)))
    1
    """
    try:
        value = Image.Image.getexif(image).get(ORIENTATION, 1)  # PNG's own getexif decodes all pixels first
    except Exception:  # a picture with damaged metadata is still read
        return 1
    return value if isinstance(value, int) else 1


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture is grey with 16 bits.

    >>> is_deep(Image.new("I;16", (2, 2))), is_deep(Image.new("L", (2, 2)))
    (True, False)
    """
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def reason_of(error: Exception) -> str:
    """Return in one line why a picture cannot be decoded, without the path that the decoder may name.

    >>> reason_of(UnidentifiedImageError("cannot identify image file '/home/a.png'"))
    'it is no picture of a known format'
    """
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels, as a decompression bomb would"
    return one_line(error)
