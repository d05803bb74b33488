"""TIFFs of any depth and arrangement are read as tifffile reads them, and written back as they were."""

import sys

import numpy as np
import pytest
import tifffile
from disk import gradient
from restoring import noise

from narrows.data.image_file import read_original, write_original
from narrows.data.read import read

RNG = np.random.default_rng(0)
TYPES = [np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.uint32, np.uint16]

ARRANGEMENTS = [{}, {"tile": (16, 16)}, {"bigtiff": True}, {"byteorder": ">"}, {"compression": "zlib"}]


@pytest.fixture
def without_extra(monkeypatch):
    """The environment of somebody who has not installed narrows[images]."""
    from tifffile import _imagecodecs
    from tifffile import tifffile as module

    monkeypatch.setattr(module, "imagecodecs", _imagecodecs)
    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", module.CompressionCodec(encode=False))
    monkeypatch.setattr(tifffile.TIFF, "COMPRESSORS", module.CompressionCodec(encode=True))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)


def stored(path, **options):
    """Return the first page of a file that was read and written again, and its values, as tifffile reads it."""
    original, target = read_original(path), path.with_name(f"again{path.suffix}")
    write_original(target, original, original.values, **options)
    with tifffile.TiffFile(target) as file:
        return file.pages[0], file.pages[0].asarray()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    "options", [{}, {"tile": (16, 16)}, {"bigtiff": True}, {"byteorder": ">"}, {"compression": "zlib"}]
)
def test_values_are_read_and_come_back_bit_for_bit(tmp_path, dtype, options):
    x = (RNG.random((20, 30)) * 250 - (100 if np.dtype(dtype).kind in "fi" else 0)).clip(-100, 120).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", x, photometric="minisblack", **options)
    samples = read(tmp_path / "a.tif")
    assert np.array_equal(samples.x[0], x)
    page, values = stored(tmp_path / "a.tif")
    assert np.array_equal(values, x)
    assert page.dtype == np.dtype(dtype)
    if dtype != np.uint16:  # which Pillow writes
        assert page.is_tiled == ("tile" in options)
    assert page.parent.is_bigtiff == ("bigtiff" in options)


def test_wide_integers_lose_no_digit(tmp_path):
    x = np.array([[0, 2**32 - 1, 2**31 + 1, 16777217]], np.uint32)
    tifffile.imwrite(tmp_path / "a.tif", x)
    assert read(tmp_path / "a.tif").x.tolist() == [x.astype(float).tolist()]
    original = read_original(tmp_path / "a.tif")
    write_original(tmp_path / "b.tif", original, x + np.array([[-1.0, 0.6, 0.4, 1.0]]))
    assert tifffile.imread(tmp_path / "b.tif").tolist() == [[0, 2**32 - 1, 2**31 + 1, 16777218]]


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_stored_by_pixel_or_by_plane(tmp_path, planar, dtype):
    x = (RNG.random((9, 12, 3)) * 200).astype(dtype)
    data = np.moveaxis(x, -1, 0) if planar == "separate" else x
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", planarconfig=planar)
    samples = read(tmp_path / "a.tif")
    assert samples.reading["colour"] == "rgb"
    assert np.array_equal(samples.x[0], x)
    assert np.array_equal(stored(tmp_path / "a.tif")[1], x)


def test_transparency_of_16_bits(tmp_path):
    x = noise(9, 12, 4, dtype=np.uint16)
    x[0, 0] = (100, 200, 300, 0)
    tifffile.imwrite(tmp_path / "a.tif", x, photometric="rgb", extrasamples=["unassalpha"])
    assert read(tmp_path / "a.tif").x[0, 0, 0].tolist() == [65535] * 3
    assert np.array_equal(stored(tmp_path / "a.tif")[1], x)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_fractions_are_turned_upright(tmp_path, orientation):
    upright = gradient(4, 6).astype(np.float32)
    turned = upright.T if orientation >= 5 else upright
    x = turned[:, ::-1] if orientation in (2, 3, 7, 8) else turned
    x = x[::-1] if orientation in (3, 4, 6, 7) else x
    tifffile.imwrite(tmp_path / "a.tif", np.ascontiguousarray(x), extratags=[(274, 3, 1, orientation, True)])
    samples = read(tmp_path / "a.tif")
    assert samples.x.shape == (1, 4, 6)
    assert np.array_equal(samples.x[0], upright)


