"""Picture files at their full size: pages read with their own depth, and written back in the file's own format.

What is kept and what is not is told to users in docs/denoising.md, "Your files: what comes out".
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from narrows.data.image_deep import write_deep
from narrows.data.image_formats import EXTENSIONS, HEIF, register_heif
from narrows.data.image_metadata import keywords_for_saving
from narrows.data.image_open import open_file
from narrows.data.image_source import PictureFile, Pixels
from narrows.data.image_tiff_write import note_on_packing, write_tiff
from narrows.errors import DataError
from narrows.files import whole

DEEP = ("LA;16", "RGB;16", "RGBA;16")  # the modes that Pillow has no name for
PLAIN = ("L", "LA", "RGB", "RGBA", "I;16")  # those that it writes to any format
# format -> the pixel modes (Pillow's names, DEEP, "F" for float32, "other" for wide integers and other fractions)
CARRIES = {
    "PNG": (*PLAIN, *DEEP),
    "TIFF": (*PLAIN, *DEEP, "F", "other"),
    "JPEG2000": PLAIN,
    "PPM": ("L", "RGB", "I;16", "F"),
    "JPEG": ("L", "RGB"),
    "MPO": ("L", "RGB"),
    "BMP": ("L", "RGB"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("L", "RGB", "RGBA"),
    "GIF": ("L", "RGB"),
    "TGA": ("L", "LA", "RGB", "RGBA"),
    "PCX": ("L", "RGB"),
    "SGI": ("L", "RGB", "RGBA"),
    "HEIF": ("L", "RGB", "RGBA"),
}
# options without which a format's writer would lose more; JPEG, AVIF and HEIF always lose a little
SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "MPO": {"quality": 95, "subsampling": 0},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIF": {"quality": 95},
    "WEBP": {"lossless": True, "exact": True},  # exact keeps the colours below full transparency
}
ANIMATED = ("GIF", "PNG", "WEBP", "AVIF", "MPO", "HEIF")  # and TIFF hold several pictures


@dataclass(frozen=True, eq=False)
class Original:
    """A picture as its file holds it, upright.

    Attributes
    ----------
    values : (H, W) or (H, W, 3), of the type that the file has.
    alpha : (H, W) of that type, its transparency; None where it has none.
    format : that it is written in, a key of CARRIES.
    metadata : what its file says of it beside the pixels, as `PictureFile.metadata` returns it.
    covers : whether `alpha` is transparency, and no plane of another kind.
    """

    values: np.ndarray
    alpha: np.ndarray | None
    format: str
    metadata: dict[str, Any] = field(default_factory=dict)
    covers: bool = True

    @property
    def mode(self) -> str:
        """The pixel mode, as Pillow names it, or one of DEEP, or "other".

        >>> Original(np.zeros((2, 3), np.uint8), None, "PNG").mode
        'L'
        """
        dtype, name = self.values.dtype, "L" if self.values.ndim == 2 else "RGB"
        name += "" if self.alpha is None else "A"
        if dtype == np.uint8:
            return name
        if dtype == np.uint16:
            return "I;16" if name == "L" else f"{name};16"
        return "F" if dtype == np.float32 and name == "L" else "other"


def count_pages(path: Path) -> int:
    """Return the number of pictures in a file, 1 where it cannot be read."""
    try:
        with open_file(path) as file:
            return len(file)
    except Exception:  # what is wrong is said where the file is read
        return 1


def read_original(path: Path, page: int = 0) -> Original:
    """Read a page of a picture file at its full size, upright by its EXIF orientation.

    Palettes become RGB, or grey where all colours in use are grey; pictures of one bit become bytes.

    Raises
    ------
    OSError, ValueError and what else decoders raise, for a file that is broken or holds what cannot be written back:
    inks, NaN. `image_formats.reason_of` puts it in words.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.png"
    >>> Image.new("I;16", (9, 8)).save(path)
    >>> original = read_original(path)
    >>> original.values.shape, original.values.dtype, original.format
    ((8, 9), dtype('uint16'), 'PNG')
    """
    with open_file(path) as file:
        return read_page(file, page)


def read_page(file: PictureFile, page: int) -> Original:
    """Read a page of an open file, as `read_original` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as when the file is opened
        file.check_restorable(page)
        values, alpha, covers = file.read(page)
        return Original(values, alpha, _written_as(file.format, len(file)), file.metadata(page), covers)


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
    write_pages(path, [original], [values], format_, overwrite)


