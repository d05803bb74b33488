"""TIFF files of the values that Pillow does not write: fractions, wide integers, colours of 16 bits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.image_formats import IMAGES_EXTRA
from narrows.data.image_metadata import without_shape
from narrows.data.image_source import Pixels

MAKER, MODEL, ARTIST, XMP, COPYRIGHT = 271, 272, 315, 700, 33432
# beside these: page name and position, IPTC, Photoshop, the coordinates of GeoTIFF and GDAL, ImageJ's and OME's own
COPIED = (
    *(MAKER, MODEL, 285, 286, 287, ARTIST, XMP, COPYRIGHT, 33723, 34377, 33550, 33922, 34264, 34735, 34736, 34737),
    *(42112, 42113, 50838, 50839),
)
DESCRIPTION, X_RESOLUTION, Y_RESOLUTION, UNIT, SOFTWARE, DATE, PROFILE = 270, 282, 283, 296, 305, 306, 34675
WITHOUT_EXTRA = ("NONE", "ADOBE_DEFLATE", "DEFLATE")  # compressions that tifffile writes by itself
LOSSLESS = (*WITHOUT_EXTRA, "LZW", "PACKBITS", "LZMA", "ZSTD")


def write_tiff(path: Path, pages: Sequence[Pixels], metadata: Sequence[dict[str, Any]]) -> None:
    """Write a TIFF of pages with the depth, tags and, where it can be written, the compression of their originals.

    Parameters
    ----------
    pages : their pixels.
    metadata : of each, as `PictureFile.metadata` returns it; without `page` for one of another format.
    """
    import tifffile

    first = metadata[0]
    large = sum(pixels.values.nbytes for pixels in pages) > 2**32 - 2**25
    with tifffile.TiffWriter(path, bigtiff=first.get("big", False) or large, byteorder=first.get("order")) as writer:
        for pixels, about in zip(pages, metadata, strict=True):
            values, keywords = _arranged(pixels)
            writer.write(values, contiguous=False, metadata=None, **keywords, **_described(about))


def compression_of(tags: Any) -> str:
    """Return the compression to write what `tags` describes with: its own where that is lossless and can be written."""
    name = getattr(tags.compression, "name", "")
    known = LOSSLESS if _has_extra() else WITHOUT_EXTRA
    return name if name in known else "ADOBE_DEFLATE"


def note_on_packing(tags: Any) -> str | None:
    """Return a line where a page of packed bits, 12 for one, is written with 16; None where it is written as it is."""
    if tags.bitspersample in (8, 16, 32, 64) or tags.sampleformat != 1 or _has_extra():
        return None
    return f"{tags.bitspersample} bits a value are written as 16, of the same values; {IMAGES_EXTRA} packs them"


def _has_extra() -> bool:
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        return False
    return True


def _arranged(pixels: Pixels) -> tuple[np.ndarray, dict[str, Any]]:
    """Return values with the transparency beside them, and how they are arranged."""
    values, coloured = pixels.values, pixels.values.ndim == 3
    keywords: dict[str, Any] = {"photometric": "rgb" if coloured else "minisblack"}
    if pixels.alpha is None:
        return values, keywords
    planes = values if coloured else values[..., np.newaxis]
    keywords |= {"planarconfig": "contig", "extrasamples": ["unassalpha" if pixels.covers else "unspecified"]}
    return np.concatenate([planes, pixels.alpha[..., np.newaxis]], -1), keywords


def _described(about: dict[str, Any]) -> dict[str, Any]:
    """Return keywords for what a page says of itself; of a picture of another format, its colour profile."""
    page = about.get("page")
    if page is None:
        profile = about.get("icc_profile")
        return {"compression": "ADOBE_DEFLATE", "software": False} | ({"iccprofile": profile} if profile else {})
    tags = page.tags
    keywords: dict[str, Any] = {"compression": compression_of(page), "software": _text(tags, SOFTWARE) or False}
    if page.predictor != 1 and keywords["compression"] in ("ADOBE_DEFLATE", "DEFLATE", "LZW", "ZSTD") and _has_extra():
        keywords["predictor"] = True
    if page.photometric == 0:
        keywords["photometric"] = "miniswhite"
    if page.bitspersample not in (8, 16, 32, 64) and page.sampleformat == 1 and _has_extra():
        keywords["bitspersample"] = page.bitspersample
    if page.is_tiled:
        keywords["tile"] = (page.tilelength, page.tilewidth)
    if (text := _text(tags, DESCRIPTION)) is not None:
        keywords["description"] = without_shape(text.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )
    if X_RESOLUTION in tags and Y_RESOLUTION in tags:
        keywords["resolution"] = (tags[X_RESOLUTION].value, tags[Y_RESOLUTION].value)
        keywords["resolutionunit"] = int(tags[UNIT].value) if UNIT in tags else 2
    if PROFILE in tags:
        keywords["iccprofile"] = tags[PROFILE].value
    if (date := _text(tags, DATE)) is not None and len(date) == 19:
        keywords["datetime"] = date.decode("ascii", "replace")
    keywords["extratags"] = [
        (code, int(tags[code].dtype), tags[code].count, tags[code].value, True) for code in COPIED if code in tags
    ]
    return keywords


def _text(tags: Any, code: int) -> bytes | None:
    """Return the text of a tag as bytes, since tifffile takes no text beyond ASCII; None where there is none."""
    if code not in tags:
        return None
    value = tags[code].value
    return value if isinstance(value, bytes) else str(value).encode("utf-8")
