"""The metadata of a picture file, read and given to Pillow's writers again."""

from __future__ import annotations

import json
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from narrows.data.image_formats import ORIENTATION

DESCRIPTION = 270
LOSSLESS_TIFF = ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits")
EXIF, GPS, EXIF_WIDTH, EXIF_HEIGHT, XMP_TAG = 0x8769, 0x8825, 0xA002, 0xA003, 700
TEXT_TAGS = (270, 271, 272, 282, 283, 296, 305, 306, 315, 33432)  # description, device, resolution, software, author
# page position, XMP, IPTC, Photoshop, and the coordinates of GeoTIFF and GDAL
TIFF_TAGS = (*TEXT_TAGS, 286, 287, XMP_TAG, 33723, 34377, 33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)


def read_metadata(image: Image.Image) -> dict[str, Any]:
    """Return what a picture's file says of it beside the pixels; what is damaged is left out.

    Returns
    -------
    The metadata by the names of Pillow's keywords for saving, and `tags` and `compression` (TIFF) and `text` (PNG).

    Examples
    --------
    >>> read_metadata(Image.new("L", (2, 2)))
    {}
    """
    metadata: dict[str, Any] = {}
    for key in ("icc_profile", "xmp", "dpi", "comment"):
        if image.info.get(key):
            metadata[key] = image.info[key]
    try:
        if image.format == "TIFF":
            metadata |= _tiff_metadata(image)
        else:
            metadata["exif"] = _exif(image)
        metadata["text"] = dict(getattr(image, "text", {}))
    except Exception:  # a damaged tag raises nearly anything; the picture is still read
        metadata.pop("tags", None)
    return {key: value for key, value in metadata.items() if value}


def keywords_for_saving(metadata: dict[str, Any], format_: str, with_profile: bool = True) -> dict[str, Any]:
    """Return metadata as keyword arguments of Pillow's `Image.save`.

    Parameters
    ----------
    metadata : as `read_metadata` returns it.
    format_ : that the picture is written in.
    with_profile : False leaves the colour profile out, which does not suit a picture that changed to RGB.

    Examples
    --------
    >>> keywords_for_saving({"dpi": (300, 300), "icc_profile": b"..."}, "JPEG", with_profile=False)
    {'dpi': (300, 300)}
    """
    keywords: dict[str, Any] = {key: metadata[key] for key in ("exif", "xmp", "dpi", "comment") if key in metadata}
    if "icc_profile" in metadata and with_profile:
        keywords["icc_profile"] = metadata["icc_profile"]
    if format_ in ("GIF", "PNG", "WEBP", "AVIF"):
        keywords |= {key: metadata[key] for key in ("duration", "loop") if key in metadata}
    if format_ == "TIFF":
        keywords["compression"] = metadata.get("compression", "tiff_adobe_deflate")
        if "tags" in metadata:
            keywords["tiffinfo"] = metadata["tags"]
            keywords.pop("dpi", None)  # the tags have the resolution, with its unit
        if _has_directories(metadata):
            keywords["compression"] = "raw"  # Pillow writes no directories of EXIF beside a compression
    if format_ == "PNG":
        keywords["pnginfo"] = _png_texts(metadata)
    return keywords


def _has_directories(metadata: dict[str, Any]) -> bool:
    """Return whether the EXIF of a picture holds the directories of a camera or of a place."""
    exif = Image.Exif()
    exif.load(metadata.get("exif", b""))
    return any(tag in exif or tag in metadata.get("tags", ()) for tag in (EXIF, GPS))


def without_shape(description: str) -> str:
    """Return a TIFF's description without the shape that tifffile notes there, which holds for one array in one piece.

    Examples
    --------
    >>> without_shape('{"shape": [3, 6, 7], "axes": "ZYX"}'), without_shape("a cell")
    ('{"axes": "ZYX"}', 'a cell')
    """
    if not description.startswith('{"shape":'):
        return description
    try:
        about = json.loads(description)
    except ValueError:
        return description
    del about["shape"]
    return json.dumps(about) if about else ""


def _exif(image: Image.Image) -> bytes:
    """Return the EXIF with the upright size, without orientation and the thumbnail of the unrestored picture."""
    exif = image.getexif()
    exif.pop(ORIENTATION, None)
    if not len(exif):
        return b""
    camera = exif.get_ifd(EXIF)
    if EXIF_WIDTH in camera:
        camera |= {EXIF_WIDTH: image.width, EXIF_HEIGHT: image.height}
        exif[EXIF] = camera
    return exif.tobytes()


def _tiff_metadata(image: Any) -> dict[str, Any]:
    """Return the tags that describe the picture, not the arrangement of its bytes; the EXIF; and the compression."""
    tags, exif, source = ImageFileDirectory_v2(), Image.Exif(), image.tag_v2
    for tag in TIFF_TAGS:
        if tag in source:
            tags[tag] = source[tag]
            tags.tagtype[tag] = source.tagtype[tag]
    if DESCRIPTION in tags:
        tags[DESCRIPTION] = without_shape(str(tags[DESCRIPTION]))
    for tag in TEXT_TAGS:
        if tag in source:
            exif[tag] = source[tag]
    for tag in (EXIF, GPS):
        if directory := image.getexif().get_ifd(tag):
            tags[tag] = exif[tag] = directory
    own = image.info.get("compression")
    compression = own if own in LOSSLESS_TIFF else "tiff_adobe_deflate"
    return {"tags": tags, "exif": exif.tobytes() if len(exif) else b"", "compression": compression}


def _png_texts(metadata: dict[str, Any]) -> PngInfo:
    texts = PngInfo()
    for key, value in metadata.get("text", {}).items():
        if not key.startswith(("XML:com.adobe.xmp", "Raw profile type")):  # XMP and EXIF are saved separately
            texts.add_itxt(key, value)
    if "xmp" in metadata:
        xmp = metadata["xmp"]
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else xmp)
    return texts
