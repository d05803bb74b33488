"""What a picture file says of itself is written with it again, except what no longer holds."""

import struct

import numpy as np
import pytest
from disk import again
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from restoring import noise, save

from narrows.data.image_file import read_original, write_original

ORIENTATION = 0x0112
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_what_a_photograph_says_of_itself_is_kept(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[306] = "2026:01:02 03:04:05"
    exif[0x8769] = {0x829A: 0.01, 0xA002: 64, 0xA003: 40}
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    about = {"exif": exif, "icc_profile": PROFILE, "dpi": (300, 300), "comment": b"hello", "xmp": xmp}
    written = again(save(tmp_path / "a.jpg", noise(40, 64, 3), **about))[1]
    camera = written.getexif().get_ifd(0x8769)
    assert written.getexif()[306] == "2026:01:02 03:04:05"
    assert float(camera[0x829A]) == pytest.approx(0.01)
    assert (camera[0xA002], camera[0xA003]) == (40, 64)
    assert written.info["icc_profile"] == PROFILE
    assert written.info["dpi"] == (300, 300)
    assert written.info["comment"] == b"hello"
    assert written.info["xmp"] == xmp


def test_what_a_camera_says_goes_into_a_tiff_too(tmp_path):
    exif = Image.Exif()
    exif[271] = "a camera"
    exif[0x8769] = {0x829A: 0.01}
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    original = read_original(save(tmp_path / "a.jpg", noise(40, 64, 3), exif=exif))
    write_original(tmp_path / "b.tif", original, original.values, "TIFF")
    written = again(tmp_path / "b.tif")[1]
    assert written.getexif()[271] == "a camera"
    assert float(written.getexif().get_ifd(0x8769)[0x829A]) == pytest.approx(0.01)
    assert written.getexif().get_ifd(0x8825)[1] == "N"


def test_what_a_tiff_says_of_itself_is_kept(tmp_path):
    tags = {270: "ImageJ=1.54f\nunit=um\n", 282: 0.5, 283: 0.5, 296: 3, 33550: (1.5, 1.5, 0.0)}
    x = noise(5, 7, dtype=np.uint16)
    written = again(save(tmp_path / "a.tif", x, tiffinfo=tags, compression="tiff_lzw"))[1]
    assert written.tag_v2[270] == tags[270]
    assert (float(written.tag_v2[282]), written.tag_v2[296]) == (0.5, 3)
    assert written.tag_v2[33550] == (1.5, 1.5, 0.0)
    assert written.info["compression"] == "tiff_lzw"


def test_what_a_png_says_of_itself_is_kept(tmp_path):
    texts = PngInfo()
    texts.add_text("Title", "a title")
    path = save(tmp_path / "a.png", noise(5, 7, 3), pnginfo=texts, icc_profile=PROFILE, dpi=(300, 300))
    written = again(path)[1]
    assert written.text["Title"] == "a title"
    assert written.info["icc_profile"] == PROFILE
    assert round(written.info["dpi"][0]) == 300


def test_a_picture_with_damaged_metadata_is_still_written(tmp_path):
    x = noise(16, 16)
    save(tmp_path / "a.jpg", x, exif=b"Exif\0\0II*\0nonsense")
    save(tmp_path / "b.png", x, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03")
    for name in ("a.jpg", "b.png"):
        written = again(tmp_path / name)[1]
        assert np.asarray(written).shape == (16, 16)


def test_the_thumbnail_that_shows_the_noise_is_dropped(tmp_path):
    path = save(tmp_path / "a.jpg", noise(16, 24, 3), exif=with_thumbnail(b"\xff\xd8 a small noisy picture \xff\xd9"))
    assert b"a small noisy picture" in path.read_bytes()
    written = again(path)[1]
    assert written.getexif()[271] == "abc"
    assert b"a small noisy picture" not in (tmp_path / "again.jpg").read_bytes()


def with_thumbnail(thumbnail):
    """Return EXIF of a maker and a second directory that holds a thumbnail."""
    start = 8 + 2 + 12 + 4
    first = struct.pack("<HHHI4sI", 1, 271, 2, 4, b"abc\0", start)
    offset = start + 2 + 24 + 4
    second = struct.pack("<HHHIIHHIII", 2, 513, 4, 1, offset, 514, 4, 1, len(thumbnail), 0)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + thumbnail
