"""TIFF files: their pages, and the pixels that Pillow does not decode in full."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.image_formats import IMAGES_EXTRA, check_file
from narrows.data.image_pillow import PillowFile
from narrows.data.image_source import Facts, PictureFile, Pixels, check_finite, depth_of

GREY, RGB, PALETTE = (0, 1), 2, 3  # photometric interpretations
REDUCED, MASK = 1, 4  # bits of the tag that says what kind of subfile a page is
TRANSPARENCY = (1, 2)  # of the kinds of an extra sample
PLANAR = 2
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else it prints its warnings


class TiffFile(PictureFile):
    """A TIFF; its thumbnails, masks and pictures of lower resolution are no pages.

    Plain pages, of at most 8 bits a value or grey with 16, are decoded by Pillow, all others by tifffile.
    """

    format = "TIFF"

    def __init__(self, path: Path) -> None:
        import tifffile

        check_file(path)
        self.path = path
        self.tiff = tifffile.TiffFile(path)
        self.pillow: PillowFile | None = None
        self.plain: dict[int, bool] = {}
        try:
            pages: list[Any] = [self.tiff.pages[i] for i in range(len(self.tiff.pages))]
            self.pages = [page for page in pages if not page.subfiletype & (REDUCED | MASK)] or pages
            if not pages:
                raise ValueError("it holds no page")
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Return the number of pages at full resolution."""
        return len(self.pages)

    def facts(self, page: int) -> Facts:
        """Return what the tags say of a page."""
        tags = self.pages[page]
        self._check_pages()
        if self._is_plain(page):
            return self._by_pillow().facts(tags.index)
        size = (tags.imagelength, tags.imagewidth)
        grey = tags.photometric in GREY and tags.samplesperpixel < 3
        return Facts(size[::-1] if _orientation(tags) >= 5 else size, grey, depth_of(_dtype(tags)))

    def read(self, page: int, least_side: int | None = None) -> Pixels:
        """Return the pixels of a page, in its own type where it is not plain."""
        tags = self.pages[page]
        if self._is_plain(page):
            return self._by_pillow().read(tags.index)
        _check_colours(tags)
        values = self._decode(tags)
        check_finite(values)
        colours = 3 if values.shape[-1] >= 3 else 1
        extra = [values[..., i] for i in range(colours, values.shape[-1])]
        values = values[..., :3] if colours == 3 else values[..., 0]
        covers = tags.extrasamples[:1] in [(kind,) for kind in TRANSPARENCY]
        return Pixels(np.ascontiguousarray(values), extra[0].copy() if extra else None, covers)

    def check_restorable(self, page: int) -> None:
        """Raise a ValueError for colours that would not come back."""
        self._check_pages()
        if self._is_plain(page):
            self._by_pillow().check_restorable(self.pages[page].index)
        else:
            _check_colours(self.pages[page])

    def metadata(self, page: int) -> dict[str, Any]:
        """Return the metadata that Pillow reads where it opens the page, and how the file holds it."""
        tags = self.pages[page]
        plain = self._is_plain(page)
        about = {"page": tags, "plain": plain, "big": self.tiff.is_bigtiff, "order": self.tiff.byteorder}
        return (self._by_pillow().metadata(tags.index) if plain else {}) | about

    def close(self) -> None:
        """Close the file."""
        self.tiff.close()
        if self.pillow is not None:
            self.pillow.close()

    def _by_pillow(self) -> PillowFile:
        if self.pillow is None:
            self.pillow = PillowFile(self.path)
        return self.pillow

    def _is_plain(self, page: int) -> bool:
        """Return whether Pillow decodes a page in full, and knows its arrangement."""
        if page not in self.plain:
            try:
                self.plain[page] = is_plain(self.pages[page])
                if self.plain[page]:
                    self._by_pillow().facts(self.pages[page].index)
            except Exception:  # tifffile may know it
                self.plain[page] = False
        return self.plain[page]

    def _decode(self, tags: Any) -> np.ndarray:
        """Return (H, W, samples), upright."""
        end = self.tiff.filehandle.size
        if any(start + count > end for start, count in zip(tags.dataoffsets, tags.databytecounts, strict=True)):
            raise ValueError("the file is truncated")
        try:
            values = tags.asarray()
        except Exception as error:
            if "imagecodecs" not in str(error):
                raise
            return self._decode_without(tags)
        if tags.planarconfig == PLANAR and tags.samplesperpixel > 1:
            values = np.moveaxis(values, 0, -1)
        return _upright(values.reshape(tags.imagelength, tags.imagewidth, -1), _orientation(tags))

    def _decode_without(self, tags: Any) -> np.ndarray:
        """Return (H, W, 1) of a page that tifffile cannot decode here: Pillow has codecs of its own."""
        try:
            pixels = self._by_pillow().read(tags.index)
        except Exception:
            pixels = None
        if pixels is None or pixels.values.dtype.itemsize * 8 < _bits(tags) or pixels.values.ndim > 2:
            name = getattr(tags.compression, "name", tags.compression)
            packed = f"{name} compression of {_bits(tags)} bits"
            raise ValueError(f"{packed} needs a decoder that is not installed: {IMAGES_EXTRA}")
        return pixels.values[..., np.newaxis]

    def _check_pages(self) -> None:
        """Raise a ValueError where the pictures lie behind one page, as ImageJ writes stacks of over 4 GB."""
        about = self.tiff.imagej_metadata if self.tiff.is_imagej else None
        count = int(about.get("images", 1)) if isinstance(about, dict) else 1
        if count > 1 and len(self.tiff.pages) == 1:
            raise ValueError(f"its {count} pictures lie behind one page; save it as BigTIFF, with a page for each")


def is_plain(tags: Any) -> bool:
    """Return whether a page has at most 8 bits a value, or is grey with 16, as Pillow decodes in full."""
    if tags.sampleformat != 1 or _bits(tags) > 16:
        return False
    if _bits(tags) > 8:
        return _bits(tags) == 16 and tags.samplesperpixel == 1 and tags.photometric == 1
    return tags.samplesperpixel <= 4


def _bits(tags: Any) -> int:
    """Return the bits a value, the most where samples differ."""
    return max(tags.bitspersample) if isinstance(tags.bitspersample, tuple) else tags.bitspersample


def _check_colours(tags: Any) -> None:
    if tags.imagedepth > 1:
        raise ValueError(f"it is a volume of {tags.imagedepth} slices; save each as a page of its own")
    name = getattr(tags.photometric, "name", tags.photometric)
    if tags.photometric not in (*GREY, RGB):
        raise ValueError(f"its colours are {name}, which are neither grey nor RGB; convert it to RGB")
    if tags.samplesperpixel > 4:
        raise ValueError(
            f"it has {tags.samplesperpixel} values a pixel, which are neither grey nor RGB; save each as a page of "
            f"its own, or all as an array, .npy"
        )


def _dtype(tags: Any) -> np.dtype:
    if tags.dtype is None:
        raise ValueError(f"its pixels have {_bits(tags)} bits, which is not read; save it with 8, 16 or 32")
    return np.dtype(tags.dtype)


def _orientation(tags: Any) -> int:
    tag = tags.tags.get(274)
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


def _upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Return (H, W, samples) upright by its EXIF orientation.

    >>> _upright(np.array([[[1], [2]]]), 6)[..., 0].tolist()
    [[1], [2]]
    """
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
