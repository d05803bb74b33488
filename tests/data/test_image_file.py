"""A picture file comes back as it was: size, depth, colours, transparency, way up and what it says of itself."""

import numpy as np
import pytest
from disk import again
from PIL import Image
from restoring import noise, opened, save

from narrows.data.image_file import carried_mode, find_format, read_original, write_original
from narrows.errors import DataError

RNG = np.random.default_rng(0)
ORIENTATION = 0x0112


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "ppm", "jp2", "webp"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_bytes_come_back_bit_for_bit(tmp_path, suffix, shape):
    x = noise(*shape)
    options = {"lossless": True} if suffix == "webp" else {}
    original, written = again(save(tmp_path / f"a.{suffix}", x, **options))
    stored = np.asarray(written)
    grey_in_colour = suffix == "webp" and len(shape) == 2
    assert np.array_equal(stored, np.stack([x] * 3, -1) if grey_in_colour else x)
    assert np.array_equal(original.values, stored)
    assert written.format == opened(tmp_path / f"a.{suffix}").format


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm", "jp2"])
def test_16_bits_come_back_bit_for_bit(tmp_path, suffix):
    x = noise(5, 7, dtype=np.uint16)
    original, written = again(save(tmp_path / f"a.{suffix}", x))
    assert original.values.dtype == np.uint16
    assert np.array_equal(original.values, x)
    assert np.array_equal(np.asarray(written), x)


def test_big_endian_tiff(tmp_path):
    x = noise(5, 7, dtype=np.uint16)
    Image.frombytes("I;16B", (7, 5), x.astype(">u2").tobytes()).save(tmp_path / "a.tif")
    original, written = again(tmp_path / "a.tif")
    assert np.array_equal(original.values, x)
    assert np.array_equal(np.asarray(written), x)


def test_a_jpeg_comes_back_as_one_of_high_quality(tmp_path):
    smooth = np.linspace(0, 255, 64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)
    original, written = again(save(tmp_path / "a.jpg", smooth, quality=60))
    assert written.format == "JPEG"
    assert np.abs(np.asarray(written).astype(int) - original.values).mean() < 1


@pytest.mark.parametrize(("suffix", "channels"), [("png", 4), ("tif", 4), ("webp", 4), ("png", 2), ("tif", 2)])
def test_transparency_is_kept_untouched_beside_other_colours(tmp_path, suffix, channels):
    x = noise(5, 7, channels)
    original = read_original(save(tmp_path / f"a.{suffix}", x, **({"lossless": True, "exact": True})))
    write_original(tmp_path / f"b.{suffix}", original, 255 - original.values)
    stored = np.asarray(opened(tmp_path / f"b.{suffix}"))
    assert np.array_equal(stored[..., -1], x[..., -1])
    assert np.array_equal(stored[..., :-1].squeeze(), 255 - x[..., :-1].squeeze())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_pictures_are_written_upright_and_say_so(tmp_path, suffix, orientation):
    upright = np.linspace(0, 255, 40 * 64).reshape(40, 64).astype(np.uint8)
    upright = np.stack([upright, upright[::-1], 255 - upright], -1)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[271] = "a camera"
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation)
    methods = dict(zip(range(2, 9), [0, 3, 1, 5, 4, 6, 2], strict=True))  # of EXIF orientations in Pillow
    image = Image.fromarray(upright)
    image = image if back is None else image.transpose(Image.Transpose(methods[back]))
    image.save(tmp_path / f"a.{suffix}", exif=exif, quality=95, lossless=True)
    original, written = again(tmp_path / f"a.{suffix}")
    assert original.values.shape == (40, 64, 3)
    assert np.abs(original.values.astype(int) - upright).mean() < 4
    assert written.size == (64, 40)
    assert written.getexif().get(ORIENTATION, 1) == 1
    assert written.getexif()[271] == "a camera"


def test_palettes_become_rgb_or_grey(tmp_path):
    x = np.zeros((6, 6, 3), np.uint8)
    x[:3], x[3:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(x).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "a.png")
    Image.fromarray(x[..., 0]).convert("P").save(tmp_path / "b.png")
    assert np.array_equal(read_original(tmp_path / "a.png").values, x)
    assert np.array_equal(read_original(tmp_path / "b.png").values, x[..., 0])
    Image.fromarray(x).save(tmp_path / "c.gif")
    assert read_original(tmp_path / "c.gif").format == "PNG"


def test_one_bit_becomes_bytes(tmp_path):
    Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1").save(tmp_path / "a.png")
    original, written = again(tmp_path / "a.png")
    assert original.values.tolist() == [[0, 255, 0]]
    assert written.mode == "L"


def broken(folder, kind):
    path = folder / "a.tif"
    match kind:
        case "gaps":
            save(path, np.array([[1, np.nan, np.inf]], np.float32))
        case "inks":
            Image.new("CMYK", (7, 5)).save(path)
        case "text":
            path.write_text("this is no picture")
        case "cut":
            path.write_bytes(save(path.with_suffix(".png"), noise(60, 60)).read_bytes()[:900])
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("gaps", "2 pixel values that are NaN or infinite"),
        ("inks", "neither grey nor RGB"),
        ("text", "cannot identify"),
        ("cut", "truncated|broken"),
    ],
)
def test_what_would_not_come_back_is_refused_with_the_reason(tmp_path, kind, reason):
    with pytest.raises((OSError, ValueError, SyntaxError), match=reason):
        read_original(broken(tmp_path, kind))


def test_another_format_holds_what_it_can(tmp_path):
    original = read_original(save(tmp_path / "a.png", noise(5, 7, 4)))
    write_original(tmp_path / "a.jpg", original, original.values, format_="JPEG")
    assert opened(tmp_path / "a.jpg").mode == "RGB"
    deep = read_original(save(tmp_path / "b.png", noise(5, 7, dtype=np.uint16)))
    with pytest.raises(DataError, match="8 bits a value"):
        carried_mode(deep, "JPEG")
    with pytest.raises(DataError, match="exists already"):
        write_original(tmp_path / "a.png", original, original.values)


@pytest.mark.parametrize("name", ["a.gif", "a.npy", "a.eps", "a"])
def test_endings_that_hold_no_restored_picture_are_refused(tmp_path, name):
    with pytest.raises(DataError, match="must end in one of"):
        find_format(tmp_path / name)
