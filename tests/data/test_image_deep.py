"""PNG files of 16 bits a colour keep all of them."""

import struct
import zlib

import numpy as np
import pytest
from disk import again
from PIL import Image
from restoring import noise

from narrows.data.image_file import read_original, write_original
from narrows.data.read import read


def deep_png(x, colour_type):
    """Return the bytes of a PNG of 16 bits a colour, (H, W, channels)."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in x)
    head = struct.pack(">IIBBBBB", x.shape[1], x.shape[0], 16, colour_type, 0, 0, 0)
    text = chunk(b"tEXt", b"Title\0a title")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + text + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("channels", "colour_type"), [(2, 4), (3, 2), (4, 6)])
def test_every_bit_is_read_and_comes_back(tmp_path, channels, colour_type):
    x = noise(9, 12, channels, dtype=np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(deep_png(x, colour_type))
    original, written = again(path)
    second = read_original(tmp_path / "again.png")
    colours = x[..., :3] if channels >= 3 else x[..., 0]
    for picture in (original, second):
        assert np.array_equal(picture.values, colours)
        assert picture.alpha is None or np.array_equal(picture.alpha, x[..., -1])
        assert (picture.alpha is None) == (channels == 3)
    assert written.text["Title"] == "a title"


def test_training_reads_16_bits_a_colour(tmp_path):
    x = noise(9, 12, 3, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(deep_png(x, 2))
    samples = read(tmp_path)
    assert (samples.x.dtype, samples.reading["depth"]) == (np.uint16, 16)
    assert np.array_equal(samples.x[0], x)


def test_from_tiff_to_png_and_back(tmp_path):
    import tifffile

    x = noise(9, 12, 3, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", x, photometric="rgb")
    write_original(tmp_path / "b.png", read_original(tmp_path / "a.tif"), x, "PNG")
    write_original(tmp_path / "c.tif", read_original(tmp_path / "b.png"), x, "TIFF")
    assert np.array_equal(tifffile.imread(tmp_path / "c.tif"), x)
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (12, 9)
