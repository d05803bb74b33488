"""Files of pictures that Pillow decodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from narrows.data.image_deep import read_deep, stored_deep
from narrows.data.image_formats import GREY_MODES, is_deep, open_picture, read_orientation
from narrows.data.image_metadata import read_metadata
from narrows.data.image_source import Facts, PictureFile, Pixels, check_finite

# in the others, Pillow's frames are something else than pictures of their own: layers, sizes
OF_FRAMES = ("TIFF", "GIF", "PNG", "WEBP", "AVIF", "MPO", "DCX", "FLI", "HEIF")


class PillowFile(PictureFile):
    """A file that Pillow decodes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.image: Any = open_picture(path)
        self.format = self.image.format or ""
        try:
            self.frames = self._find_frames()
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Return the number of frames that are pictures of their own."""
        return len(self.frames)

    def facts(self, page: int) -> Facts:
        """Return what is known of a frame before it is decoded; that a GIF is grey shows only in its pixels."""
        image = self._seek(page)
        width, height = image.size
        # a quarter turn swaps the sides; Pillow gives a TIFF's size upright already
        turned = image.format != "TIFF" and read_orientation(image) >= 5
        size = (width, height) if turned else (height, width)
        grey = image.mode in GREY_MODES or is_deep(image) or image.mode in ("I", "F")
        return Facts(size, grey, self._depth())

    def read(self, page: int, least_side: int | None = None) -> Pixels:
        """Return a frame as it is shown, in Pillow's colours."""
        image = self._seek(page)
        if stored_deep(image):
            return read_deep(image)
        if least_side is not None:
            image.draft(None, (least_side, least_side))  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
        image.load()
        try:
            ImageOps.exif_transpose(image, in_place=True)
        except (ValueError, TypeError, KeyError, SyntaxError, OSError):
            image.info.pop("exif", None)  # a picture with damaged metadata is still read
        return _split(image)

    def check_restorable(self, page: int) -> None:
        """Raise a ValueError for colours that would not come back."""
        image = self._seek(page)
        known = (*GREY_MODES, "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "I", "F")
        if image.mode not in known and not is_deep(image):
            raise ValueError(f"its colours are {image.mode}, which are neither grey nor RGB; convert it to RGB")

    def metadata(self, page: int) -> dict[str, Any]:
        """Return the metadata of a frame, and its duration in an animation."""
        metadata = read_metadata(self._seek(page))
        if len(self) > 1 and self.format != "TIFF":
            about = {"duration": self.image.info.get("duration"), "loop": self.image.info.get("loop")}
            metadata |= {key: value for key, value in about.items() if value is not None}
        return metadata

    def close(self) -> None:
        """Close the file."""
        self.image.close()

    def _seek(self, page: int) -> Any:
        if self.image.tell() > self.frames[page] and len(self.frames) > 1:
            self.image.close()  # not all formats rewind to the same pixels
            self.image = open_picture(self.path)
        if len(self.frames) > 1 and self.image.tell() != self.frames[page]:
            self.image.seek(self.frames[page])
        return self.image

    def _find_frames(self) -> list[int]:
        """Return the frames that are pictures: a camera's previews and gain maps are smaller than the first."""
        count = getattr(self.image, "n_frames", 1) if self.format in OF_FRAMES else 1
        if self.format != "MPO":
            return list(range(count))
        sizes = []
        for frame in range(count):
            self.image.seek(frame)
            sizes.append(self.image.size)
        self.image.seek(0)
        return [frame for frame, size in enumerate(sizes) if size == sizes[0]]

    def _depth(self) -> int:
        if is_deep(self.image) or stored_deep(self.image):
            return 16
        return {"F": 32, "I": 64}.get(self.image.mode, 8)


def _split(image: Image.Image) -> Pixels:
    """Return the values and the transparency of a decoded picture."""
    if is_deep(image):
        return Pixels(np.asarray(image).astype(np.uint16))
    if image.mode in ("I", "F"):
        values = np.array(image)
        check_finite(values)
        return Pixels(values)
    grey = image.mode in GREY_MODES
    if image.has_transparency_data:
        *bands, alpha = image.convert("LA" if grey else "RGBA").split()
        values = np.stack([np.asarray(band) for band in bands], -1)
        return Pixels(_as_grey(values, image), np.asarray(alpha))
    values = np.asarray(image.convert("L" if grey else "RGB"))
    return Pixels(_as_grey(values, image))


def _as_grey(values: np.ndarray, image: Image.Image) -> np.ndarray:
    """Return (H, W) where there is one channel, or a palette of which only greys are in use; else `values`."""
    if values.ndim == 2:
        return values
    palette = image.mode in ("P", "PA") or image.format == "GIF"  # Pillow shows a GIF's later frames as RGB
    alike = values.shape[-1] == 1 or (palette and bool((values == values[..., :1]).all()))
    return np.ascontiguousarray(values[..., 0]) if alike else values
