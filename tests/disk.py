"""What the tests of readers share: pictures, files of them, and the sentence of a refusal."""

import struct

import numpy as np
import pytest
from PIL import Image
from restoring import opened

from narrows.data.image_file import read_original, write_original
from narrows.data.read import read
from narrows.errors import DataError


def idx(array, code=8, dims=None):
    """Return an IDX file of bytes, or of the type `code`; `dims` may differ from what is in it."""
    dims = array.shape if dims is None else dims
    return bytes([0, 0, code, len(dims)]) + struct.pack(f">{len(dims)}I", *dims) + array.tobytes()


def gradient(height, width, channels=0):
    """Return a picture that differs in every direction and channel, smooth enough for JPEG."""
    y, x = np.mgrid[0:height, 0:width]
    grey = 40 + 150 * y / height + 60 * x / width
    planes = [grey, 255 - grey, 40 + 200 * x / width, np.full_like(grey, 200)][: channels or 1]
    return np.stack(planes, -1).astype(np.uint8) if channels else planes[0].astype(np.uint8)


def waves(n=12, size=(40, 44)):
    """Return pictures (n, H, W) of waves, each of another length and direction."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.stack([128 + 90 * np.sin(rows / (4 + i % 5) + columns / (9 - i % 3)) for i in range(n)])


def put(path, array, **options):
    """Write a picture, and its folder, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def put_all(folder, pictures):
    """Write pictures by their names into a folder, and return it."""
    for name, picture in pictures.items():
        put(folder / name, picture)
    return folder


def again(path, **options):
    """Read a picture, write it with its own values, and return both files as read."""
    original = read_original(path)
    written = path.with_name(f"again{path.suffix}")
    write_original(written, original, original.values, **options)
    return original, opened(written)


def refused(source, **options):
    """Return the sentence that refuses `source`."""
    with pytest.raises(DataError) as caught:
        read(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message