def test_12_bits(tmp_path):
    pytest.importorskip("imagecodecs")
    x = noise(8, 10, dtype=np.uint16) >> 4
    tifffile.imwrite(tmp_path / "a.tif", x, bitspersample=12, photometric="minisblack")
    assert np.array_equal(read(tmp_path / "a.tif").x[0], x)
    page, values = stored(tmp_path / "a.tif")
    assert page.bitspersample == 12
    assert np.array_equal(values, x)


@pytest.mark.parametrize("compression", ["lzw", "packbits", "zstd", "lzma"])
def test_compression_is_kept(tmp_path, compression):
    pytest.importorskip("imagecodecs")
    x = RNG.random((8, 10)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", x, compression=compression)
    assert np.array_equal(read(tmp_path / "a.tif").x[0], x)
    page, values = stored(tmp_path / "a.tif")
    assert page.compression.name.lower() == compression
    assert np.array_equal(values, x)


def test_what_microscopes_write_beside_the_pixels_is_kept(tmp_path):
    x = RNG.random((2, 8, 10)).astype(np.float32)
    about = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", x, ome=True, metadata=about, resolution=(20000, 20000))
    originals = [read_original(tmp_path / "a.ome.tif", page) for page in range(2)]
    from narrows.data.image_file import write_pages

    write_pages(tmp_path / "b.ome.tif", originals, list(x))
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as before, tifffile.TiffFile(tmp_path / "b.ome.tif") as after:
        assert after.is_ome
        assert after.ome_metadata == before.ome_metadata
        assert after.pages[0].resolution == before.pages[0].resolution
        assert after.series[0].axes == "ZYX"
        assert np.array_equal(after.asarray(), x)


def test_imagej_metadata_are_kept(tmp_path):
    x = RNG.random((3, 8, 10)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", x, imagej=True, metadata={"axes": "ZYX", "spacing": 2.5, "unit": "um"})
    page, _ = stored(tmp_path / "a.tif")
    assert "spacing=2.5" in page.description


def test_what_needs_the_extra_is_named(tmp_path, without_extra):
    x = RNG.random((8, 10)).astype(np.float32)
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "a.tif").write_bytes(LERC)
    tifffile.imwrite(tmp_path / "c.tif", x, compression="zlib")
    samples = read(tmp_path)
    assert samples.names == ("c.tif",)
    assert [name for name, _ in samples.skipped] == ["a.tif", "b.heic"]
    assert all(reason.endswith('pip install "narrows[images]"') for _, reason in samples.skipped), samples.skipped
    assert np.array_equal(stored(tmp_path / "c.tif")[1], x)


LERC = (
    b"II*\0\x08\0\0\0\x09\0"
    b"\0\x01\x03\0\x01\0\0\0\x02\0\0\0\x01\x01\x03\0\x01\0\0\0\x02\0\0\0\x02\x01\x03\0\x01\0\0\0\x20\0\0\0"
    b"\x03\x01\x03\0\x01\0\0\0\x47\x88\0\0\x06\x01\x03\0\x01\0\0\0\x01\0\0\0\x11\x01\x04\0\x01\0\0\0\x7a\0\0\0"
    b"\x15\x01\x03\0\x01\0\0\0\x01\0\0\0\x17\x01\x04\0\x01\0\0\0\x04\0\0\0\x53\x01\x03\0\x01\0\0\0\x03\0\0\0"
    b"\0\0\0\0abcd"
)


def test_values_that_are_no_picture_are_named(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((8, 8, 5), np.uint16), planarconfig="contig", photometric="minisblack"
    )
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((8, 8), np.complex64))
    tifffile.imwrite(tmp_path / "c.tif", noise(8, 8))
    whole = tmp_path / "d.tif"
    tifffile.imwrite(whole, np.zeros((60, 60), np.float32))
    whole.write_bytes(whole.read_bytes()[:-1000])
    reasons = dict(read(tmp_path).skipped)
    assert "5 values a pixel" in reasons["a.tif"]
    assert "no real numbers" in reasons["b.tif"]
    assert reasons["d.tif"] == "the file is truncated"


def test_nothing_is_printed(tmp_path, capfd):
    tifffile.imwrite(tmp_path / "a.tif", noise(8, 8).astype(np.float32), description="OME nonsense <OME", metadata=None)
    (tmp_path / "b.tif").write_bytes(b"II*\0" + bytes(40))
    read(tmp_path)
    assert capfd.readouterr() == ("", "")
