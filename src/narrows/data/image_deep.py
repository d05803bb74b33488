"""PNG files of 16 bits a colour, of which Pillow keeps 8.

Pillow undoes the compression, and then drops every second byte. Read once for the upper bytes and once for the lower
ones, nothing is lost. For writing, it makes a file of 8 bits with all metadata, whose pixels are then replaced.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from narrows.data.image_source import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's numbers for grey, grey with alpha, RGB, RGB with alpha


def stored_deep(image: Any) -> bool:
    """Return whether an image that Pillow has opened is a PNG of 16 bits a colour, or grey with transparency.

    >>> stored_deep(Image.new("RGB", (2, 2)))
    False
    """
    return image.format == "PNG" and any(tile.args in ("RGB;16B", "RGBA;16B", "LA;16B") for tile in image.tile)


def read_deep(image: Any) -> Pixels:
    """Return the pixels of a PNG that Pillow has opened and not decoded, uint16."""
    with_alpha, path, own = image.mode == "RGBA", image.filename, image.tile[0].args
    if own == "LA;16B":  # four bytes a pixel, as RGBA has
        pair = _decode(path, "RGBA").astype(np.uint16)
        values = pair[..., ::2] * 256 + pair[..., 1::2]
    else:
        upper, lower = (_decode(path, own[:-1] + order).astype(np.uint16) for order in "BL")
        values = upper * 256 + lower
    image.load()  # the texts behind the pixels
    if with_alpha:
        return Pixels(
            np.ascontiguousarray(values[..., :-1].squeeze(-1) if own == "LA;16B" else values[..., :-1]),
            np.ascontiguousarray(values[..., -1]),
        )
    return Pixels(values)


def write_deep(path: Path, values: np.ndarray, alpha: np.ndarray | None = None, **metadata: Any) -> None:
    """Write a PNG of 16 bits a colour.

    Parameters
    ----------
    values, alpha : (H, W) or (H, W, 3), and (H, W) or None, uint16.
    metadata : Pillow's keywords for saving.
    """
    planes = values.reshape(*values.shape[:2], -1)
    planes = planes if alpha is None else np.concatenate([planes, alpha[..., np.newaxis]], -1)
    small = io.BytesIO()
    Image.new("RGBA" if alpha is not None else "RGB", (1, 1)).save(small, "PNG", **metadata)
    height, width, channels = planes.shape
    head = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    with path.open("wb") as file:
        file.write(SIGNATURE)
        for kind, data in _chunks(small.getvalue()):
            file.write(
                _chunk(kind, {b"IHDR": head, b"IDAT": _packed(planes)}[kind] if kind in (b"IHDR", b"IDAT") else data)
            )


def _decode(path: str, rawmode: str) -> np.ndarray:
    with Image.open(path, formats=("PNG",)) as image:
        image.tile = [image.tile[0]._replace(args=rawmode)]
        return np.asarray(image)


def _packed(planes: np.ndarray) -> bytes:
    """Return the compressed rows, each as its difference from the row above."""
    rows = planes.astype(">u2").view(np.uint8).reshape(len(planes), -1)
    above = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    difference = rows - above  # of bytes, modulo 256
    return zlib.compress(np.concatenate([np.full((len(rows), 1), 2, np.uint8), difference], 1).tobytes(), 6)


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = len(SIGNATURE)
    while start < len(file):
        (length,) = struct.unpack(">I", file[start : start + 4])
        yield file[start + 4 : start + 8], file[start + 8 : start + 8 + length]
        start += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