def write_pages(
    path: Path,
    originals: Sequence[Original],
    values: Sequence[np.ndarray],
    format_: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write several pictures to one file, each as `write_original` writes it."""
    format_ = format_ or originals[0].format
    modes = [carried_mode(original, format_, len(originals)) for original in originals]
    pages = [_as_read(original, page) for original, page in zip(originals, values, strict=True)]
    with whole(path, overwrite) as temporary:
        plain = all(original.metadata.get("plain", True) for original in originals)
        if format_ == "TIFF" and not (plain and all(mode in PLAIN for mode in modes)):
            write_tiff(temporary, pages, [original.metadata for original in originals])
        elif modes[0] in DEEP:
            write_deep(temporary, pages[0].values, pages[0].alpha, **_keywords(originals[0], format_, modes[0]))
        else:
            images = [_image(page, mode) for page, mode in zip(pages, modes, strict=True)]
            saving = [_keywords(original, format_, mode) for original, mode in zip(originals, modes, strict=True)]
            _save(temporary, images, format_, saving)


def carried_mode(original: Original, format_: str, count: int = 1) -> str:
    """Return the pixel mode in which a format holds a picture: its own, else grey as RGB, else without transparency.

    Parameters
    ----------
    count : the pictures that the file is to hold.

    Raises DataError where the format has fewer bits, or holds fewer pictures.

    Examples
    --------
    >>> picture = Original(np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), "PNG")
    >>> carried_mode(picture, "TIFF"), carried_mode(picture, "JPEG"), carried_mode(picture, "WEBP")
    ('LA', 'L', 'RGBA')
    """
    own = original.mode
    if count > 1 and (format_ not in (*ANIMATED, "TIFF") or (format_ == "PNG" and own in DEEP)):
        raise DataError(f"{format_} holds one picture, however the file has {count}; give it the ending .tif")
    grey = own in ("L", "LA", "LA;16", "I;16")
    coloured = own.replace("I;16", "L;16").replace("L", "RGB") if grey else own
    for mode in (own, coloured, own.replace("A", ""), coloured.replace("A", "")):
        mode = "I;16" if mode == "L;16" else mode
        if mode in CARRIES[format_]:
            return mode
    if own in ("F", "other"):
        raise DataError(f"{format_} holds no {original.values.dtype} values; give it the ending .tif")
    raise DataError(f"{format_} holds 8 bits a value, however the picture has 16; give it the ending .png or .tif")


def notes_on_writing(original: Original, format_: str) -> list[str]:
    """Return lines on what of a picture is written otherwise: more bits, fewer colours.

    >>> notes_on_writing(Original(np.zeros((2, 3), np.uint8), None, "PNG"), "PNG")
    []
    """
    notes = []
    if format_ == "GIF" and original.values.ndim == 3:
        notes.append("a GIF has 256 colours a frame, to the nearest of which the restored ones are brought")
    if "page" in original.metadata and format_ == "TIFF" and (packing := note_on_packing(original.metadata["page"])):
        notes.append(packing)
    return notes


def find_format(path: Path) -> str:
    """Return the format, a key of CARRIES, that a file's ending names.

    Raises DataError for any other ending; .gif is one.

    Examples
    --------
    >>> find_format(Path("a.tif"))
    'TIFF'
    """
    format_ = _format_of(path.suffix)
    if format_ not in CARRIES or format_ in ("GIF", "MPO"):
        endings = ", ".join(sorted(ending for ending in EXTENSIONS if _format_of(ending) in {*CARRIES} - {"GIF"}))
        raise DataError(f"{path} must end in one of {endings} to hold a restored picture, or be a folder")
    return format_


def written_ending(path: Path, pages: int) -> str:
    """Return the ending of the restored file of `path`: its own, or .png where its format is not written.

    >>> written_ending(Path("a.tif"), 5), written_ending(Path("a.gif"), 1), written_ending(Path("a.gif"), 4)
    ('.tif', '.png', '.gif')
    """
    format_ = _format_of(path.suffix)
    return path.suffix if _written_as(format_, pages) == format_ or format_ == "" else ".png"


# Formats


def _format_of(ending: str) -> str:
    """Return the format of an ending, "" where it is not that of a picture."""
    ending = ending.lower()
    if ending not in EXTENSIONS:
        return ""
    if ending in HEIF:
        return "HEIF"
    if ending in (".btf", ".tf8"):
        return "TIFF"
    Image.init()
    return Image.registered_extensions().get(ending, "")


def _written_as(format_: str, pages: int) -> str:
    """Return the format in which a file of `format_` is written: a single GIF, of 256 colours, becomes a PNG."""
    if format_ == "MPO" and pages == 1:
        return "JPEG"
    if format_ not in CARRIES or (format_ == "GIF" and pages == 1):
        return "PNG"
    return format_


# Writing


def _as_read(original: Original, values: np.ndarray) -> Pixels:
    """Return restored values in the original's type, rounded and clamped where it has whole numbers."""
    dtype = original.values.dtype
    if values.dtype != dtype and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.rint(values).clip(limits.min, limits.max)
        values = np.where(values >= limits.max, limits.max, values.astype(dtype))  # 2**32 - 1 is no float32
    return Pixels(values.astype(dtype, copy=False), original.alpha, original.covers)


def _image(pixels: Pixels, mode: str) -> Image.Image:
    image = Image.fromarray(pixels.values)
    if mode.endswith("A") and pixels.alpha is not None:
        image.putalpha(Image.fromarray(pixels.alpha))
    return image if image.mode == mode else image.convert(mode)


def _keywords(original: Original, format_: str, mode: str) -> dict[str, Any]:
    same_colours = ("RGB" in mode) == (original.values.ndim == 3)
    keywords = keywords_for_saving(original.metadata, format_, with_profile=same_colours)
    if format_ == "TIFF" and original.metadata.get("big"):
        keywords["big_tiff"] = True
    return SAVING.get(format_, {}) | keywords


def _save(path: Path, images: list[Image.Image], format_: str, saving: list[dict[str, Any]]) -> None:
    if format_ == "HEIF":
        register_heif()
    first, *rest = images
    if not rest:
        first.save(path, format_, **saving[0])
    elif format_ == "TIFF":
        with TiffImagePlugin.AppendingTiffWriter(str(path), new=True) as writer:
            for image, keywords in zip(images, saving, strict=True):
                image.save(writer, "TIFF", **keywords)
                writer.newFrame()
    else:
        keywords = saving[0]
        if "duration" in keywords:
            keywords["duration"] = [each.get("duration", 0) for each in saving]
        if format_ == "GIF":
            keywords["disposal"] = 2
        first.save(path, format_, save_all=True, append_images=rest, **keywords)
